/**
 * The rules of a policy document that span several of its values: ids used once, placeholders captured and used, roles
 * that exclude each other, ADMIN only where it was allowed, connections that exist. Reads a document of the right shape;
 * asks nothing of Arize, so a name that does not exist there passes.
 */
import { compareText, foldName } from './name'
import { parsePattern, parseTemplate, placeholdersOf } from './pattern'
import type { MappingGrant, Policy, Problem, RoleMapping } from './shape'
import { didYouMean, quote } from './suggest'

/** A connection as rules need it: `source` is the provider behind it. */
export interface KnownConnection {
  readonly id: string
  readonly name: string
  readonly source: string
}

type Path = readonly PropertyKey[]

const SELECTORS = ['group', 'groupId', 'entitlement'] as const

/** Whether a mapping's `connection` means this one: by its id, or by its name in any case. */
export const meansConnection = (written: string, connection: { readonly id: string; readonly name: string }): boolean =>
  written === connection.id || foldName(written) === foldName(connection.name)

/** The placeholders of a mapping's group pattern: empty for every other selector. */
export const capturesOf = (mapping: RoleMapping): readonly string[] => {
  const pattern = mapping.group === undefined ? null : parsePattern(mapping.group)
  return pattern?.ok === true ? placeholdersOf(pattern.value.parts) : []
}

const selectorProblems = (mapping: RoleMapping): readonly Problem[] => {
  const used = SELECTORS.filter((key) => mapping[key] !== undefined)
  const [first, second] = used
  if (first === undefined) {
    return [{ path: [], sentence: 'A mapping selects by "group", "groupId" or "entitlement": none is here.' }]
  }
  if (second !== undefined) {
    const sentence = `A mapping selects by one of "group", "groupId" and "entitlement": ${quote(first)} is here already.`
    return [{ path: [second], sentence }]
  }
  const pattern = mapping.group === undefined ? null : parsePattern(mapping.group)
  return pattern?.ok === false ? [{ path: ['group'], sentence: pattern.error }] : []
}

/** The texts of a grant that may hold placeholders, by key. */
const templatesOf = (grant: MappingGrant): readonly (readonly [string, string])[] =>
  Object.entries(grant).filter((entry): entry is [string, string] => typeof entry[1] === 'string')

const placeholderProblems = (mapping: RoleMapping): readonly Problem[] => {
  const captured = capturesOf(mapping)
  const used = new Set<string>()
  const problems: Problem[] = []
  for (const [index, grant] of mapping.grants.entries()) {
    for (const [key, text] of templatesOf(grant)) {
      const template = parseTemplate(text)
      if (!template.ok) {
        problems.push({ path: ['grants', index, key], sentence: template.error })
        continue
      }
      for (const name of placeholdersOf(template.value)) {
        used.add(name)
        if (captured.includes(name)) continue
        const sentence =
          captured.length === 0
            ? `{${name}} is filled by nothing: the mapping has no group pattern that captures it.`
            : `{${name}} is not captured by the group pattern.${didYouMean(name, captured)}`
        problems.push({ path: ['grants', index, key], sentence })
      }
    }
  }
  const unused = captured.filter((name) => !used.has(name))
  return [
    ...unused.map((name) => ({ path: ['group'], sentence: `{${name}} is captured, but no grant uses it.` })),
    ...problems,
  ]
}

const adminProblems = (mapping: RoleMapping, policy: Policy): readonly Problem[] => {
  const isPattern = capturesOf(mapping).length > 0
  return mapping.grants.flatMap((grant, index): readonly Problem[] => {
    if ('account' in grant) {
      if (isPattern) {
        return [{ path: ['grants', index, 'account'], sentence: 'A group pattern never gives an account role.' }]
      }
      if (grant.role !== 'ADMIN' || mapping.allowAdmin || policy.accounts.allowAdmin) return []
      const sentence = 'Account ADMIN is given only if the mapping, or "accounts", says "allowAdmin": true.'
      return [{ path: ['grants', index, 'role'], sentence }]
    }
    if (!isPattern || mapping.allowAdmin || !('role' in grant) || grant.role !== 'ADMIN') return []
    const sentence = 'A group pattern gives ADMIN only if its mapping says "allowAdmin": true.'
    return [{ path: ['grants', index, 'role'], sentence }]
  })
}

const connectionProblems = (mapping: RoleMapping, connections: readonly KnownConnection[]): readonly Problem[] => {
  if (mapping.connection === undefined) {
    if (new Set(connections.map((connection) => connection.source)).size < 2) return []
    const sentence = 'Groups of several sources may have one name: say which "connection" this mapping is for.'
    return [{ path: ['connection'], sentence }]
  }
  const written = mapping.connection
  const meant = connections.filter((connection) => meansConnection(written, connection))
  if (meant.length === 1) return []
  const sentence =
    meant.length === 0
      ? `There is no connection ${quote(written)}.${didYouMean(
          written,
          connections.flatMap(({ id, name }) => [name, id]),
        )}`
      : `${meant.length} connections are called this: use an id (${meant.map(({ id }) => quote(id)).join(', ')}).`
  return [{ path: ['connection'], sentence }]
}

/** Mappings with the same key select the same people: the same literal group, or the same template of names. */
const selectionKey = (mapping: RoleMapping): string =>
  JSON.stringify([
    mapping.group === undefined ? null : foldName(mapping.group),
    mapping.groupId ?? null,
    mapping.entitlement === undefined ? null : foldName(mapping.entitlement),
  ])

const slotKey = (grant: MappingGrant): string | null =>
  'space' in grant
    ? JSON.stringify([foldName(grant.organization), foldName(grant.space), 'project' in grant ? grant.project : null])
    : null

interface Asked {
  readonly mapping: string
  readonly connection: string | null
  /** The custom role, or null for a predefined one: those are comparable. */
  readonly customRole: string | null
}

const canMeet = (a: string | null, b: string | null): boolean => a === null || b === null || foldName(a) === foldName(b)

/** Roles on one slot that cannot be merged, as far as the document alone shows that somebody would get both. */
const slotProblems = (policy: Policy): readonly Problem[] => {
  const problems: Problem[] = []
  const slots = new Map<string, Asked[]>()
  for (const [index, mapping] of policy.mappings.entries()) {
    const selection = selectionKey(mapping)
    for (const [grantIndex, grant] of mapping.grants.entries()) {
      const slot = slotKey(grant)
      if (slot === null) continue
      const customRole = 'customRole' in grant ? grant.customRole : null
      const asked: Asked = { mapping: mapping.id, connection: mapping.connection ?? null, customRole }
      const key = JSON.stringify([selection, slot])
      const others = slots.get(key) ?? []
      const rival = others.find((other) => other.customRole !== customRole && canMeet(other.connection, asked.connection))
      if (rival) {
        const where = rival.mapping === mapping.id ? 'this mapping' : `mapping ${quote(rival.mapping)}`
        const role = rival.customRole === null ? 'a predefined role' : `custom role ${quote(rival.customRole)}`
        const sentence =
          `The same people get ${role} on this resource through ${where}: ` +
          'Arize holds one role there, and these cannot be compared.'
        const key = customRole === null ? 'role' : 'customRole'
        problems.push({ path: ['mappings', index, 'grants', grantIndex, key], sentence })
      } else if (!others.some((other) => other.customRole === customRole && other.connection === asked.connection)) {
        slots.set(key, [...others, asked])
      }
    }
  }
  return problems
}

/** Things of a list whose names are the same as an earlier one's. */
const repeated = (names: readonly string[], fold: (name: string) => string): readonly number[] => {
  const seen = new Set<string>()
  return names.flatMap((name, index) => {
    const isRepeated = seen.has(fold(name))
    seen.add(fold(name))
    return isRepeated ? [index] : []
  })
}

const declarationProblems = (policy: Policy): readonly Problem[] => [
  ...repeated(policy.organizations.map(({ name }) => name), foldName).map((index) => ({
    path: ['organizations', index, 'name'],
    sentence: 'An organization of this name is declared already.',
  })),
  ...policy.organizations.flatMap((organization, index) =>
    repeated(organization.spaces.map(({ name }) => name), foldName).map((space) => ({
      path: ['organizations', index, 'spaces', space, 'name'],
      sentence: 'A space of this name is declared already in this organization.',
    })),
  ),
]

const byPlace = (a: Problem, b: Problem): number => {
  for (let index = 0; index < Math.min(a.path.length, b.path.length); index += 1) {
    const [left, right] = [a.path[index], b.path[index]]
    if (left === right) continue
    return typeof left === 'number' && typeof right === 'number' ? left - right : compareText(String(left), String(right))
  }
  return a.path.length - b.path.length
}

const at = (problems: readonly Problem[], ...base: Path): readonly Problem[] =>
  problems.map(({ path, sentence }) => ({ path: [...base, ...path], sentence }))

/** Every rule that the document alone can break, in the order of the document's places. */
export const documentProblems = (policy: Policy): readonly Problem[] => {
  const problems = policy.mappings.flatMap((mapping, index) => {
    const selector = selectorProblems(mapping)
    const rest = selector.length > 0 ? [] : [...placeholderProblems(mapping), ...adminProblems(mapping, policy)]
    return at([...selector, ...rest], 'mappings', index)
  })
  const ids = repeated(policy.mappings.map(({ id }) => id), (id) => id).map((index) => ({
    path: ['mappings', index, 'id'],
    sentence: `Another mapping has the id ${quote(policy.mappings[index]?.id ?? '')} already.`,
  }))
  return [...problems, ...ids, ...slotProblems(policy), ...declarationProblems(policy)].toSorted(byPlace)
}

/** Every rule that only the tenant's connections can show to be broken. */
export const connectionRuleProblems = (policy: Policy, connections: readonly KnownConnection[]): readonly Problem[] =>
  policy.mappings.flatMap((mapping, index) => at(connectionProblems(mapping, connections), 'mappings', index))
