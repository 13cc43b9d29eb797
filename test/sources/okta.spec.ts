import { base64url, calculateJwkThumbprint, decodeJwt, decodeProtectedHeader } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { okta } from '../../src/sources/okta'
import { openSource } from '../../src/sources/sources'
import type { Source } from '../../src/sources/source'
import recordings from '../recordings/sources/okta.json'
import { newKeyPair, type KeyPair } from './emulators'
import { failureOf, NOW, pagesOf, replay, valueOf, wireTo, type Answering, type Recording, type Wire } from './wire'

const ORG = 'https://org.okta.com'
const TOKEN = '00aSecretApiToken-value_1'

interface Opened extends Wire {
  readonly source: Source
}

const open = (answer: Answering, settings: object = {}, secrets: object = { apiToken: TOKEN }): Opened => {
  const wire = wireTo(answer)
  const opened = openSource('okta', { orgUrl: ORG, ...settings }, secrets, wire.tools)
  if (!opened.ok) throw new Error(opened.error)
  return { ...wire, source: opened.value }
}

const { user, users, userGroups, group, appUsers, missing } = recordings

const ISAAC = {
  id: '00ub0oNGTSWTBKOLGLNR', userName: 'isaac.brock@example.com', email: 'isaac.brock@example.com', displayName: null, givenName: 'Isaac', familyName: 'Brock', active: true,
}

/** Answers by the end of the path. */
const by = (answers: Readonly<Record<string, Recording>>): Answering => ({ url }) => {
  const found = Object.entries(answers).find(([end]) => url.pathname.endsWith(end))
  return replay(found?.[1] ?? missing)
}

const list = (body: unknown, next?: string): Recording => ({ status: 200, body, ...(next === undefined ? {} : { headers: { link: `<${ORG}/self>; rel="self", <${next}>; rel="next"` } }) })

const withStatus = (status: string): Recording => ({ ...user, body: { ...user.body, status } })

describe('a person', () => {
  it('comes with all groups, by the id', async () => {
    const { source, asked } = open(by({ '/groups': userGroups, '/00ub0oNGTSWTBKOLGLNR': user }))
    expect(valueOf(await source.person({ id: '00ub0oNGTSWTBKOLGLNR', userName: null }))).toEqual({
      person: ISAAC, groups: [{ id: '0gabcd1234', displayName: 'Cloud App Users' }, { id: '0gefgh5678', displayName: 'Engineering' }],
    })
    expect(asked.map(({ url, headers }) => `${url.pathname} ${headers.get('authorization') ?? ''}`)).toEqual([
      `/api/v1/users/00ub0oNGTSWTBKOLGLNR SSWS ${TOKEN}`, `/api/v1/users/00ub0oNGTSWTBKOLGLNR/groups SSWS ${TOKEN}`,
    ])
  })

  it.each([
    ['ACTIVE', true], ['PROVISIONED', true], ['RECOVERY', true], ['PASSWORD_EXPIRED', true], ['LOCKED_OUT', true],
    ['STAGED', false], ['SUSPENDED', false], ['DEPROVISIONED', false],
  ])('%s is active: %s', async (status, active) => {
    const { source } = open(by({ '/groups': list([]), '/00ub0oNGTSWTBKOLGLNR': withStatus(status) }))
    expect(valueOf(await source.person({ id: ISAAC.id, userName: null }))?.person.active).toBe(active)
  })

  it.each(['FROZEN', 'constructor', '__proto__', ''])('of a status that nobody knows (%s) is unreadable, and neither active nor inactive', async (status) => {
    const { source } = open(by({ '/groups': list([]), '/00ub0oNGTSWTBKOLGLNR': withStatus(status) }))
    expect(failureOf(await source.person({ id: ISAAC.id, userName: null })).kind).toBe('unavailable')
  })

  it('has groups on several pages', async () => {
    const { source } = open(({ url }) => {
      if (!url.pathname.endsWith('/groups')) return replay(user)
      return replay(url.searchParams.has('after') ? list(userGroups.body.slice(1)) : list(userGroups.body.slice(0, 1), `${ORG}/api/v1/users/x/groups?after=a`))
    })
    expect(valueOf(await source.person({ id: ISAAC.id, userName: null }))?.groups.map(({ id }) => id)).toEqual(['0gabcd1234', '0gefgh5678'])
  })

  it('is found by the login, and nobody else is by a part of it', async () => {
    const { source } = open(by({ '/groups': list([]), '/isaac.brock@example.com': user, '/ISAAC.BROCK%40example.com': user, '%40example.com': user, '/isaac.brock': user }))
    expect(valueOf(await source.person({ id: null, userName: 'ISAAC.BROCK@example.com' }))?.person).toEqual(ISAAC)
    expect(valueOf(await source.person({ id: null, userName: 'isaac.brock' }))).toBe(null)
  })

  it.each([['..', 0], ['.', 0], ['', 0], ['me', 0], ['../groups/x', 1], ['a/b?c=d#e', 1]])('%j asks for nothing but a person (%d calls)', async (id, calls) => {
    const { source, asked } = open(by({}))
    expect(valueOf(await source.person({ id, userName: null }))).toBe(null)
    expect(asked.map(({ url }) => url.href)).toEqual(calls === 0 ? [] : [`${ORG}/api/v1/users/${encodeURIComponent(id)}`])
  })

  it('is nobody without the app', async () => {
    const answers = { '/users/00ub0oNGTSWTBKOLGLNR/groups': list([]), '/api/v1/users/00ub0oNGTSWTBKOLGLNR': user }
    const assigned = open(by({ '/apps/0oaApp/users/00ub0oNGTSWTBKOLGLNR': { status: 200, body: appUsers.body[0] }, ...answers }), { appId: '0oaApp' })
    expect(valueOf(await assigned.source.person({ id: ISAAC.id, userName: null }))?.person).toEqual(ISAAC)
    const unassigned = open(by({ '/apps/0oaApp/users/00ub0oNGTSWTBKOLGLNR': missing, ...answers }), { appId: '0oaApp' })
    expect(valueOf(await unassigned.source.person({ id: ISAAC.id, userName: null }))).toBe(null)
    expect([assigned.source.tellsOfAll, open(by({})).source.tellsOfAll]).toEqual([false, true])
  })
})

describe('a group', () => {
  it('comes with its members, page by page', async () => {
    const { source } = open(({ url }) => {
      if (!url.pathname.endsWith('/users')) return replay(group)
      return replay(url.searchParams.has('after') ? list([{ id: 'b' }]) : list([{ id: 'a' }], `${ORG}/api/v1/groups/0gabcd1234/users?after=x`))
    })
    const first = valueOf(await source.group({ id: '0gabcd1234', displayName: null }, null))
    expect(first).toMatchObject({ group: { id: '0gabcd1234', displayName: 'Cloud App Users' }, members: ['a'] })
    expect(valueOf(await source.group({ id: '0gabcd1234', displayName: null }, first?.next ?? ''))).toEqual({
      group: { id: '0gabcd1234', displayName: 'Cloud App Users' }, members: ['b'], next: null,
    })
  })

  it('is gone on 404, at the first question and between pages', async () => {
    expect(valueOf(await open(by({})).source.group({ id: 'x', displayName: null }, null))).toBe(null)
    expect(valueOf(await open(by({ '/x': group })).source.group({ id: 'x', displayName: null }, null))).toBe(null)
  })

  it.each(['{', '{}', 'null', '{"name":"a","next":"https://elsewhere.example/"}'])('does not go on from %s', async (cursor) => {
    const { source, asked } = open(by({}))
    expect(failureOf(await source.group({ id: 'x', displayName: null }, cursor)).kind).toBe('expired')
    expect(asked).toEqual([])
  })
})

describe('everything', () => {
  it('is people, the deprovisioned, groups and their members', async () => {
    const { source, asked } = open(({ url }) => {
      const after = url.searchParams.get('after')
      if (url.pathname.endsWith('/api/v1/users')) {
        if (url.searchParams.has('filter')) return replay(list([{ ...user.body, id: 'gone', status: 'DEPROVISIONED' }]))
        return replay(after === null ? users : list([]))
      }
      if (url.pathname.endsWith('/groups')) return replay(list(userGroups.body))
      if (url.pathname.endsWith('/0gabcd1234/users')) return replay(after === null ? list([{ id: 'm1' }], `${ORG}/api/v1/groups/0gabcd1234/users?after=m1`) : list([{ id: 'm2' }]))
      return replay(missing)
    })
    const { items, delta } = await pagesOf(source)
    expect(items).toEqual([
      { kind: 'person', person: ISAAC },
      { kind: 'person', person: { ...ISAAC, id: 'gone', active: false } },
      { kind: 'group', group: { id: '0gabcd1234', displayName: 'Cloud App Users' } },
      { kind: 'membership', groupId: '0gabcd1234', personId: 'm1' },
      { kind: 'group', group: { id: '0gabcd1234', displayName: 'Cloud App Users' } },
      { kind: 'membership', groupId: '0gabcd1234', personId: 'm2' },
    ])
    expect(delta).toBe(null)
    expect(asked.filter(({ url }) => url.searchParams.has('filter')).map(({ url }) => url.searchParams.get('filter'))).toEqual(['status eq "DEPROVISIONED"'])
  })

  it('is the people of the app, where one is named', async () => {
    const { source } = open(by({ '/apps/0oaApp/users': appUsers, '/groups': list([]) }), { appId: '0oaApp' })
    expect((await pagesOf(source)).items).toEqual([{ kind: 'person', person: ISAAC }])
  })

  it.each([
    ['not JSON', '{'], ['another phase', '{"phase":"apps","next":null}'], ['no groups', '{"phase":"members","groups":[],"next":null,"after":null}'],
    ['another host', JSON.stringify({ phase: 'users', next: 'https://elsewhere.example/api/v1/users?after=x' })],
  ])('begins anew from a cursor that is %s', async (_, cursor) => {
    const { source, asked } = open(by({}))
    expect(failureOf(await source.everything(cursor)).kind).toBe('expired')
    expect(asked).toEqual([])
  })

  it('begins anew when the place is forgotten: 400 and 410 on a followed link, not on the first page', async () => {
    const cursor = JSON.stringify({ phase: 'users', next: `${ORG}/api/v1/users?after=x` })
    for (const [status, from, kind] of [[400, cursor, 'expired'], [410, cursor, 'expired'], [400, null, 'unavailable']] as const) {
      expect(failureOf(await open(() => new Response('{}', { status })).source.everything(from)).kind).toBe(kind)
    }
  })

  it.each([
    ['a next page at another host', list([], 'https://elsewhere.example/next')],
    ['a list that is none', { status: 200, body: { value: [] } }],
    ['a person without a login', list([{ id: 'x', status: 'ACTIVE', profile: {} }])],
    ['a person without an id', list([{ ...user.body, id: '' }])],
  ])('changes nothing for %s', async (_, recording) => {
    expect(failureOf(await open(() => replay(recording)).source.everything(null)).kind).toBe('unavailable')
  })

  it('finds the next page among several links, in one header or several', async () => {
    for (const link of [
      [`<${ORG}/a>; rel="next"`, `<${ORG}/b>; rel="self"`], [`<${ORG}/b>; rel="self", <${ORG}/a>; rel="next"`], [`<${ORG}/b>; rel="nextish", <${ORG}/a>; title="x, y"; rel=next`],
    ]) {
      const headers = new Headers()
      for (const each of link) headers.append('link', each)
      const page = valueOf(await open(() => new Response('[]', { headers })).source.everything(null))
      expect(JSON.parse(page.next ?? '{}')).toEqual({ phase: 'users', next: `${ORG}/a` })
    }
  })

  it('rests when a tenth of the allowance is left, until the minute is over; a person is asked for all the same', async () => {
    const reset = NOW / 1000 + 30
    const scarce = { 'x-rate-limit-limit': '600', 'x-rate-limit-remaining': '60', 'x-rate-limit-reset': String(reset) }
    const { source, clock, asked } = open(({ url }) => replay({ ...(url.pathname.endsWith(ISAAC.id) ? user : list([], `${ORG}/api/v1/users?after=x`)), headers: { ...scarce, link: `<${ORG}/api/v1/users?after=x>; rel="next"` } }))
    const { next } = valueOf(await source.everything(null))
    expect(failureOf(await source.everything(next))).toMatchObject({ kind: 'throttled', retryAfterMs: 30_000 })
    expect(asked.length).toBe(1)
    await source.person({ id: ISAAC.id, userName: null })
    expect(asked.length).toBeGreaterThan(1)
    clock.at = reset * 1000
    expect((await source.everything(next)).ok).toBe(true)
  })
})

describe('failures', () => {
  it.each<[string, Recording, object, string]>([
    ['an API token that is not valid', recordings.tokenInvalid, { apiToken: TOKEN }, 'Okta (org.okta.com) answered 401 E0000011: the API token is not valid (any more): rotate the credentials of this connection.'],
    ['a role that may not read', recordings.forbidden, { apiToken: TOKEN }, 'Okta (org.okta.com) answered 403 E0000006: the administrator behind the API token must be able to read users, groups and, with appId, applications (the Read-only Administrator role).'],
  ])('%s', async (_, recording, secrets, sentence) => {
    expect(failureOf(await open(() => replay(recording), {}, secrets).source.probe())).toEqual({ kind: 'unauthorized', sentence })
  })

  it('too many requests', async () => {
    expect(failureOf(await open(() => replay({ ...recordings.throttled, headers: { 'x-rate-limit-reset': String(NOW / 1000 + 12) } })).source.probe())).toMatchObject({ kind: 'throttled', retryAfterMs: 12_000 })
  })

  it('the probe asks for all that is needed', async () => {
    const { source, asked } = open(() => replay(list([])), { appId: '0oaApp' })
    valueOf(await source.probe())
    expect(asked.map(({ url }) => url.pathname + url.search)).toEqual(['/api/v1/users?limit=1', '/api/v1/groups?limit=1', '/api/v1/apps/0oaApp/users?limit=1'])
  })
})

describe('a service app', () => {
  let keys: KeyPair
  beforeAll(async () => {
    keys = await newKeyPair('RS256')
  })

  const tokenAnd = (answer: Answering, token: Answering = () => replay(recordings.token)): Answering => (asked, index) =>
    asked.url.pathname === '/oauth2/v1/token' ? token(asked, index) : answer(asked, index)

  const openApp = (answer: Answering, more: { readonly secrets?: object; readonly settings?: object } = {}): Opened =>
    open(answer, { clientId: '0oaClient', ...more.settings }, more.secrets ?? { privateKey: keys.pem, keyId: 'key-1' })

  it('signs an assertion for its token, and uses the token until it is about to end', async () => {
    const { source, asked, clock } = openApp(tokenAnd(() => replay(list([]))))
    valueOf(await source.probe())
    const form = new URLSearchParams(asked[0]?.body)
    expect(Object.fromEntries([...form].filter(([name]) => name !== 'client_assertion'))).toEqual({
      grant_type: 'client_credentials', scope: 'okta.users.read okta.groups.read', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const assertion = form.get('client_assertion') ?? ''
    expect(decodeProtectedHeader(assertion)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' })
    expect(decodeJwt(assertion)).toMatchObject({ iss: '0oaClient', sub: '0oaClient', aud: `${ORG}/oauth2/v1/token`, iat: NOW / 1000, exp: NOW / 1000 + 300 })
    expect(asked.slice(1).map(({ headers }) => headers.get('authorization'))).toEqual(['Bearer eyJraWQiOiJm.made-up.up', 'Bearer eyJraWQiOiJm.made-up.up'])
    clock.at += 3_540_000
    valueOf(await source.probe())
    expect(asked.filter(({ method }) => method === 'POST').length).toBe(2)
  })

  it('asks for the scope of apps where one is named', async () => {
    const { source, asked } = openApp(tokenAnd(() => replay(list([]))), { settings: { appId: '0oaApp' } })
    valueOf(await source.probe())
    expect(new URLSearchParams(asked[0]?.body).get('scope')).toBe('okta.users.read okta.groups.read okta.apps.read')
  })

  it('takes a new token once when the one it kept is refused', async () => {
    let tokens = 0
    let isRevoked = false
    const { source } = openApp(tokenAnd(({ headers }) => (isRevoked && headers.get('authorization') === 'Bearer t1' ? replay(recordings.tokenInvalid) : replay(list([]))),
      () => replay({ ...recordings.token, body: { ...recordings.token.body, access_token: `t${(tokens += 1)}` } })))
    valueOf(await source.probe())
    isRevoked = true
    valueOf(await source.probe())
    expect(tokens).toBe(2)
  })

  it('does not ask for tokens for ever when none is believed', async () => {
    const { source, asked } = openApp(tokenAnd(() => replay(recordings.tokenInvalid)))
    expect(failureOf(await source.probe())).toEqual({
      kind: 'unauthorized',
      sentence: 'Okta (org.okta.com) answered 401 E0000011: grant the service app the scopes okta.users.read, okta.groups.read and an admin role that can read users and groups (Read-only Administrator).',
    })
    expect(asked.length).toBe(2)
  })

  it('proves possession when the app demands it, with the nonce that the org names', async () => {
    const { source, asked } = openApp(tokenAnd(() => replay(list([])), ({ headers }) => {
      const proof = headers.get('dpop')
      if (proof === null) return replay(recordings.proofMissing)
      if (decodeJwt(proof)['nonce'] === undefined) return replay(recordings.nonceMissing)
      return replay({ ...recordings.token, body: { ...recordings.token.body, token_type: 'DPoP' } })
    }))
    valueOf(await source.probe())
    const [first, second, third, users1, groups1] = asked
    expect(new Set([first, second, third].map((one) => decodeJwt(new URLSearchParams(one?.body).get('client_assertion') ?? '').jti)).size).toBe(3)
    const proof = third?.headers.get('dpop') ?? ''
    const header = decodeProtectedHeader(proof)
    expect(header).toMatchObject({ typ: 'dpop+jwt', alg: 'ES256', jwk: { kty: 'EC' } })
    expect(Object.keys(header.jwk ?? {}).toSorted()).toEqual(['crv', 'kty', 'x', 'y'])
    expect(decodeJwt(proof)).toMatchObject({ htm: 'POST', htu: `${ORG}/oauth2/v1/token`, nonce: 'mP3h8dTP4xE3u1sQk7eXw0', iat: NOW / 1000 })
    const proofs = [users1, groups1].map((one) => one?.headers.get('dpop') ?? '')
    const ath = base64url.encode(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(recordings.token.body.access_token))))
    expect(proofs.map((one) => decodeJwt(one))).toMatchObject([
      { htm: 'GET', htu: `${ORG}/api/v1/users`, ath }, { htm: 'GET', htu: `${ORG}/api/v1/groups`, ath },
    ])
    expect(new Set(proofs.map((one) => decodeJwt(one).jti)).size).toBe(2)
    const thumbprints = await Promise.all([proof, ...proofs].map((one) => calculateJwkThumbprint(decodeProtectedHeader(one).jwk ?? {})))
    expect(new Set(thumbprints).size).toBe(1)
    expect(users1?.headers.get('authorization')).toBe('DPoP eyJraWQiOiJm.made-up.up')
  })

  it('gives up when the org asks for nonces without end', async () => {
    const { source, asked } = openApp(tokenAnd(() => replay(list([])), () => replay({ ...recordings.nonceMissing, headers: { 'dpop-nonce': crypto.randomUUID() } })))
    expect(failureOf(await source.probe()).kind).toBe('unauthorized')
    expect(asked.length).toBe(3)
  })

  it.each<[string, Recording, string]>([
    ['a refused client', recordings.clientRefused, 'unauthorized'], ['a refused scope', { status: 400, body: { error: 'invalid_scope' } }, 'unauthorized'],
    ['too many tokens', { status: 429, body: {} }, 'throttled'], ['a bad day', { status: 503, body: {} }, 'unavailable'],
    ['a token without a value', { status: 200, body: { token_type: 'Bearer' } }, 'unavailable'], ['a bound token that nobody proved anything for', { status: 200, body: { ...recordings.token.body, token_type: 'DPoP' } }, 'unavailable'],
  ])('is told apart: %s', async (_, recording, kind) => {
    expect(failureOf(await openApp(tokenAnd(() => replay(list([])), () => replay(recording))).source.probe()).kind).toBe(kind)
  })

  it.each<[string, () => object, object, string]>([
    ['no client id', () => ({ privateKey: keys.pem }), { clientId: undefined }, 'set clientId'],
    ['a key that is none', () => ({ privateKey: '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----' }), {}, 'PKCS#8'],
    ['a PKCS#1 key', () => ({ privateKey: keys.pem.replaceAll('PRIVATE', 'RSA PRIVATE') }), {}, 'PKCS#8'],
    ['a public key', () => ({ privateKey: keys.publicJwk }), {}, 'needs the private key'],
    ['a JWK of nothing', () => ({ privateKey: '{"kty":"oct","k":"c2VjcmV0"}' }), {}, 'PKCS#8'],
  ])('says what is wrong with its credentials: %s', async (_, secrets, settings, part) => {
    const { source, asked } = openApp(tokenAnd(() => replay(list([]))), { secrets: secrets(), settings })
    const failure = failureOf(await source.probe())
    expect(failure).toMatchObject({ kind: 'unauthorized', sentence: expect.stringContaining(part) })
    expect(failure.sentence).not.toContain(keys.pem.slice(40, 80))
    expect(asked).toEqual([])
  })

  it('takes its key as PEM, as PEM on one line, as a JWK and as the text of one', async () => {
    const ec = await newKeyPair('ES256')
    for (const privateKey of [keys.pem, keys.pem.replaceAll('\n', '\\n'), ec.pem, { ...ec.privateJwk, kid: 'k' }, JSON.stringify(keys.privateJwk)]) {
      const { source, asked } = openApp(tokenAnd(() => replay(list([]))), { secrets: { privateKey } })
      valueOf(await source.probe())
      expect(asked.length).toBe(3)
    }
  })
})

describe('what an administrator says', () => {
  it.each([
    [{ orgUrl: 'https://org.okta.com/' }, true], [{ orgUrl: 'https://id.example.com' }, true], [{ orgUrl: 'http://127.1.2.3:8790' }, true], [{ orgUrl: ' https://org.okta.com ', appId: '0oaApp', clientId: '0oaC' }, true],
    [{ orgUrl: 'http://org.okta.com' }, false], [{ orgUrl: 'https://org.okta.com/api/v1' }, false], [{ orgUrl: 'https://u:p@org.okta.com' }, false], [{ orgUrl: 'org.okta.com' }, false],
    [{ orgUrl: 'https://org.okta.com?x' }, false], [{ orgUrl: ORG, appId: '../users' }, false], [{ orgUrl: ORG, scopes: 'okta.users.manage' }, false], [{}, false],
  ])('%j: %s', (settings, expected) => expect(okta.settings.safeParse(settings).success).toBe(expected))

  it.each([
    [{ apiToken: TOKEN }, true], [{ apiToken: TOKEN, clientState: 'x' }, true], [{ privateKey: 'x' }, true], [{ privateKey: { kty: 'RSA', n: 'x' } }, true],
    [{ apiToken: '' }, false], [{ apiToken: 'two\nlines' }, false], [{ apiToken: 'ümlaut' }, false], [{ privateKey: { kty: 'oct', k: 'x' } }, false], [{}, false], [null, false],
  ])('credentials %j: %s', (secrets, expected) => expect(okta.secrets.safeParse(secrets).success).toBe(expected))
})
