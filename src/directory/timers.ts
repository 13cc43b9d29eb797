import type { SubjectStore } from '../reconcile/store'
import type { Arize } from '../reconcile/target'
import { preflight } from './gate'
import { trimJournal } from './journal'
import { changeRules, clearTimer, dueTimers, moveTimer, rulesRevision, setTimer, type Timer } from './meta'
import { forgetNames, knownLists } from './names'
import type { Store } from './sql'
import { markSlice } from './subjects'

/** What the Directory does by the clock: sweeps after a change of the rules, names read again, once a night, preflights. */

const SWEEP_SLICE = 1_000
const NAMES_FIRST_MS = 60_000
const NAMES_LONGEST_MS = 15 * 60_000
const DAY_MS = 24 * 3_600_000
const NIGHT_MS = DAY_MS

export const runTimers = async (store: Store, subjects: SubjectStore, arize: Arize, retentionDays: number): Promise<void> => {
  for (const timer of dueTimers(store)) {
    if (timer.kind === 'preflight') await preflight(store, arize)
    else if (timer.kind === 'sweep') sweepOnce(store, timer)
    else if (timer.kind === 'names') await runNames(store, subjects, timer)
    else if (timer.kind === 'nightly') runNightly(store)
    else if (timer.kind === 'trim') runTrim(store, retentionDays)
    else clearTimer(store, timer.kind)
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

const hasUnresolved = ({ sql }: Pick<Store, 'sql'>): boolean =>
  sql.one(`SELECT 1 AS one FROM subjects WHERE state <> 'in_step' AND instr(conflicts, '"code":"unresolved"') > 0 LIMIT 1`) !== null

/** Reads every list of names again. A changed list makes everybody's verdict again. */
export const rereadNames = async (store: Store, subjects: SubjectStore, { onlyIfUnresolved }: { onlyIfUnresolved: boolean }): Promise<boolean> => {
  if (onlyIfUnresolved && !hasUnresolved(store)) return false
  const before = rulesRevision(store)
  await subjects.readNames(knownLists(store))
  return rulesRevision(store) !== before
}

/** The cursor is the interval: a name that stays unknown is asked for less and less often. */
const runNames = async (store: Store, subjects: SubjectStore, { cursor }: Timer): Promise<void> => {
  const intervalMs = Math.min(NAMES_LONGEST_MS, Number(cursor ?? NAMES_FIRST_MS) * 2)
  if (!hasUnresolved(store)) {
    clearTimer(store, 'names')
    return
  }
  const isChanged = await rereadNames(store, subjects, { onlyIfUnresolved: false })
  moveTimer(store, 'names', store.now() + (isChanged ? NAMES_FIRST_MS : intervalMs), isChanged ? String(NAMES_FIRST_MS) : String(intervalMs))
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
  if (!trimJournal(store, store.now() - retentionDays * DAY_MS)) clearTimer(store, 'trim')
}

/** The first night of a tenant. */
export const startNights = (store: Store): void => {
  if (store.sql.one(`SELECT 1 AS one FROM timers WHERE kind = 'nightly'`) === null) moveTimer(store, 'nightly', store.now() + NIGHT_MS, null)
}

