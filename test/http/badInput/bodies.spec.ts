import { beforeAll, describe, expect, it } from 'vitest'
import { own, textAt } from '../bridge'
import { openWorld, patch, plain, refuses, syntax, value, wrong, type World, type Wrong } from './world'

/** What every endpoint that takes a body refuses, whatever it is about: media types, encodings, texts that are no JSON, hostile JSON. */

let world: World
const here = (): World => world

beforeAll(async () => {
  world = await openWorld('bad-bodies')
})

const TAKES_BODY: readonly (readonly [request: string, what: string])[] = [
  ['POST /Users', 'User'], ['PUT /Users/{user}', 'User'], ['PATCH /Users/{user}', 'PATCH'],
  ['POST /Groups', 'Group'], ['PUT /Groups/{group}', 'Group'], ['PATCH /Groups/{group}', 'PATCH'],
  ['POST /.search', 'search'], ['POST /Users/.search', 'search'], ['POST /Groups/.search', 'search'], ['POST /Bulk', 'PATCH'],
]

const notAnObject = (what: string): string => {
  if (what === 'search') return 'The request body must be a JSON object.'
  return what === 'PATCH' ? 'The request body must be a JSON object with "Operations".' : `The request body must be a JSON object that describes a ${what}.`
}

const MEDIA = plain(415, 'The Content-Type of a SCIM request is application/scim+json or application/json.')
const coding = (name: string) => plain(415, `The Content-Encoding "${name}" is not supported: send the body as it is.`)
const NOT_JSON = syntax('The request body is not valid JSON.')
const NOT_UTF8 = syntax('The request body is not UTF-8.')
const EMPTY = syntax('The request body is empty.')
const DEEP = syntax('The request body is nested deeper than 32 levels.')
const hostile = (name: string) => syntax(`The request body has a member named "${name}", which is not allowed.`)

const OBJECT = '{"userName":"arya@example.com","displayName":"Faceless","Operations":[{"op":"add","path":"displayName","value":"X"}]}'

const bytes = (...values: readonly number[]): ReadableStream => {
  const { body } = new Response(new Uint8Array(values))
  if (body === null) throw new Error('no stream')
  return body
}

const letters = (text: string): readonly number[] => [...text].map((letter) => letter.charCodeAt(0))

/** An object around a value: what is in it is as deep as `levels` says. */
const deep = (levels: number, open = '{"a":', close = '}'): string => `{"x":${open.repeat(levels - 2)}[]${close.repeat(levels - 2)}}`

/** A body is read once, so each line makes its own. */
const tableOf = (request: string, what: string): readonly Wrong[] => {
  const line = (name: string, body: unknown, answer: Parameters<typeof wrong>[3], headers?: Readonly<Record<string, string>>): Wrong =>
    wrong(`${request}: ${name}`, request, body, answer, headers)
  return [
    ...['text/plain', 'text/html; charset=utf-8', 'application/xml', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x',
      'application/scim', 'application/json, text/plain', 'json', '*/*', 'application/octet-stream', 'application/json-patch+json'].map((type) =>
      line(`Content-Type ${type}`, OBJECT, MEDIA, { 'content-type': type })),
    ...['gzip', 'br', 'deflate', 'zstd', 'gzip, identity', 'x'.repeat(100)].map((name) =>
      line(`Content-Encoding ${name}`, OBJECT, coding(name), { 'content-encoding': name })),
    line('a body in gzip that does not say so', '\u001f\u008b', NOT_JSON),
    line('no body', '', EMPTY),
    line('white space', ' \r\n\t ', EMPTY),
    line('a cut object', '{"userName":"arya@example.com"', NOT_JSON),
    line('a cut text', '{"userName":"arya', NOT_JSON),
    line('single quotes', "{'userName':'arya@example.com'}", NOT_JSON),
    line('a comma too many', '{"userName":"arya@example.com",}', NOT_JSON),
    line('a comment', '{/* */"userName":"arya@example.com"}', NOT_JSON),
    line('NaN', '{"userName":NaN}', NOT_JSON),
    line('two objects', `${OBJECT}${OBJECT}`, NOT_JSON),
    line('a form', 'userName=arya%40example.com', NOT_JSON),
    line('XML', '<User><userName>arya</userName></User>', NOT_JSON),
    line('a line break in a text', '{"userName":"a\nb"}', NOT_JSON),
    line('an escape that is none', '{"userName":"\\x41"}', NOT_JSON),
    line('a list', `[${OBJECT}]`, syntax(notAnObject(what))),
    line('a text', JSON.stringify(OBJECT), syntax(notAnObject(what))),
    line('a number', '0', syntax(notAnObject(what))),
    line('true', 'true', syntax(notAnObject(what))),
    line('null', 'null', syntax(notAnObject(what))),
    ...['__proto__', 'constructor', 'prototype'].flatMap((name) => [
      line(`${name} at the root`, `{"userName":"a@example.com","displayName":"A","${name}":{"polluted":true}}`, hostile(name)),
      line(`${name} in an object`, `{"userName":"a@example.com","displayName":"A","name":{"${name}":{"polluted":true}}}`, hostile(name)),
      line(`${name} in a list`, `{"userName":"a@example.com","displayName":"A","emails":[{"value":"x"},{"${name}":1}]}`, hostile(name)),
      line(`${name} of an operation`, `{"Operations":[{"op":"add","path":"title","value":"x","${name}":null}]}`, hostile(name)),
      line(`${name} in a value`, `{"Operations":[{"op":"add","value":{"${name}":{"polluted":true}}}]}`, hostile(name)),
      line(`${name} 31 levels down`, `{"x":${'{"a":'.repeat(29)}{"${name}":1}${'}'.repeat(29)}}`, hostile(name)),
    ]),
    line('__proto__ with an escape', '{"userName":"a@example.com","displayName":"A","\\u005f_proto__":{"polluted":true}}', hostile('__proto__')),
    line('33 levels', deep(33), DEEP),
    line('100 levels of lists', deep(100, '[', ']'), DEEP),
    line('100,000 levels', deep(100_000), DEEP),
    line('brackets without an end', '['.repeat(500_000), NOT_JSON),
    line('10,001 names', JSON.stringify(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`x${index}`, 0]))),
      syntax('The request body has an object with more than 10000 names.')),
  ]
}

for (const [request, what] of TAKES_BODY) refuses(`a body of ${request}`, here, tableOf(request, what))

/** These bodies are streams, which can be sent once: they have no stranger beside them. */
describe('bytes that are no UTF-8', () => {
  const BYTES: readonly (readonly [string, readonly number[]])[] = [
    ['a byte that starts nothing', letters('{"userName":"\u00ff"}')], ['Latin-1', letters('{"userName":"Jos\u00e9"}')], ['a cut character', letters('{"userName":"\u00c3')],
    ['an overlong slash', letters('{"userName":"\u00c0\u00af"}')], ['half of a pair', letters('{"userName":"\u00ed\u00a0\u0080"}')],
    ['UTF-16 with a mark', [0xff, 0xfe, 0x7b, 0, 0x7d, 0]], ['gzip', [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0xae, 5, 0]],
  ]
  it.each(TAKES_BODY.flatMap(([request]) => BYTES.map(([name, values]) => [request, name, values] as const)))('%s: %s', async (request, _name, values) => {
    const [method = '', path = ''] = request.split(' ')
    const answer = await world.send(method, path, { body: bytes(...values) })
    expect([answer.status, own(answer.body, 'scimType'), own(answer.body, 'detail')]).toEqual(NOT_UTF8)
  })
})

const MB = 1024 * 1024
const filler = (size: number): string => `{"junk":"${'x'.repeat(size - 11)}"}`
const large = (limit: string) => plain(413, `The request body is larger than ${limit} MB.`)
const PARTS = plain(413, 'The request body has more than 2000000 names and values.')
const CALL = plain(413, 'The request body is too large to be passed on. Send fewer members in one request.')

refuses('a body that is too large', here, [
  ...['POST /Users', 'PUT /Users/{user}', 'PATCH /Users/{user}', 'POST /Groups', 'POST /.search', 'POST /Users/.search'].map((request) =>
    wrong(`${request} of 1 MB and a byte`, request, filler(MB + 1), large('1'))),
  ...['PUT /Groups/{group}', 'PATCH /Groups/{group}'].flatMap((request) => [
    wrong(`${request} of 16 MB and a byte`, request, filler(16 * MB + 1), large('16')),
    wrong(`${request} of millions of lists`, request, `{"displayName":"Watch","junk":[${'[],'.repeat(1_000_001)}0]}`, PARTS),
    wrong(`${request} that is larger in a call`, request, `{"displayName":"Watch","junk":"${'x'.repeat(16 * MB - 100)}\u20ac"}`, CALL),
  ]),
  wrong('userName of a megabyte', 'POST /Users', { userName: 'x'.repeat(1_000_000) },
    plain(413, 'The User is too large to be stored: its attributes together must stay below about 900 kB.')),
  wrong('title of a megabyte by PATCH', 'PATCH /Users/{user}', patch('replace', 'title', 'x'.repeat(1_000_000)),
    plain(413, 'The User is too large to be stored: its attributes together must stay below about 900 kB.')),
  wrong('displayName of two megabytes', 'PUT /Groups/{group}', { displayName: 'x'.repeat(2 * MB) },
    plain(413, 'The Group is too large to be stored: its attributes together must stay below about 900 kB.')),
  wrong('501 e-mails', 'POST /Users', { userName: 'a@example.com', emails: Array.from({ length: 501 }, (_, index) => `a${index}@example.com`) },
    value('"emails" has more than 500 values.')),
  wrong('5,001 operations', 'PATCH /Groups/{group}', { Operations: Array.from({ length: 5001 }, () => ({ op: 'add', path: 'displayName', value: 'X' })) },
    plain(413, '"Operations" has more than 5000 operations.')),
])

describe('a body that is odd, and right', () => {
  it('may be as large as the limit says', async () => {
    const at = await world.send('PUT', '/Groups/{group}', { body: `{"displayName":"Watch","junk":"${'x'.repeat(16 * MB - 33)}"}` })
    expect([at.status, own(at.body, 'displayName'), own(at.body, 'members', 0, 'value')]).toEqual([200, 'Watch', world.userId])
  })

  it.each([
    ['the last of two names', '{"userName":"a@example.com","userName":"last@example.com"}'],
    ['the last of two names in two cases', '{"userName":"a@example.com","USERNAME":"last@example.com"}'],
    ['names in capitals', '{"SCHEMAS":[],"USERNAME":"last@example.com"}'],
    ['unknown names, dotted and hostile ones too', '{"userName":"last@example.com","a.__proto__.b":1,"name.constructor":2,"toString":3,"hasOwnProperty":{"x":1}}'],
    ['a byte order mark', '\ufeff{"userName":"last@example.com"}'],
    ['what only this server may say', '{"userName":"last@example.com","id":"mine","meta":7,"schemas":"x","groups":[{"value":"x"}],"password":{"a":1}}'],
  ])('%s', async (_name, body) => {
    const made = await world.send('POST', '/Users', { body })
    expect([made.status, own(made.body, 'userName')]).toEqual([201, 'last@example.com'])
    expect(Object.keys(made.body ?? {}).filter((name) => !name.startsWith('urn:arize:')).toSorted())
      .toEqual(['active', 'id', 'meta', 'schemas', 'userName'])
    expect((await world.send('DELETE', `/Users/${textAt(made, 'id')}`)).status).toBe(204)
  })
})
