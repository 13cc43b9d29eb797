/**
 * The registry: which attributes a User and a Group have, and which attribute a name means. Names, URNs included, are compared
 * without case; enterprise attributes are found without their URN too (E-06, E-16). Everything that reads, stores or
 * compiles an attribute takes its name from here, never from a request.
 */
import { complex, indexByName, reference, text, time } from './attribute'
import type { Attribute, AttributePath } from './attribute'
import { ENTERPRISE_SCHEMA, enterpriseAttributes } from './schemaEnterprise'
import { GROUP_SCHEMA, groupAttributes } from './schemaGroup'
import { ENTITLEMENT_SCHEMA, ROLE_SCHEMA, entitlementAttributes, roleAttributes } from './schemaCatalogue'
import { PROVISIONING_SCHEMA, provisioningAttributes } from './schemaProvisioning'
import { USER_SCHEMA, userAttributes } from './schemaUser'

export { ENTERPRISE_SCHEMA, ENTITLEMENT_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, ROLE_SCHEMA, USER_SCHEMA }

export type ResourceType = 'User' | 'Group'

/** What a connection is offered to assign, where it is turned on. Made of the policy; no client writes it. */
export type CatalogueType = 'Role' | 'Entitlement'

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

const externalId = text('externalId', "The provider's own id for the resource.", { caseExact: true })

/** RFC 7643 section 3.1. Not part of any schema's list, but for `externalId` (scim-decisions 12). */
const schemasAttribute = text('schemas', 'The schemas that the resource uses.', { multiValued: true, returned: 'always' })
const idAttribute = text('id', "The resource's id, chosen by this server.", {
  caseExact: true, mutability: 'readOnly', returned: 'always', uniqueness: 'server',
})
const metaAttribute = complex('meta', 'What this server knows about the resource.', [
  text('resourceType', 'The kind of resource, such as User or Group.', { caseExact: true, mutability: 'readOnly' }),
  time('created', 'When the resource was created.', { mutability: 'readOnly' }),
  time('lastModified', 'When the resource last changed.', { mutability: 'readOnly' }),
  text('version', 'The weak entity tag.', { caseExact: true, mutability: 'readOnly' }),
  reference('location', 'The address of the resource.', ['uri'], { mutability: 'readOnly' }),
], { mutability: 'readOnly' })

export const SCHEMAS: readonly Schema[] = [
  { id: USER_SCHEMA, name: 'User', description: 'User Account', attributes: [externalId, ...userAttributes] },
  { id: ENTERPRISE_SCHEMA, name: 'EnterpriseUser', description: 'Enterprise User', attributes: enterpriseAttributes },
  { id: GROUP_SCHEMA, name: 'Group', description: 'Group', attributes: [externalId, ...groupAttributes] },
  { id: PROVISIONING_SCHEMA, name: 'Provisioning', description: 'What became of the user at Arize', attributes: provisioningAttributes },
]

export const CATALOGUE_SCHEMAS: readonly Schema[] = [
  { id: ROLE_SCHEMA, name: 'Role', description: 'Role', attributes: roleAttributes },
  { id: ENTITLEMENT_SCHEMA, name: 'Entitlement', description: 'Entitlement', attributes: entitlementAttributes },
]

const enterprise = complex(ENTERPRISE_SCHEMA, 'Enterprise User', enterpriseAttributes)
const provisioning = complex(PROVISIONING_SCHEMA, 'What became of the user at Arize', provisioningAttributes, { mutability: 'readOnly' })

const common: readonly Attribute[] = [schemasAttribute, idAttribute, externalId, metaAttribute]

/** A resource type as the complex attribute that its resources are values of. */
export interface Definition {
  readonly resourceType: ResourceType | CatalogueType
  readonly schema: string
  readonly root: Attribute
  readonly extensions: readonly Attribute[]
}

const USER: Definition = {
  resourceType: 'User',
  schema: USER_SCHEMA,
  root: complex('User', 'User Account', [...common, ...userAttributes, enterprise, provisioning]),
  extensions: [enterprise, provisioning],
}

const GROUP: Definition = {
  resourceType: 'Group',
  schema: GROUP_SCHEMA,
  root: complex('Group', 'Group', [...common, ...groupAttributes]),
  extensions: [],
}

export const definitionOf = (resourceType: ResourceType): Definition => (resourceType === 'User' ? USER : GROUP)

const catalogueDefinition = (resourceType: CatalogueType, schema: string, attributes: readonly Attribute[]): Definition => ({
  resourceType, schema,
  root: complex(resourceType, resourceType, [schemasAttribute, idAttribute, metaAttribute, ...attributes]),
  extensions: [],
})

const ROLE = catalogueDefinition('Role', ROLE_SCHEMA, roleAttributes)
const ENTITLEMENT = catalogueDefinition('Entitlement', ENTITLEMENT_SCHEMA, entitlementAttributes)

export const catalogueDefinitionOf = (type: CatalogueType): Definition => (type === 'Role' ? ROLE : ENTITLEMENT)

/** What a resource says it is: by `meta.resourceType`, else by `schemas`; a User when it says neither. */
export const resourceTypeOf = (resource: Readonly<Record<string, unknown>>): ResourceType => {
  const meta = resource.meta
  if (typeof meta === 'object' && meta !== null && 'resourceType' in meta) return meta.resourceType === 'Group' ? 'Group' : 'User'
  return Array.isArray(resource.schemas) && resource.schemas.includes(GROUP_SCHEMA) ? 'Group' : 'User'
}

const STORED_GROUP: Attribute = {
  ...GROUP.root,
  children: indexByName([...GROUP.root.children.values()].filter(({ name }) => name !== 'members')),
}

/** The definition without `members`, which are rows of their own: what the stored part of a Group consists of. */
export const storedRoot = (resourceType: ResourceType): Attribute => (resourceType === 'User' ? USER.root : STORED_GROUP)

/** `name.givenName` below an attribute; null when one of the parts is unknown. */
export const resolveBelow = (parent: Attribute, name: string): AttributePath | null => {
  const path: Attribute[] = []
  let node = parent
  for (const part of name.toLowerCase().split('.', 4)) {
    const child = node.children.get(part)
    if (child === undefined) return null
    path.push(child)
    node = child
  }
  return path
}

/** What follows a URN: nothing, or a name after the colon of RFC 7644 or the dot of Entra (E-17). */
const afterUrn = (urn: string, lower: string): string | null => {
  if (!lower.startsWith(urn.toLowerCase())) return null
  if (lower.length === urn.length) return ''
  return lower[urn.length] === ':' || lower[urn.length] === '.' ? lower.slice(urn.length + 1) : null
}

/** The attribute that a name in a request means, from the resource down; null when there is none. */
export const resolveName = (definition: Definition, name: string): AttributePath | null => {
  const lower = name.trim().toLowerCase()
  for (const extension of definition.extensions) {
    const rest = afterUrn(extension.name, lower)
    if (rest === '') return [extension]
    const below = rest === null ? null : resolveBelow(extension, rest)
    if (below !== null) return [extension, ...below]
  }
  const core = afterUrn(definition.schema, lower)
  if (core !== null) return core === '' ? null : resolveBelow(definition.root, core)
  const plain = resolveBelow(definition.root, lower)
  if (plain !== null) return plain
  // Of what no client writes, none needs to be guessed.
  for (const extension of definition.extensions.filter(({ mutability }) => mutability !== 'readOnly')) {
    const below = resolveBelow(extension, lower)
    if (below !== null) return [extension, ...below]
  }
  return null
}

/** Whether a name belongs to {@link PROVISIONING_SCHEMA}. */
export const isProvisioningName = (name: string): boolean => afterUrn(PROVISIONING_SCHEMA, name.trim().toLowerCase()) !== null

/** Whether no client can change the attribute: read-only, `schemas`, which is computed, or never kept. */
export const isUnwritable = (path: AttributePath): boolean =>
  path.some((attribute) =>
    attribute.mutability === 'readOnly' || attribute.mutability === 'writeOnly' || attribute === schemasAttribute)
