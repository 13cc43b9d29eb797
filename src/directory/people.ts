import type { Conflict, Grant } from '../policy/entitlement'
import type { Withheld } from '../reconcile/plan'
import { explainGrant } from '../policy/explain'
import { journalOf, writeJournal, type JournalRow } from './journal'
import { err, ok, type Result } from '../result'
import { refuse, type Refusal } from './connections'
import { refreshIdentityHold } from './identity'
import { resumePerson } from './siblings'
import { groupsOf } from './snapshots'
import type { Store } from './sql'
import { markAddress, subjectOf, type SubjectRow } from './subjects'

/** What an administrator reads about people, and the decisions about identity that only a person can take. */

export interface PersonSummary {
  readonly email: string
  readonly state: SubjectRow['state']
  readonly groups: readonly string[]
  readonly memberships: readonly Membership[]
  readonly conflicts: number
  readonly lastError: string | null
  readonly sources: readonly SourceWord[]
}

/** What one provider says of a person. People may be active at one and not at another (design section 10.1). */
export interface SourceWord {
  readonly source: string
  /** Whether the person counts by any of its connections. */
  readonly isActive: boolean
}

export interface Membership {
  readonly resource: { readonly kind: string; readonly id: string; readonly name: string; readonly organizationId: string }
  readonly role: string | null
  /** A call whose outcome is not known yet. */
  readonly intended: string | null
  readonly because: unknown
}

export interface GrantView {
  readonly resource: Readonly<Record<string, string>>
  readonly role: string
  readonly because: Grant['because']
  /** What is given and why, for people. */
  readonly sentence: string
}

export interface Person {
  readonly email: string
  readonly state: SubjectRow['state']
  /** `stopped`: since when another connection of the source says that the person is inactive (ISO 8601), or null. */
  readonly users: readonly { readonly id: string; readonly connectionId: string; readonly userName: string; readonly active: boolean; readonly stopped: string | null; readonly hold: string | null }[]
  readonly sources: readonly SourceWord[]
  readonly groups: readonly { readonly id: string; readonly displayName: string; readonly connectionId: string }[]
  readonly account: { readonly id: string; readonly role: string | null; readonly createdByBridge: boolean } | null
  readonly grants: readonly GrantView[]
  readonly memberships: readonly Membership[]
  readonly conflicts: readonly Conflict[]
  readonly withheld: readonly { readonly reason: string; readonly sentence: string; readonly key: string }[]
  readonly leaver: string | null
  readonly renamedTo: string | null
  readonly identityHold: string | null
  readonly holdId: string | null
  readonly lastError: string | null
  /** When the person is looked at again at the latest (ISO 8601), or null. */
  readonly requeueAfter: string | null
  readonly journal: readonly JournalRow[]
}

const membershipsOf = ({ sql }: Pick<Store, 'sql'>, address: string): Membership[] =>
  sql
    .rows<{ kind: string; resource_id: string; resource_name: string; organization_id: string; role: string | null; intended: string | null; because: string }>(
      `SELECT kind, resource_id, resource_name, organization_id, role, intended, because FROM ledger WHERE address = ? ORDER BY organization_id, slot`, address)
    .map((row) => ({
      resource: { kind: row.kind, id: row.resource_id, name: row.resource_name, organizationId: row.organization_id },
      role: row.role, intended: row.intended, because: JSON.parse(row.because) as unknown,
    }))

const grantView = (grant: Grant): GrantView => ({ ...placeOf(grant), because: grant.because, sentence: explainGrant(grant) })

const placeOf = (entitlement: Grant): Pick<GrantView, 'resource' | 'role'> => {
  const { kind } = entitlement
  switch (kind) {
    case 'account':
      return { resource: { kind }, role: entitlement.role }
    case 'developer':
      return { resource: { kind }, role: 'developer' }
    case 'organization':
      return { resource: { kind, organization: entitlement.organization }, role: entitlement.role.name }
    case 'space':
      return { resource: { kind, organization: entitlement.organization, space: entitlement.space }, role: entitlement.role.name }
    case 'project': {
      const { organization, space, project, role } = entitlement
      return { resource: { kind, organization, space, project }, role: role.name }
    }
  }
}

const sourcesOf = ({ sql }: Pick<Store, 'sql'>, address: string): SourceWord[] =>
  sql
    .rows<{ source: string; active: number }>(
      `SELECT c.source AS source, max(u.active = 1 AND u.stopped IS NULL) AS active
       FROM users u JOIN connections c ON c.id = u.connection_id WHERE u.email = ? GROUP BY c.source ORDER BY min(c.created), c.source`, address)
    .map(({ source, active }) => ({ source, isActive: active === 1 }))

export const personOf = (store: Store, address: string): Person | null => {
  const row = subjectOf(store, address)
  const users = store.sql
    .rows<{ id: string; connection_id: string; user_name: string; active: number; stopped: number | null; hold: string | null }>(
      `SELECT id, connection_id, user_name, active, stopped, hold FROM users WHERE email = ? ORDER BY seq LIMIT 50`, address)
    .map((user) => ({
      id: user.id, connectionId: user.connection_id, userName: user.user_name, active: user.active === 1, hold: user.hold,
      stopped: user.stopped === null ? null : new Date(user.stopped).toISOString(),
    }))
  if (row === null) return null
  const grants = (JSON.parse(row.grants) as Grant[]).map(grantView)
  const withheld = (JSON.parse(row.withheld) as Withheld[]).map(({ reason, sentence, key }) => ({ reason, sentence, key }))
  return {
    email: address,
    state: row.state,
    users,
    sources: sourcesOf(store, address),
    groups: groupsOf(store, address).map(({ id, displayName, connection }) => ({ id, displayName, connectionId: connection.id })),
    account: row.arize_id === null ? null : { id: row.arize_id, role: row.arize_role, createdByBridge: row.arize_created === 1 },
    grants,
    memberships: membershipsOf(store, address),
    conflicts: JSON.parse(row.conflicts) as Conflict[],
    withheld,
    leaver: row.leaver,
    renamedTo: row.renamed_to,
    identityHold: row.identity_hold,
    holdId: row.hold_id,
    lastError: row.last_error,
    requeueAfter: row.due === null ? null : new Date(row.due).toISOString(),
    journal: journalOf(store, address),
  }
}

export interface PeopleQuery {
  readonly state: SubjectRow['state'] | null
  /** Part of the address. */
  readonly search: string | null
  /** Only people who are active at one source and not at another. */
  readonly isDisputed: boolean
  /** The address after which the page starts. */
  readonly after: string | null
  /** 1 to 200. */
  readonly limit: number
}

export interface PeoplePage {
  readonly people: readonly PersonSummary[]
  /** The `after` of the next page, or null. */
  readonly next: string | null
}

/** Begins with the inactive users, who are few. */
const DISPUTED = `
  SELECT u.email FROM users u JOIN connections c ON c.id = u.connection_id WHERE (u.active = 0 OR u.stopped IS NOT NULL)
    AND EXISTS (SELECT 1 FROM users v JOIN connections d ON d.id = v.connection_id
      WHERE v.email = u.email AND v.active = 1 AND v.stopped IS NULL AND d.source <> c.source)
    AND NOT EXISTS (SELECT 1 FROM users v JOIN connections d ON d.id = v.connection_id
      WHERE v.email = u.email AND v.active = 1 AND v.stopped IS NULL AND d.source = c.source)`

export const listPeople = (store: Store, { state, search, isDisputed, after, limit }: PeopleQuery): PeoplePage => {
  const rows = store.sql.rows<{ address: string; state: SubjectRow['state']; conflicts: string; last_error: string | null }>(
    `SELECT address, state, conflicts, last_error FROM subjects
     WHERE address > ?1 AND (?2 IS NULL OR state = ?2) AND (?3 IS NULL OR instr(address, ?3) > 0)
       ${isDisputed ? `AND address IN (${DISPUTED})` : ''} ORDER BY address LIMIT ?4`,
    after ?? '', state, search, limit + 1)
  const page = rows.slice(0, limit)
  return {
    people: page.map((row) => ({
      email: row.address, state: row.state, groups: groupsOf(store, row.address).map(({ displayName }) => displayName),
      memberships: membershipsOf(store, row.address), conflicts: (JSON.parse(row.conflicts) as unknown[]).length, lastError: row.last_error,
      sources: sourcesOf(store, row.address),
    })),
    next: rows.length > limit ? (page.at(-1)?.address ?? null) : null,
  }
}

/** Looks at the person again now, whatever the back-off says. */
export const retryPerson = (store: Store, address: string, actor: string): Result<void, Refusal> => {
  if (subjectOf(store, address) === null) return err(refuse(404, 'Nobody with this address is known.'))
  store.sql.run(`UPDATE subjects SET arize_read = NULL WHERE address = ?`, address)
  markAddress(store, address, 'now')
  writeJournal(store, { kind: 'subject.retry', subject: address, actor, data: { sentence: 'An administrator asked for another try.' } })
  return ok(undefined)
}

/** Lifts what another connection of the source said: for when it is wrong and will not say so. */
export const resumeStopped = (store: Store, address: string, actor: string): Result<void, Refusal> => {
  if (subjectOf(store, address) === null) return err(refuse(404, 'Nobody with this address is known.'))
  return resumePerson(store, address, actor) ? ok(undefined) : err(refuse(409, 'No other connection of a source has stopped this person.'))
}

export type IdentityDecision = 'same-person' | 'take-over'

/**
 * Settles a held address (design section 10.1): `same-person` lets the new user have what the old one had; `take-over` does
 * so after the API keys of whoever had the address before are revoked.
 */
export const decideIdentity = (store: Store, address: string, decision: IdentityDecision, reason: string, actor: string): Result<void, Refusal> => {
  const { sql, now, newId } = store
  const row = subjectOf(store, address)
  if (row === null) return err(refuse(404, 'Nobody with this address is known.'))
  const claimant = sql.one<{ id: string; external_id: string | null }>(
    `SELECT id, external_id FROM users WHERE email = ? AND active = 1 AND stopped IS NULL AND hold IS NOT NULL ORDER BY seq LIMIT 1`, address)
  const isTaken = sql.one(`SELECT 1 AS one FROM users WHERE email = ? AND active = 1 AND stopped IS NULL AND hold IS NULL LIMIT 1`, address) !== null
  if (claimant === null || isTaken) return err(refuse(409, 'Nobody waits for a decision about this address.'))
  sql.run(
    `INSERT INTO overrides (id, address, kind, reason, data, created, actor) VALUES (?, ?, ?, ?, ?, ?, ?)`,
    newId(), address, decision, reason, JSON.stringify({ user: claimant.id }), now(), actor)
  sql.run(`UPDATE users SET hold = NULL WHERE id = ?`, claimant.id)
  sql.run(
    `UPDATE subjects SET holder = ?, leaver = NULL, renamed_to = NULL, renamed_user = NULL, priority = 1, keys_due = ? WHERE address = ?`,
    claimant.external_id === null ? null : JSON.stringify([claimant.external_id]), decision === 'take-over' ? 2 : 0, address)
  refreshIdentityHold(store, address)
  markAddress(store, address, 'now')
  writeJournal(store, { kind: 'identity.released', subject: address, actor, data: { decision, reason, user: claimant.id } })
  return ok(undefined)
}
