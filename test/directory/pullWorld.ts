import { createConnection } from '../../src/directory/connections'
import { createPolicyCache } from '../../src/directory/policies'
import { createPuller, type Puller } from '../../src/directory/pulls'
import { askAbout, nextQuestion, type Upkeep } from '../../src/directory/refreshes'
import type { ScimContext } from '../../src/directory/scimCommand'
import type { PullKind, Refresh } from '../../src/change'
import { EMPTY_POLICY } from '../../src/policy/document'
import type { SourceFailure } from '../../src/sources/source'
import { ok } from '../../src/result'
import { openStore, type TestStore } from './memoryStore'
import { createProvider, type Provider, type ProviderOptions } from './pullProvider'

/** A Directory's tables, a provider and what asks it, without the Durable Object, HTTP and Arize. */

export const PULL = 'pull'
export const DAY_MS = 86_400_000

export interface PullWorld {
  readonly store: TestStore
  readonly provider: Provider
  /** One alarm. */
  readonly alarm: () => Promise<void>
  /** Alarms until nothing is due. */
  readonly run: () => Promise<void>
  /** Time passes, and whatever becomes due meanwhile is asked. */
  readonly pass: (ms: number) => Promise<void>
  /** All that is remembered is in the tables. */
  readonly restart: () => void
  /** After this many further transactions nothing is written any more, until a restart. */
  readonly crashAfter: (transactions: number) => void
  readonly hasCrashed: () => boolean
  readonly ask: (wanted: Refresh | Upkeep) => void
  readonly person: (id: string) => void
  readonly state: () => readonly string[]
  /** What the tables hold when they agree with the provider: who is active, every group and everybody in it. */
  readonly expected: () => readonly string[]
  readonly journal: (kind: string) => readonly Readonly<Record<string, unknown>>[]
  readonly lastError: () => string | null
  /** The questions that wait, with the time until they are due. */
  readonly questions: () => readonly string[]
  readonly hurry: { is: boolean }
}

export class Crash extends Error {}

export interface WorldOptions extends Omit<ProviderOptions, 'now'> {
  readonly kind?: PullKind
}

export const openPullWorld = (run: (world: PullWorld) => void | Promise<void>, { kind = 'okta', ...options }: WorldOptions = {}): Promise<void> =>
  openStore(async (store) => {
    const { sql } = store
    const provider = createProvider({ ...options, now: store.now })
    const policy = createPolicyCache(store)
    const made = createConnection(store, { kind, name: 'Pull', source: 'okta', config: { address: 'email', issuers: [], notificationUrl: 'https://bridge.example/webhooks/graph/pull' } }, 'test', PULL)
    if (!made.ok) throw new Error(made.error.sentence)
    const context: ScimContext = {
      store, actor: 'pull', base: '', connection: { id: PULL, name: 'Pull', address: 'email', hasCatalogue: false }, unmaps: () => false, policy,
    }
    const hurry = { is: false }
    const life = { left: Number.POSITIVE_INFINITY, isOver: false }
    const transact = (step: () => void): void => {
      if (life.isOver) throw new Crash('the object is gone')
      store.transaction(step)
      life.left -= 1
      if (life.left <= 0) life.isOver = true
    }
    const open = (): Puller => createPuller({
      store, transact,
      open: () => Promise.resolve(ok({ source: provider.source, context, notify: { clientState: 'secret', notificationUrl: 'https://bridge.example/webhooks/graph/pull' } })),
      brake: () => EMPTY_POLICY.brake, random: () => 0.5, callsMade: () => provider.asked.length, isHurried: () => hurry.is, yieldTurn: () => Promise.resolve(),
    })
    let puller = open()
    const texts = (query: string): string[] => sql.rows<{ text: string }>(query, PULL).map(({ text }) => text)
    const alarm = async (): Promise<void> => {
      try {
        await puller.alarm()
      } catch (error) {
        if (!(error instanceof Crash)) throw error
      }
    }
    const runAll = async (): Promise<void> => {
      for (let alarms = 0; alarms < 2_000 && !life.isOver; alarms += 1) {
        const before = provider.asked.length
        const phase = sql.one<{ phase: string; cursor: string | null }>(`SELECT phase, cursor FROM pulls WHERE connection_id = ?`, PULL)
        await alarm()
        const after = sql.one<{ phase: string; cursor: string | null }>(`SELECT phase, cursor FROM pulls WHERE connection_id = ?`, PULL)
        if (provider.asked.length === before && phase?.cursor === after?.cursor && phase?.phase === after?.phase) return
      }
    }
    await run({
      store, provider, alarm, hurry,
      run: runAll,
      pass: async (ms) => {
        const end = store.clock.at + ms
        await runAll()
        for (let next = nextQuestion(store); next !== null && next <= end; next = nextQuestion(store)) {
          store.clock.at = Math.max(store.clock.at + 1, next)
          await runAll()
        }
        store.clock.at = end
        await runAll()
      },
      restart: () => {
        life.left = Number.POSITIVE_INFINITY
        life.isOver = false
        puller = open()
      },
      crashAfter: (transactions) => {
        life.left = transactions
      },
      hasCrashed: () => life.isOver,
      ask: (wanted) => askAbout(store, PULL, wanted),
      person: (id) => askAbout(store, PULL, { kind: 'person', who: { id, userName: null } }),
      state: () => [
        ...texts(`SELECT external_id || ' ' || user_name || ' ' || coalesce(email, '-') AS text FROM users WHERE connection_id = ? AND active = 1`),
        ...texts(`SELECT 'group ' || external_id || ' ' || display_name AS text FROM groups WHERE connection_id = ?`),
        ...texts(
          `SELECT u.external_id || ' in ' || g.external_id AS text FROM group_members m JOIN groups g ON g.seq = m.group_seq JOIN users u ON u.seq = m.user_seq
           WHERE g.connection_id = ? AND u.active = 1`),
      ].toSorted(),
      expected: () => [
        ...[...provider.people].filter(([, { active }]) => active).map(([id, { userName }]) => `${id} ${userName} ${userName}`),
        ...[...provider.groups].flatMap(([id, { name, members }]) => [
          `group ${id} ${name}`, ...[...members].filter((member) => provider.people.get(member)?.active === true).map((member) => `${member} in ${id}`),
        ]),
      ].toSorted(),
      journal: (wanted) => sql.rows<{ data: string }>(`SELECT data FROM journal WHERE kind = ? ORDER BY seq`, wanted).map(({ data }) => JSON.parse(data) as Record<string, unknown>),
      lastError: () => sql.one<{ last_error: string | null }>(`SELECT last_error FROM connections WHERE id = ?`, PULL)?.last_error ?? null,
      questions: () => sql.rows<{ kind: string; id: string; due: number }>(`SELECT kind, id, due FROM refreshes ORDER BY kind, id`)
        .map(({ kind: of, id, due }) => `${of} ${id}${id === '' ? '' : ' '}${due - store.clock.at}`),
    })
  })

/** People p00, p01, … in groups of five each. */
export const populate = ({ people, groups }: Provider, n: number): void => {
  for (let i = 0; i < n; i += 1) {
    const id = `p${String(i).padStart(2, '0')}`
    people.set(id, { userName: `${id}@example.com`, active: true })
    const group = `g${Math.floor(i / 5)}`
    groups.set(group, { name: `Group ${group}`, members: new Set([...(groups.get(group)?.members ?? []), id]) })
  }
}

export const EVERYTHING = { kind: 'everything' } as const

export const failure = (kind: 'unauthorized' | 'expired' | 'unavailable'): SourceFailure => ({ kind, sentence: `The provider is ${kind}.` })
export const throttled: SourceFailure = { kind: 'throttled', retryAfterMs: 30_000, sentence: 'Patience.' }

/** A world whose first pull is done. */
export const openFilled = (run: (world: PullWorld) => Promise<void>, options: WorldOptions & { readonly n?: number } = {}): Promise<void> =>
  openPullWorld(async (world) => {
    populate(world.provider, options.n ?? 12)
    world.ask(EVERYTHING)
    await world.run()
    world.provider.asked.length = 0
    await run(world)
  }, options)

export const activeIds = (world: PullWorld): readonly string[] => world.state().filter((line) => /^p\d+ p/.test(line)).map((line) => line.split(' ')[0] ?? '')
