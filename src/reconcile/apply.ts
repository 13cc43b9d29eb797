/**
 * Makes the calls of a plan, one after the other, with the ledger around each: intend, call, confirm. Judges what a refusal
 * means for this change and for the rest. Does not decide what to do (plan.ts) nor when to try again (the Directory).
 */
import { roleKey } from '../policy/role'
import { err, ok, type Result } from '../result'
import { readAccount } from './account'
import { judgeCall, preflightOr, type Failure, type Stop } from './failure'
import { slotKey } from './ledger'
import { changeKey, type Change } from './plan'
import type { KnownAccount, Snapshot } from './snapshot'
import type { SubjectStore } from './store'
import type { Arize, ArizeError, Resource, Target } from './target'

export interface Applied {
  /** Changes that Arize refused for good, in sentences. The others were made. */
  readonly stuck: readonly string[]
  readonly stop: Stop | null
}

export interface ApplyContext {
  readonly arize: Arize
  readonly store: SubjectStore
  /** What the plan was decided from. */
  readonly snapshot: Snapshot
  readonly account: KnownAccount
  /** What this run has asserted or read again because of a refusal: what is refused once more is stuck. */
  readonly reread: Set<string>
}

/**
 * An organization in which a call was not answered is left for a later run, since the outcome is unknown; the others are
 * gone on with, so that one that is ill keeps nobody in the rest.
 */
export const apply = async (context: ApplyContext, changes: readonly Change[]): Promise<Applied> => {
  const stuck: string[] = []
  const refused = new Set<string>()
  const ill = new Set<string>()
  let retry: Stop | null = null
  for (const change of changes) {
    const { kind, id, organizationId } = change.resource
    if (ill.has(organizationId) || (change.op !== 'delete' && refused.has(organizationId))) continue
    const stop = outdated(context, change)
    if (stop !== null) return { stuck, stop }
    const result = await applyOne(context, change)
    if (result.ok) continue
    const failure = result.error
    if (failure.kind === 'stuck') {
      stuck.push(failure.sentence)
      // A space whose organization was refused would be refused too.
      if (kind === 'organization') refused.add(id)
    } else if (failure.kind === 'retry') {
      ill.add(organizationId)
      retry ??= failure
    } else return { stuck, stop: failure }
  }
  return { stuck, stop: retry }
}

/** Why a change may not be made any more. Asked in the same stretch as the change is announced in, so that nothing comes between. */
const outdated = ({ store, snapshot }: ApplyContext, change: Change): Stop | null => {
  const { address, generation, leaver, approved } = snapshot
  if (store.generation(address) !== generation) return { kind: 'moved' }
  // Of two ADMINs who lose it together each was not the last one when it was planned.
  const takesAdmin = change.lowers && change.resource.kind === 'organization' && change.from !== null && roleKey(change.from) === 'ADMIN'
  if (!takesAdmin || leaver !== null || approved.has(changeKey(change))) return null
  return store.isLastAdmin(address, change.resource.id) ? { kind: 'again', sentence: `Nobody else is ADMIN of ${describe(change.resource)} now.` } : null
}

const applyOne = async (context: ApplyContext, change: Change): Promise<Result<void, Failure>> => {
  const target = context.arize.targets.find(({ kind }) => kind === change.resource.kind)
  if (target === undefined) return err({ kind: 'stuck', sentence: `There is nothing that applies ${change.resource.kind} roles.` })
  return change.op === 'delete' ? take(context, target, change) : give(context, target, change)
}

const give = async (context: ApplyContext, target: Target, change: Exclude<Change, { op: 'delete' }>): Promise<Result<void, Failure>> => {
  const { store, account } = context
  const { address } = context.snapshot
  const { resource, role, because } = change
  const wasInDoubt = store.intend(address, resource, { op: 'give', role }, because, [])
  const given = await target.give(account.id, resource, role)
  if (given.ok) {
    store.confirm(address, resource, role, because, [], change.lowers)
    return ok(undefined)
  }
  if (given.error.kind !== 'unavailable' && !wasInDoubt) store.withdraw(address, resource, [])
  return err(await judge(context, resource, given.error, `give ${role.name} of ${describe(resource)}`))
}

const take = async (context: ApplyContext, target: Target, change: Extract<Change, { op: 'delete' }>): Promise<Result<void, Failure>> => {
  const { arize, store, account } = context
  const { address } = context.snapshot
  const { resource, cascades } = change
  const wasInDoubt = store.intend(address, resource, { op: 'take' }, [], cascades)
  const taken = await target.take(account.id, resource)
  if (taken.ok) {
    store.confirm(address, resource, null, [], cascades, true)
    return ok(undefined)
  }
  if (taken.error.kind === 'not_found') {
    // 404 is done only while the key still sees the organization: a demoted key would look like universal success.
    const seen = await seesResource(arize, resource)
    if (!seen.ok) return err(await judgeCall(arize, seen.error, `look for ${describe(resource)}`))
    if (seen.value) {
      store.confirm(address, resource, null, [], cascades, true)
      return ok(undefined)
    }
  }
  if (taken.error.kind !== 'unavailable' && !wasInDoubt) store.withdraw(address, resource, cascades)
  return err(await judge(context, resource, taken.error, `remove ${describe(resource)}`))
}

const describe = (resource: Resource): string => `${resource.kind} "${resource.name}"`

/** Whether the key sees the resource, or for anything inside an organization, that organization. */
const seesResource = async ({ names }: Arize, resource: Resource): Promise<Result<boolean, ArizeError>> => {
  if (resource.organizationId === '') return ok(true)
  const found = await names.organization(resource.organizationId)
  return found.ok ? ok(found.value !== null) : found
}

/** What a refusal means (design section 7). Reads again what it puts in doubt. */
const judge = (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  switch (error.kind) {
    case 'not_found':
      return judgeMissing(context, resource, error, intent)
    case 'conflict':
    case 'rejected':
      return judgeRefusal(context, resource, error, intent)
    default:
      return judgeCall(context.arize, error, intent)
  }
}

/** 404: the account, the organization or the space is gone, or the key no longer sees it. */
const judgeMissing = async (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  const { arize, store, snapshot, account, reread } = context
  const sentence = `Could not ${intent} (404): ${error.detail}`
  const read = await readAccount(arize, account.id)
  if (!read.ok) return read.error
  if (read.value === null) {
    store.forgetAccount(snapshot.address)
    return { kind: 'again', sentence }
  }
  const failure = await preflightOr(arize, null)
  if (failure !== null) return failure
  const gone = await findGone(arize, resource)
  if (!gone.ok) return gone.error
  if (gone.value !== null) store.resourceGone(named(snapshot, gone.value))
  else if (reread.has(slotKey(resource))) return { kind: 'stuck', sentence }
  reread.add(slotKey(resource))
  store.forgetNames()
  return { kind: 'again', sentence }
}

/** What a 404 is about: the organization or the space that no longer exists; null when both are still there. */
const findGone = async ({ names }: Arize, resource: Resource): Promise<Result<Resource | null, Failure>> => {
  const { organizationId } = resource
  if (organizationId === '') return ok(null)
  const seen = await names.organization(organizationId)
  if (!seen.ok) return err(await judgeCall({ names }, seen.error, `look for ${describe(resource)}`))
  if (seen.value === null) {
    // Its rows are closed for everybody: not on the word of one answer.
    const listed = await names.organizations()
    if (!listed.ok) return err(await judgeCall({ names }, listed.error, `look for ${describe(resource)}`))
    const isListed = listed.value.some(({ id }) => id === organizationId)
    if (isListed) return err({ kind: 'retry', sentence: `Arize lists the organization of ${describe(resource)}, but answers 404 when it is asked for.` })
    return ok({ ...resource, kind: 'organization', id: organizationId })
  }
  if (resource.kind !== 'space') return ok(null)
  const spaces = await names.spaces(organizationId)
  if (!spaces.ok) return err(await judgeCall({ names }, spaces.error, `look for ${describe(resource)}`))
  return ok(spaces.value.some(({ id }) => id === resource.id) ? null : resource)
}

/** The resource by the name that it had, where the ledger knows it. */
const named = ({ ledger }: Snapshot, resource: Resource): Resource =>
  ledger.find((row) => slotKey(row.resource) === slotKey(resource))?.resource ?? resource

/** 400, 409 or 422: another account role than was believed explains it, or it is stuck. */
const judgeRefusal = async (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  const { arize, store, snapshot, account, reread } = context
  const read = await readAccount(arize, account.id)
  if (!read.ok) return read.error
  if (read.value === null) {
    store.forgetAccount(snapshot.address)
    return { kind: 'again', sentence: `The account is gone: ${error.detail}` }
  }
  if (read.value.role !== account.role) {
    store.knowAccount(snapshot.address, read.value, false)
    return { kind: 'again', sentence: `The account's role is ${read.value.role} now: ${error.detail}` }
  }
  const { organizationId } = resource
  if (resource.kind !== 'space' || reread.has(organizationId)) return { kind: 'stuck', sentence: `Arize refused to ${intent}: ${error.detail}` }
  // Somebody may have removed the person from the organization by hand, and everything in it went along: assert it once more.
  reread.add(organizationId)
  store.doubt(snapshot.address, organizationId)
  return { kind: 'again', sentence: `Arize refused to ${intent}: ${error.detail}` }
}
