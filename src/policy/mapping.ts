/**
 * Which mappings select a group or an entitlement: the policy compiled into look-ups, so that evaluating a person does
 * not walk all of it. Compares names and ids only; whether what a pattern captured exists is judged in readings.ts.
 */
import type { Entitlement } from './entitlement'
import { entitlementId } from './entitlementId'
import { foldName, tidyName } from './name'
import {
  fillTemplate,
  matchPattern,
  parsePattern,
  parseTemplate,
  placeholdersOf,
  readableName,
  type Pattern,
  type Template,
} from './pattern'
import { parseRole, type AccountRole, type Role } from './role'
import { capturesOf } from './rules'
import { MAX_NAME, type MappingGrant, type Policy, type RoleMapping } from './shape'

type Captures = ReadonlyMap<string, string>

/** The connection that told of a group or of an entitlement. */
export interface ConnectionFact {
  readonly id: string
  readonly name: string
}

/** A group that the person is a member of. */
export interface GroupFact {
  readonly id: string
  readonly displayName: string
  readonly externalId: string | null
  readonly connection: ConnectionFact
}

/** One grant of a mapping, its placeholders still open. */
export interface CompiledGrant {
  /** The entitlement for these captures; null when they give no valid role or no usable name. */
  readonly fill: (captures: Captures) => Entitlement | null
  readonly capturesOrganization: boolean
  readonly capturesSpace: boolean
}

export interface CompiledMapping {
  readonly id: string
  readonly allowAdmin: boolean
  readonly authoritative: boolean
  readonly connection: { readonly id: string; readonly foldedName: string } | null
  /** The text that the mapping selects by; null for a mapping by group. */
  readonly entitlement: string | null
  /** Null for a mapping that names its group, by display name, externalId or entitlement. */
  readonly pattern: Pattern | null
  readonly grants: readonly CompiledGrant[]
}

/** A policy ready to be evaluated for many people. */
export interface CompiledPolicy {
  readonly policy: Policy
  readonly byGroupName: ReadonlyMap<string, readonly CompiledMapping[]>
  readonly byGroupId: ReadonlyMap<string, readonly CompiledMapping[]>
  readonly byEntitlement: ReadonlyMap<string, readonly CompiledMapping[]>
  /** By {@link entitlementId}, in the order of the policy. */
  readonly byEntitlementId: ReadonlyMap<string, readonly CompiledMapping[]>
  readonly patterns: readonly CompiledMapping[]
}

/** Text that parsePolicy let through; that it cannot be read is a defect. */
const readTemplate = (text: string): Template => {
  const template = parseTemplate(text)
  if (!template.ok) throw new Error(`A policy that was not parsed: ${template.error}`)
  return template.value
}

const fillName = (template: Template, captures: Captures): string | null => {
  const filled = fillTemplate(template, captures)
  const name = filled === null ? '' : tidyName(filled)
  return name === '' || name.length > MAX_NAME ? null : name
}

const fillRole = (template: Template, captures: Captures): Role | null => {
  const name = parseRole(tidyName(fillTemplate(template, captures) ?? ''))
  return name === null ? null : { type: 'PREDEFINED', name }
}

const fillCustomRole = (template: Template, captures: Captures): Role | null => {
  const name = fillName(template, captures)
  return name === null ? null : { type: 'CUSTOM', name }
}

const compileAccountGrant = (role: AccountRole): CompiledGrant['fill'] => {
  const entitlement: Entitlement = { kind: 'account', role }
  return () => entitlement
}

type ResourceGrant = Extract<MappingGrant, { organization: string }>

const compileResourceGrant = (grant: ResourceGrant): CompiledGrant => {
  const templates = {
    organization: readTemplate(grant.organization),
    space: 'space' in grant ? readTemplate(grant.space) : null,
    project: 'project' in grant ? readTemplate(grant.project) : null,
    role: readTemplate('role' in grant ? grant.role : grant.customRole),
  }
  const fillThisRole = 'role' in grant ? fillRole : fillCustomRole
  const fill = (captures: Captures): Entitlement | null => {
    const role = fillThisRole(templates.role, captures)
    const organization = fillName(templates.organization, captures)
    if (role === null || organization === null) return null
    if (templates.space === null) return { kind: 'organization', organization, role }
    const space = fillName(templates.space, captures)
    if (space === null) return null
    if (templates.project === null) return { kind: 'space', organization, space, role }
    const project = fillName(templates.project, captures)
    return project === null ? null : { kind: 'project', organization, space, project, role }
  }
  return {
    fill,
    capturesOrganization: placeholdersOf(templates.organization).length > 0,
    capturesSpace: templates.space !== null && placeholdersOf(templates.space).length > 0,
  }
}

const DEVELOPER: Entitlement = { kind: 'developer' }
const WITHOUT_NAMES = { capturesOrganization: false, capturesSpace: false }

const compileGrant = (grant: MappingGrant): CompiledGrant => {
  if ('developer' in grant) return { fill: () => DEVELOPER, ...WITHOUT_NAMES }
  if ('account' in grant) return { fill: compileAccountGrant(grant.role), ...WITHOUT_NAMES }
  return compileResourceGrant(grant)
}

const compilePattern = (mapping: RoleMapping): Pattern | null => {
  if (mapping.group === undefined || capturesOf(mapping).length === 0) return null
  const pattern = parsePattern(mapping.group)
  if (!pattern.ok) throw new Error(`A policy that was not parsed: ${pattern.error}`)
  return pattern.value
}

const compileMapping = (mapping: RoleMapping): CompiledMapping => ({
  id: mapping.id,
  allowAdmin: mapping.allowAdmin,
  authoritative: mapping.authoritative,
  connection:
    mapping.connection === undefined ? null : { id: mapping.connection, foldedName: foldName(mapping.connection) },
  entitlement: mapping.entitlement ?? null,
  pattern: compilePattern(mapping),
  grants: mapping.grants.map(compileGrant),
})

/** The one name that a group text without placeholders means: `{{` is a brace there too. */
const literalGroup = (group: string): string => fillTemplate(readTemplate(group), new Map()) ?? group

const groupBy = (
  entries: readonly (readonly [string | null, CompiledMapping])[],
): ReadonlyMap<string, readonly CompiledMapping[]> => {
  const groups = new Map<string, CompiledMapping[]>()
  for (const [key, mapping] of entries) {
    if (key === null) continue
    const same = groups.get(key)
    if (same) same.push(mapping)
    else groups.set(key, [mapping])
  }
  return groups
}

/** Compiles a policy that {@link import('./document').parsePolicy} accepted. */
export const compilePolicy = (policy: Policy): CompiledPolicy => {
  const compiled = policy.mappings.map((mapping) => ({ mapping, result: compileMapping(mapping) }))
  const keyed = (keyOf: (mapping: RoleMapping, result: CompiledMapping) => string | null) =>
    groupBy(compiled.map(({ mapping, result }) => [keyOf(mapping, result), result]))
  return {
    policy,
    byGroupName: keyed(({ group }, { pattern }) =>
      group === undefined || pattern !== null ? null : foldName(literalGroup(group)),
    ),
    byGroupId: keyed(({ groupId }) => groupId ?? null),
    byEntitlement: keyed(({ entitlement }) => (entitlement === undefined ? null : foldName(entitlement))),
    byEntitlementId: keyed(({ id, entitlement }) => (entitlement === undefined ? null : entitlementId(id))),
    patterns: compiled.flatMap(({ result }) => (result.pattern === null ? [] : [result])),
  }
}

const NONE: readonly CompiledMapping[] = []

/** Whether a mapping heeds what this connection told: it names the connection by id or name, or names none. */
export const isHeeding = (connection: ConnectionFact): ((mapping: CompiledMapping) => boolean) => {
  const foldedName = foldName(connection.name)
  return (mapping) =>
    mapping.connection === null || mapping.connection.id === connection.id || mapping.connection.foldedName === foldedName
}

/** The mappings that name this group, by display name or by externalId. */
export const literalMappingsOf = (policy: CompiledPolicy, group: GroupFact): readonly CompiledMapping[] => {
  const byName = policy.byGroupName.get(foldName(group.displayName)) ?? NONE
  const byId = group.externalId === null ? NONE : (policy.byGroupId.get(group.externalId) ?? NONE)
  return [...byName, ...byId].filter(isHeeding(group.connection))
}

/** The mappings that name this entitlement; when there is none, the one that is offered to providers under this id. */
export const mappingsOfEntitlement = (
  policy: CompiledPolicy,
  entitlement: { readonly value: string; readonly connection: ConnectionFact },
): readonly CompiledMapping[] => {
  const isOfConnection = isHeeding(entitlement.connection)
  const named = (policy.byEntitlement.get(foldName(entitlement.value)) ?? NONE).filter(isOfConnection)
  return named.length > 0 ? named : (policy.byEntitlementId.get(tidyName(entitlement.value)) ?? NONE).filter(isOfConnection)
}

/** A mapping whose pattern the name of a group fits, and every way to read it. */
export interface PatternMatch {
  readonly mapping: CompiledMapping
  readonly splits: readonly Captures[]
}

/** The mappings whose pattern the group's name fits. */
export const patternMatchesOf = (policy: CompiledPolicy, group: GroupFact): readonly PatternMatch[] => {
  const name = policy.patterns.length === 0 ? null : readableName(group.displayName)
  if (name === null) return []
  const isOfConnection = isHeeding(group.connection)
  const matches: PatternMatch[] = []
  for (const mapping of policy.patterns) {
    if (mapping.pattern === null || !isOfConnection(mapping)) continue
    const splits = matchPattern(mapping.pattern, name)
    if (splits.length > 0) matches.push({ mapping, splits })
  }
  return matches
}

/** What all grants of a mapping give for these captures; null when one of them gets no valid role or no usable name. */
export const fillGrants = (mapping: CompiledMapping, captures: Captures): readonly Entitlement[] | null => {
  const filled = mapping.grants.map((grant) => grant.fill(captures))
  return filled.every((entitlement) => entitlement !== null) ? filled : null
}

/**
 * The ids of the mappings that select a group by its name or externalId, before anything is looked up in Arize: a
 * pattern counts when some reading of the name has a valid role. Sorted as in the policy within each kind of selector.
 */
export const mappingsOfGroup = (policy: CompiledPolicy, group: GroupFact): readonly string[] => [
  ...literalMappingsOf(policy, group).map(({ id }) => id),
  ...patternMatchesOf(policy, group)
    .filter(({ mapping, splits }) => splits.some((captures) => fillGrants(mapping, captures) !== null))
    .map(({ mapping }) => mapping.id),
]
