import { decide, type Decision } from '../reconcile/decide'
import { removals } from '../reconcile/plan'
import { optionsFor } from '../reconcile/reconcile'
import type { SubjectStore } from '../reconcile/store'
import type { Arize } from '../reconcile/target'
import { reportDefect } from './gate'
import { LIMIT, type Store } from './sql'
import { SWEPT } from './subjects'

/**
 * Which subject is next: leavers first, then the one that is due the longest. Before the first mover of a burst everybody
 * who is due and holds something is looked at, so that the brake counts people before anything is taken from one.
 */

/** Subjects that are looked at in one stretch, so that other requests get their turn. */
const SCAN_SLICE = 200

export interface Picker {
  /** The next subject, which nobody else gets until it is released; null when there is none. */
  readonly next: () => Promise<string | null>
  /** The same among people who left. */
  readonly nextLeaver: () => string | null
  readonly release: (address: string) => void
  /** Not picked again by this picker. */
  readonly giveUp: (address: string) => void
}

export interface PickerOptions {
  readonly store: Store
  readonly subjects: SubjectStore
  readonly arize: { readonly normal: Arize }
  readonly yieldTurn: () => Promise<void>
  /** Whether quiet times and back-offs are ignored. */
  readonly isHurried: boolean
}

export const createPicker = (options: PickerOptions): Picker => {
  const { store, isHurried } = options
  const taken = new Set<string>()
  const givenUp = new Set<string>()
  let scanning: Promise<void> | null = null

  const first = (priority: number): string | null => {
    const time = isHurried ? `state = 'due'` : `due <= ${store.now()}`
    const skipped = taken.size + givenUp.size
    const rows = store.sql.rows<{ address: string }>(
      `SELECT address FROM subjects WHERE priority = ? AND due IS NOT NULL AND ${time} ORDER BY due ${LIMIT}`, priority, skipped + 1)
    return rows.find(({ address }) => !taken.has(address) && !givenUp.has(address))?.address ?? null
  }

  const next = async (): Promise<string | null> => {
    let address = first(0)
    if (address === null) {
      scanning ??= scanMovers(options).finally(() => {
        scanning = null
      })
      await scanning
      // Somebody may have left while movers were being counted.
      address = first(0) ?? first(1) ?? first(SWEPT)
    }
    if (address !== null) taken.add(address)
    return address
  }

  const nextLeaver = (): string | null => {
    const address = first(0)
    if (address !== null) taken.add(address)
    return address
  }

  return {
    next,
    nextLeaver,
    release: (address) => void taken.delete(address),
    giveUp: (address) => void givenUp.add(address),
  }
}

/** Gives every due mover with ledger rows its mark for the brake: would its plan take something away? */
const scanMovers = async ({ store, subjects, arize, yieldTurn }: PickerOptions): Promise<void> => {
  const { sql } = store
  // The plus keeps SQLite on the index of the unscanned.
  const unscanned = `scanned IS NULL AND due IS NOT NULL AND leaver IS NULL AND +state = 'due'`
  const unreadable = new Set<string>()
  let afterSeq = 0
  for (;;) {
    // Who holds nothing can lose nothing.
    sql.run(`UPDATE subjects SET scanned = generation, lowers = 0 WHERE ${unscanned} AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.address = subjects.address)`)
    const rows = sql.rows<{ seq: number; address: string; generation: number }>(
      `SELECT seq, address, generation FROM subjects WHERE ${unscanned} AND seq > ? ORDER BY seq LIMIT ${SCAN_SLICE}`, afterSeq)
    for (const { seq, address, generation } of rows) {
      afterSeq = seq
      const decision = tryDecide(subjects, arize.normal, address)
      const missing = (decision?.missing ?? []).filter((list) => !unreadable.has(JSON.stringify(list)))
      if (missing.length > 0) {
        // A list that cannot be read: nothing is planned away from this person, and the others are counted all the same.
        if (!(await subjects.readNames(missing)).ok) for (const list of missing) unreadable.add(JSON.stringify(list))
        afterSeq = seq - 1
        break
      }
      const lowers = decision !== null && removals(decision.plan).length > 0
      sql.run(`UPDATE subjects SET scanned = ?, lowers = ? WHERE address = ? AND generation = ?`, generation, lowers ? 1 : 0, address, generation)
    }
    if (rows.length === 0) return
    await yieldTurn()
  }
}

/** Null when the row itself is broken: its own run meets the same defect and reports it. */
const tryDecide = (subjects: SubjectStore, arize: Arize, address: string): Decision | null => {
  try {
    return decide(subjects.snapshot(address), subjects.names(), optionsFor(arize, subjects, address))
  } catch (error) {
    reportDefect('scan', error)
    return null
  }
}
