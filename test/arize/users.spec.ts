import { describe, expect, it } from 'vitest'
import type { NewAccount } from '../../src/reconcile/target'
import { id, json, list, problem, resource, target, user, wireTo } from './wire'

const NEW: NewAccount = { email: 'jo@acme.com', name: 'Jo', role: 'MEMBER', inviteMode: 'NONE' }

describe('find', () => {
  const directory = [
    user(1, 'xjo@acme.com'),
    user(2, 'jo@acme.com.example'),
    user(3, 'Jo@Acme.COM', { name: 'The one' }),
    user(4, 'jo@acme.co'),
  ]

  it.each([
    ['jo@acme.com', 'The one'],
    ['  JO@ACME.com ', 'The one'],
    ['o@acme.com', null],
    ['jo@acme', null],
    ['@acme.com', null],
  ])('%j among substring matches is %j', async (email, name) => {
    const { arize } = wireTo(() => list('users', directory))
    const found = await arize.accounts.find(email)
    expect(found.ok && (found.value?.name ?? null)).toBe(name)
  })

  it('reads on to the page that has it, and sends the filter with each', async () => {
    const wire = wireTo((_asked, index) => list('users', [directory[index]], index < 3 ? `c${index}` : undefined))
    expect(await wire.arize.accounts.find('jo@acme.com')).toMatchObject({ ok: true, value: { id: id('User', 3) } })
    expect(wire.asked.map(({ query }) => query.get('email'))).toEqual(Array.from({ length: 4 }, () => 'jo@acme.com'))
  })

  it('folds A to Z only', async () => {
    const { arize } = wireTo(() => list('users', [user(1, 'İlker@acme.com'), user(2, 'STRASSE@acme.com'), user(3, 'KELVIN@acme.com')]))
    expect(await arize.accounts.find('ilker@acme.com')).toEqual({ ok: true, value: null })
    expect(await arize.accounts.find('straße@acme.com')).toEqual({ ok: true, value: null })
    expect(await arize.accounts.find('\u212Aelvin@acme.com')).toEqual({ ok: true, value: null })
    expect(await arize.accounts.find('kelvin@acme.com')).toMatchObject({ value: { id: id('User', 3) } })
  })

  it('prefers the same spelling, then the older', async () => {
    const { arize } = wireTo(() => list('users', [user(1, 'JO@acme.com'), user(2, 'Jo@acme.com'), user(3, 'jo@acme.com')]))
    expect(await arize.accounts.find('Jo@acme.com')).toMatchObject({ value: { id: id('User', 2) } })
    expect(await arize.accounts.find('jO@acme.com')).toMatchObject({ value: { id: id('User', 1) } })
  })

  it.each(['', '  '])('asks nothing for %j, which would match everybody', async (email) => {
    const wire = wireTo(() => list('users', directory))
    expect(await wire.arize.accounts.find(email)).toEqual({ ok: true, value: null })
    expect(wire.asked).toEqual([])
  })

  it('is not kept from somebody by a user that cannot be read', async () => {
    const bot = { id: id('User', 9), email: null, role: 7, status: null }
    const { arize } = wireTo(() => list('users', [bot, user(1, 'jo@acme.com')]))
    expect(await arize.accounts.find('jo@acme.com')).toMatchObject({ value: { id: id('User', 1) } })
  })

  it('fails when a user has no id: it may be the one', async () => {
    const { arize } = wireTo(() => list('users', [user(1, 'jo@acme.com', { id: 1 })]))
    expect(await arize.accounts.find('jo@acme.com')).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })
})

describe('read', () => {
  it.each<[string, unknown, string]>([
    ['predefined', { type: 'PREDEFINED', name: 'ANNOTATOR' }, 'ANNOTATOR'],
    ['a name of tomorrow', { type: 'PREDEFINED', name: 'MEMBER_UI_ONLY', grants: [] }, 'MEMBER_UI_ONLY'],
    ['a type of tomorrow', { type: 'TEAM', name: 'X' }, 'X'],
    ['a bare text', 'MEMBER', 'MEMBER'],
    ['custom with a name', { type: 'CUSTOM', id: 'r', name: 'ADMIN' }, 'custom:ADMIN'],
    ['custom without', { type: 'CUSTOM', id: 'r' }, 'custom:r'],
    ['nothing', null, 'UNKNOWN'],
    ['a number', 7, 'UNKNOWN'],
    ['an empty object', {}, 'UNKNOWN'],
  ])('role: %s', async (_name, role, expected) => {
    const { arize } = wireTo(() => json(user(1, 'jo@acme.com', { role })))
    expect(await arize.accounts.read(id('User', 1))).toMatchObject({ ok: true, value: { role: expected } })
  })

  it('keeps what it knows and drops the rest', async () => {
    const { arize } = wireTo(() => json(user(1, 'jo@acme.com', { status: 'PAUSED', userType: 'bot', is_developer: 'yes' })))
    expect(await arize.accounts.read(id('User', 1))).toEqual({
      ok: true,
      value: {
        id: id('User', 1),
        email: 'jo@acme.com',
        name: 'User 1',
        role: 'MEMBER',
        status: 'PAUSED',
        createdAt: '2026-01-02T03:04:05Z',
        isDeveloper: null,
      },
    })
  })

  it('is null on 404 and an error on anything else', async () => {
    expect(await wireTo(() => problem(404)).arize.accounts.read('x')).toEqual({ ok: true, value: null })
    expect(await wireTo(() => problem(403)).arize.accounts.read('x')).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
    expect(await wireTo(() => problem(410)).arize.accounts.read('x')).toMatchObject({ ok: false, error: { kind: 'rejected' } })
  })

  it('does not believe an answer about somebody else', async () => {
    const { arize } = wireTo(() => json(user(2, 'jo@acme.com')))
    expect(await arize.accounts.read(id('User', 1))).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })
})

describe('create', () => {
  it('sends exactly what Arize takes', async () => {
    const wire = wireTo(() => json(user(1, NEW.email, { invite_mode: 'NONE' }), 201))
    await wire.arize.accounts.create({ ...NEW, role: 'ANNOTATOR', inviteMode: 'EMAIL_LINK' })
    expect(wire.asked.map(({ line, body }) => [line, body])).toEqual([
      [
        'POST /v2/users',
        { email: 'jo@acme.com', name: 'Jo', role: { type: 'PREDEFINED', name: 'ANNOTATOR' }, invite_mode: 'EMAIL_LINK' },
      ],
    ])
  })

  it.each([
    ['', 'jo@acme.com'],
    [' \t ', 'jo@acme.com'],
    [' Jo ', 'Jo'],
    ['💥'.repeat(300), '💥'.repeat(255)],
  ])('sends a name that Arize takes for %j', async (name, expected) => {
    const wire = wireTo(() => json(user(1, NEW.email), 201))
    await wire.arize.accounts.create({ ...NEW, name })
    expect(wire.asked[0]?.body).toMatchObject({ name: expected })
  })

  it('tells a new account (201) from an invitation that was there (200), whose role is as it is', async () => {
    const fresh = await wireTo(() => json(user(1, 'JO@acme.com', { invite_mode: 'NONE' }), 201)).arize.accounts.create(NEW)
    expect(fresh).toMatchObject({ ok: true, value: { created: true, account: { id: id('User', 1), role: 'MEMBER' } } })
    const theirs = user(2, 'jo@acme.com', { status: 'INVITED', role: { type: 'PREDEFINED', name: 'ADMIN' } })
    const old = await wireTo(() => json(theirs, 200)).arize.accounts.create(NEW)
    expect(old).toMatchObject({ ok: true, value: { created: false, account: { id: id('User', 2), role: 'ADMIN', status: 'INVITED' } } })
  })

  it('keeps no password', async () => {
    const made = user(1, NEW.email, { invite_mode: 'TEMPORARY_PASSWORD', temporary_password: 'hunter2-hunter2' })
    const wire = wireTo(() => json(made, 201))
    const result = await wire.arize.accounts.create({ ...NEW, inviteMode: 'TEMPORARY_PASSWORD' })
    expect(result.ok).toBe(true)
    expect(JSON.stringify([result, wire.calls])).not.toContain('hunter2')
    const refused = await wireTo(() => json({ ...made, email: 'other@acme.com' }, 201)).arize.accounts.create(NEW)
    expect(JSON.stringify(refused)).not.toContain('hunter2')
  })

  it.each([200, 201])('does not believe a %i about another address', async (status) => {
    const { arize } = wireTo(() => json(user(1, 'xjo@acme.com'), status))
    expect(await arize.accounts.create(NEW)).toMatchObject({ ok: false, error: { kind: 'unavailable', status } })
  })

  it('leaves a 409 to the caller', async () => {
    const { arize } = wireTo(() => problem(409, { detail: 'Exists.' }))
    expect(await arize.accounts.create(NEW)).toEqual({ ok: false, error: { kind: 'conflict', detail: 'Exists.' } })
  })
})

describe('developer access', () => {
  const userId = id('User', 1)
  const role = { type: 'PREDEFINED', name: 'MEMBER' } as const

  it('is set and taken away with PATCH, which says nothing else', async () => {
    const wire = wireTo(({ body }) => json(user(1, 'jo@acme.com', Object(body))))
    const developer = target(wire.arize, 'developer')
    expect(await developer.give(userId, resource('developer', userId), role)).toEqual({ ok: true, value: undefined })
    expect(await developer.take(userId, resource('developer', userId))).toEqual({ ok: true, value: undefined })
    expect(wire.asked.map(({ method, body }) => [method, body])).toEqual([
      ['PATCH', { is_developer: true }],
      ['PATCH', { is_developer: false }],
    ])
  })

  it.each([
    ['the opposite', user(1, 'jo@acme.com', { is_developer: false })],
    ['somebody else', user(2, 'jo@acme.com', { is_developer: true })],
  ])('is not believed when the answer shows %s', async (_name, answer) => {
    const { arize } = wireTo(() => json(answer))
    const result = await target(arize, 'developer').give(userId, resource('developer', userId), role)
    expect(result).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
  })
})
