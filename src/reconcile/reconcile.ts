/**
 * Makes Arize agree with the directory and the policy for one subject: snapshot, evaluate, observe, plan, brake, apply
 * (design section 7). Level-triggered: it may be called at any time, any number of times. Effects come in as ports.
 */
import type { Conflict } from '../policy/entitlement'
import { createAccount, findAccount, readAccount } from './account'
import { apply, type ApplyContext } from './apply'
import { decide, type DecideOptions, type Decision } from './decide'
import { splitByBrake } from './brake'
import { judgeCall, type Failure, type Stop } from './failure'
import { removals, type Plan } from './plan'
import type { KnownAccount, Snapshot } from './snapshot'
import { REVOKE_KEYS, type SubjectStore, type Verdict } from './store'
import type { Arize } from './target'

/** `verdict`: null when the run ended before anything was decided, so that what was decided before still counts. */
export type Outcome =
  | /** Everything that may be done is done. */ { readonly kind: 'done'; readonly verdict: Verdict }
  | /** Arize refused something for good, or something remains that the bridge may not touch. */ {
      readonly kind: 'stuck'
      readonly sentence: string
      readonly verdict: Verdict | null
    }
  | /** Nothing is wrong: it is too early. */ { readonly kind: 'wait'; readonly until: number; readonly verdict: Verdict | null }
  | (Exclude<Stop, { kind: 'again' | 'moved' }> & { readonly verdict: Verdict | null })

export interface ReconcileContext {
  readonly arize: Arize
  readonly store: SubjectStore
  readonly now: () => number
  /** Skips `annotatorWaitSeconds`: for settling in development and tests. */
  readonly isHurried: boolean
}

/** One call of {@link reconcile}, which may decide several times. */
interface Run extends ReconcileContext {
  readonly reread: ApplyContext['reread']
}

/** How often a run starts over when what it believed turns out to be wrong. */
const MAX_ROUNDS = 6

export const reconcile = async (context: ReconcileContext, address: string): Promise<Outcome> => {
  const { store, now } = context
  const run: Run = { ...context, reread: new Set() }
  const generation = store.generation(address)
  let sentence = ''
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const outcome = store.generation(address) === generation ? await reconcileOnce(run, address) : MOVED
    // The newest word of the directory has a quiet time of its own, or is due at once: the Directory knows which.
    if (outcome.kind === 'moved') return { kind: 'wait', until: now(), verdict: null }
    if (outcome.kind !== 'again') return outcome
    sentence = outcome.sentence
  }
  return { kind: 'stuck', sentence, verdict: null }
}

const MOVED = { kind: 'moved' } as const

type Once = Outcome | Extract<Stop, { kind: 'again' | 'moved' }>

/** The end of a run that a failure put an end to. */
const ended = (failure: Failure, verdict: Verdict | null): Once =>
  failure.kind === 'again' || failure.kind === 'moved' ? failure : { ...failure, verdict }

const NOTHING: Verdict = { grants: [], conflicts: [], withheld: [], brake: null, areKeysHeld: false, awaitsNames: false }

const reconcileOnce = async (run: Run, address: string): Promise<Once> => {
  const { arize, store, reread } = run
  const first = store.snapshot(address)
  if (first.leaver !== null) return offboard(run, first)
  const decided = await decideFully(run, first)
  if (decided.kind !== 'decided') return decided
  const { snapshot, decision } = decided
  const { changes, withheld, brake } = settledPlan(store, snapshot, decision.plan)
  const { evaluation, conflicts, awaitsNames } = decision
  const verdict: Verdict = { ...NOTHING, grants: evaluation.grants, conflicts, withheld, brake, awaitsNames }
  const { account } = snapshot
  if (account === null) return withoutAccount(run, snapshot, decision, verdict)
  // Somebody took the address over, or the provider ended the person's sessions: the keys go first.
  const keys = await revokeKeys(run, snapshot, account)
  if (keys !== null) return ended(keys, verdict)
  const { stuck, stop } = await apply({ arize, store, snapshot, account, reread }, changes)
  if (stop !== null) return ended(stop, verdict)
  return stuck.length > 0 ? { kind: 'stuck', sentence: stuck.join(' '), verdict } : { kind: 'done', verdict }
}

/** Conflicts that another account role would settle. */
const ACCOUNT_DECIDES: ReadonlySet<Conflict['code']> = new Set(['annotator_rule', 'annotator_mixed', 'account_role'])

/** How long an account waits at a time while a provider's first pull runs. */
const BACKFILL_LOOK_MS = 30_000

/** The role of an account that has yet to be read. */
const UNREAD = ''

type Decided = { readonly kind: 'decided'; readonly snapshot: Snapshot; readonly decision: Decision } | Once

/** Decides, reading names and the account as far as the decision needs them, and no further. */
const decideFully = async ({ arize, store }: Run, first: Snapshot): Promise<Decided> => {
  const options = optionsFor(arize, store, first.address)
  let snapshot = first
  let isAccountRead = false
  for (;;) {
    const decision = decide(snapshot, store.names(), options)
    if (decision.missing.length > 0) {
      const read = await store.readNames(decision.missing)
      if (!read.ok) return ended(await judgeCall(arize, read.error, 'read the names of organizations, spaces and roles'), null)
    } else {
      const wantsAccount =
        decision.hasGrant || snapshot.areKeysDue || snapshot.ledger.length > 0 || decision.conflicts.some(({ code }) => ACCOUNT_DECIDES.has(code))
      const isKnown = snapshot.account !== null && snapshot.account.role !== UNREAD && !snapshot.isAccountDoubtful
      if (!wantsAccount || isKnown || isAccountRead) return { kind: 'decided', snapshot, decision }
      const found = await findAccount(arize, store, snapshot)
      if (!found.ok) return ended(found.error, null)
      isAccountRead = true
    }
    snapshot = store.snapshot(first.address)
    if (snapshot.generation !== first.generation) return { kind: 'moved' }
  }
}

export const optionsFor = (arize: Pick<Arize, 'targets'>, store: SubjectStore, address: string): DecideOptions => ({
  supported: new Set(arize.targets.map(({ kind }) => kind)),
  isLastAdmin: (organizationId) => store.isLastAdmin(address, organizationId),
})

/** The plan as the brake lets it through, and what the brake said. The keys of a leaver are for the brake to judge too. */
const settledPlan = (store: SubjectStore, snapshot: Snapshot, plan: Plan): Plan & Pick<Verdict, 'brake' | 'areKeysHeld'> => {
  const { address, approved } = snapshot
  const areKeysAtStake = snapshot.leaver !== null && areKeysWanted(snapshot)
  if (removals(plan).length === 0 && !areKeysAtStake) return { ...plan, brake: null, areKeysHeld: false }
  const { isCleared, sentence } = store.clearance(address)
  return {
    ...splitByBrake(plan, { cleared: isCleared, approved, sentence }),
    brake: isCleared ? null : sentence,
    areKeysHeld: areKeysAtStake && !isCleared && !approved.has(REVOKE_KEYS),
  }
}

/** There is no account yet: make one if there is a reason to, and start over with what it turned out to be. */
const withoutAccount = async (run: Run, snapshot: Snapshot, decision: Decision, verdict: Verdict): Promise<Once> => {
  const { arize, store, now, isHurried } = run
  const { policy, address } = snapshot
  // Where there is no account there are no keys of a former holder.
  if (snapshot.areKeysDue) store.keysRevoked(address, [])
  const role = decision.evaluation.accountRole
  if (policy === null || role === null || !decision.hasGrant || snapshot.isOwnUser) return { kind: 'done', verdict }
  const { accounts } = policy.policy
  if (!accounts.create) {
    return { kind: 'stuck', sentence: `There is no Arize account for ${address}, and the policy does not let the bridge create one (accounts.create).`, verdict }
  }
  // The groups that are still to come may make it an account of another kind, and its role is for ever.
  if (snapshot.isBackfilling) return { kind: 'wait', until: now() + BACKFILL_LOOK_MS, verdict }
  const readyAt = snapshot.changedAt + accounts.annotatorWaitSeconds * 1000
  if (role === 'ANNOTATOR' && !isHurried && now() < readyAt) return { kind: 'wait', until: readyAt, verdict }
  const made = await createAccount(arize, store, snapshot, role, accounts.inviteMode)
  return made.ok ? { kind: 'again', sentence: 'The account was created.' } : ended(made.error, verdict)
}

/**
 * A person without any active user: every role that the bridge gave is removed and their API keys are revoked, whatever
 * happens to single calls. The account stays (design section 10.2), and is read once to see what remains.
 */
const offboard = async (run: Run, first: Snapshot): Promise<Once> => {
  const { arize, store } = run
  const { address, account } = first
  if (first.ledger.length === 0 && !first.areKeysDue && !mayRemain(first)) return { kind: 'done', verdict: NOTHING }
  if (account !== null) return offboardAccount(run, first, account, isTouchable(first) && (first.areKeysDue || mayRemain(first)))
  const found = await findAccount(arize, store, first)
  if (!found.ok) return ended(found.error, null)
  const snapshot = store.snapshot(address)
  if (snapshot.generation !== first.generation) return { kind: 'moved' }
  if (snapshot.account !== null) return offboardAccount(run, snapshot, snapshot.account, false)
  if (snapshot.ledger.length > 0) {
    const sentence = `The bridge gave roles to ${address}, but Arize lists no account with this address: look for it in Account Settings → Account Members.`
    return { kind: 'stuck', sentence, verdict: null }
  }
  store.keysRevoked(address, [])
  return { kind: 'done', verdict: NOTHING }
}

const offboardAccount = async (run: Run, snapshot: Snapshot, account: KnownAccount, isRoleOld: boolean): Promise<Once> => {
  const { arize, store, reread } = run
  const { address } = snapshot
  const { plan } = decide(snapshot, store.names(), optionsFor(arize, store, address))
  const { changes, withheld, brake, areKeysHeld } = settledPlan(store, snapshot, plan)
  const verdict: Verdict = { ...NOTHING, withheld, brake, areKeysHeld }
  const { stuck, stop } = await apply({ arize, store, snapshot, account, reread }, changes)
  if (stop !== null && !goesOn(stop)) return ended(stop, verdict)
  const isRead = isRoleOld && !areKeysHeld
  // Before the keys are off the list: whatever ends this run, a later one knows that the role has yet to be read.
  if (isRead) store.knowAccount(address, { id: account.id, role: UNREAD }, false)
  const keys = areKeysHeld ? null : await revokeKeys(run, snapshot, account)
  if (keys !== null && !goesOn(keys)) return ended(keys, verdict)
  const role = isRead ? await readRole(run, snapshot, account) : null
  if (role !== null && !goesOn(role)) return ended(role, verdict)
  const failures = [stop, keys, role].filter((failure) => failure !== null)
  const retry = failures.find(({ kind }) => kind === 'retry')
  if (retry !== undefined) return ended(retry, verdict)
  const refusals = failures.flatMap((failure) => (failure.kind === 'stuck' ? [failure.sentence] : []))
  const remains = [...stuck, ...refusals, ...remainders(store.snapshot(address))]
  return remains.length > 0 ? { kind: 'stuck', sentence: remains.join(' '), verdict } : { kind: 'done', verdict }
}

/** Whether a leaver's next call may be made although this one failed. */
const goesOn = ({ kind }: Failure): boolean => kind === 'retry' || kind === 'stuck'

/** Whether the bridge may take anything from this person. */
const isTouchable = ({ isProtected, isOwnUser }: Snapshot): boolean => !isProtected && !isOwnUser

/** Whether a leaver may have kept what the API cannot take away: only reading the account again tells. */
const mayRemain = (snapshot: Snapshot): boolean =>
  isTouchable(snapshot) && (snapshot.account?.role === 'ADMIN' || snapshot.account?.role === UNREAD)

const readRole = async ({ arize, store }: Run, { address }: Snapshot, { id }: KnownAccount): Promise<Failure | null> => {
  const read = await readAccount(arize, id)
  if (!read.ok) return read.error
  if (read.value !== null) {
    store.knowAccount(address, { id, role: read.value.role }, false)
    return null
  }
  store.forgetAccount(address)
  return { kind: 'again', sentence: 'The account is gone.' }
}

/** Whether the person's API keys are to be revoked in Arize. */
const areKeysWanted = (snapshot: Snapshot): boolean =>
  snapshot.areKeysDue && isTouchable(snapshot) &&
  (snapshot.areKeysAsked || snapshot.policy === null || snapshot.policy.policy.offboarding.revokeApiKeys)

/** Keys cannot be given back: they are revoked for leavers, and not once somebody came back, or where it was asked for by name. */
const revokeKeys = async ({ arize, store }: Run, { address, generation }: Snapshot, account: KnownAccount): Promise<Failure | null> => {
  const snapshot = store.snapshot(address)
  if (snapshot.generation !== generation) return MOVED
  if (!snapshot.areKeysDue || !isTouchable(snapshot)) return null
  if (!areKeysWanted(snapshot)) {
    store.keysRevoked(address, [])
    return null
  }
  const revoked = await arize.accounts.revokeKeys(account.id)
  if (revoked.ok) {
    store.keysRevoked(address, revoked.value)
    return null
  }
  if (revoked.error.kind !== 'not_found') return judgeCall(arize, revoked.error, 'revoke the API keys')
  const read = await readAccount(arize, account.id)
  if (!read.ok) return read.error
  if (read.value !== null) return judgeCall(arize, revoked.error, 'revoke the API keys')
  // An account that is gone has taken its keys with it.
  store.forgetAccount(address)
  return { kind: 'again', sentence: 'The account is gone.' }
}

/** What the API cannot take away, said to whoever can (design section 10.2). */
const remainders = (snapshot: Snapshot): readonly string[] =>
  isTouchable(snapshot) && snapshot.account?.role === 'ADMIN'
    ? [`${snapshot.address} is an account ADMIN in Arize, which the API cannot change: lower the account role or remove the user in Account Settings → Account Members.`]
    : []
