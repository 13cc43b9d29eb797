import { backoffMs, pauseMs } from '../reconcile/backoff'
import { decide, type Decision } from '../reconcile/decide'
import { optionsFor, reconcile, type Outcome } from '../reconcile/reconcile'
import type { SubjectStore, Verdict } from '../reconcile/store'
import type { Arize } from '../reconcile/target'
import { halt, preflight, reportDefect } from './gate'
import { writeJournal } from './journal'
import { readMeta, rulesRevision, writeMeta } from './meta'
import { createPicker, type Picker } from './picker'
import { nextQuestion } from './refreshes'
import type { Store } from './sql'
import { endRun } from './subjectStore'
import { markUnresolved, subjectOf, SWEPT } from './subjects'
import { doubtNames, removeAll, runTimers, sweepAll } from './timers'

/**
 * The Directory's work on Arize: picks due subjects, leavers first, and lets `reconcile` make each of them agree. An alarm
 * does a bounded amount and arms the next one; nothing here throws, and nothing is dropped.
 */

/** Subjects that are worked on side by side. Fewer than the calls in flight, so that a leaver finds a free connection. */
const LANES = 4

/** One more lane is for leavers alone: nobody who left waits for a joiner's calls. */

/** Calls per alarm: an alarm is one invocation, and Workers bound the calls of one (50 on the free plan). */
const CALLS_PER_ALARM = 40

/** Subjects per alarm, most of which need no call: bounds the CPU time of one invocation. */
const SUBJECTS_PER_ALARM = 500

/** Subjects after which other requests to the object get their turn. */
const SUBJECTS_PER_TURN = 10

const CONFLICT_RECHECK_MS = 3_600_000
const NIGHT_MS = 24 * 3_600_000
const SETTLE_MS = 30_000
/** After a defect the next alarm waits this long: whatever it was must not spin. */
const DEFECT_PAUSE_MS = 1_000
const TRIES_WHEN_SETTLING = 3

export interface ReconcilerOptions {
  readonly store: Store
  readonly subjects: SubjectStore
  /** Arize for leavers and for everybody else: the first one's calls go first. */
  readonly arize: { readonly urgent: Arize; readonly normal: Arize }
  /** Calls made so far, in all. */
  readonly callsMade: () => number
  readonly random: () => number
  /** How long the journal is kept. */
  readonly retentionDays: () => number
  /** Gives other requests to this object a turn. */
  readonly yieldTurn: () => Promise<void>
  /** Asks to be woken at a time (ms). */
  readonly wakeAt: (at: number) => void
}

export interface Counts {
  readonly due: number
  readonly held: number
  readonly stuck: number
}

export interface Reconciler {
  /** Works through what is due now, within the bounds of one alarm. */
  readonly alarm: () => Promise<void>
  /** Tries everything that is due, whatever its time, for at most 30 s. */
  readonly settle: () => Promise<Counts>
  /** What would be planned for a person now. Calls nothing, and may miss names, which `readNames` reads. */
  readonly foresee: (address: string) => Decision
  readonly readNames: SubjectStore['readNames']
  /** Resolves when nothing is being worked on. */
  readonly idle: () => Promise<void>
  /** Something may have become due: whoever has left meanwhile is begun with at once. */
  readonly nudge: () => void
}

interface Run {
  readonly picker: Picker
  readonly isHurried: boolean
  /** Whether another subject may be started. */
  readonly goesOn: () => boolean
  finished: number
  /** The common lanes have ended. */
  isOver: boolean
}

export const createReconciler = (options: ReconcilerOptions): Reconciler => {
  const { store, arize, wakeAt } = options
  let lock: Promise<void> = Promise.resolve()
  let leaverCame = (): void => undefined

  const exclusively = async <T>(work: () => Promise<T>): Promise<T> => {
    const before = lock
    const { promise, resolve } = Promise.withResolvers<void>()
    lock = promise
    await before
    try {
      return await work()
    } finally {
      resolve()
    }
  }

  const arm = (): void => {
    const at = nextWake(store)
    if (at !== null) wakeAt(at)
  }

  const lane = async (run: Run): Promise<void> => {
    while (run.goesOn()) {
      const address = await run.picker.next()
      if (address === null) return
      try {
        await runOne(options, run, address)
      } finally {
        run.picker.release(address)
      }
      run.finished += 1
      if (run.finished % SUBJECTS_PER_TURN === 0) await options.yieldTurn()
    }
  }

  const leaverLane = async (run: Run): Promise<void> => {
    while (!run.isOver && run.goesOn()) {
      const address = run.picker.nextLeaver()
      if (address === null) await new Promise<void>((resolve) => (leaverCame = resolve))
      else {
        try {
          await runOne(options, run, address)
        } finally {
          run.picker.release(address)
        }
        run.finished += 1
      }
    }
  }

  // Every lane is waited for, or the lock would be free while one still works.
  const work = async (run: Run): Promise<void> => {
    run.isOver = false
    const forLeavers = leaverLane(run)
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, () => lane(run)))
    run.isOver = true
    leaverCame()
    const ends = [...lanes, ...(await Promise.allSettled([forLeavers]))]
    for (const end of ends) if (end.status === 'rejected') throw end.reason
  }

  const alarm = (): Promise<void> =>
    exclusively(async () => {
      let pauseMs = 0
      try {
        await runTimers(store, arize.normal, options.retentionDays())
        if (isClosed(store)) return
        recheckDue(store)
        const callsBefore = options.callsMade()
        const run: Run = {
          picker: createPicker({ ...options, isHurried: false }),
          isHurried: false,
          finished: 0,
          isOver: false,
          goesOn: () => run.finished < SUBJECTS_PER_ALARM && options.callsMade() - callsBefore < CALLS_PER_ALARM && !isClosed(store),
        }
        await work(run)
      } catch (error) {
        reportDefect('alarm', error)
        pauseMs = DEFECT_PAUSE_MS
      } finally {
        const at = nextWake(store)
        if (at !== null) wakeAt(Math.max(at, store.now() + pauseMs))
      }
    })

  const settle = (): Promise<Counts> =>
    exclusively(async () => {
      const { now } = store
      const deadline = now() + SETTLE_MS
      try {
        if (readMeta(store, 'halted') !== null) await preflight(store, arize.normal)
        writeMeta(store, 'paused', null)
        if (doubtNames(store)) markUnresolved(store)
        const run: Run = {
          picker: createPicker({ ...options, isHurried: true }),
          isHurried: true,
          finished: 0,
          isOver: false,
          goesOn: () => now() < deadline && readMeta(store, 'halted') === null,
        }
        // What a round finds out, such as names that mean something else, may make others due.
        for (let finished = -1; run.finished > finished; ) {
          finished = run.finished
          removeAll(store)
          sweepAll(store)
          await work(run)
        }
      } catch (error) {
        reportDefect('settle', error)
      } finally {
        arm()
      }
      return countStates(store)
    })

  return {
    alarm,
    settle,
    foresee: (address) => decide(options.subjects.snapshot(address), options.subjects.names(), optionsFor(arize.normal, options.subjects, address)),
    readNames: options.subjects.readNames,
    idle: () => exclusively(async () => undefined),
    nudge: () => leaverCame(),
  }
}

const runOne = async (options: ReconcilerOptions, run: Run, address: string): Promise<void> => {
  const { store } = options
  for (let tries = 1; ; tries += 1) {
    const row = subjectOf(store, address)
    if (row === null) return
    const seen = { generation: row.generation, rules: rulesRevision(store) }
    const outcome = await outcomeOf(options, run, address, row.leaver !== null)
    tryKeep(options, run, address, seen, outcome)
    const isAgain = run.isHurried && (outcome.kind === 'retry' || outcome.kind === 'pause')
    // Settling takes everybody for due, and would take whoever waits for something else again and again.
    if (run.isHurried && outcome.kind === 'wait' && outcome.until > store.now()) run.picker.giveUp(address)
    if (!isAgain || tries >= TRIES_WHEN_SETTLING || !run.goesOn()) {
      if (isAgain) run.picker.giveUp(address)
      return
    }
  }
}

/** Nobody may call Arize now. */
const isClosed = (store: Store): boolean => readMeta(store, 'halted') !== null || (readMeta(store, 'paused')?.until ?? 0) > store.now()

const outcomeOf = async ({ store, subjects, arize }: ReconcilerOptions, run: Run, address: string, isLeaver: boolean): Promise<Outcome> => {
  try {
    return await reconcile({ arize: isLeaver ? arize.urgent : arize.normal, store: subjects, now: store.now, isHurried: run.isHurried }, address)
  } catch (error) {
    reportDefect('reconcile', error)
    return DEFECT
  }
}

const DEFECT: Outcome = { kind: 'retry', sentence: 'The bridge met a defect of its own; the log has it.', verdict: null }

/** The state of the subject and of the rules that a run started from. */
interface Seen {
  readonly generation: number
  readonly rules: number
}

/** An outcome that cannot be written down is a defect of one person, who is tried again later, and stops nobody else. */
const tryKeep = (options: ReconcilerOptions, run: Run, address: string, seen: Seen, outcome: Outcome): void => {
  try {
    keepOutcome(options, run, address, seen, outcome)
  } catch (error) {
    reportDefect('outcome', error)
    keepOutcome(options, run, address, seen, DEFECT)
  }
}

const keepOutcome = (options: ReconcilerOptions, run: Run, address: string, { generation, rules }: Seen, outcome: Outcome): void => {
  const { store, random } = options
  const row = subjectOf(store, address)
  if (row === null) return
  const now = store.now()
  switch (outcome.kind) {
    case 'done': {
      if ((readMeta(store, 'paused')?.until ?? now) < now) writeMeta(store, 'paused', null)
      const isHeld = isHolding(outcome.verdict) || row.identity_hold !== null
      endRun(store, address, generation, { state: isHeld ? 'held' : 'in_step', due: recheckAt(outcome, now), attempts: 0, lastError: null, verdict: outcome.verdict, rules })
      return
    }
    case 'stuck':
      endRun(store, address, generation, { state: 'stuck', due: now + NIGHT_MS, attempts: 0, lastError: outcome.sentence, verdict: outcome.verdict, rules })
      return
    case 'wait':
      endRun(store, address, generation, { state: 'due', due: outcome.until, attempts: row.attempts, lastError: null, verdict: outcome.verdict, rules })
      return
    case 'retry': {
      const attempts = row.attempts + 1
      endRun(store, address, generation, { state: 'due', due: now + backoffMs(attempts, random), attempts, lastError: outcome.sentence, verdict: null, rules })
      return
    }
    case 'pause': {
      if (run.isHurried) return
      const attempt = (readMeta(store, 'paused')?.attempt ?? 0) + 1
      const until = now + pauseMs(outcome.retryAfterMs, attempt, random)
      writeMeta(store, 'paused', { until, attempt })
      writeJournal(store, { kind: 'tenant.paused', data: { until: new Date(until).toISOString() } })
      return
    }
    case 'halt':
      halt(store, outcome.sentence)
  }
}

const isHolding = (verdict: Verdict | null): boolean =>
  verdict !== null && (verdict.conflicts.length > 0 || verdict.withheld.length > 0 || verdict.areKeysHeld)

/** Conflicts heal in Arize's own settings, which nothing tells the bridge of; an exemption ends on its date. */
const recheckAt = ({ verdict }: Outcome, now: number): number | null => {
  if (verdict === null) return null
  const isConflict = verdict.conflicts.some(({ code }) => code === 'annotator_rule' || code === 'account_role' || code === 'annotator_mixed')
  const isExempt = verdict.withheld.some(({ reason }) => reason === 'exempt' || reason === 'unresolved_grant')
  return isConflict || isExempt ? now + CONFLICT_RECHECK_MS : null
}

/** Whoever is held or stuck until now is due like everybody else, and counted by the brake. */
const recheckDue = ({ sql, now }: Store): void => {
  sql.write(`UPDATE subjects SET state = 'due', scanned = NULL WHERE state <> 'due' AND state IN ('held', 'stuck') AND due <= ?`, now())
}

/** Whether somebody who left is due, and Arize may be called. */
export const isLeaverDue = (store: Store): boolean =>
  store.sql.one(`SELECT 1 AS one FROM subjects WHERE priority = 0 AND due IS NOT NULL AND due <= ? LIMIT 1`, store.now()) !== null && !isClosed(store)

/** When the next alarm has something to do (ms), or null. */
export const nextWake = (store: Store): number | null => {
  const next = store.sql.one<{ timer: number | null; question: number | null; leavers: number | null; others: number | null; swept: number | null; isStopped: number }>(
    `SELECT (SELECT min(at) FROM timers) AS timer, (SELECT min(due) FROM refreshes) AS question,
       (SELECT min(due) FROM subjects WHERE priority = 0 AND due IS NOT NULL) AS leavers,
       (SELECT min(due) FROM subjects WHERE priority = 1 AND due IS NOT NULL) AS others,
       (SELECT min(due) FROM subjects WHERE priority = ${SWEPT} AND due IS NOT NULL) AS swept,
       EXISTS (SELECT 1 FROM meta WHERE key IN ('halted', 'paused')) AS isStopped`)
  if (next === null) return null
  const isStopped = next.isStopped === 1
  const until = isStopped ? (readMeta(store, 'paused')?.until ?? 0) : 0
  const due = isStopped && readMeta(store, 'halted') !== null
    ? []
    : [next.leavers, next.others, next.swept].filter((at) => at !== null).map((at) => Math.max(at, until))
  // Not every question that is due may be asked.
  const question = next.question === null ? null : nextQuestion(store)
  const times = [next.timer, question, ...due].filter((at) => at !== null)
  return times.length === 0 ? null : Math.min(...times)
}

export const countStates = ({ sql }: Pick<Store, 'sql'>): Counts => {
  const rows = sql.rows<{ state: string; n: number; timed: number }>(
    `SELECT state, count(*) AS n, count(due) AS timed FROM subjects WHERE state <> 'due' GROUP BY state`)
  const of = (state: string): number => rows.find((row) => row.state === state)?.n ?? 0
  // By indexes alone: whoever has a time is due, or one of those others.
  const timed = sql.one<{ n: number }>(`SELECT count(*) AS n FROM subjects WHERE due IS NOT NULL`)?.n ?? 0
  return { due: timed - rows.reduce((sum, row) => sum + row.timed, 0), held: of('held'), stuck: of('stuck') }
}
