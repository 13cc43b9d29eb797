import { explainFailure, invalid, type AuthFailure } from '../auth/failure'
import { secretContext } from '../auth/secretBox'
import { EMPTY_POLICY } from '../policy/document'
import { err, ok, type Result } from '../result'
import * as callers from './callers'
import { changeConnection, type ConnectionChange } from './connectionChange'
import { placeOrder, sealFor, type ConnectionOrder } from './connectionOrder'
import { previewRemoval } from './connectionPreview'
import { resync } from './connectionPull'
import { removeConnection } from './connectionRemoval'
import { replaceSecrets, rotateToken, type NewSecrets, type Rotation } from './connectionRotation'
import { pauseConnection, resumeConnection } from './connectionState'
import { describeConnections, describeDone, type ConnectionWithStatus } from './connectionStatus'
import { clientOf, signToken, type IssuedToken, type TokenFailure, type TokenRequest } from './clients'
import * as connections from './connections'
import { receive, senderOf, type Taken } from './deliveries'
import { healthOf, type Health } from './health'
import * as holds from './holds'
import { readJournal, writeJournal, type JournalQuery } from './journal'
import { writeMeta } from './meta'
import { DirectoryObject, sleep } from './object'
import * as people from './people'
import { notePoll, takeDuePolls, type DuePoll, type PollOutcome } from './polls'
import { currentPolicy, putPolicy, type StoredPolicy } from './policies'
import { reasonOf, type RefusedDelivery } from './refusals'
import type { Counts } from './reconciler'
import { executeScim } from './scim'
import { runBulk } from './scimBulk'
import { draftPage, finishPage } from './scimPage'
import type { BulkCommand, PageCommand, ScimCommand, ScimReply } from './scimCommand'
import { arizeOf, openSecretBox, type Unready } from './site'
import type { DeliveryFailure, DeliveryRequest, PolicyRefusal, ScimFailure, ScimRequest } from './requests'
import * as tenants from './tenants'
import * as tokens from './tokens'

type Changed = Result<ConnectionWithStatus, connections.Refusal>

/** Commands that change nothing, and so need neither a transaction nor an alarm. */
const READS: ReadonlySet<ScimCommand['op']> = new Set(['refuse', 'authenticate', 'discover', 'catalogue', 'get', 'list'])

/**
 * One tenant: its users, groups, connections, policy, ledger and journal, and the work on Arize that follows from them. Each
 * public method is one Durable Object call and one transaction; expected failures are returned, since a thrown error's own
 * properties do not cross the call.
 */
export class Directory extends DirectoryObject {
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

  /** All connections with how they are doing, or the one with this id. */
  describeConnections(id: string | null): ConnectionWithStatus[] {
    return describeConnections(this.store, id)
  }

  /** The connection with all that belongs to it, or nothing. Its secrets are sealed first. */
  async createConnection(order: ConnectionOrder, actor: string): Promise<Changed> {
    const { id = this.store.newId(), secrets } = order
    const sealed = secrets === undefined ? ok(null) : await sealFor(this.site(), id, secrets)
    return sealed.ok ? this.changed(() => placeOrder(this.store, order, id, sealed.value, actor)) : sealed
  }

  private changed(change: () => Result<Pick<connections.Connection, 'id'>, connections.Refusal>): Changed {
    return this.write(() => describeDone(this.store, change()))
  }

  pauseConnection(id: string, actor: string): Changed {
    return this.changed(() => pauseConnection(this.store, id, actor))
  }

  resumeConnection(id: string, actor: string): Changed {
    return this.changed(() => resumeConnection(this.store, id, actor))
  }

  rotateToken(id: string, rotation: Rotation, actor: string): Changed {
    return this.changed(() => rotateToken(this.store, id, rotation, actor))
  }

  async replaceSecrets(id: string, { secrets, ...rest }: Omit<NewSecrets, 'sealed'> & { readonly secrets: unknown }, actor: string): Promise<Changed> {
    const sealed = await sealFor(this.site(), id, secrets)
    if (!sealed.ok) return sealed
    return this.changed(() => replaceSecrets(this.store, id, { ...rest, sealed: sealed.value }, actor))
  }

  resync(id: string, isAccepted: boolean, actor: string): Changed {
    return this.changed(() => resync(this.store, id, isAccepted, actor))
  }

  /** What {@link removeConnection} would take from people. */
  async previewRemoval(id: string): ReturnType<typeof previewRemoval> {
    const reconciler = await this.reconciler()
    if (!reconciler.ok) return err({ kind: 'unready', unready: reconciler.error })
    const brake = () => (this.policy().compiled?.policy ?? EMPTY_POLICY).brake
    return previewRemoval({ store: this.store, reconciler: reconciler.value, brake, dryRun: (work) => this.dryRun(work), yieldTurn: () => sleep(0) }, id)
  }

  /** Closes a connection at once and has what it told taken away. `confirm` is its name. */
  removeConnection(id: string, confirm: string, actor: string): Changed {
    return this.changed(() => removeConnection(this.store, id, confirm, actor))
  }

  resumePerson(address: string, actor: string): Result<void, connections.Refusal> {
    return this.write(() => people.resumeStopped(this.store, address, actor))
  }

  changeConnection(id: string, change: ConnectionChange, actor: string): Changed {
    return this.changed(() => changeConnection(this.store, id, change, actor))
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

  /** Asks providers whatever is due now, then tries everybody who is due, each for at most 30 s. For development and tests: the Worker refuses it when deployed. */
  async settle(): Promise<Result<Counts, Unready>> {
    await this.puller.settle()
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

  /** Does the work and undoes it. */
  private dryRun<T>(work: () => T): T {
    const outcome: { done: { readonly value: T } | null } = { done: null }
    this.write<never, null>(() => {
      outcome.done = { value: work() }
      return err(null)
    })
    if (outcome.done === null) throw new Error('a dry run without a result')
    return outcome.done.value
  }
}
