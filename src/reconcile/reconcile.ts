/**
 * Makes Arize agree with the directory and the policy for one subject: snapshot, evaluate, observe, plan, brake, apply
 * (design section 7). Level-triggered: it may be called at any time, any number of times. Effects come in as ports.
 */
import type { Conflict } from '../policy/entitlement'
import { apply, type Stop } from './apply'
import { createAccount, findAccount, stopOf } from './account'
import { decide, type DecideOptions, type Decision } from './decide'
import { splitByBrake } from './brake'
import { removals, type Plan, type Withheld } from './plan'
import type { Snapshot } from './snapshot'
import type { SubjectStore, Verdict } from './store'
import type { Arize } from './target'

export type Outcome = { /** Null when the run ended before anything was decided. */ readonly verdict: Verdict | null } & (
  | /** Everything that may be done is done. */ { readonly kind: 'done' }
  | /** Arize refused something for good, or something remains that the bridge may not touch. */ { readonly kind: 'stuck'; readonly sentence: string }
  | /** Nothing is wrong: it is too early. */ { readonly kind: 'wait'; readonly until: number }
  | Exclude<Stop, { kind: 'again' }>
)

export interface ReconcileContext {
  readonly arize: Arize
  readonly store: SubjectStore
  readonly now: () => number
  /** Skips `annotatorWaitSeconds`: for settling in development and tests. */
  readonly isHurried: boolean
}

/** How often a run starts over when what it believed turns out to be wrong. */
const MAX_ROUNDS = 6

export const reconcile = async (context: ReconcileContext, address: string): Promise<Outcome> => {
  let sentence = ''
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const outcome = await reconcileOnce(context, address, round > 0)
    if (outcome.kind !== 'again') return outcome
    sentence = outcome.sentence
  }
  return { kind: 'stuck', sentence, verdict: NOTHING }
}

type Once = Outcome | { readonly kind: 'again'; readonly sentence: string }

export const NOTHING: Verdict = { grants: [], conflicts: [], withheld: [], brake: null, areKeysHeld: false, awaitsNames: false }

const reconcileOnce = async (context: ReconcileContext, address: string, isRepeated: boolean): Promise<Once> => {
  const { arize, store } = context
  const first = store.snapshot(address)
  if (first.leaver !== null) return offboard(context, first, isRepeated)
  const decided = await decideFully(context, first)
  if (decided.kind !== 'decided') return decided
  const { snapshot, decision } = decided
  const settled = settledPlan(store, snapshot, decision.plan)
  const verdict: Verdict = { grants: decision.evaluation.grants, conflicts: decision.conflicts, withheld: settled.withheld, brake: settled.brake, areKeysHeld: false, awaitsNames: decision.awaitsNames }
  const accountId = snapshot.account?.id
  if (accountId === undefined) return withoutAccount(context, snapshot, decision, verdict)
  // Somebody took the address over: the keys of whoever had it before go first.
  const keys = await revokeKeys(context, snapshot, accountId, [])
  if (keys !== null) return keys.kind === 'again' ? keys : { ...keys, verdict }
  const { stuck, stop } = await apply({ arize, store, address, accountId, accountRole: snapshot.account?.role ?? '', isRepeated }, settled.changes)
  if (stop !== null) return stop.kind === 'again' ? stop : { ...stop, verdict }
  return stuck.length > 0 ? { kind: 'stuck', sentence: stuck.join(' '), verdict } : { kind: 'done', verdict }
}

/** Conflicts that another account role would settle. */
const ACCOUNT_DECIDES: ReadonlySet<Conflict['code']> = new Set(['annotator_rule', 'annotator_mixed', 'account_role'])

type Decided = { readonly kind: 'decided'; readonly snapshot: Snapshot; readonly decision: Decision } | Once

/** Decides, reading names and the account as far as the decision needs them, and no further. */
const decideFully = async (context: ReconcileContext, first: Snapshot): Promise<Decided> => {
  const { arize, store } = context
  const options = optionsFor(arize, store, first.address)
  let snapshot = first
  let isAccountRead = false
  for (;;) {
    const decision = decide(snapshot, store.names(), options)
    if (decision.missing.length > 0) {
      const read = await store.readNames(decision.missing)
      if (!read.ok) return failed(stopOf(read.error, 'read the names of organizations and spaces'))
      snapshot = store.snapshot(first.address)
      continue
    }
    const wantsAccount = decision.hasGrant || snapshot.ledger.length > 0 || decision.conflicts.some(({ code }) => ACCOUNT_DECIDES.has(code))
    const isKnown = snapshot.account !== null && !snapshot.isAccountDoubtful
    if (!wantsAccount || isKnown || isAccountRead) return { kind: 'decided', snapshot, decision }
    const found = await findAccount(arize, store, snapshot)
    if (!found.ok) return failed(found.error)
    isAccountRead = true
    snapshot = store.snapshot(first.address)
  }
}

const failed = (failure: Stop | { readonly kind: 'stuck'; readonly sentence: string }): Once =>
  failure.kind === 'again' ? failure : { ...failure, verdict: NOTHING }

export const optionsFor = (arize: Pick<Arize, 'targets'>, store: SubjectStore, address: string): DecideOptions => ({
  supported: new Set(arize.targets.map(({ kind }) => kind)),
  isLastAdmin: (organizationId) => store.isLastAdmin(address, organizationId),
})

/** The plan as the brake lets it through, and what the brake said. */
const settledPlan = (store: SubjectStore, { address, approved }: Snapshot, plan: Plan): Plan & Pick<Verdict, 'brake'> => {
  if (removals(plan).length === 0) return { ...plan, brake: null }
  const { isCleared, sentence } = store.clearance(address)
  return { ...splitByBrake(plan, { cleared: isCleared, approved, sentence }), brake: isCleared ? null : sentence }
}

/** There is no account yet: make one if there is a reason to, and start over with what it turned out to be. */
const withoutAccount = async (context: ReconcileContext, snapshot: Snapshot, decision: Decision, verdict: Verdict): Promise<Once> => {
  const { arize, store, now, isHurried } = context
  const { policy, address } = snapshot
  const role = decision.evaluation.accountRole
  if (policy === null || role === null || !decision.hasGrant || snapshot.isOwnUser) return { kind: 'done', verdict }
  const { accounts } = policy.policy
  if (!accounts.create) {
    return { kind: 'stuck', sentence: `There is no Arize account for ${address}, and the policy does not let the bridge create one (accounts.create).`, verdict }
  }
  const readyAt = snapshot.changedAt + accounts.annotatorWaitSeconds * 1000
  if (role === 'ANNOTATOR' && !isHurried && now() < readyAt) return { kind: 'wait', until: readyAt, verdict }
  const made = await createAccount(arize, store, snapshot, role, accounts.inviteMode)
  if (made.ok) return { kind: 'again', sentence: 'The account was created.' }
  return made.error.kind === 'again' ? made.error : { ...made.error, verdict }
}

/**
 * A person without any active user: every role that the bridge gave is removed and their API keys are revoked, whatever
 * happens to single calls. The account stays (design section 10.2).
 */
const offboard = async (context: ReconcileContext, first: Snapshot, isRepeated: boolean): Promise<Once> => {
  const { arize, store } = context
  const { address } = first
  if (first.ledger.length === 0 && !first.areKeysDue) return { kind: 'done', verdict: NOTHING }
  let snapshot = first
  if (snapshot.account === null) {
    const found = await findAccount(arize, store, snapshot)
    if (!found.ok) return failed(found.error)
    snapshot = store.snapshot(address)
  }
  if (snapshot.account === null) {
    store.keysRevoked(address, [])
    return { kind: 'done', verdict: NOTHING }
  }
  const { id, role } = snapshot.account
  const { plan } = decide(snapshot, store.names(), optionsFor(arize, store, address))
  const settled = settledPlan(store, snapshot, plan)
  const verdict: Verdict = { ...NOTHING, withheld: settled.withheld, brake: settled.brake }
  const { stuck, stop } = await apply({ arize, store, address, accountId: id, accountRole: role, isRepeated }, settled.changes)
  if (stop !== null && stop.kind !== 'retry') return stop.kind === 'again' ? stop : { ...stop, verdict }
  const keys = await revokeKeys(context, snapshot, id, settled.withheld)
  if (keys !== null && keys.kind !== 'stuck') return keys.kind === 'again' ? keys : { ...keys, verdict }
  if (stop !== null) return { ...stop, verdict }
  const remains = [...stuck, ...(keys === null ? [] : [keys.sentence]), ...remainders(snapshot, role)]
  return remains.length > 0 ? { kind: 'stuck', sentence: remains.join(' '), verdict } : { kind: 'done', verdict }
}

/** Keys cannot be given back: they are revoked for leavers only, and not while the brake holds the leaver. */
const revokeKeys = async ({ arize, store }: ReconcileContext, snapshot: Snapshot, accountId: string, withheld: readonly Withheld[]) => {
  const isHeld = withheld.some(({ reason }) => reason === 'brake')
  if (!snapshot.areKeysDue || snapshot.isProtected || snapshot.isOwnUser || isHeld) return null
  const isWanted = snapshot.policy === null || snapshot.policy.policy.offboarding.revokeApiKeys
  const revoked = isWanted ? await arize.accounts.revokeKeys(accountId) : null
  if (revoked !== null && !revoked.ok) {
    // An account that is gone has taken its keys with it.
    if (revoked.error.kind !== 'not_found') return stopOf(revoked.error, 'revoke the API keys')
  }
  store.keysRevoked(snapshot.address, revoked !== null && revoked.ok ? revoked.value : [])
  return null
}

/** What the API cannot take away, said to whoever can (design section 10.2). */
const remainders = (snapshot: Snapshot, role: string): readonly string[] => {
  if (snapshot.isProtected || snapshot.isOwnUser) return []
  return role === 'ADMIN'
    ? [`${snapshot.address} is an account ADMIN in Arize, which the API cannot change: lower the account role or remove the user in Account Settings → Account Members.`]
    : []
}
