import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { findRule } from '../../src/webhooks/securityEventEffect'
import { readSubject } from '../../src/webhooks/securityEventSubject'

const RISC = 'https://schemas.openid.net/secevent/risc/event-type/'
const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/'
const OAUTH = 'https://schemas.openid.net/secevent/oauth/event-type/'
const STREAM = 'https://schemas.openid.net/secevent/ssf/event-type/'
const ISSUER = 'https://idp.example.com/'
const ISSUERS = [ISSUER, 'https://issuer.example.com']

const ann = { id: null, userName: 'ann@example.com' }
const person = [{ kind: 'person', who: ann }]

const apply = (uri: string, payload: Readonly<Record<string, unknown>> = {}, subject: unknown = { format: 'email', email: 'ann@example.com' }) =>
  findRule(uri)?.({ payload, subject, subjectIssuers: ISSUERS, expectedState: undefined })

/** What a rule says, with what it leaves out filled in. */
const said = (...call: Parameters<typeof apply>) => {
  const result = apply(...call)
  return result?.ok === true ? { changes: [], refresh: [], acts: [], ...result.value } : result
}

const inactive = [{ kind: 'active', who: ann, active: false }]
const signal = [{ kind: 'signal', signal: 'sessionRevoked', who: ann }]

const PERSON_EVENTS: readonly (readonly [string, object])[] = [
  [`${RISC}account-disabled`, { changes: inactive, refresh: [], acts: [] }],
  [`${RISC}account-purged`, { changes: inactive, refresh: [], acts: [] }],
  [`${RISC}account-enabled`, { changes: [], refresh: person, acts: [], ignored: expect.any(String) }],
  [`${RISC}identifier-changed`, { changes: [], refresh: person, acts: [], ignored: expect.any(String) }],
  [`${RISC}identifier-recycled`, { changes: [], refresh: person, acts: [], ignored: expect.any(String) }],
  [`${RISC}sessions-revoked`, { changes: [], refresh: person, acts: signal }],
  [`${CAEP}session-revoked`, { changes: [], refresh: person, acts: signal }],
  ...['credential-compromise', 'account-credential-change-required', 'recovery-activated', 'recovery-information-changed'].map(
    (name) => [RISC + name, { changes: [], refresh: person, acts: [] }] as const,
  ),
  ...['opt-in', 'opt-out-initiated', 'opt-out-cancelled', 'opt-out-effective'].map(
    (name) => [RISC + name, { about: [], changes: [], refresh: [], acts: [], ignored: expect.any(String) }] as const,
  ),
  ...[
    'token-claims-change', 'credential-change', 'assurance-level-change', 'device-compliance-change', 'session-established',
    'session-presented', 'risk-level-change',
  ].map((name) => [CAEP + name, { changes: [], refresh: person, acts: [] }] as const),
  ...['tokens-revoked', 'token-revoked'].map((name) => [OAUTH + name, { changes: [], refresh: person, acts: [] }] as const),
]

describe('an event about a person', () => {
  it.each(PERSON_EVENTS)('%s', (uri, effect) => {
    expect(said(uri)).toEqual({ about: person, ...effect })
  })

  it.each(['account-disabled', 'account-enabled', 'sessions-revoked'])('%s has no effect on a group, which is asked for', (name) => {
    const group = [{ kind: 'group', group: { id: 'g', displayName: null } }]
    expect(said(RISC + name, {}, { format: 'scim', uri: '/Groups/g' })).toEqual({
      about: group, changes: [], refresh: group, acts: [], ignored: 'The subject is a group.',
    })
  })

  it.each([
    'urn:unknown', `${RISC}account-deleted`, `${RISC}tokens-revoked`, `${CAEP}account-disabled`, `${RISC}ACCOUNT-DISABLED`,
    'account-disabled', '__proto__', 'constructor', 'toString', '', 'urn:ietf:params:scim:event:prov:', 'urn:ietf:params:scim:event:prov:bulk',
  ])('has no rule when its type is %j', (uri) => {
    expect(findRule(uri)).toBeUndefined()
  })
})

describe('an event of the stream', () => {
  it.each(['enabled', 'paused', 'disabled'])('tells that it is %s', (status) => {
    expect(said(`${STREAM}stream-updated`, { status })).toMatchObject({ acts: [{ kind: 'stream', status, reason: null }], changes: [], refresh: [] })
  })

  it('is verified with and without a state when none is expected', () => {
    for (const payload of [{}, { state: 'x' }]) expect(said(`${STREAM}verification`, payload)).toMatchObject({ changes: [], acts: [], refresh: [] })
  })
})

describe('a SCIM event', () => {
  const user = { format: 'scim', uri: '/Users/u%201', externalId: 'jdoe' }
  const group = { format: 'scim', uri: 'Groups/g1' }
  const who = { id: 'u 1', userName: null }
  const askUser = [{ kind: 'person', who }]
  const askGroup = [{ kind: 'group', group: { id: 'g1', displayName: null } }]
  const data = { userName: 'jdoe' }
  const change = (op: string, body: unknown) => [{ kind: 'resource', type: 'User', id: 'u 1', op, body }]
  const groupChange = (op: string, body: unknown) => [{ kind: 'resource', type: 'Group', id: 'g1', op, body }]
  const notice = { attributes: ['userName'], version: 'W/"1"' }

  it.each([
    ['prov:create:full', user, { data }, { changes: change('put', data) }],
    ['prov:put:full', user, { data, version: 'x' }, { changes: change('put', data) }],
    ['prov:patch:full', user, { data }, { changes: change('patch', data) }],
    ['prov:create:full', group, { data }, { changes: groupChange('put', data) }],
    ['prov:patch:full', group, { data }, { changes: groupChange('patch', data) }],
    ['prov:delete', user, {}, { changes: change('delete', null) }],
    ['prov:delete', group, {}, { changes: groupChange('delete', null) }],
    ['prov:activate', user, {}, { changes: [{ kind: 'active', who, active: true }] }],
    ['prov:deactivate', user, {}, { changes: [{ kind: 'active', who, active: false }] }],
    ['prov:create:notice', user, notice, { refresh: askUser }],
    ['prov:put:notice', user, notice, { refresh: askUser }],
    ['prov:patch:notice', group, notice, { refresh: askGroup }],
    ['feed:add', user, {}, { refresh: askUser }],
    ['feed:remove', group, {}, { refresh: askGroup }],
    ['prov:create', user, { data }, { changes: change('put', data) }],
    ['prov:put', user, notice, { refresh: askUser }],
    ['prov:patch', user, { data }, { changes: change('patch', data) }],
    ['prov:delete', { format: 'scim', uri: '/Devices/1' }, {}, { about: [], ignored: expect.any(String) }],
  ])('%s of %j', (name, subject, payload, effect) => {
    for (const prefix of ['urn:ietf:params:scim:event:', 'urn:ietf:params:SCIM:event:', 'urn:ietf:params:event:SCIM:']) {
      expect(said(prefix + name, payload, subject)).toEqual({
        about: subject === user ? askUser : askGroup, changes: [], refresh: [], acts: [], ...effect,
      })
    }
  })

  it('that answers an asynchronous request changes nothing', () => {
    expect(said('urn:ietf:params:scim:event:misc:asyncresp', { method: 'POST' }, user)).toMatchObject({ about: [], changes: [], refresh: [] })
  })
})

describe('a subject', () => {
  const id = (value: string) => ({ kind: 'person', who: { id: value, userName: null } })
  const name = (value: string) => ({ kind: 'person', who: { id: null, userName: value } })
  const nobody = { kind: 'nobody', sentence: expect.stringMatching(/\.$/) }
  const issSub = { format: 'iss_sub', iss: ISSUER, sub: '7' }

  it.each([
    [{ format: 'email', email: 'Ann@Example.com' }, name('Ann@Example.com')],
    [issSub, id('7')],
    [{ ...issSub, iss: 'https://issuer.example.com' }, id('7')],
    [{ ...issSub, iss: 'https://issuer.example.com/' }, nobody],
    [{ format: 'opaque', id: '00u1' }, id('00u1')],
    [{ format: 'account', uri: 'acct:ann%2Bx@example.com' }, name('ann+x@example.com')],
    [{ format: 'scim', uri: '/Users/1', externalId: 'x' }, id('1')],
    [{ format: 'scim', uri: '/Groups/1' }, { kind: 'group', group: { id: '1', displayName: null } }],
    [{ format: 'scim', uri: '/Devices/1' }, nobody],
    [{ format: 'phone_number', phone_number: '+1' }, nobody],
    [{ format: 'did', url: 'did:x:1' }, nobody],
    [{ format: 'uri', uri: 'urn:x' }, nobody],
    [{ format: 'jwt_id', iss: 'x', jti: '1' }, nobody],
    [{ format: 'saml_assertion_id', issuer: 'x', assertion_id: '1' }, nobody],
    [{ format: 'a format of its own' }, nobody],
    [{ format: 'constructor' }, nobody],
    [{ format: 'complex', user: issSub, device: { format: 'opaque', id: 'd' } }, id('7')],
    [{ user: issSub, session: { format: 'opaque', id: 's' } }, id('7')],
    [{ format: 'complex', tenant: { format: 'opaque', id: 't' } }, nobody],
    [{ format: 'complex', user: { format: 'complex', user: issSub } }, nobody],
    [{ format: 'aliases', identifiers: [{ format: 'phone_number' }, { format: 'email', email: 'a@b' }, issSub] }, { kind: 'person', who: { id: '7', userName: 'a@b' } }],
    [{ format: 'aliases', identifiers: [{ format: 'phone_number' }] }, nobody],
    [{ subject_type: 'iss-sub', iss: ISSUER, sub: '7' }, id('7')],
    [{ subject_type: 'iss_sub', iss: ISSUER, sub: '7' }, id('7')],
    [{ subject_type: 'email', email: 'a@b' }, name('a@b')],
    [{ subject_type: 'id_token_claims', iss: ISSUER, sub: '7', email: 'a@b' }, { kind: 'person', who: { id: '7', userName: 'a@b' } }],
    [{ subject_type: 'id-token-claims', iss: 'https://other.example', sub: '7' }, nobody],
    [{ subject_type: 'oauth_token', token_type: 'refresh_token', token: 'x' }, nobody],
    [{ subject_type: 'phone', phone: '+1' }, nobody],
  ])('%j', (subject, reading) => {
    expect(readSubject(subject, {}, ISSUERS)).toEqual({ ok: true, value: reading })
    expect(readSubject(undefined, { subject }, ISSUERS)).toEqual({ ok: true, value: reading })
  })

  it('at the top of the token counts before one in the event', () => {
    expect(readSubject(issSub, { subject: { format: 'opaque', id: 'x' } }, ISSUERS)).toEqual({ ok: true, value: id('7') })
  })

  it.each([
    [undefined], [null], ['ann@example.com'], [7], [[]], [{}], [{ format: 7 }], [{ format: '' }], [{ email: 'a@b' }],
    [{ format: 'email' }], [{ format: 'email', email: '' }], [{ format: 'email', email: 'a\n@b' }], [{ format: 'email', email: 'x'.repeat(513) }],
    [{ format: 'iss_sub', sub: '7' }], [{ format: 'iss_sub', iss: ISSUER }], [{ format: 'iss_sub', iss: ISSUER, sub: 7 }],
    [{ format: 'opaque' }], [{ format: 'account', uri: 'ann@example.com' }], [{ format: 'account', uri: 'acct:%ZZ@b' }],
    [{ format: 'complex', user: 'ann' }], [{ format: 'complex', user: {} }], [{ format: 'aliases' }], [{ format: 'aliases', identifiers: [] }],
    [{ format: 'aliases', identifiers: ['ann'] }], [{ format: 'aliases', identifiers: [{ format: 'aliases', identifiers: [issSub] }] }],
    [{ format: 'aliases', identifiers: Array.from({ length: 21 }, () => issSub) }], [{ subject_type: 'id_token_claims' }],
  ])('%j is malformed', (subject) => {
    expect(readSubject(subject, {}, ISSUERS)).toEqual({ ok: false, error: expect.stringMatching(/\.$/) })
  })

  it('never throws, whatever it is', () => {
    const formats = ['email', 'iss_sub', 'opaque', 'account', 'scim', 'complex', 'aliases', 'id_token_claims', 'phone']
    const members = fc.constantFrom('email', 'iss', 'sub', 'id', 'uri', 'user', 'identifiers', 'subject_type', 'x')
    const subject = fc.oneof(
      fc.jsonValue(),
      fc.tuple(fc.constantFrom(...formats), fc.dictionary(members, fc.jsonValue())).map(([format, rest]) => ({ ...rest, format })),
    )
    fc.assert(fc.property(subject, (value) => readSubject(value, {}, ISSUERS).ok !== undefined), { numRuns: 500 })
  })
})
