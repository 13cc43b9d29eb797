import { writeJournal } from './journal'
import type { Store } from './sql'
import { markAddress, markArrival, markLeaver } from './subjects'

/**
 * Who is who (design section 10.1): which users count for which subject, and what a new, changed or gone user means for
 * it. Called inside the transaction of the write that caused it.
 */

/** What identity depends on, of one user. `address` is folded; null when the user never had one. */
export interface UserState {
  readonly id: string
  readonly connectionId: string
  readonly externalId: string | null
  /** Whether its own connection says so and no other connection of the source has said otherwise. */
  readonly active: boolean
  readonly address: string | null
}

/** `disconnected`: the connection that told of the user is gone, and nobody has said that the person left. */
export type Departure = 'deactivated' | 'deleted' | 'disconnected'

export interface UserChange {
  /** Null for a user that did not exist before. `held`: whether its hold column was set before the write. */
  readonly before: (UserState & { readonly held: boolean }) | null
  /** Null for a user that was deleted. */
  readonly after: UserState | null
  readonly actor: string
  readonly how: Departure
}

/** Whoever has held an address, as the externalIds that their connections gave them: two connections may name one person differently. */
const holdersOf = ({ sql }: Pick<Store, 'sql'>, address: string): readonly string[] =>
  readHolders(sql.one<{ holder: string | null }>(`SELECT holder FROM subjects WHERE address = ?`, address))

const readHolders = (subject: { readonly holder: string | null } | null): readonly string[] =>
  subject === null || subject.holder === null ? [] : (JSON.parse(subject.holder) as string[])

/** More names than one person has at all connections. */
const MAX_HOLDERS = 20

/** The text of the column with one more holder, the latest of them last. */
const withHolder = (holders: readonly string[], externalId: string | null): string | null => {
  if (externalId === null) return holders.length === 0 ? null : JSON.stringify(holders)
  return JSON.stringify([...holders.filter((known) => known !== externalId), externalId].slice(-MAX_HOLDERS))
}

/** Why a user does not count for its subject until somebody decides, in a sentence. Null when it counts. */
const holdOf = (store: Store, user: UserState): string | null => {
  const { sql } = store
  if (user.address === null) return 'This user has no e-mail address that could name an Arize account.'
  const twin = sql.one<{ id: string }>(
    `SELECT id FROM users WHERE email = ? AND connection_id = ? AND id <> ? AND active = 1 AND stopped IS NULL AND hold IS NULL ORDER BY seq LIMIT 1`,
    user.address, user.connectionId, user.id)
  if (twin !== null) return `Another active user of the same connection (${twin.id}) has the same address.`
  const holders = holdersOf(store, user.address)
  if (holders.length === 0 || user.externalId === null || holders.includes(user.externalId)) return null
  const activeElsewhere = sql.one(
    `SELECT 1 AS one FROM users WHERE email = ? AND id <> ? AND active = 1 AND stopped IS NULL AND hold IS NULL LIMIT 1`, user.address, user.id)
  if (activeElsewhere !== null) return null
  return `This address belonged to somebody else (externalId ${holders.join(', ')}) before. An administrator has to say whether this is the same person or somebody who takes the address over.`
}

const counts = ({ sql }: Pick<Store, 'sql'>, address: string): boolean =>
  sql.one(`SELECT 1 AS one FROM users WHERE email = ? AND active = 1 AND stopped IS NULL AND hold IS NULL LIMIT 1`, address) !== null

/** The user that already counted keeps counting: its own hold is only reviewed when its identity changed. */
const reviewUser = (store: Store, user: UserState, before: UserState | null, wasHeld: boolean, actor: string): boolean => {
  const { sql } = store
  const held = wasHeld ? (sql.one<{ hold: string | null }>(`SELECT hold FROM users WHERE id = ?`, user.id)?.hold ?? null) : null
  const sameHolder = before !== null && before.active && held === null && before.address === user.address
  const hold = sameHolder ? null : holdOf(store, user)
  if (hold !== held) {
    sql.write(`UPDATE users SET hold = ? WHERE id = ?`, hold, user.id)
    if (hold !== null) writeJournal(store, { kind: 'identity.held', subject: user.address, connectionId: user.connectionId, actor, data: { user: user.id, sentence: hold } })
  }
  if (user.address !== null) refreshIdentityHold(store, user.address)
  return hold === null && user.active
}

/** Keeps the sentence that the person's page shows: the first active user that is held at this address. */
export const refreshIdentityHold = (store: Store, address: string): void => {
  const { sql } = store
  const row = sql.one<{ held: string | null; known: string | null }>(
    `SELECT (SELECT hold FROM users WHERE email = ?1 AND active = 1 AND stopped IS NULL AND hold IS NOT NULL ORDER BY seq LIMIT 1) AS held,
       (SELECT identity_hold FROM subjects WHERE address = ?1) AS known`, address)
  const held = row?.held ?? null
  if (held === (row?.known ?? null)) return
  markAddress(store, address, 'quiet')
  sql.write(`UPDATE subjects SET identity_hold = ? WHERE address = ?`, held, address)
}

/** Users that waited behind somebody who is gone may count now, or need an administrator's word. */
const reviewWaiting = (store: Store, address: string, actor: string): void => {
  const waiting = store.sql.rows<{ id: string; connection_id: string; external_id: string | null; active: number }>(
    `SELECT id, connection_id, external_id, (active = 1 AND stopped IS NULL) AS active FROM users WHERE email = ? AND hold IS NOT NULL ORDER BY seq LIMIT 100`, address)
  for (const row of waiting) {
    const user = { id: row.id, connectionId: row.connection_id, externalId: row.external_id, active: row.active === 1, address }
    if (reviewUser(store, user, null, true, actor)) arrive(store, user, actor)
  }
}

/** The user counts for its subject now. */
const arrive = (store: Store, user: UserState, actor: string): void => {
  const { address } = user
  if (address === null) return
  const subject = store.sql.one<{ holder: string | null; leaver: string | null }>(`SELECT holder, leaver FROM subjects WHERE address = ?`, address)
  markArrival(store, address, withHolder(readHolders(subject), user.externalId))
  if (subject !== null && subject.leaver !== null) {
    writeJournal(store, { kind: 'identity.returned', subject: address, connectionId: user.connectionId, actor, data: { user: user.id } })
  }
}

/** Whose change it is, and who told of it. */
interface Cause {
  readonly userId: string
  readonly actor: string
  readonly connectionId: string
}

/** Addresses that this user had before and that still wait for the present one. */
const formerAddresses = ({ sql }: Pick<Store, 'sql'>, address: string, userId: string): string[] =>
  sql.rows<{ address: string }>(`SELECT address FROM subjects WHERE renamed_to = ? AND renamed_user = ?`, address, userId).map((row) => row.address)

/** Nobody counts at this address any more: it leaves, and so do the addresses that the same person had before. */
const leave = (store: Store, address: string, how: Departure, cause: Cause): void => {
  const seen = new Set<string>()
  const queue = [address]
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue
    seen.add(next)
    // Whoever is only not told of any more is no leaver: roles go as a mover's do, and keys stay (design section 10.2).
    if (how === 'disconnected') markAddress(store, next, 'quiet')
    else markLeaver(store, next, how)
    writeJournal(store, { kind: 'identity.left', subject: next, connectionId: cause.connectionId, actor: cause.actor, data: { how } })
    queue.push(...formerAddresses(store, next, cause.userId).filter((former) => !counts(store, former)))
  }
}

/**
 * Works out what a written or deleted user means for its subject: joined, left, renamed, returned, recycled or held. The
 * users row is already in its new state (or gone) and `before` is what it was.
 */
export const userChanged = (store: Store, { before, after, actor, how }: UserChange): void => {
  const { sql } = store
  const counted = before !== null && before.active && before.address !== null && !before.held
  if (after !== null && counted && before.address !== null && after.externalId !== null && after.externalId !== before.externalId) {
    // The same user under a new externalId is the same person: the address stays theirs.
    sql.run(`UPDATE subjects SET holder = ? WHERE address = ?`, withHolder(holdersOf(store, before.address), after.externalId), before.address)
  }
  const countsNow = after !== null && reviewUser(store, after, counted ? before : null, before?.held ?? false, actor)
  const moved = before !== null && after !== null && after.address !== before.address
  if (after !== null && countsNow && (!counted || moved || before.externalId !== after.externalId)) arrive(store, after, actor)

  if (before === null || before.address === null) return
  const cause = { userId: before.id, actor, connectionId: before.connectionId }
  const stays = after !== null && after.active
  if (counted && (!countsNow || moved)) {
    if (counts(store, before.address)) markAddress(store, before.address, 'quiet')
    else if (stays && moved && after.address !== null) rename(store, before.address, after.address, cause)
    else if (!stays) leave(store, before.address, how, cause)
  } else if (before.held && before.active && (!stays || moved)) {
    // Held users do not count, but the address that they were renamed from waits for them.
    for (const former of formerAddresses(store, before.address, before.id)) {
      if (counts(store, former)) continue
      if (!stays) leave(store, former, how, cause)
      else if (after.address !== null) sql.run(`UPDATE subjects SET renamed_to = ? WHERE address = ?`, after.address, former)
    }
  }
  if (!stays || moved) {
    refreshIdentityHold(store, before.address)
    reviewWaiting(store, before.address, actor)
  }
}

/** The person has a new address: the old one keeps its roles until the new one has them. */
const rename = (store: Store, from: string, to: string, cause: Cause): void => {
  markAddress(store, from, 'quiet')
  // What still waits for the address in between waits for the last one.
  store.sql.run(`UPDATE subjects SET renamed_to = ? WHERE renamed_to = ? AND renamed_user = ?`, to, from, cause.userId)
  store.sql.run(`UPDATE subjects SET renamed_to = ?, renamed_user = ? WHERE address = ?`, to, cause.userId, from)
  for (const subject of [from, to]) {
    writeJournal(store, { kind: 'identity.renamed', subject, connectionId: cause.connectionId, actor: cause.actor, data: { from, to } })
  }
}
