/**
 * What to do at Arize for one subject, as data: desired roles and ledger in, changes in the order in which they may be
 * made and everything that is declined out. Takes nothing away that the ledger does not own, never removes a slot only
 * to give it again, and asks nothing: names are resolved, the roster is read and the brake is judged elsewhere.
 */
import type { Because } from '../policy/entitlement'
import { isLowering, mostPermissive, roleKey, type Role } from '../policy/role'
import type { LedgerRow } from './ledger'
import { slotKey } from './ledger'
import type { Resource, ResourceKind, SendableRole } from './target'

/** A resolved grant. Account grants are not slots of the ledger and never come here. */
export interface Desired {
  readonly resource: Resource
  readonly role: SendableRole
  readonly because: readonly Because[]
  /** An authoritative mapping says so: a higher role that somebody else gave is overwritten. */
  readonly authoritative?: boolean
}

/** One membership as a roster shows it, whoever gave it. */
export interface Membership {
  readonly resource: Resource
  readonly role: Role
}

export interface Upsert {
  readonly op: 'create' | 'update'
  readonly resource: Resource
  readonly role: SendableRole
  /** What is known to be held now; null when nothing is. An update may assert the same role again after a crash. */
  readonly from: Role | null
  /** Whether this takes something away. After a crash, from either role that may be held. */
  readonly lowers: boolean
  readonly because: readonly Because[]
}

export interface Removal {
  readonly op: 'delete'
  readonly resource: Resource
  /** Null when the role was never confirmed. */
  readonly from: Role | null
  readonly lowers: true
  /**
   * The spaces in the ledger that Arize clears together with their organization. No calls of their own: their rows are
   * intended (`take`) with the organization's row and dropped with it, so that a crash leaves each of them in doubt.
   */
  readonly cascades: readonly Resource[]
}

export type Change = Upsert | Removal

/** Why a change is not made. `brake` comes from brake.ts; `identity` from the reconciler, for a held address. */
export type WithheldReason =
  | 'own_user' | 'protected' | 'exempt' | 'unresolved_grant' | 'rename_pending'
  | 'conflict' | 'cascade_desired' | 'cascade_foreign' | 'last_admin' | 'foreign_role'
  | 'brake' | 'identity'

export interface Withheld {
  readonly change: Change
  readonly reason: WithheldReason
  /** What stays as it is, why, and what a human can do about it. */
  readonly sentence: string
  /** {@link changeKey} of the change: the same from plan to plan, for an approval to name. */
  readonly key: string
}

export interface PlanInput {
  readonly desired: readonly Desired[]
  readonly ledger: readonly LedgerRow[]
  /** The complete roster of this person, or null when there is none. */
  readonly observed: readonly Membership[] | null
  /** No active user is left: everything in the ledger goes, and `desired` does not count. */
  readonly leaver: boolean
  /** A grant is unresolved, a list failed or no policy is valid: nothing is taken from a mover. The sentence says which. */
  readonly keepRows: { readonly sentence: string } | null
  readonly protectedPerson: boolean
  /** The account of the bridge's own key. */
  readonly ownUser: boolean
  /** Never holds for a leaver. */
  readonly exempt: { readonly until: string; readonly reason: string } | null
  /** Whether nobody else is known to be ADMIN of the organization with this id. */
  readonly isLastAdmin: (organizationId: string) => boolean
  /** The new address of the same person, until it has its roles. */
  readonly renamedTo: string | null
  /** Slots (by `slotKey`) whose grants contradict each other, with the conflict's sentence: what is held stays. */
  readonly contested?: ReadonlyMap<string, string>
  /** Keys of changes that an administrator approved: they pass the last-ADMIN guard. */
  readonly approved?: ReadonlySet<string>
}

export interface Plan {
  /** In the order in which they may be made: given from the outside in, then removed from the inside out. */
  readonly changes: readonly Change[]
  readonly withheld: readonly Withheld[]
}

const DEPTH: Readonly<Record<ResourceKind, number>> = { organization: 0, space: 1, project: 2, developer: 3 }

const removalKey = (resource: Resource): string => `delete ${slotKey(resource)}`

/** Names a change from one plan to the next: `delete organization:<id>`, `update organization:<id> MEMBER`. */
export const changeKey = (change: Change): string =>
  change.op === 'delete' ? removalKey(change.resource) : `${change.op} ${slotKey(change.resource)} ${roleKey(change.role)}`

/** Everything that an approval has to name for this change to be made: its own key, and the removals that it brings. */
export const keysOf = (change: Change): readonly string[] =>
  change.op === 'delete' ? [changeKey(change), ...change.cascades.map(removalKey)] : [changeKey(change)]

/** The changes that take something away, as the brake counts them. */
export const removals = (plan: Plan): readonly Change[] => plan.changes.filter((change) => change.lowers)

/** What an administrator can release, as the keys that an approval names: held by the brake or the last-ADMIN guard. */
export const heldKeys = (plan: Plan): readonly string[] => [
  ...new Set(
    plan.withheld
      .filter(({ reason }) => reason === 'brake' || reason === 'last_admin')
      .flatMap(({ change }) => keysOf(change)),
  ),
]

const nameOf = ({ kind, name }: Resource): string => (kind === 'developer' ? 'developer access' : `${kind} "${name}"`)

const namesOf = (resources: readonly Resource[]): string => {
  const shown = resources.slice(0, 5).map(nameOf).join(', ')
  return resources.length > 5 ? `${shown} and ${resources.length - 5} more` : shown
}

/** The change for people to read, as the clause that a hold lists. */
export const describeChange = (change: Change): string => {
  const where = nameOf(change.resource)
  // A switch: the role in the ledger only remembers that it was turned on.
  if (change.resource.kind === 'developer') return `${change.op === 'delete' ? 'remove' : 'give'} ${where}`
  if (change.op !== 'delete') {
    const to = roleKey(change.role)
    return change.from === null ? `give ${to} on ${where}` : `change ${roleKey(change.from)} to ${to} on ${where}`
  }
  const what = change.from === null ? `remove ${where}` : `remove ${roleKey(change.from)} on ${where}`
  return change.cascades.length === 0 ? what : `${what}, and with it ${namesOf(change.cascades)}`
}

const withhold = (change: Change, reason: WithheldReason, why: string): Withheld => ({
  change,
  reason,
  sentence: `Not done: ${describeChange(change)}. ${why}`,
  key: changeKey(change),
})

/** The plan with some of its changes declined. Order is kept. */
export const withholdWhere = (
  plan: Plan,
  declined: (change: Change) => boolean,
  reason: WithheldReason,
  why: string,
): Plan => ({
  changes: plan.changes.filter((change) => !declined(change)),
  withheld: [...plan.withheld, ...plan.changes.filter(declined).map((change) => withhold(change, reason, why))],
})

/** One desired role per slot: what {@link plan} works on. */
interface Wanted {
  readonly slots: ReadonlyMap<string, Desired>
  /** Slots that nobody may touch, and why. */
  readonly contested: ReadonlyMap<string, string>
  /** What was asked for a contested slot. */
  readonly refused: readonly Desired[]
}

const mergeSlot = (same: readonly Desired[]): Desired | null => {
  const [first, ...rest] = same
  if (first === undefined) return null
  let best = first
  for (const next of rest) {
    if (roleKey(next.role) === roleKey(best.role)) continue
    if (next.role.type === 'CUSTOM' || best.role.type === 'CUSTOM') return null
    if (mostPermissive(next.role.name, best.role.name) === next.role.name) best = next
  }
  const agreeing = same.filter(({ role }) => roleKey(role) === roleKey(best.role))
  const merged = { resource: best.resource, role: best.role, because: agreeing.flatMap(({ because }) => because) }
  return agreeing.some(({ authoritative }) => authoritative === true) ? { ...merged, authoritative: true } : merged
}

/** Two names can mean one resource, so that grants which were apart by name meet here in one slot. */
const wantedOf = (input: PlanInput): Wanted => {
  if (input.leaver) return { slots: new Map(), contested: new Map(), refused: [] }
  const slots = new Map<string, Desired>()
  const contested = new Map(input.contested ?? [])
  for (const [key, same] of Map.groupBy(input.desired, ({ resource }) => slotKey(resource))) {
    const merged = mergeSlot(same)
    if (merged !== null) slots.set(key, merged)
    else if (!contested.has(key)) contested.set(key, 'Its groups ask for roles that cannot be combined: leave one of them.')
  }
  for (const key of contested.keys()) slots.delete(key)
  return { slots, contested, refused: input.desired.filter(({ resource }) => contested.has(slotKey(resource))) }
}

/** The roles that may be held after a crash between a call and its confirmation. */
const possibleRoles = ({ role, intention }: LedgerRow): readonly Role[] => [
  ...(role === null ? [] : [role]),
  ...(intention?.op === 'give' ? [intention.role] : []),
]

const upsert = ({ resource, role, because }: Desired, from: Role | null, lowers: boolean): Upsert => ({
  op: from === null ? 'create' : 'update',
  resource,
  role,
  from,
  lowers,
  because,
})

/** The change that brings a slot of the ledger to its desired role; null when it is confirmed there. */
const ownedUpsert = (desired: Desired, row: LedgerRow): Upsert | null => {
  const inStep = row.role !== null && row.intention === null && roleKey(row.role) === roleKey(desired.role)
  if (inStep) return null
  return upsert(desired, row.role, possibleRoles(row).some((role) => isLowering(role, desired.role)))
}

const removal = ({ resource, role }: LedgerRow, cascades: readonly Resource[]): Removal => ({
  op: 'delete',
  resource,
  from: role,
  lowers: true,
  cascades,
})

/** Whether Arize is known to clear this row with its organization. Of custom roles and projects that is not documented. */
const goesWithOrganization = (row: LedgerRow): boolean =>
  row.resource.kind === 'space' && possibleRoles(row).every(({ type }) => type === 'PREDEFINED')

const isBeneath = (organization: Resource, { kind, organizationId }: Resource): boolean =>
  (kind === 'space' || kind === 'project') && organizationId === organization.id

interface Veto {
  readonly reason: WithheldReason
  readonly why: string
}

/** What forbids taking anything at all from this person. */
const vetoOf = (input: PlanInput): Veto | null => {
  if (input.protectedPerson) {
    return { reason: 'protected', why: 'The policy protects this person: an administrator has to do it in Arize, or end the protection.' }
  }
  if (input.leaver) return null
  if (input.exempt !== null) {
    return { reason: 'exempt', why: `An administrator exempted this person until ${input.exempt.until}: ${input.exempt.reason}` }
  }
  if (input.keepRows !== null) return { reason: 'unresolved_grant', why: input.keepRows.sentence }
  if (input.renamedTo !== null) {
    return { reason: 'rename_pending', why: `It waits until ${input.renamedTo}, the new address of this person, has its roles.` }
  }
  return null
}

const OWN_USER = 'This account belongs to the key that the bridge works with: an administrator has to do it in Arize.'

/** What every change has to pass, whatever it is. */
const vetoed = (input: PlanInput, veto: Veto | null, change: Change): Withheld | null => {
  if (input.ownUser) return withhold(change, 'own_user', OWN_USER)
  return veto !== null && change.lowers ? withhold(change, veto.reason, veto.why) : null
}

/** Whether a mover's change would leave an organization without a known ADMIN. */
const lastAdmin = (input: PlanInput, change: Change, held: readonly Role[]): Withheld | null => {
  const guarded = change.lowers && change.resource.kind === 'organization' && held.some((role) => roleKey(role) === 'ADMIN')
  if (!guarded || input.approved?.has(changeKey(change)) === true || !input.isLastAdmin(change.resource.id)) return null
  return withhold(change, 'last_admin', 'Nobody else is known to be its ADMIN: make somebody else ADMIN first, or approve this change.')
}

const FOREIGN_ROLE =
  'The bridge did not give the role that is there, and it is higher or cannot be compared: it is kept. An authoritative mapping overwrites it.'

/** The change that a desired role needs, and the roles that may be held before it; null when nothing is to be done. */
const givenChange = (
  desired: Desired,
  row: LedgerRow | undefined,
  foreign: Role | null,
): { readonly change: Upsert; readonly held: readonly Role[] } | null => {
  if (row !== undefined) {
    const change = ownedUpsert(desired, row)
    return change === null ? null : { change, held: possibleRoles(row) }
  }
  if (foreign === null) return { change: upsert(desired, null, false), held: [] }
  if (roleKey(foreign) === roleKey(desired.role)) return null
  return { change: upsert(desired, foreign, isLowering(foreign, desired.role)), held: [foreign] }
}

const refusedChange = (desired: Desired, rows: ReadonlyMap<string, LedgerRow>, wanted: Wanted): Withheld => {
  const key = slotKey(desired.resource)
  const from = rows.get(key)?.role ?? null
  const change = upsert(desired, from, from !== null && isLowering(from, desired.role))
  return withhold(change, 'conflict', wanted.contested.get(key) ?? '')
}

const planGiven = (input: PlanInput, veto: Veto | null, rows: ReadonlyMap<string, LedgerRow>, wanted: Wanted): Plan => {
  const observed = new Map(input.observed?.map(({ resource, role }) => [slotKey(resource), role]) ?? [])
  const changes: Change[] = []
  const withheld = wanted.refused.map((desired) => refusedChange(desired, rows, wanted))
  for (const [key, desired] of wanted.slots) {
    const row = rows.get(key)
    const given = givenChange(desired, row, observed.get(key) ?? null)
    if (given === null) continue
    const { change, held } = given
    const keepsForeign = row === undefined && change.lowers && desired.authoritative !== true && !input.ownUser
    const declined = keepsForeign
      ? withhold(change, 'foreign_role', FOREIGN_ROLE)
      : (vetoed(input, veto, change) ?? lastAdmin(input, change, held))
    if (declined === null) changes.push(change)
    else withheld.push(declined)
  }
  return { changes: changes.toSorted((a, b) => DEPTH[a.resource.kind] - DEPTH[b.resource.kind]), withheld }
}

/** Why the removal of an organization alone is declined, since it would take more than the ledger says. */
const declineOrganization = (input: PlanInput, row: LedgerRow, rows: ReadonlyMap<string, LedgerRow>, wanted: Wanted): Withheld | null => {
  if (input.leaver) return null
  const change = removal(row, [])
  const kept = [...wanted.contested].find(([key]) => {
    const beneath = rows.get(key)
    return beneath !== undefined && isBeneath(row.resource, beneath.resource)
  })
  if (kept !== undefined) return withhold(change, 'conflict', `It would take a role that stays for now. ${kept[1]}`)
  const desired = [...wanted.slots.values()].map(({ resource }) => resource).filter((resource) => isBeneath(row.resource, resource))
  if (desired.length > 0) return withhold(change, 'cascade_desired', `It would also take what is still granted: ${namesOf(desired)}.`)
  const foreign = (input.observed ?? [])
    .map(({ resource }) => resource)
    .filter((resource) => isBeneath(row.resource, resource) && !rows.has(slotKey(resource)))
  if (foreign.length > 0) {
    return withhold(change, 'cascade_foreign', `It would also take what the bridge did not give: ${namesOf(foreign)}. Remove that in Arize first.`)
  }
  return lastAdmin(input, change, possibleRoles(row))
}

const planRemoved = (input: PlanInput, veto: Veto | null, rows: ReadonlyMap<string, LedgerRow>, wanted: Wanted): Plan => {
  const changes: Change[] = []
  const withheld: Withheld[] = []
  const unwanted: LedgerRow[] = []
  const refused = new Set(wanted.refused.map(({ resource }) => slotKey(resource)))
  for (const [key, row] of rows) {
    const sentence = wanted.contested.get(key)
    if (sentence === undefined && !wanted.slots.has(key)) unwanted.push(row)
    if (sentence !== undefined && !refused.has(key)) withheld.push(withhold(removal(row, []), 'conflict', sentence))
  }
  const settle = (change: Change, declined: Withheld | null): void => {
    if (declined === null) changes.push(change)
    else withheld.push(declined)
  }
  const spaces = Map.groupBy(unwanted.filter(goesWithOrganization), ({ resource }) => resource.organizationId)
  const covered = new Set<string>()
  // A person from whom nothing is taken anyway is told that, and not a reason of one organization.
  const takesNothing = input.ownUser || veto !== null
  for (const row of unwanted.filter(({ resource }) => resource.kind === 'organization')) {
    const declined = takesNothing ? null : declineOrganization(input, row, rows, wanted)
    const along = declined === null ? (spaces.get(row.resource.id) ?? []).map(({ resource }) => resource) : []
    for (const resource of along) covered.add(slotKey(resource))
    const change = removal(row, along)
    settle(change, declined ?? vetoed(input, veto, change))
  }
  for (const row of unwanted) {
    if (row.resource.kind === 'organization' || covered.has(slotKey(row.resource))) continue
    const change = removal(row, [])
    settle(change, vetoed(input, veto, change))
  }
  return { changes: changes.toSorted((a, b) => DEPTH[b.resource.kind] - DEPTH[a.resource.kind]), withheld }
}

/**
 * What to do for one subject, and what is declined. A slot whose confirmed role is the desired one needs nothing; a slot
 * with an intention is asserted again or cleaned up, since a crash left its outcome unknown. Design sections 7, 10.2-10.4.
 */
export const plan = (input: PlanInput): Plan => {
  const rows = new Map(input.ledger.map((row) => [slotKey(row.resource), row]))
  const wanted = wantedOf(input)
  const veto = vetoOf(input)
  const given = planGiven(input, veto, rows, wanted)
  const removed = planRemoved(input, veto, rows, wanted)
  return { changes: [...given.changes, ...removed.changes], withheld: [...given.withheld, ...removed.withheld] }
}
