import { beforeAll, describe, expect, it } from 'vitest'
import { definitionOf, ENTERPRISE_SCHEMA, type ResourceType } from '../../../src/scim/schema'
import type { Attribute } from '../../../src/scim/attribute'
import { own, scimErrorFaults, type Answer } from '../bridge'
import { dumpOf, openWorld, patch, pollution, type World } from './world'

/**
 * Every attribute of the registry with every kind of JSON, by POST, PUT and both kinds of PATCH: what it is taken for, or the
 * sentence that it is refused with. The rules are written here once more, from the decisions, and not taken from the code.
 */

let world: World

beforeAll(async () => {
  world = await openWorld('bad-attributes')
})

/** Milliseconds for hundreds of requests, on a machine that has other things to do. */
const MANY = 60_000

/** Undefined: ignored. */
type Verdict = { readonly refusal: string } | { readonly taken: unknown } | undefined

const refused = (at: string, wanted: string): Verdict => ({ refusal: `"${at}" must be ${wanted}.` })
const NOTHING: Verdict = { taken: undefined }

const isReadOnly = (attribute: Attribute): boolean =>
  attribute.mutability === 'readOnly' || attribute.mutability === 'writeOnly' || attribute.name === 'schemas'

const isNothing = (given: unknown): boolean => given === null || given === '' || (Array.isArray(given) && given.length === 0)

const isObject = (given: unknown): given is Record<string, unknown> => typeof given === 'object' && given !== null && !Array.isArray(given)

const asBoolean = (given: unknown, at: string): Verdict => {
  const word = typeof given === 'string' ? given.toLowerCase() : given
  if (word === true || word === 'true') return { taken: true }
  return word === false || word === 'false' ? { taken: false } : refused(at, 'true or false')
}

/** Numbers are taken where a provider might send one for a text, if no digit of them is lost. */
const asText = (given: unknown, at: string, isRequired: boolean): Verdict => {
  if (typeof given === 'string') return { taken: given }
  const isExact = typeof given === 'number' && (!Number.isInteger(given) || Number.isSafeInteger(given))
  return isExact && !isRequired ? { taken: String(given) } : refused(at, 'a string')
}

const asOne = (attribute: Attribute, given: unknown, at: string): Verdict => {
  if (isNothing(given)) return NOTHING
  if (attribute.type !== 'complex') {
    return attribute.type === 'boolean' ? asBoolean(given, at) : asText(given, at, attribute.required)
  }
  if (typeof given === 'string' && attribute.children.has('value')) return { taken: { value: given } }
  // The objects of the table name nothing.
  return isObject(given) ? NOTHING : refused(at, 'an object')
}

const verdictOf = (attribute: Attribute, given: unknown, at: string): Verdict => {
  if (isReadOnly(attribute)) return undefined
  if (isNothing(given)) return NOTHING
  if (!attribute.multiValued) {
    if (Array.isArray(given) && given.length > 1) return refused(at, 'a single value')
    return asOne(attribute, Array.isArray(given) ? given[0] : given, at)
  }
  const taken: unknown[] = []
  for (const [index, item] of (Array.isArray(given) ? given : [given]).entries()) {
    const one = asOne(attribute, item, `${at}[${index}]`)
    if (one === undefined || 'refusal' in one) return one
    if (one.taken !== undefined) taken.push(one.taken)
  }
  return { taken: taken.length === 0 ? undefined : taken }
}

const VALUES: readonly unknown[] = [
  'x', 'False', 7, -1.5, 2 ** 64, true, {}, { a: 1 }, [], [7], ['x', 'y'], [{ a: 1 }, 'x'], [[]], [[1]], [null], null, '',
]

interface Subject {
  readonly name: string
  readonly attribute: Attribute
  readonly type: ResourceType
  /** How the names of a body lead to it. */
  readonly below: readonly string[]
}

/** Attributes of the resource and of its single complex attributes, by name. Members are an answer of their own (groups.ts). */
const subjectsOf = (type: ResourceType): readonly Subject[] => {
  const below = (owner: Attribute, names: readonly string[]): readonly Subject[] =>
    [...owner.children.values()].flatMap((attribute) => {
      const path = [...names, attribute.name]
      const subject: Subject = { name: path.join('.'), attribute, type, below: path }
      const isOpen = attribute.type === 'complex' && !attribute.multiValued && !isReadOnly(attribute)
      return isOpen ? [subject, ...below(attribute, path)] : [subject]
    })
  return below(definitionOf(type).root, []).filter(({ name }) => name !== 'members')
}

const SUBJECTS = [...subjectsOf('User'), ...subjectsOf('Group')]

const nest = (names: readonly string[], given: unknown): unknown => {
  const [name, ...rest] = names
  return name === undefined ? given : { [name]: nest(rest, given) }
}

/** As a path of PATCH writes it: the extension's name ends with a colon. */
const pathOf = (names: readonly string[]): string =>
  names[0] === ENTERPRISE_SCHEMA && names.length > 1 ? `${ENTERPRISE_SCHEMA}:${names.slice(1).join('.')}` : names.join('.')

const required = (type: ResourceType): Record<string, unknown> => (type === 'User' ? { userName: 'jon@example.com' } : { displayName: 'Watch' })
const addressOf = (type: ResourceType): string => (type === 'User' ? '/Users/{user}' : '/Groups/{group}')

const REQUIRED = /^(?:userName|displayName)$/
const isRequired = ({ type, name }: Subject): boolean => REQUIRED.test(name) && required(type)[name] !== undefined

const CLEARED = (name: string): string => `"${name}" is required and must not be removed or empty.`
const MISSING = (name: string): string => `"${name}" is required and must not be empty.`

const refusalOf = (answer: Answer): unknown => {
  if (answer.status < 300) return undefined
  expect(scimErrorFaults(answer)).toEqual([])
  return [answer.status, own(answer.body, 'scimType'), own(answer.body, 'detail')]
}

type Send = (subject: Subject, given: unknown) => Promise<Answer>

const bodyOf = ({ type, below }: Subject, given: unknown): unknown => {
  const body = nest(below, given)
  return { ...required(type), ...(isObject(body) ? body : {}) }
}

const POST: Send = (subject, given) => world.send('POST', `/${subject.type}s`, { body: bodyOf(subject, given) })

const WAYS: readonly (readonly [name: string, send: Send])[] = [
  ['PUT', (subject, given) => world.send('PUT', addressOf(subject.type), { body: bodyOf(subject, given) })],
  ['PATCH with a path', ({ type, below }, given) => world.send('PATCH', `${addressOf(type)}?attributes=${below[0]}`, { body: patch('replace', pathOf(below), given) })],
  ['PATCH without a path', ({ type, below }, given) => world.send('PATCH', `${addressOf(type)}?attributes=${below[0]}`, { body: patch('replace', undefined, nest(below, given)) })],
]

/** What a refused clearing is called: `active` and the names must be there. */
const clearingOf = (way: string, subject: Subject): string | undefined => {
  const isWhole = way === 'PUT' || way === 'POST'
  if (isRequired(subject)) return isWhole ? MISSING(subject.name) : CLEARED(subject.name)
  return !isWhole && subject.name === 'active' ? CLEARED('active') : undefined
}

const expectedOf = (way: string, subject: Subject, given: unknown): unknown => {
  const at = subject.below.join('.')
  const verdict = verdictOf(subject.attribute, given, at)
  if (verdict === undefined) return undefined
  const refusal = 'refusal' in verdict ? verdict.refusal : verdict.taken === undefined ? clearingOf(way, subject) : undefined
  return refusal === undefined ? undefined : [400, 'invalidValue', refusal]
}

/** The extension is put together anew when one of its attributes is all that a PUT gives it, and a value that is gone leaves no object. */
const takenOf = (answer: Answer, below: readonly string[]): unknown => own(answer.body, ...below)

describe('an attribute of a wrong type', () => {
  it.each([['POST', POST] as const, ...WAYS])('%s is refused by name, and nothing of it is kept', async (way, send) => {
    const wrongs = SUBJECTS.flatMap((subject) => VALUES.map((given) => [subject, given] as const))
      .filter(([subject, given]) => expectedOf(way, subject, given) !== undefined)
    expect(wrongs.length).toBeGreaterThan(200)
    const before = await dumpOf(world.tenant)
    const answers: unknown[] = []
    for (const [subject, given] of wrongs) answers.push([subject.name, given, refusalOf(await send(subject, given))])
    expect(answers).toEqual(wrongs.map(([subject, given]) => [subject.name, given, expectedOf(way, subject, given)]))
    expect(await dumpOf(world.tenant)).toBe(before)
  }, MANY)

  it.each(WAYS)('%s is taken for what it means, where it means something', async (way, send) => {
    const rights = SUBJECTS.flatMap((subject) => VALUES.map((given) => [subject, given] as const))
      .filter(([subject, given]) => expectedOf(way, subject, given) === undefined && !isReadOnly(subject.attribute))
    const faults: unknown[] = []
    for (const [subject, given] of rights) {
      const answer = await send(subject, given)
      const verdict = verdictOf(subject.attribute, given, '')
      const taken = verdict !== undefined && 'taken' in verdict ? verdict.taken : undefined
      const shown = takenOf(answer, subject.below)
      const isKept = subject.name === 'active' || subject.name === 'externalId' || (way !== 'PUT' && isObject(given))
      if (answer.status !== 200 || (JSON.stringify(shown) !== JSON.stringify(taken) && !(isKept && taken === undefined))) {
        faults.push([subject.name, given, answer.status, own(answer.body, 'detail'), shown])
      }
    }
    expect(faults).toEqual([])
    expect(pollution()).toEqual([])
  }, MANY)
})

const lists = SUBJECTS.filter(({ attribute }) => attribute.multiValued && attribute.type === 'complex' && !isReadOnly(attribute))
const parts = lists.flatMap(({ name, attribute }) => [...attribute.children.values()].map((child) => [name, child] as const))

describe('a part of a value of a wrong type', () => {
  it.each<[string, (list: string, sub: string, given: unknown) => Promise<Answer>, (list: string, sub: string) => string]>([
    ['in a list by PUT', (list, sub, given) => world.send('PUT', '/Users/{user}', { body: { ...required('User'), [list]: [{ type: 'work', [sub]: given }] } }), (list, sub) => `${list}[0].${sub}`],
    ['by a path through a filter', (list, sub, given) => world.send('PATCH', '/Users/{user}', { body: patch('add', `${list}[type eq "work"].${sub}`, given) }), (list, sub) => `${list}.${sub}`],
    ['by a path through the list', (list, sub, given) => world.send('PATCH', '/Users/{user}', { body: patch('replace', `${list}.${sub}`, given) }), (list, sub) => `${list}.${sub}`],
  ])('%s is refused by name', async (_name, send, nameOf) => {
    const wrongs = parts.flatMap(([list, child]) => VALUES.flatMap((given) => {
      const verdict = verdictOf(child, given, nameOf(list, child.name))
      return verdict !== undefined && 'refusal' in verdict ? [[list, child.name, given, verdict.refusal] as const] : []
    }))
    expect(wrongs.length).toBeGreaterThan(200)
    const before = await dumpOf(world.tenant)
    const answers: unknown[] = []
    for (const [list, sub, given] of wrongs) answers.push([list, sub, given, refusalOf(await send(list, sub, given))])
    expect(answers).toEqual(wrongs.map(([list, sub, given, refusal]) => [list, sub, given, [400, 'invalidValue', refusal]]))
    expect(await dumpOf(world.tenant)).toBe(before)
  }, MANY)
})
