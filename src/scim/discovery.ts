/**
 * What the server says about itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643 sections 5 to 8). Made from the
 * registry and the limits that the code enforces, so that it is true. Knows no routes beyond these three.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute } from './attribute'
import { MAX_BULK_BYTES, MAX_BULK_OPERATIONS } from './bulk'
import { forbidden, notFound } from './error'
import type { ScimError } from './error'
import type { JsonObject } from './json'
import { catalogueEndpoint } from './catalogue'
import { MAX_COUNT, PAGINATION } from './query'
import { listResponse } from './render'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, CATALOGUE_SCHEMAS, PROVISIONING_SCHEMA, SCHEMAS, USER_SCHEMA, catalogueDefinitionOf } from './schema'
import type { CatalogueType, Schema } from './schema'

const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'
const RESOURCE_TYPE_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
const SCHEMA_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'

const meta = (resourceType: string, base: string, path: string): JsonObject => ({
  resourceType, location: `${base.replace(/\/$/, '')}/${path}`,
})

/** `base` is the absolute SCIM base. */
export const serviceProviderConfig = (base: string): JsonObject => ({
  schemas: [CONFIG_SCHEMA],
  patch: { supported: true },
  bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: MAX_BULK_BYTES },
  filter: { supported: true, maxResults: MAX_COUNT },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  pagination: PAGINATION,
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of the connection, or a JWT of a trusted issuer, in the Authorization header.',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
    {
      type: 'httpbasic',
      name: 'HTTP Basic',
      description: 'A token of the connection as the password.',
      specUri: 'https://www.rfc-editor.org/info/rfc7617',
      primary: false,
    },
  ],
  meta: meta('ServiceProviderConfig', base, 'ServiceProviderConfig'),
})

const userType = (base: string): JsonObject => ({
  schemas: [RESOURCE_TYPE_SCHEMA],
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  description: 'User Account',
  schema: USER_SCHEMA,
  schemaExtensions: [ENTERPRISE_SCHEMA, PROVISIONING_SCHEMA].map((schema) => ({ schema, required: false })),
  meta: meta('ResourceType', base, 'ResourceTypes/User'),
})

const groupType = (base: string): JsonObject => ({
  schemas: [RESOURCE_TYPE_SCHEMA],
  id: 'Group',
  name: 'Group',
  endpoint: '/Groups',
  description: 'Group',
  schema: GROUP_SCHEMA,
  schemaExtensions: [],
  meta: meta('ResourceType', base, 'ResourceTypes/Group'),
})

const catalogueType = (base: string, type: CatalogueType): JsonObject => ({
  schemas: [RESOURCE_TYPE_SCHEMA],
  id: type,
  name: type,
  endpoint: `/${catalogueEndpoint(type)}`,
  description: type,
  schema: catalogueDefinitionOf(type).schema,
  schemaExtensions: [],
  meta: meta('ResourceType', base, `ResourceTypes/${type}`),
})

/** What is never returned is not published: clients would look for it (B.5). */
const publishAttributes = (attributes: Iterable<Attribute>): readonly JsonObject[] =>
  [...attributes].filter(({ returned }) => returned !== 'never').map(publishAttribute)

const publishAttribute = (attribute: Attribute): JsonObject => {
  const { name, type, multiValued, description, required, caseExact, mutability, returned, uniqueness } = attribute
  return {
    name, type, multiValued, description, required,
    ...(type === 'complex' ? {} : { caseExact }),
    ...(attribute.canonicalValues === undefined ? {} : { canonicalValues: attribute.canonicalValues }),
    mutability, returned,
    ...(type === 'complex' ? {} : { uniqueness }),
    ...(attribute.referenceTypes === undefined ? {} : { referenceTypes: attribute.referenceTypes }),
    ...(type === 'complex' ? { subAttributes: publishAttributes(attribute.children.values()) } : {}),
  }
}

const publishSchema = (base: string) => ({ id, name, description, attributes }: Schema): JsonObject => ({
  schemas: [SCHEMA_SCHEMA],
  id, name, description,
  attributes: publishAttributes(attributes),
  meta: meta('Schema', base, `Schemas/${id}`),
})

export type DiscoveryEndpoint = 'ServiceProviderConfig' | 'ResourceTypes' | 'Schemas'

/** What is asked of a discovery endpoint. Paging and sorting are ignored, whatever they say (RFC 7644 section 4). */
export interface DiscoveryRequest {
  readonly endpoint: DiscoveryEndpoint
  /** Null for the list. */
  readonly id: string | null
  /** Whether the request has a filter, whatever it is. */
  readonly isFiltered: boolean
}

/** The part of a request that discovery looks at. */
export const isFiltered = (params: URLSearchParams): boolean => [...params.keys()].some((name) => name.toLowerCase() === 'filter')

/** Where the server is, and what it has for the connection that asks. */
export interface Site {
  /** The absolute SCIM base. */
  readonly base: string
  /** Whether the connection is offered Roles and Entitlements. */
  readonly hasCatalogue: boolean
}

/**
 * The schemas of ServiceProviderConfig, ResourceType and Schema are not among them: they are the protocol's, no resource type has
 * them (a suite stops at a core schema without one), and Entra would entry their attributes for mapping (E-03).
 */
const everything = (endpoint: 'ResourceTypes' | 'Schemas', { base, hasCatalogue }: Site): readonly JsonObject[] => {
  if (endpoint === 'Schemas') return [...SCHEMAS, ...(hasCatalogue ? CATALOGUE_SCHEMAS : [])].map(publishSchema(base))
  return [userType(base), groupType(base), ...(hasCatalogue ? [catalogueType(base, 'Role'), catalogueType(base, 'Entitlement')] : [])]
}

const isNamed = (resource: JsonObject, id: string): boolean => String(resource.id).toLowerCase() === id.toLowerCase()

/**
 * The body of GET on a discovery endpoint, as a list or by id. 403 for a filter (RFC 7644 section 4), 404 for an unknown id, which
 * is compared without case.
 */
export const discover = ({ endpoint, id, isFiltered: isRefused }: DiscoveryRequest, site: Site): Result<JsonObject, ScimError> => {
  if (isRefused) return err(forbidden(`${endpoint} cannot be filtered.`))
  if (endpoint === 'ServiceProviderConfig') {
    return id === null ? ok(serviceProviderConfig(site.base)) : err(notFound('ServiceProviderConfig has no resources of its own.'))
  }
  const resources = everything(endpoint, site)
  if (id === null) return ok(listResponse({ totalResults: resources.length, startIndex: 1, resources }))
  const found = resources.find((resource) => isNamed(resource, id))
  return found === undefined ? err(notFound(`There is no "${id.slice(0, 200)}" among ${endpoint}.`)) : ok(found)
}
