import { backoffMs } from '../reconcile/backoff'
import type { Refresh } from '../change'
import type { Policy } from '../policy/document'
import { err, ok, type Result } from '../result'
import type { Source, SourceFailure } from '../sources/source'
import { connectionById } from './connections'
import { reportDefect } from './gate'
import { writeJournal } from './journal'
import { guardSource, OUTDATED } from './pullGuard'
import { applyAsked, applyChange, applyPerson, groupGone, identify, personGone, stageMembers } from './pullAsked'
import { holderOfName, type NameNow } from './pullNames'
import { applySlice, clearStaged, disbelief, FIRST, stagePage, type Progress } from './pullStaged'
import { isDoubted, movePull, noteError, placeOf, pullState, type PullRow } from './pullState'
import { keepSubscriptions, type Notify } from './pullSubscriptions'
import { answered, askAbout, askAgain, dueQuestions, rest, type Question } from './refreshes'
import type { ScimContext } from './scimCommand'
import type { Store } from './sql'
import { ownUser } from './told'
import { ownGroup } from './toldGroup'

/**
 * Asks providers: about the people and groups that events named, about everybody at first and once a night, and about what
 * changed since. A question stays until it is answered; where a pull stands is in the tables after every page.
 */

/** Calls to providers per alarm, beside those to Arize: Workers bound the calls of one invocation. */
const CALLS_PER_ALARM = 8
const QUESTIONS_PER_ROUND = 4
const SLICES_PER_ALARM = 50

const NIGHT_MS = 24 * 3_600_000
/** Between two looks at what changed, where the provider has deltas. */
const CHANGES_EVERY_MS = 5 * 60_000
/** Somebody must mend the credentials first. */
const UNAUTHORIZED_MS = 15 * 60_000
/** A provider that forgets its own pages may do so again. */
const EXPIRED_MS = 60_000
/** To be asked for patience now and then is no fault. */
const PATIENCE = 5
const SOON_MS = 1_000

/** What concerns all questions of the connection. Reading everything uses up an allowance of its own. */
const isForAll = ({ kind }: Question, failure: SourceFailure): boolean =>
  failure.kind === 'unauthorized' || (failure.kind === 'throttled' && kind !== 'everything' && kind !== 'changes')

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
  /** Calls made to providers so far, in all. */
  readonly callsMade: () => number
  /** Whether something waits that must not wait for a provider. */
  readonly isHurried: () => boolean
  /** Gives other requests to this object a turn. */
  readonly yieldTurn: () => Promise<void>
}

export interface Puller {
  /** Asks what is due, within the bounds of one alarm. */
  readonly alarm: () => Promise<void>
  /** Asks until nothing is due, for at most 30 s: for settling. */
  readonly settle: () => Promise<void>
}

const UNPROVEN: SourceFailure = { kind: 'unavailable', sentence: 'The provider does not know somebody or a group that is known here, which is believed once it has told of everybody.' }

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
      : failure.kind === 'expired' ? EXPIRED_MS
      : backoffMs(question.attempts + 1, random)
    const due = store.now() + wait
    transact(() => {
      askAgain(store, question, due, failure.sentence)
      if (isForAll(question, failure)) rest(store, question.connection_id, due)
      const isNews = question.attempts === (failure.kind === 'throttled' ? PATIENCE : 0)
      if (isNews || question.attempts > PATIENCE || failure.kind !== 'throttled') noteError(store, question.connection_id, failure.sentence)
      if (isNews) {
        writeJournal(store, { kind: 'pull.failed', connectionId: question.connection_id, data: { what: question.kind, sentence: failure.sentence } })
      }
    })
  }

  const close = (question: Question): void => {
    answered(store, question)
    noteError(store, question.connection_id, null)
  }

  /** 404 means gone only while the connector's own probe passes, and the last pull of everybody was believed: at another org, or with fewer permissions, everybody is 404. */
  const gone = async ({ source }: PullSite, question: Question, isTold: boolean, write: () => void): Promise<void> => {
    const isOfAnother = isTold && isDoubted(store, question.connection_id)
    const probe = isOfAnother ? err(UNPROVEN) : await source.probe()
    if (!probe.ok) return later(question, probe.error)
    transact(() => {
      write()
      close(question)
    })
  }

  const askAll = (connectionId: string, wanted: readonly Refresh[]): void => {
    for (const each of wanted) askAbout(store, connectionId, each)
  }

  const askPerson = async (site: PullSite, question: Question): Promise<void> => {
    const who = identify(site.context, { id: question.id.startsWith('name:') ? null : question.id, userName: question.name })
    const found = await site.source.person(who)
    if (!found.ok) return later(question, found.error)
    const { value } = found
    if (value === null) return gone(site, question, ownUser(site.context, who)?.user.active === true, () => personGone(site.context, who.id, who.userName))
    const holderId = holderOfName(site.context, value.person)
    const holder = holderId === null ? ok(null) : await site.source.person({ id: holderId, userName: null })
    if (!holder.ok) return later(question, holder.error)
    const nameNow: NameNow = (id) => (id !== holderId ? undefined : (holder.value?.person.userName ?? null))
    transact(() => {
      const { sentence, ask } = applyPerson(site.context, value, nameNow)
      // Whoever had the name has another one now, or is gone.
      if (holderId !== null) askAbout(store, question.connection_id, { kind: 'person', who: { id: holderId, userName: null } })
      const isTaken = sentence !== null && holderId !== null
      askAll(question.connection_id, isTaken ? [] : ask.filter((each) => each.kind === 'group'))
      if (!isTaken || question.attempts === 0) tellSkipped(question, sentence)
      if (isTaken) askAgain(store, question, store.now() + Math.max(SOON_MS, backoffMs(question.attempts + 1, random)), sentence)
      else close(question)
    })
  }

  const tellSkipped = ({ connection_id: connectionId, kind, id }: Question, sentence: string | null): void => {
    if (sentence !== null) writeJournal(store, { kind: 'pull.refused', connectionId, data: { what: kind, id: id.slice(0, 200), sentence } })
  }

  const askGroup = async (site: PullSite, question: Question): Promise<void> => {
    const { connection_id: connectionId, id } = question
    const page = await site.source.group({ id, displayName: question.name }, question.cursor)
    if (!page.ok) {
      if (page.error.kind === 'expired') transact(() => setCursor(question, null))
      return later(question, page.error)
    }
    const { value } = page
    if (value === null) {
      return gone(site, question, ownGroup(site.context, id) !== null, () => groupGone(site.context, id))
    }
    transact(() => {
      stageMembers(store, connectionId, id, value.members, question.cursor === null)
      if (value.next !== null) return setCursor(question, value.next)
      const { sentence, ask } = applyAsked(site.context, { id, displayName: value.group.displayName }, site.source.tellsOfAll)
      askAll(connectionId, ask)
      tellSkipped(question, sentence)
      setCursor(question, null)
      close(question)
    })
  }

  /** Goes on from there, behind what became due before. */
  const setCursor = ({ connection_id: connectionId, kind, id }: Question, cursor: string | null): void => {
    store.sql.run(
      `UPDATE refreshes SET cursor = ?, attempts = 0, due = max(due, ?) WHERE connection_id = ? AND kind = ? AND id = ?`, cursor, store.now(), connectionId, kind, id)
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
        movePull(store, connectionId, 'applying', placeOf(FIRST, value.delta))
        return
      }
      clearStaged(store, connectionId)
      movePull(store, connectionId, 'idle', null)
      store.sql.run(`UPDATE pulls SET last_error = ? WHERE connection_id = ?`, doubt, connectionId)
      noteError(store, connectionId, doubt)
      writeJournal(store, { kind: 'pull.refused', connectionId, data: { sentence: doubt } })
      askAgain(store, question, store.now() + NIGHT_MS, doubt)
    })
  }

  /** Whether the application still stands there: an administrator may have begun the pull anew, or paused it, in between. */
  const isAt = (connectionId: string, at: Progress, delta: string | null): boolean => {
    const { phase, cursor } = pullState(store, connectionId)
    return phase === 'applying' && cursor === placeOf(at, delta) && connectionById(store, connectionId)?.state === 'active'
  }

  /** One slice in one transaction. Returns where to go on. */
  const applyOne = ({ context, source }: PullSite, question: Question, from: Progress, delta: string | null): Progress | null => {
    const { connection_id: connectionId } = question
    const outcome: { next: Progress | null } = { next: null }
    transact(() => {
      const { next, ask } = applySlice(context, from, source.tellsOfAll)
      askAll(connectionId, ask)
      if (next !== null) movePull(store, connectionId, 'applying', placeOf(next, delta))
      else finish(question, delta, source.changes !== undefined)
      outcome.next = next
    })
    return outcome.next
  }

  const applyStaged = async (site: PullSite, question: Question, state: PullRow): Promise<void> => {
    const { delta, ...progress } = JSON.parse(state.cursor ?? '{}') as Progress & { readonly delta: string | null }
    let at: Progress | null = progress
    for (let slices = 0; at !== null && slices < SLICES_PER_ALARM && isAt(question.connection_id, at, delta); slices += 1) {
      at = applyOne(site, question, at, delta)
      if (options.isHurried()) return
      // Other requests to the object get their turn.
      await options.yieldTurn()
    }
  }

  const finish = (question: Question, delta: string | null, hasChanges: boolean): void => {
    const { connection_id: connectionId } = question
    const staged = store.sql.rows<{ kind: string; n: number }>(`SELECT kind, count(*) AS n FROM pulled WHERE connection_id = ? AND kind IN ('person', 'group', 'member') GROUP BY kind`, connectionId)
    store.sql.run(
      `UPDATE pulls SET phase = 'idle', cursor = NULL, delta = ?, finished = ?, last_error = NULL WHERE connection_id = ?`, delta, store.now(), connectionId)
    clearStaged(store, connectionId)
    writeJournal(store, { kind: 'pull.completed', connectionId, data: Object.fromEntries(staged.map(({ kind, n }) => [kind, n])) })
    noteError(store, connectionId, null)
    askAgain(store, question, store.now() + NIGHT_MS, '')
    store.sql.run(`UPDATE refreshes SET attempts = 0, last_error = NULL, name = NULL WHERE connection_id = ? AND kind = 'everything'`, connectionId)
    if (hasChanges && delta !== null) {
      askAbout(store, connectionId, { kind: 'changes' })
      // From the new delta on: where an older one stood is over.
      store.sql.run(`UPDATE refreshes SET due = ?, cursor = NULL WHERE connection_id = ? AND kind = 'changes'`, store.now() + CHANGES_EVERY_MS, connectionId)
    }
  }

  const askChanges = async ({ source, context }: PullSite, question: Question): Promise<void> => {
    const { connection_id: connectionId } = question
    const { delta } = pullState(store, connectionId)
    if (source.changes === undefined || delta === null) return transact(() => answered(store, question))
    const page = await source.changes(question.cursor ?? delta)
    if (!page.ok) {
      if (page.error.kind !== 'expired') return later(question, page.error)
      return transact(() => {
        askAbout(store, connectionId, { kind: 'everything' })
        close(question)
      })
    }
    const { value } = page
    transact(() => {
      for (const item of value.items) {
        const { sentence, ask } = applyChange(context, item)
        askAll(connectionId, ask)
        tellSkipped(question, sentence)
      }
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

  const askDue = async (most: number, goesOn: () => boolean): Promise<number> => {
    const questions = dueQuestions(store, most)
    let asked = 0
    for (const question of questions) {
      await ask(question)
      asked += 1
      if (!goesOn()) break
    }
    return asked
  }

  return {
    alarm: () => exclusively(async () => {
      const before = options.callsMade()
      const goesOn = (): boolean => options.callsMade() - before < CALLS_PER_ALARM && !options.isHurried()
      // One question at least: whoever waits must not wait for ever behind those who must not.
      while ((await askDue(QUESTIONS_PER_ROUND, goesOn)) > 0 && goesOn());
    }),
    settle: () => exclusively(async () => {
      const deadline = store.now() + 30_000
      const goesOn = (): boolean => store.now() < deadline
      while (goesOn() && (await askDue(10, goesOn)) > 0);
    }),
  }
}
