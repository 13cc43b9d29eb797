import type { PersonFacts } from '../../src/change'
import { err, ok, type Result } from '../../src/result'
import type { Pulled, PulledPage, Source, SourceFailure, Subscription } from '../../src/sources/source'

/** A provider as its own directory has it, asked through the port, with small pages and bad days. */

export interface Member {
  readonly userName: string
  readonly active: boolean
}

export interface Provider {
  readonly people: Map<string, Member>
  readonly groups: Map<string, { name: string; readonly members: Set<string> }>
  readonly source: Source
  /** What was asked, oldest first. */
  readonly asked: string[]
  /** The next answers that match: failures, or pages that are not what they should be. */
  readonly trouble: Trouble[]
  /** Runs before an answer is given: what happens while the provider is asked. */
  readonly meanwhile: { now: ((asked: string) => void) | null }
  readonly subscriptions: Map<string, Subscription>
  /** Notes that something changed, for the deltas. */
  readonly changed: (item: Pulled) => void
  /** Every delta given until now is forgotten. */
  readonly forget: () => void
}

export interface Trouble {
  /** How the question begins, such as `everything` or `person p1`. */
  readonly at: string
  readonly failure?: SourceFailure
  /** The page has nobody, or is said to be the last. */
  readonly page?: 'empty' | 'last' | 'itself'
  times: number
}

export interface ProviderOptions {
  readonly pageSize?: number
  readonly hasDeltas?: boolean
  readonly hasSubscriptions?: boolean
  readonly tellsOfAll?: boolean
  readonly now: () => number
}

const facts = (id: string, { userName, active }: Member): PersonFacts => ({
  id, userName, email: userName, displayName: null, givenName: null, familyName: null, active,
})

export const createProvider = ({ pageSize = 3, hasDeltas = false, hasSubscriptions = false, tellsOfAll = true, now }: ProviderOptions): Provider => {
  const people: Provider['people'] = new Map()
  const groups: Provider['groups'] = new Map()
  const asked: string[] = []
  const trouble: Trouble[] = []
  const log: Pulled[] = []
  const subscriptions: Provider['subscriptions'] = new Map()
  const meanwhile: Provider['meanwhile'] = { now: null }
  let epoch = 0
  let serial = 0

  const take = (question: string): Trouble | null => {
    asked.push(question)
    meanwhile.now?.(question)
    const met = trouble.find((each) => each.times > 0 && question.startsWith(each.at))
    if (met !== undefined) met.times -= 1
    return met ?? null
  }
  const answer = <T>(question: string, say: () => T): Result<T, SourceFailure> => {
    const failure = take(question)?.failure
    return failure === undefined ? ok(say()) : err(failure)
  }

  const everybody = (): Pulled[] => [
    ...[...people].map(([id, member]): Pulled => ({ kind: 'person', person: facts(id, member) })),
    ...[...groups].flatMap(([id, { name, members }]): Pulled[] => [
      { kind: 'group', group: { id, displayName: name } }, ...[...members].map((personId): Pulled => ({ kind: 'membership', groupId: id, personId })),
    ]),
  ]

  /** The list as it was when the first page was asked for: pages of a provider are never all of one moment. */
  let listed: Pulled[] = []
  const everything: Source['everything'] = (cursor) => {
    const met = take(`everything ${cursor ?? ''}`)
    if (met?.failure !== undefined) return Promise.resolve(err(met.failure))
    if (cursor === null) listed = everybody()
    if (met?.page === 'empty') return Promise.resolve(ok(lastPage([])))
    const from = Number(cursor ?? 0)
    const items = listed.slice(from, from + pageSize)
    if (met?.page === 'itself') return Promise.resolve(ok({ items, next: cursor, delta: null }))
    const isLast = met?.page === 'last' || from + pageSize >= listed.length
    return Promise.resolve(ok(isLast ? lastPage(items) : { items, next: String(from + pageSize), delta: null }))
  }
  const lastPage = (items: readonly Pulled[]): PulledPage => ({ items, next: null, delta: hasDeltas ? `${epoch} ${log.length}` : null })

  const changes: NonNullable<Source['changes']> = (delta) => {
    const [itsEpoch, from] = delta.split(' ').map(Number)
    const met = take(`changes ${delta}`)
    if (met?.failure !== undefined) return Promise.resolve(err(met.failure))
    if (itsEpoch !== epoch) return Promise.resolve(err({ kind: 'expired', sentence: 'forgotten' }))
    const items = log.slice(from, (from ?? 0) + pageSize)
    const next = `${epoch} ${(from ?? 0) + items.length}`
    return Promise.resolve(ok((from ?? 0) + items.length < log.length ? { items, next, delta: null } : { items, next: null, delta: next }))
  }

  const groupsOf = (id: string) => [...groups].filter(([, { members }]) => members.has(id)).map(([groupId, { name }]) => ({ id: groupId, displayName: name }))

  const source: Source = {
    tellsOfAll,
    probe: async () => answer('probe', () => undefined),
    person: async ({ id, userName }) => answer(`person ${id ?? userName ?? ''}`, () => {
      const found = [...people].find(([personId, member]) => (id === null ? member.userName === userName : personId === id))
      return found === undefined ? null : { person: facts(...found), groups: groupsOf(found[0]) }
    }),
    group: async ({ id }, cursor) => answer(`group ${id} ${cursor ?? ''}`, () => {
      const group = groups.get(id)
      if (group === undefined) return null
      const from = Number(cursor ?? 0)
      const members = [...group.members].slice(from, from + pageSize)
      return { group: { id, displayName: group.name }, members, next: from + pageSize < group.members.size ? String(from + pageSize) : null }
    }),
    everything,
    ...(hasDeltas ? { changes } : {}),
    ...(hasSubscriptions ? {
      subscriptions: {
        resources: ['users', 'groups'],
        create: async ({ resource }) => answer(`create ${resource}`, () => {
          const made = { id: `s${(serial += 1)}`, resource, expiresAt: now() + 29 * 86_400_000 }
          subscriptions.set(made.id, made)
          return made
        }),
        renew: async ({ id, resource }) => answer(`renew ${resource}`, () => {
          if (!subscriptions.has(id)) return null
          const renewed = { id, resource, expiresAt: now() + 29 * 86_400_000 }
          subscriptions.set(id, renewed)
          return renewed
        }),
        remove: async ({ id }) => answer(`remove ${id}`, () => {
          subscriptions.delete(id)
        }),
      },
    } : {}),
  }
  return {
    people, groups, source, asked, trouble, meanwhile, subscriptions,
    changed: (item) => void log.push(item),
    forget: () => {
      epoch += 1
    },
  }
}
