/**
 * Makes the calls of a plan, one after the other, with the ledger around each: intend, call, confirm. Judges what a refusal
 * means for this change and for the rest. Does not decide what to do (plan.ts) nor when to try again (the Directory).
 */
import type { Change } from './plan'
import type { SubjectStore } from './store'
import type { Arize, ArizeError, Resource, Target } from './target'
import { err, ok, type Result } from '../result'

/** What ends the work on a subject before its plan is finished. */
export type Stop =
  /** Outcome unknown or Arize is ill: try this subject again after a back-off. */
  | { readonly kind: 'retry'; readonly sentence: string }
  /** 429: nobody calls Arize for a while. */
  | { readonly kind: 'pause'; readonly retryAfterMs: number | null }
  /** The key does not work: nobody calls Arize until it does. */
  | { readonly kind: 'halt'; readonly sentence: string }
  /** What was believed about names, the account or its role is wrong and has been read again: decide again. */
  | { readonly kind: 'again'; readonly sentence: string }

export interface Applied {
  /** Changes that Arize refused for good, in sentences. The others were made. */
  readonly stuck: readonly string[]
  readonly stop: Stop | null
}

export interface ApplyContext {
  readonly arize: Arize
  readonly store: SubjectStore
  readonly address: string
  readonly accountId: string
  readonly accountRole: string
  /** This plan was made because an earlier one of the same run failed: what is refused again is stuck. */
  readonly isRepeated: boolean
}

export const apply = async (context: ApplyContext, changes: readonly Change[]): Promise<Applied> => {
  const stuck: string[] = []
  const refused = new Set<string>()
  for (const change of changes) {
    if (change.op !== 'delete' && refused.has(change.resource.organizationId)) continue
    const result = await applyOne(context, change)
    if (result.ok) continue
    if (result.error.kind === 'stuck') {
      stuck.push(result.error.sentence)
      // A space whose organization was refused would be refused too.
      if (change.resource.kind === 'organization') refused.add(change.resource.id)
    } else return { stuck, stop: result.error }
  }
  return { stuck, stop: null }
}

type Failure = Stop | { readonly kind: 'stuck'; readonly sentence: string }

const applyOne = async (context: ApplyContext, change: Change): Promise<Result<void, Failure>> => {
  const target = context.arize.targets.find(({ kind }) => kind === change.resource.kind)
  if (target === undefined) return err({ kind: 'stuck', sentence: `There is nothing that applies ${change.resource.kind} roles.` })
  return change.op === 'delete' ? take(context, target, change) : give(context, target, change)
}

const give = async (context: ApplyContext, target: Target, change: Exclude<Change, { op: 'delete' }>): Promise<Result<void, Failure>> => {
  const { store, address, accountId } = context
  const { resource, role, because } = change
  const wasInDoubt = store.intend(address, resource, { op: 'give', role }, because, [])
  const given = await target.give(accountId, resource, role)
  if (given.ok) {
    store.confirm(address, resource, role, because, [], change.lowers)
    return ok(undefined)
  }
  if (given.error.kind !== 'unavailable' && !wasInDoubt) store.withdraw(address, resource, [])
  return err(await judge(context, resource, given.error, `give ${role.name} of ${describe(resource)}`))
}

const take = async (context: ApplyContext, target: Target, change: Extract<Change, { op: 'delete' }>): Promise<Result<void, Failure>> => {
  const { store, address, accountId } = context
  const { resource, cascades } = change
  const wasInDoubt = store.intend(address, resource, { op: 'take' }, [], cascades)
  const taken = await target.take(accountId, resource)
  if (taken.ok) {
    store.confirm(address, resource, null, [], cascades, true)
    return ok(undefined)
  }
  if (taken.error.kind === 'not_found') {
    // 404 is done only while the key still sees the organization: a demoted key would look like universal success.
    const seen = await seesResource(context.arize, resource)
    if (!seen.ok) return err(await judge(context, resource, seen.error, `look for ${describe(resource)}`))
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
const judge = async (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  switch (error.kind) {
    case 'unauthorized':
      return { kind: 'halt', sentence: `Arize refuses the bridge's key (401): ${error.detail}` }
    case 'throttled':
      return { kind: 'pause', retryAfterMs: error.retryAfterMs }
    case 'unavailable':
      return { kind: 'retry', sentence: `Could not ${intent}: ${error.detail}${error.status === null ? '' : ` (${error.status})`}` }
    case 'forbidden':
      return preflightOr(context, { kind: 'stuck', sentence: `Arize does not let the bridge's key ${intent} (403): ${error.detail}` })
    case 'not_found':
      return judgeMissing(context, resource, error, intent)
    case 'conflict':
    case 'rejected':
      return judgeRefusal(context, resource, error, intent)
  }
}

/** 403 and 404 may mean that the key was demoted: an admin-only call tells. */
const preflightOr = async ({ arize }: ApplyContext, failure: Failure): Promise<Failure> => {
  const preflight = await arize.names.preflight()
  if (preflight.ok) return failure
  switch (preflight.error.kind) {
    case 'throttled':
      return { kind: 'pause', retryAfterMs: preflight.error.retryAfterMs }
    case 'unavailable':
      return { kind: 'retry', sentence: `Could not check the bridge's key: ${preflight.error.detail}` }
    default:
      return { kind: 'halt', sentence: `The bridge's key is no longer an account administrator's: ${preflight.error.detail}` }
  }
}

/** 404: the account, the organization or the space is gone, or the key no longer sees it. */
const judgeMissing = async (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  const { arize, store, address, accountId } = context
  const preflight = await preflightOr(context, { kind: 'again', sentence: `Could not ${intent} (404): ${error.detail}` })
  if (preflight.kind !== 'again') return preflight
  const account = await arize.accounts.read(accountId)
  if (!account.ok) return { kind: 'retry', sentence: `Could not look for the account: ${account.error.detail}` }
  if (account.value === null) {
    store.forgetAccount(address)
    return preflight
  }
  const seen = await seesResource(arize, resource)
  if (!seen.ok) return { kind: 'retry', sentence: `Could not look for ${describe(resource)}: ${seen.error.detail}` }
  if (!seen.value) store.resourceGone({ ...resource, kind: 'organization', id: resource.organizationId })
  else if (resource.kind === 'space') {
    const spaces = await arize.names.spaces(resource.organizationId)
    if (!spaces.ok) return { kind: 'retry', sentence: `Could not look for ${describe(resource)}: ${spaces.error.detail}` }
    if (spaces.value.every(({ id }) => id !== resource.id)) store.resourceGone(resource)
  }
  store.forgetNames()
  return preflight
}

/** 400, 409 or 422: another account role than was believed explains it, or it is stuck. */
const judgeRefusal = async (context: ApplyContext, resource: Resource, error: ArizeError, intent: string): Promise<Failure> => {
  const { arize, store, address, accountId, accountRole } = context
  const account = await arize.accounts.read(accountId)
  if (!account.ok) return { kind: 'retry', sentence: `Could not read the account again: ${account.error.detail}` }
  if (account.value === null) {
    store.forgetAccount(address)
    return { kind: 'again', sentence: `The account is gone: ${error.detail}` }
  }
  if (account.value.role !== accountRole) {
    store.knowAccount(address, account.value, false)
    return { kind: 'again', sentence: `The account's role is ${account.value.role} now: ${error.detail}` }
  }
  const sentence = `Arize refused to ${intent}: ${error.detail}`
  if (resource.kind !== 'space' || context.isRepeated) return { kind: 'stuck', sentence }
  // Somebody may have removed the person from the organization by hand, and a space needs it: assert it once more.
  store.doubt(address, resource.organizationId)
  return { kind: 'again', sentence }
}
