import type { SubjectStore, Verdict } from '../reconcile/store'
import type { Names } from '../reconcile/target'
import { roleKey } from '../policy/role'
import { EMPTY_POLICY } from '../policy/document'
import { clearanceOf, keepHold, peopleWithRoles } from './holds'
import { someIds, writeJournal } from './journal'
import * as ledger from './ledger'
import { setTimer } from './meta'
import { createNameCache, forgetNames, forgetOrganization, readNames } from './names'
import type { PolicyInForce } from './policies'
import { snapshotOf } from './snapshots'
import type { Store } from './sql'
import { markAddress, subjectOf, type SubjectRow } from './subjects'

/** The reconciler's view of the Directory: every method is one transaction over the tables. */

/** How long a name that means nothing in Arize waits until it is read again. */
const NAMES_AGAIN_MS = 60_000

export interface SubjectStoreOptions {
  readonly policy: () => PolicyInForce
  readonly ownUser: string | null
  readonly names: Names
}

export const createSubjectStore = (store: Store, { policy, ownUser, names }: SubjectStoreOptions): SubjectStore => {
  const { sql, now } = store
  const base = createBase(store)
  return {
    snapshot: (address) => snapshotOf(store, address, policy(), ownUser),
    generation: (address) => subjectOf(store, address)?.generation ?? 0,
    names: createNameCache(store),
    readNames: shareReads((missing) => readNames(store, names, missing)),
    forgetNames: () => forgetNames(store),
    isLastAdmin: (address, organizationId) => ledger.isLastAdmin(store, address, organizationId),
    clearance: (address) => {
      // Without a valid policy nothing is taken from movers anyway, and leavers go within the usual limits.
      const limits = (policy().compiled?.policy ?? EMPTY_POLICY).brake
      return clearanceOf(store, address, limits, base)
    },

    intendCreate: (address) => {
      sql.run(`UPDATE subjects SET create_intended = coalesce(create_intended, ?) WHERE address = ?`, now(), address)
    },
    knowAccount: (address, account, isCreated) => {
      const before = subjectOf(store, address)
      sql.run(
        `UPDATE subjects SET arize_id = ?, arize_role = ?, arize_read = ?, create_intended = NULL,
           arize_created = CASE WHEN ? THEN 1 ELSE arize_created END WHERE address = ?`,
        account.id, account.role, now(), isCreated ? 1 : 0, address)
      if (before?.arize_id === account.id) return
      const from = inheritAccount(store, address, account.id)
      writeJournal(store, {
        kind: isCreated ? 'arize.created' : 'arize.adopted', subject: address,
        data: { account: account.id, role: account.role, ...(from === null ? {} : { from }) },
      })
    },
    forgetAccount: (address) => {
      sql.run(`UPDATE subjects SET arize_id = NULL, arize_role = NULL, arize_read = NULL, arize_created = 0 WHERE address = ?`, address)
      ledger.forgetRows(store, address)
      writeJournal(store, { kind: 'arize.account_gone', subject: address })
    },
    keysRevoked: (address, keyIds) => {
      sql.run(`UPDATE subjects SET keys_due = 0 WHERE address = ?`, address)
      if (keyIds.length > 0) rememberRemoval(store, address)
      if (keyIds.length > 0) writeJournal(store, { kind: 'arize.keys_revoked', subject: address, data: someIds(keyIds) })
    },

    intend: (address, resource, intention, because, cascades) => {
      const isCascadeInDoubt = ledger.intendCascades(store, address, cascades)
      return ledger.intend(store, address, resource, intention, because) || isCascadeInDoubt
    },
    confirm: (address, resource, role, because, cascades, lowered) => {
      if (role === null) ledger.confirmGone(store, address, resource, cascades)
      else ledger.confirmRole(store, address, resource, role, because)
      if (lowered) rememberRemoval(store, address)
      const { kind, name, id } = resource
      writeJournal(store, {
        kind: role === null ? 'arize.took' : 'arize.gave', subject: address,
        data: { resource: { kind, name, id }, ...(role === null ? { cascades: cascades.map((gone) => gone.name) } : { role: roleKey(role), because }) },
      })
    },
    withdraw: (address, resource, cascades) => {
      for (const back of [resource, ...cascades]) ledger.withdraw(store, address, back)
    },
    doubt: (address, organizationId) => ledger.doubt(store, address, organizationId),
    resourceGone: (resource) => {
      ledger.closeResource(store, resource)
      if (resource.kind === 'organization') forgetOrganization(store, resource.id)
    },
  }
}

/** Several subjects that miss the same lists wait for one reading of them. */
const shareReads = (read: SubjectStore['readNames']): SubjectStore['readNames'] => {
  const under = new Map<string, ReturnType<SubjectStore['readNames']>>()
  return (missing) => {
    const key = JSON.stringify(missing)
    const known = under.get(key)
    if (known !== undefined) return known
    const reading = read(missing).finally(() => under.delete(key))
    under.set(key, reading)
    return reading
  }
}

/** How long the base of the limits in percent is believed: counting 100,000 people for each of them would take hours. */
const BASE_AGE_MS = 10_000

const createBase = (store: Store): (() => number) => {
  let known: { at: number; people: number } | null = null
  return () => {
    if (known === null || store.now() - known.at > BASE_AGE_MS) known = { at: store.now(), people: peopleWithRoles(store) }
    return known.people
  }
}

/**
 * An account that got the person's new address in Arize too: what the former address was given on it is held by this one
 * now. Returns the former address.
 */
const inheritAccount = (store: Store, address: string, accountId: string): string | null => {
  const { sql } = store
  const former = sql.one<{ address: string; arize_created: number }>(
    `SELECT address, arize_created FROM subjects WHERE renamed_to = ? AND arize_id = ? AND address <> ? LIMIT 1`, address, accountId, address)
  if (former === null) return null
  ledger.moveRows(store, former.address, address)
  sql.run(`UPDATE subjects SET arize_created = max(arize_created, ?) WHERE address = ?`, former.arize_created, address)
  sql.run(`UPDATE subjects SET arize_id = NULL, arize_role = NULL, arize_read = NULL, arize_created = 0 WHERE address = ?`, former.address)
  return former.address
}

/** Approved removals do not count against the next hour: somebody has judged them. */
const rememberRemoval = ({ sql, now }: Store, address: string): void => {
  sql.run(
    `UPDATE subjects SET removed = ?, removed_as = CASE WHEN leaver IS NOT NULL THEN 'leaver' ELSE 'mover' END
     WHERE address = ? AND approved IS NULL AND (renamed_to IS NULL OR leaver IS NOT NULL)`,
    now(), address)
}

export interface Ending {
  readonly state: SubjectRow['state']
  /** When it is to be looked at again (ms), or null. */
  readonly due: number | null
  readonly attempts: number
  readonly lastError: string | null
  readonly verdict: Verdict | null
  readonly rules: number
}

/**
 * Writes down how a run ended. A subject that was marked meanwhile stays due: its generation is not the one that the run
 * saw. Returns whether it is finished.
 */
export const endRun = (store: Store, address: string, generation: number, ending: Ending): boolean => {
  const { sql } = store
  const row = subjectOf(store, address)
  if (row === null) return true
  if (row.generation !== generation) {
    // What the run found out is about a person who has changed since.
    sql.run(`UPDATE subjects SET lowers = 0 WHERE address = ?`, address)
    return false
  }
  if (ending.verdict !== null) keepVerdict(store, row, ending.verdict)
  const isDone = ending.state !== 'due'
  sql.run(
    `UPDATE subjects SET state = ?, due = ?, attempts = ?, last_error = ?, policy_version = ?,
       marked = CASE WHEN ? THEN NULL ELSE marked END, wait_until = CASE WHEN ? THEN NULL ELSE wait_until END,
       cause = CASE WHEN ? THEN NULL ELSE cause END, lowers = CASE WHEN ? THEN 0 ELSE lowers END, scanned = generation,
       approved = CASE WHEN ? THEN NULL ELSE approved END, priority = CASE WHEN leaver IS NULL THEN 1 ELSE 0 END
     WHERE address = ?`,
    ending.state, ending.due, ending.attempts, ending.lastError, ending.rules,
    isDone ? 1 : 0, isDone ? 1 : 0, isDone && !isLoweringWithheld(ending.verdict) ? 1 : 0, isDone ? 1 : 0, isDone ? 1 : 0, address)
  tell(store, row, ending)
  if (ending.state === 'in_step') wakeFormerAddresses(store, address)
  return true
}

/** Something would still be taken: why it is asked for (a renamed group) must not be forgotten. A run without a verdict may have seen it. */
const isLoweringWithheld = (verdict: Verdict | null): boolean => verdict === null || verdict.withheld.some(({ change }) => change.lowers)

/** A list for the person's page. Beyond this size it is cut: a row that cannot be written would stop everybody. */
const MAX_LIST_BYTES = 200_000

const listed = (list: readonly unknown[]): string => {
  let text = JSON.stringify(list)
  for (let length = list.length; text.length > MAX_LIST_BYTES; ) {
    length = Math.floor(length / 2)
    text = JSON.stringify(list.slice(0, length))
  }
  return text
}

const keepVerdict = (store: Store, row: SubjectRow, verdict: Verdict): void => {
  const { grants, conflicts, withheld } = verdict
  const awaitsNames = verdict.awaitsNames || conflicts.some(({ code }) => code === 'unresolved')
  store.sql.run(
    `UPDATE subjects SET grants = ?, conflicts = ?, withheld = ?, awaits_names = ? WHERE address = ?`,
    listed(grants), listed(conflicts), listed(withheld), awaitsNames ? 1 : 0, row.address)
  keepHold(store, row, verdict)
  if (JSON.stringify(conflicts) !== row.conflicts && conflicts.length > 0) {
    writeJournal(store, { kind: 'subject.conflict', subject: row.address, data: { sentences: conflicts.map(({ sentence }) => sentence) } })
  }
  if (awaitsNames) setTimer(store, 'names', store.now() + NAMES_AGAIN_MS)
  if (row.leaver !== null && withheld.some(({ reason }) => reason === 'protected') && row.withheld !== JSON.stringify(withheld)) {
    writeJournal(store, { kind: 'subject.alert', subject: row.address, data: { sentence: 'A protected person has left: nothing was removed. Decide by hand.' } })
  }
}

const tell = (store: Store, before: SubjectRow, { state, lastError }: Ending): void => {
  if (lastError === null || lastError === before.last_error) return
  writeJournal(store, { kind: state === 'stuck' ? 'subject.stuck' : 'subject.retry', subject: before.address, data: { sentence: lastError } })
}

/** The person is in step under the new address: what the old one holds can go. */
const wakeFormerAddresses = (store: Store, address: string): void => {
  for (const former of store.sql.rows<{ address: string }>(`SELECT address FROM subjects WHERE renamed_to = ? AND (state <> 'in_step' OR EXISTS (SELECT 1 FROM ledger l WHERE l.address = subjects.address))`, address)) {
    markAddress(store, former.address, 'now')
  }
}
