import type { Account, Arize, ArizeError, Named, Resource, ResourceKind, Target } from '../../src/reconcile/target'
import { roleKey } from '../../src/policy/role'
import { err, ok, type Result } from '../../src/result'

/** An Arize account behind the reconciler's ports, over maps: its rules, and whatever fault a test asks for. */

export interface FakeArize extends Arize {
  /** `address organization[/space] role`, sorted. */
  readonly memberships: () => readonly string[]
  readonly accounts_: Map<string, Account>
  readonly keys: Map<string, string[]>
  readonly addOrganization: (name: string, spaces?: readonly string[]) => string
  readonly renameOrganization: (name: string, to: string) => void
  readonly dropOrganization: (name: string) => void
  readonly addAccount: (email: string, role?: string) => Account
  readonly dropAccount: (email: string) => void
  readonly blocked: Set<string>
  /** What happens to the next calls: one entry a call, null for nothing special. */
  readonly faults: (ArizeError | 'lost' | null)[]
  /** Consulted for every call instead of `faults` when set. */
  fault: ((call: string) => ArizeError | 'lost' | null) | null
  /** The object dies with this call (0 is the next one), before or after Arize carries it out. Resolves `crashed`. */
  crashAt: { call: number; when: 'before' | 'after' } | null
  readonly crashed: Promise<void>
  /** Calls of these kinds wait for the promise. */
  gate: { readonly calls: ReadonlySet<string>; readonly opens: Promise<void> } | null
  /** Called before each call, with its name. */
  before: (call: string) => void
  readonly calls: string[]
}

interface Slot {
  readonly resource: Pick<Resource, 'kind' | 'id' | 'organizationId'>
  readonly userId: string
  readonly role: string
}

export const createFakeArize = (): FakeArize => {
  const accounts = new Map<string, Account>()
  const organizations = new Map<string, Named>()
  const spaces = new Map<string, Named & { organizationId: string }>()
  const slots = new Map<string, Slot>()
  const keys = new Map<string, string[]>()
  const blocked = new Set<string>()
  const faults: (ArizeError | 'lost' | null)[] = []
  const calls: string[] = []
  let serial = 0
  const id = (kind: string): string => `${kind}-${++serial}`

  const { promise: crashed, resolve: tellCrash } = Promise.withResolvers<void>()
  const crash = (): Promise<never> => {
    fake.crashAt = null
    tellCrash()
    return new Promise<never>(() => undefined)
  }

  const call = async <T>(name: string, act: () => Result<T, ArizeError>): Promise<Result<T, ArizeError>> => {
    fake.before(name)
    calls.push(name)
    await (fake.gate?.calls.has(name) === true ? fake.gate.opens : Promise.resolve())
    const isCrash = fake.crashAt !== null && fake.crashAt.call-- === 0
    if (isCrash && fake.crashAt?.when === 'before') return crash()
    const fault = fake.fault === null ? (faults.shift() ?? null) : fake.fault(name)
    if (fault !== null && fault !== 'lost') return err(fault)
    const result = act()
    if (isCrash) return crash()
    return fault === 'lost' ? err({ kind: 'unavailable', status: null, detail: 'The answer was lost.' }) : result
  }

  const missing = (detail: string): Result<never, ArizeError> => err({ kind: 'not_found', detail })
  const slot = (userId: string, resource: Pick<Resource, 'kind' | 'id'>): string => `${userId} ${resource.kind} ${resource.id}`
  const userOf = (userId: string): Account | undefined => [...accounts.values()].find((account) => account.id === userId)

  const target = (kind: ResourceKind): Target => ({
    kind,
    give: (userId, resource, role) =>
      call(`give ${kind}`, () => {
        const account = userOf(userId)
        const parent = organizations.get(resource.organizationId)
        if (account === undefined || parent === undefined || (kind === 'space' && !spaces.has(resource.id))) return missing('no such thing')
        const isAnnotator = role.type === 'PREDEFINED' && role.name === 'ANNOTATOR'
        if ((account.role === 'ANNOTATOR') !== isAnnotator) return err({ kind: 'rejected', status: 400, detail: 'annotator rule' })
        if (kind === 'space' && !slots.has(slot(userId, { kind: 'organization', id: resource.organizationId }))) {
          return err({ kind: 'rejected', status: 400, detail: 'not a member of the organization' })
        }
        slots.set(slot(userId, resource), { resource, userId, role: roleKey(role) })
        return ok(undefined)
      }),
    take: (userId, resource) =>
      call(`take ${kind}`, () => {
        if (!slots.delete(slot(userId, resource))) return missing('not a member')
        if (kind === 'organization') {
          for (const [key, held] of slots) if (held.userId === userId && held.resource.organizationId === resource.id) slots.delete(key)
        }
        return ok(undefined)
      }),
  })

  const fake: FakeArize = {
    accounts: {
      find: (email) => call('find', () => ok(accounts.get(email) ?? null)),
      read: (userId) => call('read', () => ok(userOf(userId) ?? null)),
      create: (wanted) =>
        call('create', () => {
          if (accounts.has(wanted.email) || blocked.has(wanted.email)) return err({ kind: 'conflict', detail: 'exists' })
          return ok({ account: fake.addAccount(wanted.email, wanted.role), created: true })
        }),
      revokeKeys: (userId) =>
        call('revoke', () => {
          const email = userOf(userId)?.email ?? ''
          const live = keys.get(email) ?? []
          keys.set(email, [])
          return ok(live)
        }),
    },
    names: {
      organizations: () => call('organizations', () => ok([...organizations.values()])),
      spaces: (organizationId) =>
        call('spaces', () => ok([...spaces.values()].filter((space) => space.organizationId === organizationId).map(({ id: spaceId, name }) => ({ id: spaceId, name })))),
      customRoles: () => call('customRoles', () => ok([])),
      organization: (organizationId) => call('organization', () => ok(organizations.get(organizationId) ?? null)),
      preflight: () => call('preflight', () => ok(undefined)),
    },
    targets: [target('organization'), target('space')],
    memberships: () =>
      [...slots.values()]
        .map(({ resource, userId, role }) => {
          const organization = organizations.get(resource.organizationId)?.name ?? '?'
          const where = resource.kind === 'space' ? `${organization}/${spaces.get(resource.id)?.name ?? '?'}` : organization
          return `${userOf(userId)?.email ?? userId} ${where} ${role}`
        })
        .toSorted(),
    accounts_: accounts,
    keys,
    blocked,
    faults,
    fault: null,
    crashAt: null,
    gate: null,
    crashed,
    before: () => undefined,
    calls,
    addOrganization: (name, names = []) => {
      const made = { id: id('org'), name }
      organizations.set(made.id, made)
      for (const space of names) {
        const spaceId = id('space')
        spaces.set(spaceId, { id: spaceId, name: space, organizationId: made.id })
      }
      return made.id
    },
    renameOrganization: (name, to) => {
      const found = [...organizations.values()].find((organization) => organization.name === name)
      if (found !== undefined) organizations.set(found.id, { id: found.id, name: to })
    },
    dropOrganization: (name) => {
      const found = [...organizations.values()].find((organization) => organization.name === name)
      if (found === undefined) return
      organizations.delete(found.id)
      for (const [key, held] of slots) if (held.resource.organizationId === found.id) slots.delete(key)
    },
    addAccount: (email, role = 'MEMBER') => {
      const account: Account = { id: id('user'), email, name: email, role, status: 'ACTIVE', createdAt: null, isDeveloper: role !== 'ANNOTATOR' }
      accounts.set(email, account)
      return account
    },
    dropAccount: (email) => {
      const account = accounts.get(email)
      accounts.delete(email)
      blocked.add(email)
      for (const [key, held] of slots) if (held.userId === account?.id) slots.delete(key)
    },
  }
  return fake
}

/** The organizations' memberships, for a test to put something in between. */
export const organizationTarget = ({ targets }: FakeArize): { -readonly [key in keyof Target]: Target[key] } => {
  const found = targets.find(({ kind }) => kind === 'organization')
  if (found === undefined) throw new Error('There is no target for organizations.')
  return found
}
