import type { Ending } from './scenes'
import type { ArizeCall, ArizeState, PersonView } from './world'

/** What Arize holds about somebody, why, and whether that is how the scene has to end. Pure. */

export interface Facts {
  readonly account: string | null
  readonly roles: readonly string[]
  readonly liveKeys: number
  readonly revokedKeys: number
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase()

export const factsOf = (state: ArizeState, email: string): Facts => {
  const account = state.users.find((user) => isSame(user.email, email) && user.status !== 'INACTIVE')
  const keys = state.keys.filter(({ owner }) => isSame(owner, email))
  return {
    account: account?.role ?? null,
    roles: state.organizations.flatMap(({ name, members, spaces }) => [
      ...members.filter((member) => isSame(member.email, email)).map(({ role }) => `${name} ${role}`),
      ...spaces.flatMap((space) =>
        space.members.filter((member) => isSame(member.email, email)).map(({ role }) => `${name}/${space.name} ${role}`)),
    ]),
    liveKeys: keys.filter(({ revoked }) => !revoked).length,
    revokedKeys: keys.filter(({ revoked }) => revoked).length,
  }
}

/** Everything that Arize shows of somebody, a line each. */
export const describeFacts = ({ account, roles, liveKeys, revokedKeys }: Facts): readonly string[] => {
  if (account === null) return ['no account']
  const keys = [
    ...(liveKeys > 0 ? [`${liveKeys} API key${liveKeys > 1 ? 's' : ''}`] : []),
    ...(revokedKeys > 0 ? [`${revokedKeys} revoked API key${revokedKeys > 1 ? 's' : ''}`] : []),
  ]
  return [`${account} account`, ...roles, ...keys]
}

export interface Reason {
  /** The role that is explained; null for a sentence about what is not given, or taken. */
  readonly what: string | null
  readonly why: string
}

/** Why somebody has what they have, and why they do not have the rest. */
export const reasonsOf = ({ grants, conflicts, withheld, leaver, lastError }: PersonView): readonly Reason[] => [
  ...grants.map(({ resource, role, because }) => ({
    what: [resource.organization, resource.space].filter((name) => name !== undefined).join('/') + ` ${role}`,
    why: because
      .map(({ group, mapping, implied }) => `group "${group}" (mapping ${mapping}${implied === true ? ', a space needs it' : ''})`)
      .join(' and '),
  })),
  ...(leaver === null ? [] : [{ what: null, why: `Left: the user is ${leaver} at the identity provider.` }]),
  ...conflicts.map(({ sentence }) => ({ what: null, why: `Held: ${sentence}` })),
  ...withheld.map(({ sentence }) => ({ what: null, why: `Waits: ${sentence}` })),
  ...(lastError === null ? [] : [{ what: null, why: `Failed: ${lastError}` }]),
]

export const isWrite = ({ method }: ArizeCall): boolean => method !== 'GET'

const decode = (segment: string): string => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}

/** A call with names in place of ids: `POST /v2/organizations/Fraud/users`. */
export const describeCall = ({ method, path, status }: ArizeCall, { users, organizations, keys }: ArizeState): string => {
  const names = new Map<string, string>([
    ...users.map(({ id, email }): [string, string] => [id, email]),
    ...keys.map(({ id, owner }): [string, string] => [id, `a key of ${owner}`]),
    ...organizations.flatMap(({ id, name, spaces }): [string, string][] => [
      [id, name],
      ...spaces.map((space): [string, string] => [space.id, space.name]),
    ]),
  ])
  const readable = path.split('/').map((segment) => names.get(decode(segment)) ?? segment).join('/')
  return `${method} ${readable} → ${status}`
}

const listed = (values: readonly string[]): string => (values.length === 0 ? 'nothing' : values.join(', '))

/** How somebody's end of a scene differs from the one that it must have. */
export const differencesOf = (email: string, expected: Ending, found: Facts, view: PersonView): readonly string[] => {
  const conflicts = view.conflicts.map(({ code }) => code).toSorted()
  const compare = (what: string, wanted: readonly string[], got: readonly string[]): string[] =>
    JSON.stringify(wanted.toSorted()) === JSON.stringify(got.toSorted())
      ? []
      : [`${email}: ${what} should be ${listed(wanted)} and is ${listed(got)}.`]
  return [
    ...compare('the account', [expected.account ?? 'none'], [found.account ?? 'none']),
    ...compare('roles', expected.roles, found.roles),
    ...compare('the state', [expected.state], [view.state]),
    ...compare('conflicts', expected.conflicts ?? [], conflicts),
    ...(expected.liveKeys === undefined ? [] : compare('the number of live keys', [String(expected.liveKeys)], [String(found.liveKeys)])),
  ]
}
