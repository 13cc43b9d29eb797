import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { planBulk, type BulkStep } from '../../src/scim/bulkOrder'
import { readBulk } from '../../src/scim/bulkRequest'
import { ok } from '../../src/result'
import { CIRCULAR, TEMPORARY_IDS } from './bulkExamples'

/** `a<b,c` creates a and refers to b and c; `a?x` changes the resource a and refers to x; `-a` deletes it. */
const operationOf = (short: string): unknown => {
  const [, del, name = '', kind, references = ''] = /^(-?)([^<?]*)([<?]?)(.*)$/.exec(short) ?? []
  const members = references.split(',').filter((each) => each !== '').map((each) => `bulkId:${each}`)
  if (del === '-') return { method: 'DELETE', path: `/Users/${name}` }
  if (kind === '?') return { method: 'PATCH', path: `/Users/${name}`, data: [{ op: 'add', path: 'members', value: members }] }
  return { method: 'POST', path: '/Users', bulkId: name, data: { members } }
}

const planOf = (body: unknown): readonly BulkStep[] => {
  const bulk = readBulk(body, (method, path) => ok({ type: 'User', id: method === 'POST' ? null : path.slice('/Users/'.length) }))
  if (!bulk.ok) throw new Error(bulk.error.detail)
  return planBulk(bulk.value).steps
}

const plan = (...shorts: readonly string[]): readonly BulkStep[] => planOf({ Operations: shorts.map(operationOf) })

const orderOf = (steps: readonly BulkStep[]): readonly number[] => steps.map(({ index }) => index)

const faultsOf = (steps: readonly BulkStep[]): readonly (string | null)[] =>
  steps.toSorted((a, b) => a.index - b.index).map(({ fault }) => (fault === null ? null : `${fault.status} ${fault.detail}`))

describe('the order', () => {
  it.each<[string, readonly string[], readonly number[]]>([
    ['is the request\'s own without references', ['a', '7?', '-8', 'b'], [0, 1, 2, 3]],
    ['stays where references look back', ['a', 'b<a', '7?b'], [0, 1, 2]],
    ['lets what refers ahead wait', ['g<a,b', 'a', 'b'], [1, 2, 0]],
    ['follows a chain', ['d<c', 'c<b', 'b<a', 'a'], [3, 2, 1, 0]],
    ['moves nothing else', ['g<b', '-7', 'a', '8?', 'b', '9?'], [1, 2, 3, 4, 0, 5]],
    ['waits for the whole of a diamond', ['d<b,c', 'b<a', 'c<a', 'a'], [3, 1, 2, 0]],
    ['keeps operations on one resource in turn', ['7?a', '7?', '-7', 'a', '8?'], [3, 0, 1, 2, 4]],
    ['keeps operations on what is created in turn', ['bulkId:a?', '-bulkId:a', 'a'], [2, 0, 1]],
  ])('%s', (_name, shorts, expected) => {
    const steps = plan(...shorts)
    expect(orderOf(steps)).toEqual(expected)
    expect(faultsOf(steps).filter((fault) => fault !== null)).toEqual([])
  })

  it('is found for a chain of a thousand', () => {
    const shorts = Array.from({ length: 1000 }, (_, index) => `n${index}${index === 999 ? '' : `<n${index + 1}`}`)
    expect(orderOf(plan(...shorts))).toEqual(Array.from({ length: 1000 }, (_, index) => 999 - index))
  })

  it('is found for a thousand of which each refers to all before', () => {
    const names = Array.from({ length: 1000 }, (_, index) => `${index}`)
    const shorts = names.map((name, index) => `${name}<${names.slice(index + 1).join(',')}`)
    expect(orderOf(plan(...shorts))[0]).toBe(999)
  })

  it('tells how much an operation is, and whether it refers to anything', () => {
    expect(plan('a', '7?a', '-bulkId:a', '-8').map(({ hasReferences, size }) => [hasReferences, size > 10])).toEqual([[false, true], [true, true], [true, false], [false, false]])
  })

  it('for the RFC\'s own example of temporary ids is the request\'s', () => {
    expect(orderOf(planOf(TEMPORARY_IDS))).toEqual([0, 1])
    expect(orderOf(planOf({ Operations: TEMPORARY_IDS.Operations.toReversed() }))).toEqual([1, 0])
  })
})

const circle = (names: string): string =>
  `409 ${names} refer to each other in a circle: create one of them without its reference, then PATCH it.`

describe('what is refused', () => {
  it.each<[string, readonly string[], readonly (string | null)[]]>([
    ['a reference to nothing', ['a', 'b<x', '7?x', '-bulkId:x', 'c<a'], [
      null, '400 "bulkId:x" is the bulkId of no POST operation in this request.', '400 "bulkId:x" is the bulkId of no POST operation in this request.',
      '400 "bulkId:x" is the bulkId of no POST operation in this request.', null,
    ]],
    ['a reference to what the prototype has', ['a<constructor'], ['400 "bulkId:constructor" is the bulkId of no POST operation in this request.']],
    ['every operation of a bulkId that several have', ['a', 'b', 'a'], [
      '400 "a" is the bulkId of several operations in this request.', null, '400 "a" is the bulkId of several operations in this request.',
    ]],
    ['what refers to itself', ['a<a', 'b'], ['409 "bulkId:a" refers to itself: create it without, then PATCH it.', null]],
    ['a circle of two, and nothing beside it', ['a<b', 'b<a', 'c'], [circle('"bulkId:a", "bulkId:b"'), circle('"bulkId:a", "bulkId:b"'), null]],
    ['a circle, but not what leads to it or comes from it', ['x<a', 'a<b', 'b<c', 'c<a,y', 'y'], [
      null, ...['a', 'b', 'c'].map(() => circle('"bulkId:a", "bulkId:b", "bulkId:c"')), null,
    ]],
    ['two circles, but not the way between them', ['a<b', 'b<a', 'c<b,d', 'd<e', 'e<d'], [
      ...['a', 'b'].map(() => circle('"bulkId:a", "bulkId:b"')), null, ...['d', 'e'].map(() => circle('"bulkId:d", "bulkId:e"')),
    ]],
    ['no circle through an existing resource', ['7?a', 'a'], [null, null]],
  ])('%s', (_name, shorts, faults) => {
    const steps = plan(...shorts)
    expect(faultsOf(steps)).toEqual(faults)
    expect(steps.filter(({ fault, write }) => (fault === null) === (write === null))).toEqual([])
  })

  it('is the RFC\'s own circle (section 3.7.1)', () => {
    expect(faultsOf(planOf(CIRCULAR))).toEqual([circle('"bulkId:qwerty", "bulkId:ytrewq"'), circle('"bulkId:qwerty", "bulkId:ytrewq"')])
  })

  it('is told in a sentence that stays short', () => {
    const shorts = Array.from({ length: 20 }, (_, index) => `${index}${'x'.repeat(500)}<${(index + 1) % 20}${'x'.repeat(500)}`)
    expect(faultsOf(plan(...shorts)).every((fault) => fault !== null && fault.length < 1500 && fault.includes('and 10 others'))).toBe(true)
  })
})

/** Any graph over few names, so that circles, repetitions and unknown references all happen. */
const graph = fc.array(
  fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'), references: fc.subarray(['a', 'b', 'c', 'd', 'e', 'x'], { maxLength: 2 }),
    kind: fc.constantFrom('<', '<', '?', '-bulkId:', '-'),
  }), { minLength: 1, maxLength: 12 })

const shortOf = ({ name, references, kind }: { name: string; references: readonly string[]; kind: string }): string =>
  kind.startsWith('-') ? `${kind}${name}` : `${name}${kind}${references.join(',')}`

describe('any request', () => {
  it('has every operation once, after what it refers to, with a circle refused exactly where one can go round', () => {
    fc.assert(fc.property(graph, (operations) => {
      const shorts = operations.map(shortOf)
      const steps = plan(...shorts)
      const order = orderOf(steps)
      expect(order.toSorted((a, b) => a - b)).toEqual(shorts.keys().toArray())
      const creators = new Map<string, number>()
      for (const [index, { name, kind }] of operations.entries()) if (kind === '<') creators.set(name, index)
      const next = (index: number): number[] => (operations[index]?.kind.startsWith('-') === true ? [] : operations[index]?.references.flatMap((name) => creators.get(name) ?? []) ?? [])
      const reach = (from: number): Set<number> => {
        const seen = new Set<number>()
        const open = next(from)
        for (let at = open.pop(); at !== undefined; at = open.pop()) {
          if (seen.has(at)) continue
          seen.add(at)
          open.push(...next(at))
        }
        return seen
      }
      for (const { index, fault } of steps) {
        const goesRound = reach(index).has(index)
        if (fault === null) expect(goesRound).toBe(false)
        if (goesRound) continue
        for (const before of next(index)) expect(order.indexOf(before)).toBeLessThan(order.indexOf(index))
        expect(fault?.status).not.toBe(409)
      }
    }), { numRuns: 500 })
  })
})
