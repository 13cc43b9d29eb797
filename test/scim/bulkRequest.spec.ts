import { describe, expect, it } from 'vitest'
import { MAX_BULK_BYTES, MAX_BULK_OPERATIONS } from '../../src/scim/bulk'
import { bulkTooLarge, readBulk, type ReadTarget } from '../../src/scim/bulkRequest'
import { notFound } from '../../src/scim/error'
import { err, ok } from '../../src/result'

const readTarget: ReadTarget = (_method, path) => {
  const [, type, id = null] = path.split('/')
  return type === 'Users' ? ok({ type: 'User', id }) : err(notFound(`nothing at ${path}`))
}

const read = (body: unknown) => readBulk(body, readTarget)

const first = (operation: unknown) => {
  const bulk = read({ Operations: [operation] })
  return bulk.ok ? bulk.value.operations[0] : bulk.error
}

const POST = { method: 'POST', path: '/Users', bulkId: 'a', data: { userName: 'a' } }

describe('a request', () => {
  it.each<[string, unknown, number, string | undefined, RegExp]>([
    ['null', null, 400, 'invalidSyntax', /JSON object/],
    ['a list', [POST], 400, 'invalidSyntax', /JSON object/],
    ['without operations', {}, 400, 'invalidSyntax', /"Operations"/],
    ['operations an object', { Operations: { 0: POST } }, 400, 'invalidSyntax', /"Operations"/],
    ['operations empty', { Operations: [] }, 400, 'invalidSyntax', /at least one/],
    ['an operation that is none', { Operations: [POST, 'DELETE'] }, 400, 'invalidSyntax', /"Operations\[1\]"/],
    ['an operation that is a list', { Operations: [[]] }, 400, 'invalidSyntax', /"Operations\[0\]"/],
    ...[0, -1, 1.5, 2 ** 53, '1', true, [], {}].map(
      (failOnErrors): [string, unknown, number, string, RegExp] =>
        [`failOnErrors ${JSON.stringify(failOnErrors)}`, { failOnErrors, Operations: [POST] }, 400, 'invalidValue', /"failOnErrors"/]),
    ['one operation too many', { Operations: Array.from({ length: 1001 }, () => POST) }, 413, undefined, /exceeds the maxOperations \(1000\)\.$/],
  ])('%s is refused', (_name, body, status, scimType, sentence) => {
    const bulk = read(body)
    expect(bulk.ok ? bulk.value : { status: bulk.error.status, scimType: bulk.error.scimType }).toEqual({ status, scimType })
    expect(bulk.ok ? '' : bulk.error.detail).toMatch(sentence)
  })

  it.each([[undefined, null], [null, null], [1, 1], [1000, 1000]])('failOnErrors %j is %j', (failOnErrors, expected) => {
    const bulk = read({ failOnErrors, Operations: [POST] })
    expect(bulk.ok ? bulk.value.failOnErrors : bulk.error).toBe(expected)
  })

  it('is known by names without case, and may have as many operations as announced', () => {
    const bulk = read({ FAILONERRORS: 2, operations: Array.from({ length: MAX_BULK_OPERATIONS }, () => POST) })
    expect(bulk.ok ? [bulk.value.failOnErrors, bulk.value.operations.length] : bulk.error).toEqual([2, 1000])
  })

  it('that is too large is told so in the words of RFC 7644', () => {
    expect(bulkTooLarge()).toEqual({ status: 413, detail: 'The size of the bulk operation exceeds the maxPayloadSize (5242880).' })
    expect(MAX_BULK_BYTES).toBe(5242880)
  })
})

describe('an operation', () => {
  it.each<[string, unknown, unknown]>([
    ['POST', POST, { method: 'POST', target: { type: 'User', id: null }, version: null, data: { userName: 'a' } }],
    ['a method in small letters', { ...POST, method: ' post ' }, { method: 'POST', target: { type: 'User', id: null }, version: null, data: { userName: 'a' } }],
    ['names in any case', { METHOD: 'PUT', Path: ' /Users/7 ', VERSION: 'W/"2"', Data: {} }, { method: 'PUT', target: { type: 'User', id: '7' }, version: 'W/"2"', data: {} }],
    ['DELETE, whose data is ignored', { method: 'DELETE', path: '/Users/7', data: { members: ['bulkId:x'] } }, { method: 'DELETE', target: { type: 'User', id: '7' }, version: null, data: null }],
    ['PATCH with a list', { method: 'PATCH', path: '/Users/7', version: '', data: [{ op: 'remove', path: 'title' }] },
      { method: 'PATCH', target: { type: 'User', id: '7' }, version: null, data: { Operations: [{ op: 'remove', path: 'title' }] } }],
    ['data that its own reader will refuse', { method: 'PUT', path: '/Users/7', data: null }, { method: 'PUT', target: { type: 'User', id: '7' }, version: null, data: null }],
  ])('%s', (_name, operation, write) => {
    expect(first(operation)).toMatchObject({ index: 0, fault: null, write })
  })

  it.each<[string, unknown, number, string | undefined, RegExp]>([
    ['no method', { path: '/Users' }, 400, 'invalidSyntax', /"Operations\[0\]\.method"/],
    ['GET', { method: 'GET', path: '/Users/7' }, 400, 'invalidSyntax', /\.method"/],
    ['a method that is a number', { ...POST, method: 7 }, 400, 'invalidSyntax', /\.method"/],
    ['a method of the prototype', { ...POST, method: 'constructor' }, 400, 'invalidSyntax', /\.method"/],
    ['no path', { ...POST, path: undefined }, 400, 'invalidValue', /\.path" is required/],
    ['a path of spaces', { ...POST, path: '  ' }, 400, 'invalidValue', /\.path" is required/],
    ['a path that is a list', { ...POST, path: ['/Users'] }, 400, 'invalidValue', /\.path" is required/],
    ['a path to nowhere', { ...POST, path: '/Cats' }, 404, undefined, /nothing at \/Cats/],
    ['POST without bulkId', { ...POST, bulkId: undefined }, 400, 'invalidValue', /\.bulkId" is required/],
    ['POST with an empty bulkId', { ...POST, bulkId: '' }, 400, 'invalidValue', /\.bulkId" is required/],
    ['a bulkId that is an object', { ...POST, bulkId: {} }, 400, 'invalidValue', /\.bulkId" must be a string/],
    ['a version that is a list', { method: 'PUT', path: '/Users/7', version: [], data: {} }, 400, 'invalidValue', /\.version" must be a string/],
    ['POST without data', { ...POST, data: undefined }, 400, 'invalidValue', /\.data" is required for POST/],
    ['PATCH without data', { method: 'PATCH', path: '/Users/7' }, 400, 'invalidValue', /\.data" is required for PATCH/],
  ])('%s has a fault, and no other operation has', (_name, operation, status, scimType, sentence) => {
    const bulk = read({ Operations: [operation, POST] })
    if (!bulk.ok) throw new Error(bulk.error.detail)
    const [wrong, right] = bulk.value.operations
    expect([wrong?.fault?.status, wrong?.fault?.scimType, wrong?.write]).toEqual([status, scimType, null])
    expect(wrong?.fault?.detail).toMatch(sentence)
    expect([right?.fault, right?.write?.method]).toEqual([null, 'POST'])
  })

  it('says its method and bulkId again, whatever is wrong with it', () => {
    expect(first({ method: 'gEt', path: '/Users', bulkId: 7 })).toMatchObject({ method: 'gEt', bulkId: '7', target: null })
    expect(first({ method: 'x'.repeat(1000), bulkId: [] })).toMatchObject({ method: 'x'.repeat(20), bulkId: null })
    expect(first({ bulkId: 'a' })).toMatchObject({ method: null, bulkId: 'a' })
    expect(first({ method: 'put', path: '/Users/7' })).toMatchObject({ method: 'PUT', target: { type: 'User', id: '7' } })
  })
})
