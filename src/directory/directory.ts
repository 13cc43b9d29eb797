import { DurableObject } from 'cloudflare:workers'
import { explainFailure, invalid, type AuthFailure } from '../auth/failure'
import { hashToken } from '../auth/bearer'
import { secretContext } from '../auth/secretBox'
import { readConfig, type Config, type Env } from '../config'
import { EMPTY_POLICY } from '../policy/document'
import { mappingsOfGroup, type GroupFact } from '../policy/evaluate'
import { err, ok, type Result } from '../result'
import type { ScimError } from '../scim/error'
import * as callers from './callers'
import { changeConnection, type ConnectionChange } from './connectionChange'
import { clientOf, signToken, type IssuedToken, type TokenFailure, type TokenRequest } from './clients'
import * as connections from './connections'
import { receive, senderOf, type Taken } from './deliveries'
import { reportDefect } from './gate'
import { healthOf, type Health } from './health'
import * as holds from './holds'
import { readJournal, writeJournal, type JournalQuery } from './journal'
import { readMeta, writeMeta } from './meta'
import { migrate } from './migrations'
import { createPageMarks } from './pageMarks'
import * as people from './people'
import { notePoll, takeDuePolls, type DuePoll, type PollOutcome } from './polls'
import { createPolicyCache, currentPolicy, putPolicy, type PolicyInForce, type StoredPolicy } from './policies'
import { createRefusals, reasonOf, type RefusedDelivery, type Refusals } from './refusals'
import { nextWake, type Counts, type Reconciler } from './reconciler'
import { executeScim } from './scim'
import { runBulk } from './scimBulk'
import { draftPage, finishPage } from './scimPage'
import type { BulkCommand, PageCommand, ScimCommand, ScimContext, ScimReply } from './scimCommand'
import { arizeOf, DEFAULT_TENANT, openReconciler, openSecretBox, type Site, type Unready } from './site'
import type { DeliveryFailure, DeliveryRequest, PolicyRefusal, ScimFailure, ScimRequest } from './requests'
import { createSql, type Store } from './sql'
import * as tenants from './tenants'
import * as tokens from './tokens'
import { startNights } from './timers'

/** Commands that change nothing, and so need neither a transaction nor an alarm. */
const READS: ReadonlySet<ScimCommand['op']> = new Set(['refuse', 'authenticate', 'discover', 'catalogue', 'get', 'list'])

/** Ends a transaction that must leave nothing behind. */
const ROLL_BACK = new Error('refused')

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** The connection that exists in development from the start. */
const DEVELOPMENT_CONNECTION = 'development'

/**
 * One tenant: its users, groups, connections, policy, ledger and journal, and the work on Arize that follows from them. Each
 * public method is one Durable Object call and one transaction; expected failures are returned, since a thrown error's own
 * properties do not cross the call.
 */
export class Directory extends DurableObject<Env> {
  private readonly store: Store
  private readonly policy: () => PolicyInForce
  private readonly settings: Result<Config, Unready>
  private readonly refusals: Refusals
  private readonly marks = createPageMarks()
  private developmentHash: string | null = null
  private armedAt: number | null = null
  private live: Reconciler | null = null
  private worker: Promise<Result<Reconciler, Unready>> | null = null

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    this.store = { sql: createSql(ctx.storage.sql), now: () => Date.now(), newId: () => crypto.randomUUID() }
    this.policy = createPolicyCache(this.store)
    this.refusals = createRefusals(this.store)
    this.settings = readConfig(env)
    void ctx.blockConcurrencyWhile(async () => {
      migrate(this.store, (step) => ctx.storage.transactionSync(step))
      startNights(this.store)
      const scimToken = this.settings.ok && this.settings.value.isDevelopment ? this.settings.value.scimToken : null
      this.developmentHash = scimToken === null ? null : await hashToken(scimToken)
      this.armedAt = await ctx.storage.getAlarm()
      this.arm()
    })
  }

  /** One SCIM request: authenticates first, so that a wrong request by a stranger is a 401, then carries it out. */
  scim(request: ScimRequest): Result<ScimReply, ScimFailure> {
    const carryOut = (): Result<ScimReply, ScimFailure> => this.asCaller(request, (context) => executeScim(context, request.command))
    const done = READS.has(request.command.op) ? carryOut() : this.write(carryOut)
    if (!done.ok && done.error.kind === 'auth') this.refusals.ofCaller(done.error.failure)
    return done
  }

  /** A page by cursor: all of it is read at once, and given away when the cursor has proved to be the caller's. */
  async page({ command, ...request }: Omit<ScimRequest, 'command'> & { readonly command: PageCommand }): Promise<Result<ScimReply, ScimFailure>> {
    const draft = this.asCaller(request, (context) => draftPage(context, command))
    if (!draft.ok) {
      if (draft.error.kind === 'auth') this.refusals.ofCaller(draft.error.failure)
      return draft
    }
    const done = await finishPage(draft.value)
    return done.ok ? done : err({ kind: 'scim', error: done.error })
  }

  /** Several writes, each as {@link scim} does it; whatever else waits goes between them. */
  bulk({ command, ...request }: Omit<ScimRequest, 'command'> & { readonly command: BulkCommand }): Promise<Result<ScimReply, ScimFailure>> {
    return runBulk(command, { base: request.base, execute: (single) => this.scim({ ...request, command: single }), yieldTurn: () => sleep(0) })
  }

  /** Stores events and carries them out. What is returned as taken is on disk. */
  receive(request: DeliveryRequest): Result<Taken, DeliveryFailure> {
    const { connectionId, kind, credential, events } = request
    const done = this.write<Taken, DeliveryFailure>(() => {
      const caller = senderOf(this.store, request)
      if (!caller.ok) return err(caller.error.kind === 'stale' ? { kind: 'stale' } : { kind: 'auth', failure: caller.error })
      const { connection, actor } = caller.value
      return ok(receive(this.contextOf(connection, actor, ''), {
        events,
        isProven: credential.kind !== 'each',
        isSecret: (hash) => tokens.hasSecret(this.store, connection.id, hash),
        signals: (this.policy().compiled?.policy ?? EMPTY_POLICY).signals,
      }))
    })
    const failure = done.ok ? (done.value.refused.length === 0 ? null : invalid('unknown_token')) : done.error.kind === 'auth' ? done.error.failure : null
    if (failure !== null) this.refuseDelivery({ connectionId, kind, reason: reasonOf(failure), sentence: explainFailure(failure) })
    return done
  }

  /** A delivery that was refused before it came here is journalled, and shown with its connection. */
  refuseDelivery(refused: RefusedDelivery): void {
    this.refusals.ofDelivery(refused)
  }

  /** The streams to be polled now. Whoever asks for them says how it went. */
  duePolls(): Promise<DuePoll[]> {
    return takeDuePolls(this.site(), Math.random)
  }

  notePoll(outcome: PollOutcome): void {
    this.write(() => ok(notePoll(this.store, outcome, Math.random)))
  }

  private contextOf({ id, name, config }: connections.Connection, actor: string, base: string): ScimContext {
    return {
      store: this.store, actor, base, connection: { id, name, address: config.address, hasCatalogue: config.entitlements === true },
      unmaps: (before, after) => this.unmaps(before, after), policy: this.policy, marks: this.marks,
    }
  }

  /** A short-lived token for a client that proves itself. */
  async issueToken(request: TokenRequest): Promise<Result<IssuedToken, TokenFailure>> {
    const client = this.write<connections.Connection, AuthFailure | { readonly kind: 'stale' }>(() => clientOf(this.store, request.proof))
    if (!client.ok) {
      if (client.error.kind === 'stale') return err({ kind: 'stale' })
      this.refusals.ofCaller(client.error)
      return err({ kind: 'auth', failure: client.error })
    }
    const issued = await signToken(this.site(), client.value, request)
    return issued.ok ? issued : err({ kind: 'unready', unready: issued.error })
  }

  /** The issuers whose tokens the Worker may believe for this tenant. */
  trust(): callers.Trust {
    return callers.trustOf(this.store)
  }

  readPolicy(): StoredPolicy | null {
    return currentPolicy(this.store)
  }

  /** `expectedVersions`: what the administrator looked at; null to overwrite whatever is there. */
  replacePolicy(document: unknown, expectedVersions: readonly number[] | null, actor: string): Result<number, PolicyRefusal> {
    return this.write<number, PolicyRefusal>(() => {
      const version = currentPolicy(this.store)?.version ?? 0
      if (expectedVersions !== null && !expectedVersions.includes(version)) return err({ kind: 'changed', version })
      const put = putPolicy(this.store, document, actor)
      return put.ok ? put : err({ kind: 'invalid', errors: put.error })
    })
  }

  listPeople(query: people.PeopleQuery): people.PeoplePage {
    return people.listPeople(this.store, query)
  }

  readPerson(address: string): people.Person | null {
    return people.personOf(this.store, address)
  }

  retryPerson(address: string, actor: string): Result<void, connections.Refusal> {
    return this.write(() => people.retryPerson(this.store, address, actor))
  }

  decideIdentity(address: string, decision: people.IdentityDecision, reason: string, actor: string): Result<void, connections.Refusal> {
    return this.write(() => people.decideIdentity(this.store, address, decision, reason, actor))
  }

  readJournal(query: JournalQuery): ReturnType<typeof readJournal> {
    return readJournal(this.store, query)
  }

  listHolds(): holds.Hold[] {
    return holds.listHolds(this.store)
  }

  approveHold(id: string, actor: string, reason: string, revision: number | null): Result<holds.Hold, connections.Refusal> {
    return this.write(() => holds.approveHold(this.store, id, actor, reason, revision))
  }

  refuseHold(id: string, until: number, actor: string, reason: string): Result<holds.Hold, connections.Refusal> {
    return this.write(() => holds.refuseHold(this.store, id, until, actor, reason))
  }

  listConnections(): connections.Connection[] {
    return connections.listConnections(this.store)
  }

  createConnection(wanted: connections.NewConnection, actor: string): Result<connections.Connection, connections.Refusal> {
    return this.write(() => connections.createConnection(this.store, wanted, actor))
  }

  changeConnection(id: string, change: ConnectionChange, actor: string): Result<connections.Connection, connections.Refusal> {
    return this.write(() => changeConnection(this.store, id, change, actor))
  }

  listTokens(connectionId: string): tokens.TokenFact[] {
    return tokens.listTokens(this.store, connectionId)
  }

  createToken(connectionId: string, token: tokens.NewToken, actor: string): Result<tokens.TokenFact, connections.Refusal> {
    return this.write(() => tokens.createToken(this.store, connectionId, token, actor))
  }

  deleteToken(connectionId: string, tokenId: string, actor: string): Result<void, connections.Refusal> {
    return this.write(() => tokens.deleteToken(this.store, connectionId, tokenId, actor))
  }

  async health(): Promise<Health> {
    const worker = await this.reconciler()
    const arize = await arizeOf(this.site())
    return healthOf(this.store, this.policy(), worker.ok ? null : worker.error, arize.ok ? arize.value.ownUser : null)
  }

  /** Tries everything that is due now, for at most 30 s. For development and tests: the Worker refuses it when deployed. */
  async settle(): Promise<Result<Counts, Unready>> {
    const worker = await this.reconciler()
    return worker.ok ? ok(await worker.value.settle()) : worker
  }

  /** The default tenant's book of the others. */
  findTenant(name: string): boolean {
    return tenants.hasTenant(this.store, name)
  }

  listTenants(): string[] {
    return tenants.listTenants(this.store)
  }

  enterTenant(name: string, fingerprint: string): Result<void, connections.Refusal> {
    return this.write(() => tenants.enterTenant(this.store, name, fingerprint))
  }

  /** Tells this object which tenant it is and where that tenant's Arize is. The key is sealed before it is stored. */
  async provision(tenant: tenants.NewTenant, actor: string): Promise<Result<void, connections.Refusal>> {
    const box = await openSecretBox(this.settings)
    if (!box.ok) return err(connections.refuse(422, box.error.sentence))
    const sealedKey = await box.value.seal(tenant.arizeApiKey, secretContext(tenant.name, 'arize'))
    // Two workers on one object would not share a lock.
    const former = await this.worker
    if (former?.ok === true) await former.value.idle()
    this.worker = null
    return this.write(() => {
      writeMeta(this.store, 'tenant', { name: tenant.name, arizeBaseUrl: tenant.arizeBaseUrl, sealedKey, ownUser: tenant.ownUser })
      writeJournal(this.store, { kind: 'tenant.created', actor, data: { tenant: tenant.name } })
      return ok(undefined)
    })
  }

  /** Called once a minute by the cron: arms an alarm that was lost. */
  wake(): void {
    this.arm()
  }

  override async alarm(): Promise<void> {
    this.armedAt = null
    try {
      const worker = await this.reconciler()
      if (worker.ok) await worker.value.alarm()
      else this.wakeAt(this.store.now() + 60_000)
    } catch (error) {
      reportDefect('alarm', error)
      this.wakeAt(this.store.now() + 60_000)
    }
  }

  /** What an authenticated caller asks, in its name. */
  private asCaller<T>(
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
  private write<T, E>(change: () => Result<T, E>): Result<T, E> {
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
  private seedDevelopment(): void {
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
    tokens.createToken(this.store, DEVELOPMENT_CONNECTION, { hash: this.developmentHash, expiresAt: null }, 'development')
  }

  /** Whether a group's new name or externalId takes it out of the policy: what that removes is held (design 10.3). */
  private unmaps(before: GroupFact, after: GroupFact): boolean {
    const { compiled } = this.policy()
    return compiled !== null && mappingsOfGroup(compiled, before).length > 0 && mappingsOfGroup(compiled, after).length === 0
  }

  /** The worker of this tenant, made once its Arize is known. Tried again after a failure. */
  private reconciler(): Promise<Result<Reconciler, Unready>> {
    this.worker ??= this.createWorker().then((worker) => {
      if (!worker.ok) this.worker = null
      return worker
    })
    return this.worker
  }

  private async createWorker(): Promise<Result<Reconciler, Unready>> {
    const worker = await openReconciler(this.site(), { policy: this.policy, sleep, wakeAt: (at) => this.wakeAt(at) })
    if (worker.ok) this.live = worker.value
    return worker
  }

  private site(): Site {
    return { store: this.store, settings: this.settings, name: this.ctx.id.name ?? DEFAULT_TENANT }
  }

  private arm(): void {
    const at = nextWake(this.store)
    if (at !== null) this.wakeAt(at)
    this.live?.nudge()
  }

  /** The alarm is moved earlier only. */
  private wakeAt(at: number): void {
    if (this.armedAt !== null && this.armedAt <= at) return
    this.armedAt = at
    void this.ctx.storage.setAlarm(Math.max(at, this.store.now()))
  }
}
