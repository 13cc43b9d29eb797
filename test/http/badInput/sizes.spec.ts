import { beforeAll, describe, expect, it } from 'vitest'
import { own, textAt } from '../bridge'
import { idOf, populate } from './crowd'
import { openWorld, patch, type World } from './world'

/** Large resources and every kind of text: what was sent is what is read, whatever its size. */

const CROWD = 100_000

/** Milliseconds for what is large, on a machine that has other things to do. */
const LONG = 60_000

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index)
const membersOf = (from: number, to: number): unknown => range(from, to).map((index) => ({ value: idOf(index) }))

let world: World

beforeAll(async () => {
  world = await openWorld('sizes')
})

const idsIn = (body: unknown, name: string): readonly string[] => {
  const list = own(body, name)
  if (!Array.isArray(list)) throw new Error(`no list ${name}`)
  return list.map((item: unknown) => String(own(item, name === 'members' ? 'value' : 'id')))
}

describe('a group of 100,000', () => {
  let group: string
  const read = async (query = ''): Promise<unknown> => (await world.send('GET', `/Groups/${group}${query}`)).body
  const isMember = async (id: string): Promise<boolean> => {
    const { body } = await world.send('GET', `/Groups?filter=${encodeURIComponent(`id eq "${group}" and members eq "${id}"`)}&attributes=id`)
    return own(body, 'totalResults') === 1
  }

  beforeAll(async () => {
    await populate(world.tenant, world.caller.id, 0, CROWD)
    group = textAt(await world.send('POST', '/Groups', { body: { displayName: 'Everybody', members: membersOf(0, 10_000) } }), 'id')
  }, LONG)

  it('is made by one PUT and two PATCHes', async () => {
    const put = await world.send('PUT', `/Groups/${group}?excludedAttributes=members`, { body: { displayName: 'Everybody', members: membersOf(5000, 60_000) } })
    expect([put.status, put.headers.get('etag'), own(put.body, 'members')]).toEqual([200, 'W/"2"', undefined])
    const back = await world.send('PATCH', `/Groups/${group}`, { body: patch('add', 'members', membersOf(0, 5000)) })
    const rest = await world.send('PATCH', `/Groups/${group}`, { body: patch('add', undefined, { members: membersOf(60_000, CROWD) }) })
    expect([back.status, rest.status, rest.headers.get('etag')]).toEqual([204, 204, 'W/"4"'])
  }, LONG)

  it('is read whole, each member once', async () => {
    const ids = idsIn(await read(), 'members')
    expect(ids.length).toBe(CROWD)
    const known = new Set(ids)
    expect(range(0, CROWD).every((index) => known.has(idOf(index)))).toBe(true)
  }, LONG)

  it('is read without its members when they are not wanted', async () => {
    for (const query of ['?excludedAttributes=members', '?attributes=displayName', '?excludedAttributes=MEMBERS']) {
      const body = await read(query)
      expect([own(body, 'displayName'), own(body, 'members')]).toEqual(['Everybody', undefined])
    }
    const list = await world.send('GET', '/Groups?excludedAttributes=members')
    expect([list.status, own(list.body, 'Resources', 1, 'displayName'), own(list.body, 'Resources', 1, 'members')]).toEqual([200, 'Everybody', undefined])
  }, LONG)

  it('gains and loses one member', async () => {
    const [jon, first] = [world.userId, idOf(0)]
    expect([await isMember(jon), await isMember(first)]).toEqual([false, true])
    const added = await world.send('PATCH', `/Groups/${group}`, { body: patch('add', 'members', [{ value: jon }]) })
    const removed = await world.send('PATCH', `/Groups/${group}`, { body: patch('remove', `members[value eq "${first}"]`) })
    expect([added.status, removed.status, removed.headers.get('etag')]).toEqual([204, 204, 'W/"6"'])
    expect([await isMember(jon), await isMember(first)]).toEqual([true, false])
    const user = await world.send('GET', `/Users/${jon}?attributes=groups`)
    expect(own(user.body, 'groups')).toHaveLength(2)
  }, LONG)

  it('is not changed by what is there already', async () => {
    const before = await read('?excludedAttributes=members')
    const again = await world.send('PATCH', `/Groups/${group}`, { body: patch('add', 'members', membersOf(1, CROWD)) })
    const gone = await world.send('PATCH', `/Groups/${group}`, { body: patch('remove', `members[value eq "${idOf(0)}"]`) })
    expect([again.status, gone.status, gone.headers.get('etag')]).toEqual([204, 204, 'W/"6"'])
    expect(await read('?excludedAttributes=members')).toEqual(before)
  }, LONG)

  it('is emptied, and nobody is lost but from it', async () => {
    const emptied = await world.send('PATCH', `/Groups/${group}?attributes=members`, { body: patch('replace', 'members', []) })
    expect([emptied.status, own(emptied.body, 'members') ?? []]).toEqual([200, []])
    const users = await world.send('GET', '/Users?count=0')
    expect(own(users.body, 'totalResults')).toBe(CROWD + 1)
  }, LONG)
})

describe('a group of 10,000', () => {
  it('is read in pages of its members', async () => {
    const pages = await openWorld('size-pages')
    await populate(pages.tenant, pages.caller.id, 0, 12_000)
    const made = await pages.send('POST', '/Groups', { body: { displayName: 'Many', members: membersOf(1000, 11_000) } })
    const filter = encodeURIComponent(`groups eq "${textAt(made, 'id')}"`)
    const seen: string[] = []
    for (let startIndex = 1; startIndex <= 10_000; startIndex += 200) {
      const { status, body } = await pages.send('GET', `/Users?filter=${filter}&count=200&startIndex=${startIndex}&attributes=userName`)
      expect([status, own(body, 'totalResults'), own(body, 'startIndex'), own(body, 'itemsPerPage')]).toEqual([200, 10_000, startIndex, 200])
      seen.push(...idsIn(body, 'Resources'))
    }
    expect(seen).toEqual(range(1000, 11_000).map(idOf))
  }, LONG)
})

describe('a user with 200 e-mails', () => {
  const mails = range(0, 200).map((index) => ({ value: `a${index}@example.com`, type: index % 2 === 0 ? 'work' : 'home', ...(index === 7 ? { primary: true } : {}) }))

  it('keeps all of them in their order, however they came', async () => {
    const made = await world.send('POST', '/Users', { body: { userName: 'many@example.com', emails: mails } })
    const id = textAt(made, 'id')
    const read = async (): Promise<unknown> => own((await world.send('GET', `/Users/${id}`)).body, 'emails')
    expect([made.status, own(made.body, 'emails'), await read()]).toEqual([201, mails, mails])
    expect((await world.send('PUT', `/Users/${id}`, { body: { userName: 'many@example.com', emails: mails } })).headers.get('etag')).toBe('W/"1"')
    await world.send('PATCH', `/Users/${id}`, { body: patch('remove', 'emails[type eq "home" and not (primary eq true)]') })
    expect(await read()).toEqual(mails.filter(({ type, primary }) => type === 'work' || primary === true))
    await world.send('PATCH', `/Users/${id}`, { body: { Operations: mails.map((mail) => ({ op: 'add', path: 'emails', value: [mail] })) } })
    expect(await read()).toHaveLength(200)
    const found = await world.send('GET', `/Users?filter=${encodeURIComponent('emails[value eq "A199@example.com" and type eq "home"]')}`)
    expect([own(found.body, 'totalResults'), own(found.body, 'Resources', 0, 'id')]).toEqual([1, id])
  }, LONG)
})

/** Texts that are kept as they were sent; those of one line are one name. */
const NAMES: readonly (readonly [string, ...string[]])[] = [
  ['josé@example.com', 'jose\u0301@example.com', 'JOSÉ@EXAMPLE.COM'], ['ｗｉｄｅ', 'wide'], ['ΣΊΣΥΦΟΣ', 'σίσυφος', 'ΣΊΣΥΦΟς'], ['Straße'],
  ['STRASSE', 'strasse'], ['İstanbul'], ['istanbul', 'ISTANBUL'],
  ['山田太郎'], ['שָׁלוֹם'], ['مرحبا'], ['ไทย'], ['नमस्ते'],
  ['👩‍👩‍👧‍👦'], ['👩'], ['🇨🇭'], ['𝔘𝔫𝔦', '𝔘𝔫𝔦'], ['Å', '\u212b', 'A\u030a', 'å'], ['ﬁ'], ['fi', 'FI'],
  ['\u202eabc'], ['abc', 'ABC'], ['a b', 'A B'],
  ['a\tb'], ['a\u0007b'], ['a\u200bb'], ['%_*?'], ['"\\\''], ['<b>&amp;</b>'], ['null'], ['true'], ['0'], ["O'Brien"], ['{{7*7}}'], ['=1+1'], ['__proto__', '__PROTO__'], ['constructor'],
  ['\ufffd', '\ud800', 'x\udc00'.slice(1)], [`${'長'.repeat(10_000)}`],
]

describe('any text', () => {
  let texts: World

  beforeAll(async () => {
    texts = await openWorld('size-texts')
  }, LONG)

  it.each([['/Users', 'userName'], ['/Groups', 'displayName']])('%s: is kept as it was sent, found as it was sent, and unique without case', async (at, name) => {
    const find = async (attribute: string, text: string): Promise<unknown> => {
      const { body } = await texts.send('GET', `${at}?filter=${encodeURIComponent(`${attribute} eq ${JSON.stringify(text)}`)}`)
      return own(body, 'Resources', 0, 'id')
    }
    const faults: unknown[] = []
    const expectSame = (what: string, text: string, is: unknown, wanted: unknown): void => {
      if (is !== wanted) faults.push([what, text, is, wanted])
    }
    for (const [text, ...others] of NAMES) {
      const made = await texts.send('POST', at, { body: { [name]: text, externalId: text, ...(at === '/Users' ? { displayName: text } : {}) } })
      const id = textAt(made, 'id')
      const kept = text.toWellFormed()
      for (const attribute of [name, 'displayName', 'externalId']) {
        expectSame(attribute, text, own((await texts.send('GET', `${at}/${id}`)).body, attribute), kept)
        if (text.length < 1000) expectSame(`find ${attribute}`, text, await find(attribute, text), id)
      }
      for (const other of others) {
        expectSame('twin', other, (await texts.send('POST', at, { body: { [name]: other } })).status, 409)
        expectSame('found', other, await find(name, other), id)
        const renamed = await texts.send('PUT', `${at}/${id}`, { body: { [name]: other } })
        expectSame('renamed', other, own(renamed.body, name), other.toWellFormed())
      }
    }
    expect(faults).toEqual([])
  }, LONG)
})
