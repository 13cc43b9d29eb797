import { base64url, decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { graph } from '../../src/sources/graph'
import { openSource } from '../../src/sources/sources'
import type { Source } from '../../src/sources/source'
import recordings from '../recordings/sources/graph.json'
import { newKeyPair, type KeyPair } from './emulators'
import { failureOf, NOW, pagesOf, replay, valueOf, wireTo, type Answering, type Recording, type Wire } from './wire'

const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95'
const CLIENT = '24d3b144-21ae-4080-943f-7067b395b913'
const SECRET = 'abC8Q~a.secret-of_Entra'
const BASE = 'https://graph.microsoft.com/v1.0'

interface Opened extends Wire {
  readonly source: Source
  /** What was asked of Graph itself. */
  readonly paths: () => readonly string[]
}

const open = (answer: Answering, settings: object = {}, secrets: object = { clientSecret: SECRET }, token: Answering = () => replay(recordings.token)): Opened => {
  const wire = wireTo((asked, index) => (asked.url.pathname.endsWith('/token') ? token(asked, index) : answer(asked, index)))
  const opened = openSource('graph', { tenantId: TENANT.toUpperCase(), clientId: CLIENT, ...settings }, secrets, wire.tools)
  if (!opened.ok) throw new Error(opened.error)
  return {
    ...wire, source: opened.value,
    paths: () => wire.asked.filter(({ url }) => !url.pathname.endsWith('/token')).map(({ method, url }) => `${method} ${decodeURIComponent(url.pathname.slice(5) + url.search)}`),
  }
}

const by = (answers: Readonly<Record<string, Recording>>): Answering => ({ url }) => {
  const found = Object.entries(answers).find(([end]) => url.pathname.endsWith(end))
  return replay(found?.[1] ?? recordings.missing)
}

const list = (value: readonly unknown[], links: Readonly<Record<string, string>> = {}): Recording => ({ status: 200, body: { value, ...links } })

const { user } = recordings
const ADELE = user.body.id
const PERSON = { id: ADELE, userName: 'AdeleV@contoso.example', email: 'AdeleV@contoso.example', displayName: 'Adele Vance', givenName: 'Adele', familyName: 'Vance', active: true }

describe('a person', () => {
  it('comes with the groups that count, and with no role or unit', async () => {
    const { source, paths } = open(by({ '/memberOf': recordings.memberOf, [ADELE]: user }))
    expect(valueOf(await source.person({ id: ADELE, userName: null }))).toEqual({
      person: PERSON, groups: [{ id: '02bd9fd6-8f93-4758-87c3-1fb73740a315', displayName: 'HR Taskforce' }],
    })
    expect(paths()).toEqual([
      `GET /users/${ADELE}?$select=id,userPrincipalName,mail,displayName,givenName,surname,accountEnabled`, `GET /users/${ADELE}/memberOf?$select=id,displayName&$top=999`,
    ])
  })

  it.each([
    [{ mail: 'a@x.example' }, 'a@x.example'], [{ mail: null }, 'AdeleV@contoso.example'], [{ mail: '' }, 'AdeleV@contoso.example'],
    [{ mail: null, userPrincipalName: 'guest_gmail.com#EXT#@contoso.example' }, null], [{ mail: 'guest@gmail.com', userPrincipalName: 'guest_gmail.com#ext#@contoso.example' }, 'guest@gmail.com'],
    // People may write these themselves.
    [{ mail: null, userPrincipalName: 'guest_gmail.com#EXT#@contoso.example', otherMails: ['ceo@contoso.example'], proxyAddresses: ['SMTP:ceo@contoso.example'] }, null],
  ])('%j has the address %s', async (more, email) => {
    const { source } = open(by({ '/memberOf': list([]), [ADELE]: { ...user, body: { ...user.body, ...more } } }))
    expect(valueOf(await source.person({ id: ADELE, userName: null }))?.person.email).toBe(email)
  })

  it('is inactive when the account is disabled, and unreadable when nobody says', async () => {
    const said = async (more: object) => open(by({ '/memberOf': list([]), [ADELE]: { ...user, body: { ...user.body, ...more } } })).source.person({ id: ADELE, userName: null })
    expect(valueOf(await said({ accountEnabled: false }))?.person.active).toBe(false)
    expect(failureOf(await said({ accountEnabled: null })).kind).toBe('unavailable')
  })

  it('is nobody after a deletion, also between the two questions', async () => {
    expect(valueOf(await open(by({})).source.person({ id: ADELE, userName: null }))).toBe(null)
    expect(valueOf(await open(by({ [`users/${ADELE}`]: user })).source.person({ id: ADELE, userName: null }))).toBe(null)
  })

  it('is found by the sign-in name; a name is one segment', async () => {
    const { source, paths } = open(by({ '/memberOf': list([]), 'AdeleV%40contoso.example': user }))
    expect(valueOf(await source.person({ id: null, userName: 'AdeleV@contoso.example' }))?.person).toEqual(PERSON)
    for (const userName of ['..', '', null]) expect(valueOf(await source.person({ id: null, userName }))).toBe(null)
    expect(paths().length).toBe(2)
  })

  it('has groups whose names the app may not read: that is for somebody to mend', async () => {
    const unnamed = list([{ '@odata.type': '#microsoft.graph.group', id: 'g', displayName: null }])
    const failure = failureOf(await open(by({ '/memberOf': unnamed, [ADELE]: user })).source.person({ id: ADELE, userName: null }))
    expect(failure).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining('GroupMember.Read.All') })
  })
})

describe('a group', () => {
  it('has people as members, and no groups or devices', async () => {
    const { source } = open(by({ '/members': recordings.members, '02bd9fd6-8f93-4758-87c3-1fb73740a315': recordings.group }))
    expect(valueOf(await source.group({ id: '02bd9fd6-8f93-4758-87c3-1fb73740a315', displayName: null }, null))).toEqual({
      group: { id: '02bd9fd6-8f93-4758-87c3-1fb73740a315', displayName: 'HR Taskforce' }, members: [ADELE], next: null,
    })
  })

  it('is read page by page', async () => {
    const { source, paths } = open(({ url }) => replay(!url.pathname.endsWith('/members') ? recordings.group : url.searchParams.has('$skiptoken') ? recordings.members : recordings.membersNext))
    const first = valueOf(await source.group({ id: 'g', displayName: null }, null))
    expect(first?.members).toEqual([ADELE])
    expect(valueOf(await source.group({ id: 'g', displayName: null }, first?.next ?? ''))?.next).toBe(null)
    expect(paths().at(-1)).toContain('$skiptoken=RFNwdAoAAQ')
  })

  it('is gone on 404', async () => {
    expect(valueOf(await open(by({})).source.group({ id: 'g', displayName: null }, null))).toBe(null)
  })
})

const delta = (path: string, token: string): string => `${BASE}${path}/delta?$deltatoken=${token}`

describe('everything, and what changed', () => {
  const PAGES: Answering = ({ url }) => {
    const isUsers = url.pathname.endsWith('/users/delta')
    const token = url.searchParams.get('$skiptoken') ?? url.searchParams.get('$deltatoken')
    if (isUsers && token === null) return replay(list([user.body], { '@odata.nextLink': `${BASE}/users/delta?$skiptoken=u2` }))
    if (isUsers && token === 'u2') return replay(list([{ ...user.body, id: 'b', userPrincipalName: 'b@contoso.example' }], { '@odata.deltaLink': delta('/users', 'u3') }))
    if (isUsers) return replay(recordings.usersDelta)
    if (token === null) return replay(recordings.groupsDelta)
    return replay(list([{ id: 'g9', displayName: 'Nine', 'members@delta': [{ '@odata.type': '#microsoft.graph.user', id: 'b' }] }], { '@odata.deltaLink': delta('/groups', 'g3') }))
  }

  it('are the same pages: people before groups, both links kept', async () => {
    const { source, paths } = open(PAGES)
    const all = await pagesOf(source)
    const HR = '02bd9fd6-8f93-4758-87c3-1fb73740a315'
    expect(all.items.map((item) => (item.kind === 'person' ? `person ${item.person.id}` : JSON.stringify(item)))).toEqual([
      `person ${ADELE}`, 'person b',
      JSON.stringify({ kind: 'group', group: { id: HR, displayName: 'HR Taskforce' } }),
      JSON.stringify({ kind: 'membership', groupId: HR, personId: ADELE }),
      JSON.stringify({ kind: 'membershipGone', groupId: HR, personId: '632f6bb2-3ec8-4c1f-9073-0027a8c6859e' }),
      JSON.stringify({ kind: 'groupGone', id: '5fe1b5bf-5c27-4f0a-8d79-b4d1f2a3f0ae' }),
      JSON.stringify({ kind: 'group', group: { id: 'g9', displayName: 'Nine' } }), JSON.stringify({ kind: 'membership', groupId: 'g9', personId: 'b' }),
    ])
    expect(paths()[0]).toBe('GET /users/delta?$select=id,userPrincipalName,mail,displayName,givenName,surname,accountEnabled')
    expect(paths()[2]).toBe('GET /groups/delta?$select=displayName,members')
    const changed = await pagesOf(source, { delta: all.delta ?? '' })
    expect(changed.items.slice(0, 3)).toEqual([
      { kind: 'person', person: { ...PERSON, active: false } }, { kind: 'personGone', id: '626cef90-b0a3-4af8-94fb-1a8daff4b4d1' }, { kind: 'personGone', id: '0ee9aedf-3b1c-4b92-8db3-ca1c3a1f4dd1' },
    ])
    expect(JSON.parse(changed.delta ?? '{}')).toEqual({ phase: 'users', link: recordings.usersDelta.body['@odata.deltaLink'], groups: delta('/groups', 'g3') })
  })

  it('ask for the whole person where only a part came, or nobody is there any more', async () => {
    const { source } = open(({ url }) => {
      if (url.pathname.endsWith('/users/delta')) return replay(list([{ id: ADELE, displayName: 'New' }, { id: 'gone', mail: 'x@y.example' }], { '@odata.deltaLink': delta('/users', 'x') }))
      return url.pathname.endsWith(ADELE) ? replay(user) : replay(recordings.missing)
    })
    expect(valueOf(await source.everything(null)).items).toEqual([{ kind: 'person', person: PERSON }, { kind: 'personGone', id: 'gone' }])
  })

  it('take a group whose name did not come for its members alone', async () => {
    const { source } = open(() => replay(list([{ id: 'g', 'members@delta': [{ id: 'b' }] }], { '@odata.deltaLink': delta('/groups', 'x') })))
    expect(valueOf(await source.everything(JSON.stringify({ phase: 'groups', link: null, users: 'u' }))).items).toEqual([{ kind: 'membership', groupId: 'g', personId: 'b' }])
  })

  it('begin anew where Graph has forgotten: 410, and its codes for old links', async () => {
    const cursor = JSON.stringify({ phase: 'users', link: delta('/users', 'old'), groups: delta('/groups', 'old') })
    const oldPage = { status: 400, body: { error: { code: 'Directory_ExpiredPageToken' } } }
    for (const recording of [recordings.resync, oldPage, { status: 404, body: {} }]) {
      const { source } = open(() => replay(recording))
      expect(failureOf(await source.everything(cursor)).kind).toBe('expired')
      expect(failureOf((await source.changes?.(cursor)) ?? { ok: false, error: { kind: 'unavailable', sentence: '' } }).kind).toBe('expired')
    }
    expect(failureOf(await open(() => replay(oldPage)).source.everything(null)).kind).toBe('unavailable')
  })

  it.each([
    ['a next page at another host', list([], { '@odata.nextLink': 'https://graph.microsoft.com.evil.example/x' })], ['a delta link at another host', list([], { '@odata.deltaLink': 'http://graph.microsoft.com/x' })],
    ['a page without any link', list([])], ['a person without an id', list([{ userPrincipalName: 'x' }], { '@odata.deltaLink': delta('/users', 'x') })], ['a value that is no list', { status: 200, body: { value: {} } }],
  ])('change nothing for %s', async (_, recording) => {
    expect(failureOf(await open(() => replay(recording)).source.everything(null)).kind).toBe('unavailable')
  })

  it.each(['', '{', '{"phase":"members"}', JSON.stringify({ phase: 'users', link: 'https://elsewhere.example/', groups: null })])('do not go on from %j', async (cursor) => {
    const { source, paths } = open(() => replay(list([])))
    expect(failureOf(await source.everything(cursor)).kind).toBe('expired')
    expect(paths()).toEqual([])
  })
})

describe('subscriptions', () => {
  const wanted = { resource: 'users', notificationUrl: 'https://bridge.example.com/webhooks/graph/c1', clientState: 'a-secret' }

  it('are made for almost as long as Graph allows, with both addresses', async () => {
    const { source, asked } = open(() => replay({ ...recordings.subscription, body: { ...recordings.subscription.body, resource: 'Users' } }))
    expect(valueOf(await source.subscriptions!.create(wanted))).toEqual({ id: '7f105c7d-2dc5-4530-97cd-4e7ae6534c07', resource: 'users', expiresAt: Date.parse('2026-12-20T00:00:00Z') })
    const body = JSON.parse(asked.at(-1)?.body ?? '') as Readonly<Record<string, string>>
    expect(body).toMatchObject({ changeType: 'updated,deleted', resource: 'users', notificationUrl: wanted.notificationUrl, lifecycleNotificationUrl: wanted.notificationUrl, clientState: 'a-secret' })
    const minutes = (Date.parse(body['expirationDateTime'] ?? '') - NOW) / 60_000
    expect({ minutes, isAllowed: minutes <= 41_760 }).toEqual({ minutes: 41_700, isAllowed: true })
    expect(source.subscriptions?.resources).toEqual(['users', 'groups'])
  })

  it('are renewed, not known, removed and not there to be removed', async () => {
    const subscription = { id: 's1', resource: 'groups', expiresAt: NOW }
    const { source, paths } = open(() => replay({ ...recordings.subscription, status: 200 }))
    expect(valueOf(await source.subscriptions!.renew(subscription))).toMatchObject({ resource: 'groups' })
    expect(paths()).toEqual(['PATCH /subscriptions/s1'])
    expect(valueOf(await open(() => replay(recordings.missing)).source.subscriptions!.renew(subscription))).toBe(null)
    for (const answer of [(): Response => new Response(null, { status: 204 }), (): Response => replay(recordings.missing)]) expect((await open(answer).source.subscriptions!.remove(subscription)).ok).toBe(true)
    expect(failureOf(await open(() => replay(recordings.denied)).source.subscriptions!.remove(subscription)).kind).toBe('unauthorized')
  })
})

describe('credentials', () => {
  it('are the secret, for the scope of this Graph', async () => {
    const { source, asked } = open(() => replay(list([])))
    valueOf(await source.probe())
    expect(asked[0]?.url.href).toBe(`https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`)
    expect(Object.fromEntries(new URLSearchParams(asked[0]?.body))).toEqual({ grant_type: 'client_credentials', client_id: CLIENT, client_secret: SECRET, scope: 'https://graph.microsoft.com/.default' })
    expect(asked.length).toBe(3)
  })

  it('go to the national cloud that the settings name', async () => {
    const { source, asked } = open(() => replay(list([])), { loginUrl: 'https://login.microsoftonline.us', graphUrl: 'https://graph.microsoft.us/' })
    valueOf(await source.probe())
    expect(asked.map(({ url }) => url.origin)).toEqual(['https://login.microsoftonline.us', 'https://graph.microsoft.us', 'https://graph.microsoft.us'])
    expect(new URLSearchParams(asked[0]?.body).get('scope')).toBe('https://graph.microsoft.us/.default')
  })

  it('are an assertion that names its certificate', async () => {
    const keys: KeyPair = await newKeyPair('RS256')
    const der = crypto.getRandomValues(new Uint8Array(300))
    const certificate = `-----BEGIN CERTIFICATE-----\n${btoa(String.fromCharCode(...der)).replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----`
    const { source, asked } = open(() => replay(list([])), {}, { certificate, privateKey: keys.pem })
    valueOf(await source.probe())
    const form = new URLSearchParams(asked[0]?.body)
    const assertion = form.get('client_assertion') ?? ''
    expect(form.has('client_secret')).toBe(false)
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'PS256', typ: 'JWT', 'x5t#S256': base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', der))) })
    expect(decodeJwt(assertion)).toMatchObject({ iss: CLIENT, sub: CLIENT, aud: `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`, nbf: NOW / 1000, exp: NOW / 1000 + 600 })
  })

  it.each<[string, Recording, string, string]>([
    ['a wrong secret', recordings.secretRefused, 'unauthorized', 'Microsoft Entra refused a token (AADSTS7000215): check tenantId and clientId in the settings of this connection, and that its client secret has not expired.'],
    ['too many tokens', { status: 429, headers: { 'retry-after': '3' }, body: {} }, 'throttled', 'Microsoft Entra (login.microsoftonline.com) answered 429: it asks for patience.'],
    ['a bad day', { status: 503, body: {} }, 'unavailable', 'Microsoft Entra (login.microsoftonline.com) answered 503.'],
    ['a token without a value', { status: 200, body: {} }, 'unavailable', 'Microsoft gave a token that cannot be read.'],
  ])('are refused: %s', async (_, recording, kind, sentence) => {
    expect(failureOf(await open(() => replay(list([])), {}, { clientSecret: SECRET }, () => replay(recording)).source.probe())).toMatchObject({ kind, sentence })
  })

  it.each<[string, Recording, string]>([
    ['permissions', recordings.denied, 'Microsoft Graph (graph.microsoft.com) answered 403 Authorization_RequestDenied: grant the app the application permissions User.Read.All and GroupMember.Read.All (with admin consent).'],
    ['the token', recordings.tokenInvalid, 'Microsoft Graph (graph.microsoft.com) answered 401 InvalidAuthenticationToken: the token was not accepted: check tenantId and graphUrl in the settings of this connection.'],
  ])('do not have %s', async (_, recording, sentence) => {
    expect(failureOf(await open(() => replay(recording)).source.probe())).toEqual({ kind: 'unauthorized', sentence })
  })

  it('are asked for once more when a kept token is refused', async () => {
    let tokens = 0
    const { source } = open(({ headers }) => (headers.get('authorization') === 'Bearer t1' && tokens === 1 && isRevoked ? replay(recordings.tokenInvalid) : replay(list([]))), {}, { clientSecret: SECRET },
      () => replay({ ...recordings.token, body: { ...recordings.token.body, access_token: `t${(tokens += 1)}` } }))
    let isRevoked = false
    valueOf(await source.probe())
    isRevoked = true
    valueOf(await source.probe())
    expect(tokens).toBe(2)
  })

  it('honours throttling', async () => {
    expect(failureOf(await open(() => replay(recordings.throttled)).source.everything(null))).toMatchObject({ kind: 'throttled', retryAfterMs: 10_000 })
  })
})

describe('what an administrator says', () => {
  let keys: KeyPair
  beforeAll(async () => {
    keys = await newKeyPair()
  })
  const ids = { tenantId: TENANT, clientId: CLIENT }

  it.each([
    [ids, true], [{ ...ids, graphUrl: 'https://graph.microsoft.us' }, true], [{ ...ids, loginUrl: 'http://127.0.0.1:8791', graphUrl: 'http://127.0.0.1:8791' }, true],
    [{ ...ids, tenantId: 'common' }, false], [{ ...ids, graphUrl: 'http://graph.microsoft.com' }, false], [{ ...ids, graphUrl: 'https://graph.microsoft.com/v1.0' }, false], [{ tenantId: TENANT }, false], [{ ...ids, scopes: [] }, false],
  ])('%j: %s', (settings, expected) => expect(graph.settings.safeParse(settings).success).toBe(expected))

  it('credentials', () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'
    const isTaken = (secrets: unknown): boolean => graph.secrets.safeParse(secrets).success
    expect([{ clientSecret: SECRET }, { clientSecret: SECRET, clientState: 'x' }, { certificate, privateKey: keys.pem }].map(isTaken)).toEqual([true, true, true])
    expect([{}, { clientSecret: '' }, { certificate }, { privateKey: keys.pem }, { certificate: 'AAAA', privateKey: keys.pem }].map(isTaken)).toEqual([false, false, false, false, false])
  })
})
