/** A small Arize and a small ledger for one person: what plans are applied to, step by step, with crashes in between. */
import * as fc from 'fast-check'
import type { LedgerRow } from '../../src/reconcile/ledger'
import { slotKey } from '../../src/reconcile/ledger'
import type { Change, Desired, Membership, PlanInput } from '../../src/reconcile/plan'
import type { Resource, ResourceKind, SendableRole } from '../../src/reconcile/target'

export const predefined = (name: 'ADMIN' | 'MEMBER' | 'READ_ONLY' | 'ANNOTATOR'): SendableRole => ({ type: 'PREDEFINED', name })
export const custom = (name: string): SendableRole => ({ type: 'CUSTOM', name, id: `role-${name}` })
export const ADMIN = predefined('ADMIN')
export const MEMBER = predefined('MEMBER')
export const READ_ONLY = predefined('READ_ONLY')

export const resource = (kind: ResourceKind, id: string, organizationId: string): Resource => ({ kind, id, name: `The ${id}`, organizationId })
export const organization = (id: string): Resource => resource('organization', id, id)
export const space = (id: string, organizationId: string): Resource => resource('space', id, organizationId)
export const project = (id: string, organizationId: string): Resource => resource('project', id, organizationId)
export const developer: Resource = resource('developer', 'user', '')

export const BECAUSE = [{ mapping: 'engineers', group: 'Engineers' }] as const
export const want = (target: Resource, role: SendableRole): Desired => ({ resource: target, role, because: BECAUSE })
export const row = (target: Resource, role: SendableRole | null, intention: LedgerRow['intention'] = null): LedgerRow => ({
  resource: target, role, intention, because: BECAUSE,
})
export const seen = (target: Resource, role: SendableRole): Membership => ({ resource: target, role })

export const input = (parts: Partial<PlanInput>): PlanInput => ({
  desired: [], ledger: [], observed: null, leaver: false, keepRows: null, protectedPerson: false, ownUser: false,
  exempt: null, isLastAdmin: () => false, renamedTo: null, ...parts,
})

/** Every slot that generated histories use. */
export const UNIVERSE: readonly Resource[] = [
  ...['o1', 'o2', 'o3'].flatMap((id) => [organization(id), space(`${id}-a`, id), space(`${id}-b`, id), project(`${id}-p`, id)]),
  developer,
]

export type Roles = ReadonlyMap<string, Membership>

const roleFor = ({ kind }: Resource): fc.Arbitrary<SendableRole> => {
  const named = fc.constantFrom(ADMIN, MEMBER, READ_ONLY)
  const own = fc.constantFrom(custom('Reviewer'), custom('Curator'))
  if (kind === 'project') return own
  return kind === 'space' ? fc.oneof({ weight: 3, arbitrary: named }, { weight: 1, arbitrary: own }) : named
}

/** Any roles that one person may hold: whatever is inside an organization needs a role on it. */
export const anyRoles: fc.Arbitrary<Roles> = fc
  .tuple(...UNIVERSE.map((target) => fc.option(roleFor(target), { nil: null })))
  .map((picked) => {
    const roles = new Map<string, Membership>()
    for (const [index, target] of UNIVERSE.entries()) {
      const role = picked[index]
      if (role !== undefined && role !== null) roles.set(slotKey(target), seen(target, role))
    }
    for (const { resource: target } of roles.values()) {
      const parent = organization(target.organizationId)
      if (target.organizationId !== '' && !roles.has(slotKey(parent))) roles.set(slotKey(parent), seen(parent, READ_ONLY))
    }
    return roles
  })

export const wanted = (roles: Roles): Desired[] =>
  [...roles.values()].map(({ resource: target, role }) => want(target, sendable(role)))

export const sendable = (role: Membership['role']): SendableRole => (role.type === 'CUSTOM' ? custom(role.name) : role)

export interface Model {
  readonly world: Map<string, Membership>
  readonly ledger: Map<string, LedgerRow>
  /** Whether removing an organization clears custom roles and projects too: not documented, so both must do. */
  readonly clearsBindings: boolean
}

export const modelOf = (world: Roles, isOwned: (key: string) => boolean, clearsBindings = true): Model => ({
  world: new Map(world),
  ledger: new Map([...world].filter(([key]) => isOwned(key)).map(([key, held]) => [key, row(held.resource, sendable(held.role))])),
  clearsBindings,
})

const call = ({ world, clearsBindings }: Model, change: Change): void => {
  const target = change.resource
  if (change.op !== 'delete') {
    const isInside = target.kind === 'space' || target.kind === 'project'
    if (isInside && !world.has(slotKey(organization(target.organizationId)))) throw new Error(`400: not a member of ${target.organizationId}`)
    world.set(slotKey(target), seen(target, change.role))
    return
  }
  world.delete(slotKey(target))
  if (target.kind !== 'organization') return
  for (const [key, held] of world) {
    if (held.resource.organizationId !== target.id) continue
    if (clearsBindings || (held.resource.kind === 'space' && held.role.type === 'PREDEFINED')) world.delete(key)
  }
}

/** Three steps to a change, each durable: intend, call, confirm. */
const stepsOf = (model: Model, change: Change): readonly (() => void)[] => {
  const { ledger } = model
  const key = slotKey(change.resource)
  const cascaded = change.op === 'delete' ? change.cascades.map(slotKey) : []
  const intend = (): void => {
    const before = ledger.get(key)
    if (change.op !== 'delete') {
      ledger.set(key, { resource: change.resource, role: before?.role ?? null, intention: { op: 'give', role: change.role }, because: change.because })
      return
    }
    for (const slot of [key, ...cascaded]) {
      const taken = ledger.get(slot)
      if (taken === undefined) throw new Error(`${slot} is not in the ledger`)
      ledger.set(slot, { ...taken, intention: { op: 'take' } })
    }
  }
  const confirm = (): void => {
    if (change.op === 'delete') for (const slot of [key, ...cascaded]) ledger.delete(slot)
    else ledger.set(key, { resource: change.resource, role: change.role, intention: null, because: change.because })
  }
  return [intend, () => call(model, change), confirm]
}

/** Applies the changes in order, and crashes after `steps` steps. */
export const run = (model: Model, changes: readonly Change[], steps = Number.POSITIVE_INFINITY): void => {
  for (const step of changes.flatMap((change) => stepsOf(model, change)).slice(0, steps)) step()
}

export const rowsOf = ({ ledger }: Model): readonly LedgerRow[] => [...ledger.values()]

/** Slots and roles alone, to compare. */
export const heldIn = (roles: Roles): Record<string, string> =>
  Object.fromEntries([...roles].map(([key, { role }]): [string, string] => [key, role.name]).toSorted(([a], [b]) => (a < b ? -1 : 1)))
