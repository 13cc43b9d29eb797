import type { Arize } from '../reconcile/target'
import { removeSlice } from './connectionRemoval'
import { preflight } from './gate'
import { trimHolds } from './holds'
import { trimJournal } from './journal'
import { changeRules, clearTimer, dueTimers, moveTimer, rulesRevision, setTimer, type Timer } from './meta'
import { forgetNames } from './names'
import type { Store } from './sql'
import { trimStatements } from './statements'
import { markSlice, markUnresolved } from './subjects'

/** What the Directory does by the clock: sweeps after a change of the rules, names read again, once a night, preflights, trimming, connections removed. */

const SWEEP_SLICE = 1_000
const NAMES_FIRST_MS = 60_000
const NAMES_LONGEST_MS = 15 * 60_000
const DAY_MS = 24 * 3_600_000
const NIGHT_MS = DAY_MS

/** Short work, none of which reads a list from Arize: leavers must not wait for it. */
export const runTimers = async (store: Store, arize: Arize, retentionDays: number): Promise<void> => {
  for (const timer of dueTimers(store)) {
    if (timer.kind === 'preflight') await preflight(store, arize)
    else if (timer.kind === 'sweep') sweepOnce(store, timer)
    else if (timer.kind === 'names') runNames(store, timer)
    else if (timer.kind === 'nightly') runNightly(store)
    else if (timer.kind === 'removal') removeSlice(store, timer)
    else runTrim(store, retentionDays)
  }
}

/** Marks one slice of everybody whose verdict is older than the rules. */
const sweepOnce = (store: Store, { cursor }: Timer): void => {
  const next = markSlice(store, Number(cursor ?? '0'), SWEEP_SLICE, rulesRevision(store))
  if (next === null) clearTimer(store, 'sweep')
  else moveTimer(store, 'sweep', store.now(), String(next))
}

/** All slices at once: for settling. */
export const sweepAll = (store: Store): void => {
  for (;;) {
    const timer = dueTimers(store).find(({ kind }) => kind === 'sweep')
    if (timer === undefined) return
    sweepOnce(store, timer)
  }
}

/** Everything that is being removed, at once: for settling. */
export const removeAll = (store: Store): void => {
  for (;;) {
    const timer = dueTimers(store).find(({ kind }) => kind === 'removal')
    if (timer === undefined) return
    removeSlice(store, timer)
  }
}

/** Names that mean nothing to somebody are read again before they are next used. Returns whether there are any. */
export const doubtNames = (store: Store): boolean => {
  const isAwaited = store.sql.one(`SELECT 1 AS one FROM subjects WHERE awaits_names = 1 LIMIT 1`) !== null
  if (isAwaited) forgetNames(store)
  return isAwaited
}

/** The cursor is the interval: a name that stays unknown is asked for less and less often. */
const runNames = (store: Store, { cursor }: Timer): void => {
  const intervalMs = Math.min(NAMES_LONGEST_MS, Number(cursor ?? NAMES_FIRST_MS) * 2)
  if (!doubtNames(store)) {
    clearTimer(store, 'names')
    return
  }
  markUnresolved(store)
  moveTimer(store, 'names', store.now() + intervalMs, String(intervalMs))
}

/** Names and accounts are read again, and whoever is stuck is tried once more. */
const runNightly = (store: Store): void => {
  forgetNames(store)
  changeRules(store)
  setTimer(store, 'trim', store.now())
  moveTimer(store, 'nightly', store.now() + NIGHT_MS, null)
}

/** The journal keeps what the policy says (`journal.retentionDays`). */
const runTrim = (store: Store, retentionDays: number): void => {
  const before = store.now() - retentionDays * DAY_MS
  trimHolds(store, before)
  const isMore = [trimJournal(store, before), trimStatements(store)].some(Boolean)
  if (!isMore) clearTimer(store, 'trim')
}

/** The first night of a tenant. */
export const startNights = (store: Store): void => {
  if (store.sql.one(`SELECT 1 AS one FROM timers WHERE kind = 'nightly'`) === null) moveTimer(store, 'nightly', store.now() + NIGHT_MS, null)
}

