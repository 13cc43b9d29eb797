/**
 * Finds, adopts or creates the Arize account of a subject. An account is looked for by exact address before every creation,
 * so that a lost answer, a restart or somebody's first login never leads to a second try that means something else. What
 * the ledger says is forgotten only with an account that is certainly gone: one list is no proof.
 */
import type { AccountRole } from '../policy/role'
import { err, ok, type Result } from '../result'
import { judgeCall, preflightOr, type Failure } from './failure'
import type { Snapshot } from './snapshot'
import type { SubjectStore } from './store'
import type { Account, Arize, InviteMode } from './target'

/** Clocks of Arize and of the bridge may differ by this much. */
const CLOCK_SKEW_MS = 300_000

/** Looks the account up by address and remembers what it is. Null: there is none. */
export const findAccount = async (arize: Arize, store: SubjectStore, snapshot: Snapshot): Promise<Result<Account | null, Failure>> => {
  const { address, account: known } = snapshot
  const found = await arize.accounts.find(address)
  if (!found.ok) return err(await judgeCall(arize, found.error, 'look up the account'))
  const account = found.value
  if (known === null || known.id === account?.id) return ok(account === null ? null : remember(store, snapshot, account))
  const read = await readAccount(arize, known.id)
  if (!read.ok) return read
  if (read.value === null) {
    store.forgetAccount(address)
    return ok(account === null ? null : remember(store, { ...snapshot, account: null }, account))
  }
  // A list that lags, or an address that was changed in Arize: it is this person's account all the same.
  if (account === null || account.id === read.value.id) return ok(remember(store, snapshot, read.value))
  return err({
    kind: 'stuck',
    sentence:
      `Arize has another account (${account.id}) with this address than the one that the bridge knows (${known.id}), which is still there. ` +
      `Nothing is given or removed until only one of them is left: remove the other in Account Settings → Account Members.`,
  })
}

const remember = (store: SubjectStore, snapshot: Snapshot, account: Account): Account => {
  store.knowAccount(snapshot.address, account, isOurs(snapshot, account))
  return account
}

/** An announced creation whose answer was lost: the account that appeared since is the one we made. */
const isOurs = ({ createIntendedAt }: Snapshot, account: Account): boolean =>
  createIntendedAt !== null && account.createdAt !== null && Date.parse(account.createdAt) >= createIntendedAt - CLOCK_SKEW_MS

/** The account with this id; null when it is certainly gone, and not only hidden from a key that was demoted. */
export const readAccount = async (arize: Arize, accountId: string): Promise<Result<Account | null, Failure>> => {
  const read = await arize.accounts.read(accountId)
  if (!read.ok) return err(await judgeCall(arize, read.error, 'read the account'))
  if (read.value !== null) return ok(read.value)
  const failure = await preflightOr(arize, null)
  return failure === null ? ok(null) : err(failure)
}

/** Creates the account with the role that was decided once and for all. */
export const createAccount = async (
  arize: Arize,
  store: SubjectStore,
  snapshot: Snapshot,
  role: AccountRole,
  inviteMode: InviteMode,
): Promise<Result<Account, Failure>> => {
  store.intendCreate(snapshot.address)
  const made = await arize.accounts.create({ email: snapshot.address, name: snapshot.name, role, inviteMode })
  if (made.ok) {
    store.knowAccount(snapshot.address, made.value.account, made.value.created)
    return ok(made.value.account)
  }
  if (made.error.kind !== 'conflict') return err(await judgeCall(arize, made.error, `create the account as ${role}`))
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
