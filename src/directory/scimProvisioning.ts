import type { Because, Conflict, Grant } from '../policy/entitlement'
import { explainGrant, explainResource } from '../policy/explain'
import type { JsonObject } from '../scim/json'
import { groupsOfUsers, type UserGroup } from './members'
import { entitlementValues } from './snapshots'
import type { Row, Store } from './sql'
import type { SubjectRow } from './subjects'

/**
 * What our extension says of users: the state of the subject behind each, by one statement for a page of them. A connection is
 * told of a person only what its own users and groups ask for: what another connection asks for is left out.
 */

/** A user of the page, and its stored JSON. */
export interface Told {
  readonly id: string
  readonly read: () => JsonObject
}

interface ProvisioningRow extends Row {
  user: string
  email: string | null
  hold: string | null
  state: SubjectRow['state'] | null
  arize_id: string | null
  arize_role: string | null
  last_error: string | null
  /** Why the brake holds what would be taken from the person. */
  brake: string | null
  /** JSON; null when it is large and read by itself. */
  grants: string | null
  conflicts: string | null
  /** Whether the verdict may hold what another connection asks for: it has, or had until the next run, users with the address. */
  shared: number
}

/** Longer lists are read one person at a time, so that no page of them fills the memory. */
const SMALL_BYTES = 50_000

const rowsOf = ({ sql }: Pick<Store, 'sql'>, ids: readonly string[]): ProvisioningRow[] =>
  sql.rows<ProvisioningRow>(
    `SELECT u.id AS user, u.email, u.hold, s.state, s.arize_id, s.arize_role, s.last_error,
       (SELECT h.sentence FROM holds h WHERE h.id = s.hold_id) AS brake,
       CASE WHEN octet_length(s.grants) + octet_length(s.conflicts) <= ${SMALL_BYTES} THEN s.grants END AS grants,
       CASE WHEN octet_length(s.grants) + octet_length(s.conflicts) <= ${SMALL_BYTES} THEN s.conflicts END AS conflicts,
       (SELECT count(*) FROM connections) > 1
         AND (s.state = 'due' OR EXISTS (SELECT 1 FROM users o WHERE o.email = u.email AND o.connection_id <> u.connection_id)) AS shared
     FROM json_each(?) j CROSS JOIN users u ON u.id = j.value LEFT JOIN subjects s ON s.address = u.email`,
    JSON.stringify(ids))

interface Verdict {
  readonly grants: readonly Grant[]
  readonly conflicts: readonly Conflict[]
}

const verdictOf = ({ sql }: Pick<Store, 'sql'>, { email, grants, conflicts }: ProvisioningRow): Verdict => {
  const texts = grants === null || conflicts === null
    ? sql.one<{ grants: string; conflicts: string }>(`SELECT grants, conflicts FROM subjects WHERE address = ?`, email)
    : { grants, conflicts }
  return { grants: JSON.parse(texts?.grants ?? '[]') as Grant[], conflicts: JSON.parse(texts?.conflicts ?? '[]') as Conflict[] }
}

/** Whether a user of this connection is why. */
type IsOwn = (because: Because) => boolean

const isOwnReason = (user: Told, groups: readonly UserGroup[]): IsOwn => {
  const names = new Set(groups.map(({ displayName }) => displayName))
  const values = new Set(entitlementValues(user.read()))
  return ({ group, entitlement }) => (entitlement === true ? values : names).has(group)
}

const ownPart = ({ grants, conflicts }: Verdict, isOwn: IsOwn): Verdict => ({
  grants: grants.flatMap((grant) => {
    const because = grant.because.filter(isOwn)
    return because.length === 0 ? [] : [{ ...grant, because }]
  }),
  // The sentence of a conflict names all of its reasons.
  conflicts: conflicts.filter(({ because }) => because.every(isOwn)),
})

const roleOf = (grant: Grant): string =>
  grant.kind === 'developer' ? 'developer' : grant.kind === 'account' ? grant.role : grant.role.name

const describe = (grant: Grant): JsonObject => ({
  type: grant.kind, resource: explainResource(grant), role: roleOf(grant), reason: explainGrant(grant),
})

const HELD = 'Another user has, or had, the address of this user. An administrator of the bridge has to say whose it is.'
const ELSEWHERE = 'It is about what another connection asks for: an administrator of the bridge can see it.'

/** Of a user that does not count for its address, nothing else is told: the address is somebody else's. */
const heldUser = ({ email, hold }: ProvisioningRow): JsonObject => ({ state: 'held', lastError: email === null ? hold : HELD })

/** `isOwn` is null where everything is this connection's. */
const extensionOf = (store: Pick<Store, 'sql'>, row: ProvisioningRow, isOwn: IsOwn | null): JsonObject | null => {
  if (row.hold !== null) return heldUser(row)
  if (row.state === null) return null
  const all = verdictOf(store, row)
  const told = isOwn === null ? all : ownPart(all, isOwn)
  const error = row.last_error ?? row.brake
  const isWhole = told.grants.length === all.grants.length && told.conflicts.length === all.conflicts.length
  return {
    state: row.state,
    ...(row.arize_id === null ? {} : { arizeUserId: row.arize_id }),
    ...(row.arize_role === null ? {} : { accountRole: row.arize_role }),
    ...(told.grants.length === 0 ? {} : { grants: told.grants.map(describe) }),
    ...(told.conflicts.length === 0 ? {} : { conflicts: [...new Set(told.conflicts.map(({ sentence }) => sentence))] }),
    ...(error === null ? {} : { lastError: isWhole ? error : ELSEWHERE }),
  }
}

/** User id → what the extension says of the user. A user that nothing is known of has no entry. */
export const provisioningOf = (store: Pick<Store, 'sql'>, users: readonly Told[]): ReadonlyMap<string, JsonObject> => {
  const told = new Map<string, JsonObject>()
  if (users.length === 0) return told
  const rows = new Map(rowsOf(store, users.map(({ id }) => id)).map((row) => [row.user, row]))
  const groups = groupsOfUsers(store, users.flatMap(({ id }) => (rows.get(id)?.shared === 1 ? [id] : [])))
  for (const user of users) {
    const row = rows.get(user.id)
    const own = groups.get(user.id)
    const extension = row === undefined ? null : extensionOf(store, row, own === undefined ? null : isOwnReason(user, own))
    if (extension !== null) told.set(user.id, extension)
  }
  return told
}
