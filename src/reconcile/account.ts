/**
 * Finds, adopts or creates the Arize account of a subject. An account is looked for by exact address before every creation,
 * so that a lost answer, a restart or somebody's first login never leads to a second try that means something else.
 */
import type { AccountRole } from '../policy/role'
import { err, ok, type Result } from '../result'
import type { Stop } from './apply'
import type { Snapshot } from './snapshot'
import type { SubjectStore } from './store'
import type { Account, Arize, ArizeError, InviteMode } from './target'

/** Clocks of Arize and of the bridge may differ by this much. */
const CLOCK_SKEW_MS = 300_000

export type AccountFailure = Stop | { readonly kind: 'stuck'; readonly sentence: string }

/** What a failed call about the account means for the run. */
export const stopOf = (error: ArizeError, intent: string): AccountFailure => {
  switch (error.kind) {
    case 'unauthorized':
      return { kind: 'halt', sentence: `Arize refuses the bridge's key (401): ${error.detail}` }
    case 'forbidden':
      return { kind: 'halt', sentence: `The bridge's key may not ${intent} (403): ${error.detail}` }
    case 'throttled':
      return { kind: 'pause', retryAfterMs: error.retryAfterMs }
    case 'unavailable':
      return { kind: 'retry', sentence: `Could not ${intent}: ${error.detail}${error.status === null ? '' : ` (${error.status})`}` }
    case 'not_found':
    case 'conflict':
    case 'rejected':
      return { kind: 'stuck', sentence: `Arize refused to ${intent}: ${error.detail}` }
  }
}

/** Looks the account up by address and remembers what it is. Null: there is none. */
export const findAccount = async (arize: Arize, store: SubjectStore, snapshot: Snapshot): Promise<Result<Account | null, AccountFailure>> => {
  const found = await arize.accounts.find(snapshot.address)
  if (!found.ok) return err(stopOf(found.error, 'look up the account'))
  const account = found.value
  if (account === null) {
    if (snapshot.account !== null) store.forgetAccount(snapshot.address)
    return ok(null)
  }
  if (snapshot.account !== null && snapshot.account.id !== account.id) store.forgetAccount(snapshot.address)
  store.knowAccount(snapshot.address, account, isOurs(snapshot, account))
  return ok(account)
}

/** An announced creation whose answer was lost: the account that appeared since is the one we made. */
const isOurs = ({ createIntendedAt }: Snapshot, account: Account): boolean =>
  createIntendedAt !== null && account.createdAt !== null && Date.parse(account.createdAt) >= createIntendedAt - CLOCK_SKEW_MS

/** Creates the account with the role that was decided once and for all. */
export const createAccount = async (
  arize: Arize,
  store: SubjectStore,
  snapshot: Snapshot,
  role: AccountRole,
  inviteMode: InviteMode,
): Promise<Result<Account, AccountFailure>> => {
  store.intendCreate(snapshot.address)
  const made = await arize.accounts.create({ email: snapshot.address, name: snapshot.name, role, inviteMode })
  if (made.ok) {
    store.knowAccount(snapshot.address, made.value.account, made.value.created)
    return ok(made.value.account)
  }
  if (made.error.kind !== 'conflict') return err(stopOf(made.error, `create the account as ${role}`))
  // 409 says "exists" and "blocked for ever" with the same status: only the list tells them apart.
  const found = await findAccount(arize, store, snapshot)
  if (!found.ok) return found
  if (found.value !== null) return ok(found.value)
  return err({
    kind: 'stuck',
    sentence:
      'Arize refuses to create this account (409) and lists none with the address: it was deleted in Arize before, which is final. Ask Arize support to free the address, then retry.',
  })
}
