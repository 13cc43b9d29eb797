import { describe, expect, it } from 'vitest'
import { findFault, operators, select } from './checks'
import type { Step } from './recording'
import { replayStep } from './replay'
import type { Send, Variables } from './replay'

const SCIM = { 'content-type': 'application/scim+json' }
const ERROR = 'urn:ietf:params:scim:api:messages:2.0:Error'
const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'
const location = 'http://127.0.0.1/scim/v2/Users/1'
const user = { id: '1', meta: { location } }
const list = { schemas: [LIST], totalResults: 1, startIndex: 1, itemsPerPage: 1, Resources: [user] }
const error = (status: number) => ({ schemas: [ERROR], status: String(status), detail: 'why' })

const step = (expected: Partial<Step['expect']> = {}, more: Partial<Step> = {}): Step => ({
  id: 'X-01',
  name: 'x',
  request: { method: 'GET', path: '/Users' },
  expect: { status: [200], ...expected },
  ...more,
})

const answer = (body: unknown, status = 200, headers: Record<string, string> = SCIM): Response =>
  new Response(body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers })

const run = (response: Response, of: Step, variables: Variables = new Map()) =>
  replayStep(of, {}, variables, () => Promise.resolve(response))

describe('select', () => {
  const body = { a: [{ t: 'x', v: 1, in: [1, 2] }, { t: 'y', v: 2, in: [3] }], 'urn:x:2.0:User': { m: { value: 'm' } } }
  it.each([
    ['', body],
    ['a/0/v', 1],
    ['a/?t=y/v', 2],
    ['a/?t=z/v', undefined],
    ['a/*/v', [1, 2]],
    ['a/*/in/*', [1, 2, 3]],
    ['b/*', []],
    ['urn:x:2.0:User/m/value', 'm'],
    ['a/length', undefined],
    ['constructor', undefined],
    ['__proto__', undefined],
  ])('%j', (path, found) => expect(select(body, path)).toEqual(found))
})

describe('operators', () => {
  const cases: [string, unknown, unknown, boolean][] = [
    ['eq', { a: 1, b: [1] }, { b: [1], a: 1 }, true],
    ['eq', [1, 2], [2, 1], false],
    ['eq', {}, [], false],
    ['eq', 'False', false, false],
    ['ne', 'a', 'b', true],
    ['ne', 'a', 'a', false],
    ['ne', undefined, 'a', false],
    ['like', { a: 1, b: [{ c: 1, d: 2 }] }, { b: [{ c: 1 }] }, true],
    ['like', { b: [{ c: 1 }, 2] }, { b: [{ c: 1 }] }, false],
    ['like', [{ c: 1 }], { 0: { c: 1 } }, false],
    ['like', { a: 1 }, { a: 1, b: undefined }, false],
    ['like', {}, { constructor: 1 }, false],
    ['keys', { a: 1, b: 2 }, ['b', 'a'], true],
    ['keys', { a: 1, b: 2 }, ['a'], false],
    ['keys', ['a'], ['0'], false],
    ['present', false, undefined, true],
    ['present', '', undefined, false],
    ['absent', undefined, undefined, true],
    ['absent', null, undefined, false],
    ['absentOrEmpty', [], undefined, true],
    ['absentOrEmpty', false, undefined, false],
    ['type', 1, 'integer', true],
    ['type', '1', 'integer', false],
    ['type', [], 'array', true],
    ['type', [], 'object', false],
    ['length', [1], 1, true],
    ['length', 'a', 1, false],
    ['atMost', 2, 2, true],
    ['atMost', 3, 2, false],
    ['contains', ['a'], 'a', true],
    ['contains', 'abc', 'b', true],
    ['contains', undefined, 'a', false],
    ['lacks', ['a'], 'b', true],
    ['lacks', undefined, 'b', false],
    ['sameSet', [1, 2], [2, 1], true],
    ['sameSet', [1, 1], [1, 2], false],
    ['within', ['a', 'a'], ['a', 'b'], true],
    ['within', [], ['a'], false],
    ['within', 'a', ['a'], true],
    ['within', ['c'], ['a'], false],
    ['noNulls', { a: [{ b: 1 }] }, undefined, true],
    ['noNulls', { a: [{ b: null }] }, undefined, false],
  ]

  it.each(cases)('%s of %j and %j', (op, value, want, isFine) => {
    expect(findFault({ x: value }, { path: 'x', op, value: want }) === undefined).toBe(isFine)
  })

  it('are each tried above', () => {
    expect([...operators.keys()].filter((op) => !cases.some(([name]) => name === op))).toEqual([])
  })

  it('must be known', () => {
    expect(() => findFault({}, { path: '', op: 'equals' })).toThrow('unknown operator equals')
  })
})

describe('what is asked of every answer', () => {
  const created = { ...SCIM, location }
  it.each([
    ['a resource', answer(user), 200],
    ['no content', answer(undefined, 204, {}), 204],
    ['nothing new', answer(undefined, 304, {}), 304],
    ['created', answer(user, 201, created), 201],
    ['a list', answer(list), 200],
    ['an empty list', answer({ ...list, totalResults: 0, itemsPerPage: 0, Resources: [] }), 200],
    ['an error', answer(error(404), 404), 404],
    ['no credentials', answer(error(401), 401, { ...SCIM, 'www-authenticate': 'Bearer' }), 401],
    ['too many', answer(error(429), 429, { ...SCIM, 'retry-after': '30' }), 429],
  ])('%s passes', async (_, response, status) => {
    expect((await run(response, step({ status: [status] }))).faults).toEqual([])
  })

  it.each([
    ['another media type', answer(user, 200, { 'content-type': 'application/scim+json; charset=utf-8' }), 'content-type is'],
    ['an empty body', answer(undefined), 'status 200 with 0'],
    ['a password', answer({ ...user, x: [{ password: 'p' }] }), 'a password'],
    ['no JSON', answer('<html>'), 'no JSON'],
    ['an error without schema', answer({ ...error(404), schemas: [] }, 404), 'without the Error schema'],
    ['a number for status', answer({ ...error(409), status: 409 }, 409), 'status in the body is 409'],
    ['an error without detail', answer({ ...error(404), detail: '' }, 404), 'without detail'],
    ['401 without a challenge', answer(error(401), 401), '401 without WWW-Authenticate'],
    ['429 with a date', answer(error(429), 429, { ...SCIM, 'retry-after': 'Mon, 23 Nov 2026 20:43:17 GMT' }), 'Retry-After'],
    ['503 without a time', answer(error(503), 503), 'Retry-After is null'],
    ['201 without Location', answer(user, 201), '201 without an absolute Location'],
    ['another Location', answer(user, 201, { ...SCIM, location: `${location}2` }), 'Location is not meta.location'],
    ['a string count', answer({ ...list, totalResults: '1' }), 'a count of the list'],
    ['lower-case resources', answer({ ...list, Resources: undefined, resources: [user] }), 'Resources is no array'],
    ['a wrong page size', answer({ ...list, itemsPerPage: 20 }), 'Resources is no array'],
  ])('%s is a fault', async (_, response, fault) => {
    const { faults } = await run(response, step({ status: [response.status] }))
    expect(faults.join('\n')).toContain(fault)
  })

  it('a page by cursor has no index, and every other list has one', async () => {
    const { startIndex: _index, ...page } = list
    const ask = (request: Step['request']) => run(answer(page), step({}, { request }))
    expect((await ask({ method: 'GET', path: '/Users?cursor&count=1' })).faults).toEqual([])
    expect((await ask({ method: 'POST', path: '/Users/.search', body: { cursor: '' } })).faults).toEqual([])
    expect((await ask({ method: 'GET', path: '/Users?count=1' })).faults).toEqual(['a count of the list is no integer'])
  })

  it('another status is a fault, and nothing is captured', async () => {
    const outcome = await run(answer(error(404), 404), step({}, { capture: { id: 'status' } }))
    expect(outcome.faults[0]).toContain('status 404, not 200')
    expect(outcome.captured).toEqual(new Map())
  })
})

describe('replayStep', () => {
  const sent: { method: string; path: string; headers: Record<string, string>; body: string | undefined }[] = []
  const send: Send = (method, path, headers, body) => {
    sent.push({ method, path, headers: Object.fromEntries(headers), body })
    return Promise.resolve(answer(user))
  }

  it('fills templates: encoded in the path, as they are elsewhere', async () => {
    sent.length = 0
    const request = {
      method: 'PUT',
      path: '/Users/{{id}}?filter=a+eq+%22{{id}}%22',
      headers: { accept: null, 'x-id': '{{id}}' },
      body: { members: [{ value: '{{id}}', n: 1, none: null }] },
    }
    const headers = { authorization: 'Bearer {{id}}', accept: 'x', 'content-type': 'application/scim+json' }
    await replayStep(step({}, { request }), headers, new Map([['id', 'a"/b']]), send)
    expect(sent).toEqual([
      {
        method: 'PUT',
        path: '/Users/a%22%2Fb?filter=a+eq+%22a%22%2Fb%22',
        headers: { authorization: 'Bearer a"/b', 'x-id': 'a"/b', 'content-type': 'application/scim+json' },
        body: '{"members":[{"value":"a\\"/b","n":1,"none":null}]}',
      },
    ])
  })

  it('sends no content-type without a body, and a raw body as it is', async () => {
    sent.length = 0
    const headers = { 'content-type': 'application/json' }
    await replayStep(step(), headers, new Map(), send)
    await replayStep(step({}, { request: { method: 'POST', path: '/Users', rawBody: '{"a' } }), headers, new Map(), send)
    expect(sent.map(({ headers: { 'content-type': type }, body }) => [type, body])).toEqual([
      [undefined, undefined],
      ['application/json', '{"a'],
    ])
  })

  it('does not send a template that nothing captured', async () => {
    sent.length = 0
    const { faults } = await replayStep(step({}, { request: { method: 'GET', path: '/Users/{{id}}' } }), {}, new Map(), send)
    expect({ faults, sent }).toEqual({ faults: ['{{id}} was not captured by an earlier step'], sent: [] })
  })

  it('repeats, counting, until a fault', async () => {
    sent.length = 0
    const request = { method: 'GET', path: '/Users/{{n}}' }
    const counted = step({ body: [{ path: 'id', op: 'ne', value: '{{n}}' }] }, { repeat: 3, request })
    expect((await replayStep(counted, {}, new Map(), send)).faults).toEqual(['id ne "1": got "1"'])
    expect(sent.map(({ path }) => path)).toEqual(['/Users/1'])
    sent.length = 0
    expect((await replayStep({ ...counted, expect: { status: [200] } }, {}, new Map(), send)).faults).toEqual([])
    expect(sent.map(({ path }) => path)).toEqual(['/Users/1', '/Users/2', '/Users/3'])
  })

  it('captures before it judges, and says what there was not to capture', async () => {
    const body = [{ path: 'meta/location', op: 'contains', value: '/{{id}}' }]
    const expected = step({ headers: { location: '/{{id}}$', 'x-none': null }, body }, { capture: { id: 'id' } })
    const fine = await run(answer(user, 200, { ...SCIM, location }), expected)
    expect(fine).toEqual({ faults: [], captured: new Map([['id', '1']]) })
    const poor = await run(answer(user), step({}, { capture: { version: 'meta/version' } }))
    expect(poor.faults).toEqual(['nothing to capture for {{version}}'])
  })

  it('reads captured values in header patterns as text', async () => {
    const response = answer(user, 200, { ...SCIM, location: 'axb' })
    const { faults } = await run(response, step({ headers: { location: '^{{dotted}}$' } }), new Map([['dotted', 'a.b']]))
    expect(faults).toEqual(['location is axb, not ^{{dotted}}$'])
  })
})
