import { DurableObject } from 'cloudflare:workers'
import { invalid } from '../auth/failure'
import { hashToken } from '../auth/bearer'
import { readConfig, type Config, type Env } from '../config'
import { EMPTY_POLICY } from '../policy/document'
import { mappingsOfGroup, type GroupFact } from '../policy/evaluate'
import { err, ok, type Result } from '../result'
import type { ScimError } from '../scim/error'
import * as callers from './callers'
import * as connections from './connections'
import { reportDefect } from './gate'
import { readMeta } from './meta'
import { migrate } from './migrations'
import { createPageMarks } from './pageMarks'
import { createPuller, type Puller } from './pulls'
import { createPullSites } from './pullSite'
import { createPolicyCache, type PolicyInForce } from './policies'
import { createRefusals, type Refusals } from './refusals'
import { isLeaverDue, nextWake, type Reconciler } from './reconciler'
import type { ScimFailure, ScimRequest } from './requests'
import type { ScimContext } from './scimCommand'
import { DEFAULT_TENANT, openReconciler, type Site, type Unready } from './site'
import { createSql, type Store } from './sql'
import { createToken } from './tokens'
import { startNights } from './timers'

/** Ends a transaction that must leave nothing behind. */
const ROLL_BACK = new Error('refused')

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** How long an alarm that waits for a provider leaves whoever became due alone. */
const LOOK_AGAIN_MS = 1_000

/** The connection that exists in development from the start. */
const DEVELOPMENT_CONNECTION = 'development'

/**
 * What every call to a tenant's object stands on: its storage and one transaction over it, the alarm and the work that it wakes,
 * and who the caller is. The calls themselves are in directory.ts.
 */
export abstract class DirectoryObject extends DurableObject<Env> {
  protected readonly store: Store
  protected readonly policy: () => PolicyInForce
  protected readonly settings: Result<Config, Unready>
  protected readonly refusals: Refusals
  protected readonly marks = createPageMarks()
  protected developmentHash: string | null = null
  protected armedAt: number | null = null
  protected live: Reconciler | null = null
  protected worker: Promise<Result<Reconciler, Unready>> | null = null
  protected readonly puller: Puller
  /** Alarms that have nothing to do but to wait for a provider. */
  private readonly waiting = new Set<() => void>()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.store = { sql: createSql(ctx.storage.sql), now: () => Date.now(), newId: () => crypto.randomUUID() }
    this.policy = createPolicyCache(this.store)
    this.refusals = createRefusals(this.store)
    this.settings = readConfig(env)
    this.puller = this.openPuller()
    void ctx.blockConcurrencyWhile(async () => {
      migrate(this.store, (step) => ctx.storage.transactionSync(step))
      startNights(this.store)
      const scimToken = this.settings.ok && this.settings.value.isDevelopment ? this.settings.value.scimToken : null
      this.developmentHash = scimToken === null ? null : await hashToken(scimToken)
      this.armedAt = await ctx.storage.getAlarm()
      this.arm()
    })
  }

  protected contextOf({ id, name, config }: connections.Connection, actor: string, base: string): ScimContext {
    return {
      store: this.store, actor, base, connection: { id, name, address: config.address, hasCatalogue: config.entitlements === true },
      unmaps: (before, after) => this.unmaps(before, after), policy: this.policy, marks: this.marks,
    }
  }

  /** Called once a minute by the cron: arms an alarm that was lost. */
  wake(): void {
    this.arm()
  }

  /** Arize and the providers, side by side: nobody waits for a provider that takes its time. */
  override async alarm(): Promise<void> {
    this.armedAt = null
    let isPulling = true
    const pulling = this.puller
      .alarm()
      .catch((error: unknown) => {
        reportDefect('pull', error)
        this.wakeAt(this.store.now() + 60_000)
      })
      .finally(() => {
        isPulling = false
        this.stir()
      })
    for (;;) {
      await this.reconcile()
      if (!isPulling) break
      await this.rest()
      if (!isPulling) break
    }
    await pulling
    this.arm()
  }

  /** Until somebody leaves or the providers have answered; a second at most, since others become due meanwhile. */
  private async rest(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, LOOK_AGAIN_MS)
    this.waiting.add(resolve)
    await promise
    this.waiting.delete(resolve)
    clearTimeout(timer)
  }

  private async reconcile(): Promise<void> {
    try {
      const worker = await this.reconciler()
      if (worker.ok) await worker.value.alarm()
      else this.wakeAt(this.store.now() + 60_000)
    } catch (error) {
      reportDefect('alarm', error)
      this.wakeAt(this.store.now() + 60_000)
    }
  }

  private openPuller(): Puller {
    const sites = createPullSites(() => this.site(), (connection) => this.contextOf(connection, 'pull', ''))
    return createPuller({
      store: this.store,
      open: sites.open,
      callsMade: sites.callsMade,
      brake: () => (this.policy().compiled?.policy ?? EMPTY_POLICY).brake,
      transact: (step) => {
        this.write(() => ok(step()))
      },
      isHurried: () => isLeaverDue(this.store),
      random: Math.random,
      yieldTurn: () => sleep(0),
    })
  }

  /** What an authenticated caller asks, in its name. */
  protected asCaller<T>(
    { isDevelopment, credential, base }: Omit<ScimRequest, 'command'>, ask: (context: ScimContext) => Result<T, ScimError>,
  ): Result<T, ScimFailure> {
    if (isDevelopment) this.seedDevelopment()
    const caller = callers.authenticate(this.store, credential)
    if (!caller.ok) return err(caller.error.kind === 'stale' ? { kind: 'stale' } : { kind: 'auth', failure: caller.error })
    const { connection, actor } = caller.value
    // The secret of a webhook opens nothing else.
    if (connection.kind !== 'scim') return err({ kind: 'auth', failure: invalid('unknown_token') })
    const done = ask(this.contextOf(connection, actor, base))
    return done.ok ? done : err({ kind: 'scim', error: done.error })
  }

  /** One transaction, and the alarm for what it made due in the same synchronous stretch. */
  protected write<T, E>(change: () => Result<T, E>): Result<T, E> {
    const outcome: { result: Result<T, E> | null } = { result: null }
    try {
      this.ctx.storage.transactionSync(() => {
        outcome.result = change()
        // A refusal changes nothing, whatever had been written before it was noticed.
        if (!outcome.result.ok) throw ROLL_BACK
      })
    } catch (error) {
      if (error !== ROLL_BACK) throw error
    }
    const { result } = outcome
    if (result === null) throw new Error('a transaction without a result')
    if (result.ok) this.arm()
    return result
  }

  /** The connection and token of `npm start`: in the default tenant only, and only where development values are believed. */
  protected seedDevelopment(): void {
    if (this.developmentHash === null) return
    if (readMeta(this.store, 'tenant') !== null || connections.connectionById(this.store, DEVELOPMENT_CONNECTION) !== null) {
      // Not before it is there: the transaction that makes it may be rolled back.
      this.developmentHash = null
      return
    }
    connections.createConnection(
      this.store,
      { kind: 'scim', name: 'Development', source: 'development', config: { address: 'email', issuers: [] } },
      'development', DEVELOPMENT_CONNECTION)
    createToken(this.store, DEVELOPMENT_CONNECTION, { hash: this.developmentHash, expiresAt: null }, 'development')
  }

  /** Whether a group's new name or externalId takes it out of the policy: what that removes is held (design 10.3). */
  protected unmaps(before: GroupFact, after: GroupFact): boolean {
    const { compiled } = this.policy()
    return compiled !== null && mappingsOfGroup(compiled, before).length > 0 && mappingsOfGroup(compiled, after).length === 0
  }

  /** The worker of this tenant, made once its Arize is known. Tried again after a failure. */
  protected reconciler(): Promise<Result<Reconciler, Unready>> {
    this.worker ??= this.createWorker().then((worker) => {
      if (!worker.ok) this.worker = null
      return worker
    })
    return this.worker
  }

  protected async createWorker(): Promise<Result<Reconciler, Unready>> {
    const worker = await openReconciler(this.site(), { policy: this.policy, sleep, wakeAt: (at) => this.wakeAt(at) })
    if (worker.ok) this.live = worker.value
    return worker
  }

  protected site(): Site {
    return { store: this.store, settings: this.settings, name: this.ctx.id.name ?? DEFAULT_TENANT }
  }

  protected arm(): void {
    const at = nextWake(this.store)
    if (at !== null) this.wakeAt(at)
    this.live?.nudge()
    if (this.waiting.size > 0 && isLeaverDue(this.store)) this.stir()
  }

  private stir(): void {
    for (const goOn of this.waiting) goOn()
  }

  /** The alarm is moved earlier only. */
  protected wakeAt(at: number): void {
    if (this.armedAt !== null && this.armedAt <= at) return
    this.armedAt = at
    void this.ctx.storage.setAlarm(Math.max(at, this.store.now()))
  }
}
