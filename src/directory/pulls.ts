import { backoffMs } from '../reconcile/backoff'
import type { PersonRef } from '../change'
import type { Policy } from '../policy/document'
import type { Result } from '../result'
import type { Source, SourceFailure } from '../sources/source'
import { reportDefect } from './gate'
import { writeJournal } from './journal'
import { guardSource, OUTDATED } from './pullGuard'
import {
  applyAsked, applyChange, applyPerson, applySlice, clearStaged, disbelief, FIRST, groupGone, personGone, stageMembers, stagePage, strangersIn,
  type Progress,
} from './pullStaged'
import { keepSubscriptions, type Notify } from './pullSubscriptions'
import { answered, askAbout, askAgain, dueQuestions, type Question } from './refreshes'
import type { ScimContext } from './scimCommand'
import type { Row, Store } from './sql'

/**
 * Asks providers: about the people and groups that events named, about everybody at first and once a night, and about what
 * changed since. A question stays until it is answered; where a pull stands is in the tables after every page.
 */

/** Pages and people that one alarm asks for, beside its calls to Arize. */
const QUESTIONS_PER_ALARM = 8
const SLICES_PER_ALARM = 50

const NIGHT_MS = 24 * 3_600_000
/** Between two looks at what changed, where the provider has deltas. */
const CHANGES_EVERY_MS = 5 * 60_000
/** Somebody must mend the credentials first. */
const UNAUTHORIZED_MS = 15 * 60_000

/** The connection as pulls see it, opened by the Directory. */
export interface PullSite {
  readonly source: Source
  readonly context: ScimContext
  /** Where the provider is to send its notifications, with the secret that proves them; null while that is not known. */
  readonly notify: Notify | null
}

export interface PullerOptions {
  readonly store: Store
  /** The connector of a pull connection with its secrets; or why it cannot be used, in a sentence. */
  readonly open: (connectionId: string) => Promise<Result<PullSite, string>>
  readonly brake: () => Policy['brake']
  /** One transaction, with the alarm for what it made due. */
  readonly transact: (step: () => void) => void
  readonly random: () => number
}

export interface Puller {
  /** Asks what is due, within the bounds of one alarm. */
  readonly alarm: () => Promise<void>
  /** Asks until nothing is due, for at most 30 s: for settling. */
  readonly settle: () => Promise<void>
}

interface PullRow extends Row {
  phase: 'idle' | 'pulling' | 'applying'
  cursor: string | null
  delta: string | null
  finished: number | null
}

const IDLE: PullRow = { phase: 'idle', cursor: null, delta: null, finished: null }

export const pullState = ({ sql }: Pick<Store, 'sql'>, connectionId: string): PullRow =>
  sql.one<PullRow>(`SELECT phase, cursor, delta, finished FROM pulls WHERE connection_id = ?`, connectionId) ?? IDLE

const movePull = ({ sql }: Pick<Store, 'sql'>, connectionId: string, phase: PullRow['phase'], cursor: string | null): void => {
  sql.run(
    `INSERT INTO pulls (connection_id, phase, cursor) VALUES (?, ?, ?)
     ON CONFLICT (connection_id) DO UPDATE SET phase = excluded.phase, cursor = excluded.cursor`, connectionId, phase, cursor)
}

const noteError = ({ sql }: Pick<Store, 'sql'>, connectionId: string, sentence: string | null): void => {
  sql.run(`UPDATE connections SET last_error = ? WHERE id = ? AND last_error IS NOT ?`, sentence, connectionId, sentence)
}

/** The word in `name` with which an administrator accepts a pull that would otherwise not be believed. */
export const ACCEPTED = 'accepted'

export const createPuller = (options: PullerOptions): Puller => {
  const { store, transact, random } = options
  let lock: Promise<void> = Promise.resolve()

  const later = (question: Question, failure: SourceFailure): void => {
    // Asked again at once if it may be.
    if (failure === OUTDATED) return
    const wait =
      failure.kind === 'throttled' ? failure.retryAfterMs
      : failure.kind === 'unauthorized' ? UNAUTHORIZED_MS
      : backoffMs(question.attempts + 1, random)
    const due = store.now() + wait
    transact(() => {
      askAgain(store, question, due, failure.sentence)
      // A provider that asks for patience means every question.
      if (failure.kind !== 'unavailable') store.sql.run(`UPDATE refreshes SET due = max(due, ?) WHERE connection_id = ?`, due, question.connection_id)
      noteError(store, question.connection_id, failure.sentence)
      if (question.attempts === 0) {
        writeJournal(store, { kind: 'pull.failed', connectionId: question.connection_id, data: { what: question.kind, sentence: failure.sentence } })
      }
    })
  }

  const settled = (question: Question, write: () => void): void =>
    transact(() => {
      write()
      answered(store, question)
      noteError(store, question.connection_id, null)
    })

  /** 404 means gone only while the connector's own probe passes. */
  const gone = async ({ source }: PullSite, question: Question, write: () => void): Promise<void> => {
    const probe = await source.probe()
    if (probe.ok) settled(question, write)
    else later(question, probe.error)
  }

  const askPerson = async (site: PullSite, question: Question): Promise<void> => {
    const who: PersonRef = { id: question.id.startsWith('name:') ? null : question.id, userName: question.name }
    const found = await site.source.person(who)
    if (!found.ok) return later(question, found.error)
    const { value } = found
    if (value === null) return gone(site, question, () => personGone(site.context, who.id, who.userName))
    return settled(question, () => tellSkipped(question, applyPerson(site.context, value.person, value.groups)))
  }

  const tellSkipped = ({ connection_id: connectionId, kind, id }: Question, sentence: string | null): void => {
    if (sentence !== null) writeJournal(store, { kind: 'pull.refused', connectionId, data: { what: kind, id: id.slice(0, 200), sentence } })
  }

  const askGroup = async (site: PullSite, question: Question): Promise<void> => {
    const { connection_id: connectionId, id } = question
    const page = await site.source.group({ id, displayName: question.name }, question.cursor)
    if (!page.ok) {
      if (page.error.kind === 'expired') return transact(() => setCursor(question, null))
      return later(question, page.error)
    }
    const { value } = page
    if (value === null) {
      return gone(site, question, () => groupGone(site.context, id))
    }
    transact(() => {
      stageMembers(store, connectionId, id, value.members, question.cursor === null)
      if (value.next !== null) return setCursor(question, value.next)
      for (const stranger of strangersIn(site.context, id)) askAbout(store, connectionId, { kind: 'person', who: { id: stranger, userName: null } })
      tellSkipped(question, applyAsked(site.context, { id, displayName: value.group.displayName }))
      answered(store, question)
      noteError(store, connectionId, null)
    })
  }

  const setCursor = ({ connection_id: connectionId, kind, id }: Question, cursor: string | null): void => {
    store.sql.run(`UPDATE refreshes SET cursor = ?, attempts = 0 WHERE connection_id = ? AND kind = ? AND id = ?`, cursor, connectionId, kind, id)
  }

  const askEverything = async (site: PullSite, question: Question): Promise<void> => {
    const { connection_id: connectionId } = question
    const state = pullState(store, connectionId)
    if (state.phase === 'applying') return applyStaged(site, question, state)
    const cursor = state.phase === 'pulling' ? state.cursor : null
    const page = await site.source.everything(cursor)
    if (!page.ok) {
      if (page.error.kind === 'expired') transact(() => movePull(store, connectionId, 'idle', null))
      return later(question, page.error)
    }
    const { value } = page
    transact(() => {
      if (cursor === null) {
        clearStaged(store, connectionId)
        store.sql.run(`INSERT OR IGNORE INTO pulls (connection_id, phase) VALUES (?, 'idle')`, connectionId)
        store.sql.run(`UPDATE pulls SET started = ? WHERE connection_id = ?`, store.now(), connectionId)
      }
      stagePage(store, connectionId, value)
      if (value.next !== null) {
        movePull(store, connectionId, 'pulling', value.next)
        setCursor(question, null)
        return
      }
      const doubt = question.name === ACCEPTED ? null : disbelief(store, connectionId, options.brake())
      if (doubt === null) {
        movePull(store, connectionId, 'applying', JSON.stringify({ ...FIRST, delta: value.delta }))
        return
      }
      clearStaged(store, connectionId)
      movePull(store, connectionId, 'idle', null)
      noteError(store, connectionId, doubt)
      writeJournal(store, { kind: 'pull.refused', connectionId, data: { sentence: doubt } })
      askAgain(store, question, store.now() + NIGHT_MS, doubt)
    })
  }

  const applyStaged = async ({ context, source }: PullSite, question: Question, state: PullRow): Promise<void> => {
    const { connection_id: connectionId } = question
    const { delta, ...progress } = JSON.parse(state.cursor ?? '{}') as Progress & { readonly delta: string | null }
    let at: Progress | null = progress
    for (let slices = 0; at !== null && slices < SLICES_PER_ALARM; slices += 1) {
      const from: Progress = at
      transact(() => {
        at = applySlice(context, from)
        if (at !== null) movePull(store, connectionId, 'applying', JSON.stringify({ ...at, delta }))
        else finish(question, delta, source.changes !== undefined)
      })
      // Other requests to the object get their turn.
      await Promise.resolve()
    }
  }

  const finish = (question: Question, delta: string | null, hasChanges: boolean): void => {
    const { connection_id: connectionId } = question
    const staged = store.sql.rows<{ kind: string; n: number }>(`SELECT kind, count(*) AS n FROM pulled WHERE connection_id = ? GROUP BY kind`, connectionId)
    store.sql.run(
      `UPDATE pulls SET phase = 'idle', cursor = NULL, delta = ?, finished = ?, last_error = NULL WHERE connection_id = ?`, delta, store.now(), connectionId)
    clearStaged(store, connectionId)
    writeJournal(store, { kind: 'pull.completed', connectionId, data: Object.fromEntries(staged.map(({ kind, n }) => [kind, n])) })
    noteError(store, connectionId, null)
    askAgain(store, question, store.now() + NIGHT_MS, '')
    store.sql.run(`UPDATE refreshes SET attempts = 0, last_error = NULL, name = NULL WHERE connection_id = ? AND kind = 'everything'`, connectionId)
    if (hasChanges && delta !== null) {
      askAbout(store, connectionId, { kind: 'changes' })
      store.sql.run(`UPDATE refreshes SET due = ? WHERE connection_id = ? AND kind = 'changes'`, store.now() + CHANGES_EVERY_MS, connectionId)
    }
  }

  const askChanges = async ({ source, context }: PullSite, question: Question): Promise<void> => {
    const { connection_id: connectionId } = question
    const { delta } = pullState(store, connectionId)
    if (source.changes === undefined || delta === null) return transact(() => answered(store, question))
    const page = await source.changes(question.cursor ?? delta)
    if (!page.ok) {
      if (page.error.kind !== 'expired') return later(question, page.error)
      return settled(question, () => askAbout(store, connectionId, { kind: 'everything' }))
    }
    const { value } = page
    transact(() => {
      for (const item of value.items) tellSkipped(question, applyChange(context, item))
      if (value.next !== null) return setCursor(question, value.next)
      store.sql.run(`UPDATE pulls SET delta = coalesce(?, delta) WHERE connection_id = ?`, value.delta, connectionId)
      setCursor(question, null)
      noteError(store, connectionId, null)
      store.sql.run(
        `UPDATE refreshes SET due = ? WHERE connection_id = ? AND kind = 'changes' AND marked = ?`,
        store.now() + CHANGES_EVERY_MS, connectionId, question.marked)
    })
  }

  const askForNotifications = async ({ source, notify }: PullSite, question: Question): Promise<void> => {
    if (source.subscriptions === undefined || notify === null) return transact(() => answered(store, question))
    const { connection_id: connectionId } = question
    const kept = await keepSubscriptions({ store, connectionId, port: source.subscriptions, notify, isUrgent: question.name !== null })
    if (!kept.ok) return later(question, kept.error)
    transact(() => {
      noteError(store, connectionId, null)
      store.sql.run(
        `UPDATE refreshes SET due = ?, attempts = 0, name = NULL WHERE connection_id = ? AND kind = 'subscriptions' AND marked = ?`,
        kept.value, connectionId, question.marked)
    })
  }

  const ask = async (question: Question): Promise<void> => {
    try {
      const opened = await options.open(question.connection_id)
      if (!opened.ok) return later(question, { kind: 'unauthorized', sentence: opened.error })
      const site = { ...opened.value, source: guardSource(store, question.connection_id, opened.value.source) }
      switch (question.kind) {
        case 'person': return await askPerson(site, question)
        case 'group': return await askGroup(site, question)
        case 'everything': return await askEverything(site, question)
        case 'changes': return await askChanges(site, question)
        case 'subscriptions': return await askForNotifications(site, question)
      }
    } catch (error) {
      reportDefect('pull', error)
      later(question, { kind: 'unavailable', sentence: 'The bridge met a defect of its own; the log has it.' })
    }
  }

  const exclusively = async (work: () => Promise<void>): Promise<void> => {
    const before = lock
    const { promise, resolve } = Promise.withResolvers<void>()
    lock = promise
    await before
    try {
      await work()
    } finally {
      resolve()
    }
  }

  const askDue = async (most: number): Promise<number> => {
    const questions = dueQuestions(store, most)
    for (const question of questions) await ask(question)
    return questions.length
  }

  return {
    alarm: () => exclusively(async () => {
      for (let left = QUESTIONS_PER_ALARM; left > 0; ) {
        const asked = await askDue(Math.min(left, 4))
        if (asked === 0) return
        left -= asked
      }
    }),
    settle: () => exclusively(async () => {
      const deadline = store.now() + 30_000
      while (store.now() < deadline && (await askDue(10)) > 0);
    }),
  }
}
