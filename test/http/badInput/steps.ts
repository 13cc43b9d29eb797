import * as fc from 'fast-check'
import type { ResourceType } from '../../../src/scim/schema'
import { anyJson, bodies, filters, patches } from '../../scim/arbitraries'
import { printFilter } from '../../scim/printFilter'

/** Random requests, built from the schema: right ones, ones that are a little wrong, and hostile ones. */

export interface Step {
  /** Who asks: 0 and 1 are two connections of one tenant, 2 is another tenant. */
  readonly side: number
  readonly method: string
  readonly type: ResourceType
  /** Below the base. */
  readonly path: string
  readonly query: string
  /** JSON text, mostly; undefined for none. */
  readonly body: string | undefined
  /** Whether the version of If-Match is the one that is stored; null for no If-Match. */
  readonly isCurrent: boolean | null
}

/** Stands for the id of the nth user or group that the asking side has, or that another side has. */
export const MARKS = /⟦(own|foreign) (User|Group) (\d+)⟧/g
const mark = (type: ResourceType): fc.Arbitrary<string> =>
  fc.tuple(fc.oneof({ weight: 8, arbitrary: fc.constant('own') }, { weight: 1, arbitrary: fc.constant('foreign') }), fc.nat(4)).map(([whose, n]) => `⟦${whose} ${type} ${n}⟧`)

const types = fc.constantFrom<ResourceType>('User', 'Group')

const members = fc.array(fc.oneof(
  { weight: 6, arbitrary: mark('User').map((value) => ({ value })) }, { weight: 1, arbitrary: mark('User') }, { weight: 1, arbitrary: mark('Group').map((value) => ({ value, type: 'Group' })) },
  { weight: 1, arbitrary: fc.constantFrom({ value: 'nobody' }, { value: '' }, {}, null) },
), { maxLength: 4 })

const resources = (type: ResourceType): fc.Arbitrary<unknown> =>
  type === 'User' ? bodies('User')
    : fc.tuple(bodies('Group'), fc.option(members)).map(([group, list]) => (list === null ? group : { ...group, members: list }))

const memberPatches = fc.array(fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'Add', 'remove', 'replace'), path: fc.constantFrom('members', 'MEMBERS', 'urn:ietf:params:scim:schemas:core:2.0:Group:members'), value: members }),
  fc.record({ op: fc.constantFrom('remove', 'replace', 'add'), path: mark('User').map((id) => `members[value eq "${id}"]`), value: fc.constantFrom('', null, 'x') }),
  fc.record({ op: fc.constantFrom('add', 'replace'), value: members.map((list) => ({ members: list })) }),
  fc.constant({ op: 'remove', path: 'members' }),
), { minLength: 1, maxLength: 3 }).map((Operations) => ({ Operations }))

const textOf = (value: unknown): string => JSON.stringify(value) ?? ''

const entriesOf = (value: object): [string, unknown][] => Object.entries(value)

/** Operations that fit: what is at a name of a right body is right for that name. */
const rightPatches = (type: ResourceType): fc.Arbitrary<unknown> =>
  fc.tuple(bodies(type), fc.constantFrom('add', 'replace', 'Replace'), fc.boolean()).map(([body, op, isOne]) => ({
    Operations: isOne ? [{ op, value: body }] : entriesOf(body).map(([path, value]) => ({ op, path, value })),
  }))

const changes = (type: ResourceType): fc.Arbitrary<unknown> => fc.oneof(patches(type), rightPatches(type), type === 'Group' ? memberPatches : rightPatches(type))

/** The value with the node at a place changed: the place is found by walking down, one number for each level. */
const changeAt = (value: unknown, [first = 0, ...rest]: readonly number[], change: (node: unknown) => unknown): unknown => {
  if (typeof value !== 'object' || value === null || rest.length === 0) return change(value)
  const entries = entriesOf(value)
  if (entries.length === 0) return change(value)
  const at = first % entries.length
  const changed = entries.map(([name, item], index): [string, unknown] => [name, index === at ? changeAt(item, rest, change) : item])
  return Array.isArray(value) ? changed.map(([, item]) => item) : Object.fromEntries(changed)
}

/** One thing about the JSON becomes wrong, or odd. */
const mutated = (value: unknown): fc.Arbitrary<unknown> => fc.tuple(fc.array(fc.nat(9), { maxLength: 5 }), fc.oneof(
  anyJson.map((other) => () => other),
  fc.constantFrom<(node: unknown) => unknown>(
    () => null, () => '', () => [], () => ({}), () => 2 ** 64, () => '\u0000', () => '\ud800', () => 'x'.repeat(5000), () => true, () => 'True', () => 7, () => '\u202e😀\n',
    (node) => [node], (node) => [node, node], (node) => ({ value: node }), (node) => JSON.stringify(node), (node) => textOf(node).toUpperCase(),
    (node) => (typeof node === 'object' && node !== null && !Array.isArray(node) ? Object.fromEntries(entriesOf(node).map(([name, item]) => [name.toUpperCase(), item])) : node),
    (node) => (typeof node === 'object' && node !== null && !Array.isArray(node) ? Object.fromEntries(entriesOf(node).slice(1)) : node),
  ),
)).map(([place, change]) => changeAt(value, place, change))

const HOSTILE = [
  '"__proto__":{"polluted":1}', '"constructor":{"prototype":{"polluted":1}}', '"prototype":1', '"\\u005f_proto__":{}',
  '"schemas":["urn:x"]', '"id":"mine"', '"meta":{"version":"W/\\"9\\""}', '"":1', '"a.__proto__.b":1',
]

/** One thing about the text becomes wrong. */
const spoiled = (text: string): fc.Arbitrary<string> => fc.oneof(
  fc.nat(Math.max(text.length - 1, 0)).map((at) => text.slice(0, at)),
  fc.tuple(fc.nat(text.length), fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '\u0000', '\ufeff', 'x', ' ', '\ud800')).map(([at, char]) => text.slice(0, at) + char + text.slice(at)),
  fc.tuple(fc.nat(20), fc.constantFrom(...HOSTILE)).map(([nth, member]) => {
    const places = [...text.matchAll(/\{/g)].map(({ index }) => index)
    const at = places[nth % Math.max(places.length, 1)]
    return at === undefined ? text : `${text.slice(0, at + 1)}${member}${text[at + 1] === '}' ? '' : ','}${text.slice(at + 1)}`
  }),
  fc.constantFrom('', ' ', 'null', '[]', '"x"', '{}', `${'['.repeat(40)}${']'.repeat(40)}`),
)

const texts = (values: fc.Arbitrary<unknown>): fc.Arbitrary<string> => fc.oneof(
  { weight: 8, arbitrary: values.map(textOf) },
  { weight: 3, arbitrary: values.chain(mutated).map(textOf) },
  { weight: 1, arbitrary: values.map(textOf).chain(spoiled) },
)

const names = fc.constantFrom(
  'userName', 'displayName', 'members', 'members.value', 'members.display', 'emails', 'groups', 'name.familyName', 'meta', 'nope', '__proto__',
  'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
)

const filterTexts = (type: ResourceType): fc.Arbitrary<string> => fc.oneof(
  { weight: 6, arbitrary: filters(type).map(printFilter) },
  { weight: 1, arbitrary: filters(type).map(printFilter).chain((text) => fc.nat(text.length).map((at) => text.slice(0, at))) },
  { weight: 2, arbitrary: mark(type).map((id) => `id eq "${id}"`) },
  { weight: 1, arbitrary: fc.oneof(mark('Group').map((id) => `groups eq "${id}"`), mark('User').map((id) => `members[value eq "${id}"]`)) },
  { weight: 1, arbitrary: fc.string({ maxLength: 12 }) },
)

const numbers = fc.oneof({ weight: 8, arbitrary: fc.integer({ min: -1, max: 5 }) }, { weight: 1, arbitrary: fc.constantFrom('x', '1e3', '', '99999999999999999999', 1.5) })

const searches = (type: ResourceType): fc.Arbitrary<Record<string, unknown>> => fc.record({
  filter: filterTexts(type), startIndex: numbers, count: numbers, sortBy: names, sortOrder: fc.constantFrom('ascending', 'descending', 'Descending', 'descending', 'ASCENDING', 'up'),
  attributes: fc.array(names, { maxLength: 3 }), excludedAttributes: fc.array(names, { maxLength: 3 }), cursor: fc.constantFrom('', '', '', 'x', 'AAAA'),
}, { requiredKeys: [] })

const queryOf = (search: Record<string, unknown>): string => {
  const params = Object.entries(search).map(([name, value]) => `${name}=${encodeURIComponent(String(value).toWellFormed())}`)
  return params.length === 0 ? '' : `?${params.join('&')}`
}

const projections = fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: names.map((name) => `?attributes=${name}`) }, { weight: 1, arbitrary: names.map((name) => `?excludedAttributes=${name}`) })

const bulkTargets = types.chain((type) => fc.tuple(
  fc.constantFrom('POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'GET', 'post'),
  fc.oneof({ weight: 3, arbitrary: mark(type) }, { weight: 2, arbitrary: fc.constantFrom('bulkId:q0', 'bulkId:q1', 'bulkId:q2', 'nobody') }),
  fc.oneof(resources(type), changes(type), fc.constant({ displayName: 'nq', userName: 'nq', members: [{ value: 'bulkId:q0' }, { value: 'bulkId:q1' }] })),
  fc.boolean(),
).map(([method, id, data, isOdd]) => ({
  method, bulkId: `q${String(id.length % 3)}`, data, path: method.toUpperCase() === 'POST' && !isOdd ? `/${type}s` : `/${type}s/${id}`,
})))

const bulks = fc.record({ failOnErrors: fc.constantFrom(1, 2, 3, null, null, 'x'), Operations: fc.array(bulkTargets, { minLength: 1, maxLength: 5 }) }, { requiredKeys: ['Operations'] })

interface Asking {
  readonly method: string
  readonly path: string
  readonly query?: string
  readonly body?: string
}

const asking = (type: ResourceType): fc.Arbitrary<Asking> => {
  const one = fc.oneof({ weight: 12, arbitrary: mark(type).map((id) => `/${type}s/${id}`) }, { weight: 1, arbitrary: fc.constantFrom(`/${type}s/__proto__`, `/${type}s/%zz`, `/${type}s/a%2fb`) })
  const requests: readonly (readonly [weight: number, fc.Arbitrary<Asking>])[] = [
    [6, fc.record({ method: fc.constant('POST'), path: fc.constant(`/${type}s`), query: projections, body: texts(resources(type)) })],
    [4, fc.record({ method: fc.constant('PUT'), path: one, query: projections, body: texts(resources(type)) })],
    [8, fc.record({ method: fc.constant('PATCH'), path: one, query: projections, body: texts(changes(type)) })],
    [2, fc.record({ method: fc.constant('DELETE'), path: one })],
    [1, fc.record({ method: fc.constant('GET'), path: one, query: projections })],
    [3, fc.record({ method: fc.constant('GET'), path: fc.constantFrom(`/${type}s`, `/${type}s`, ''), query: searches(type).map(queryOf) })],
    [2, fc.record({ method: fc.constant('POST'), path: fc.constantFrom(`/${type}s/.search`, '/.search'), body: texts(searches(type)) })],
    [3, fc.record({ method: fc.constant('POST'), path: fc.constant('/Bulk'), body: texts(bulks) })],
  ]
  return fc.oneof(...requests.map(([weight, arbitrary]) => ({ weight, arbitrary })))
}

export const steps: fc.Arbitrary<Step> = fc.tuple(fc.constantFrom(0, 0, 1, 2), types, fc.constantFrom(null, null, null, true, false))
  .chain(([side, type, isCurrent]) => asking(type).map(({ method, path, query = '', body }): Step => ({ side, type, isCurrent, method, path, query, body })))
