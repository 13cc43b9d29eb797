import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readTokenRequest } from '../../src/http/tokenRequest'

const CC = 'grant_type=client_credentials'
const ASSERTION = 'client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer'
const basic = (text: string): string => `Basic ${btoa(text)}`

const read = (form: string, authorization: string | null = null) => {
  const done = readTokenRequest(new URLSearchParams(form), authorization)
  return done.ok ? done.value : [done.error.status, done.error.error]
}

describe('a request for a token', () => {
  it.each<[string, string | null, unknown]>([
    [`${CC}&client_id=a&client_secret=b`, null, { kind: 'secret', clientId: 'a', secret: 'b' }],
    [CC, basic('a:b'), { kind: 'secret', clientId: 'a', secret: 'b' }],
    [CC, basic('a:b:c'), { kind: 'secret', clientId: 'a', secret: 'b:c' }],
    // Form-encoded inside Basic, as RFC 6749 says, and as it is.
    [CC, basic('a%20b:c%2B'), { kind: 'secret', clientId: 'a b', secret: 'c+' }],
    [CC, basic('a:100%'), { kind: 'secret', clientId: 'a', secret: '100%' }],
    [`${CC}&client_id=a&client_secret=c%2Bd`, basic('a:c+d'), { kind: 'secret', clientId: 'a', secret: 'c+d' }],
    [`${CC}&client_id=a&client_secret=c%2Bd`, basic('a:c%2Bd'), { kind: 'secret', clientId: 'a', secret: 'c+d' }],
    [`${CC}&client_id=a&client_secret=`, basic('a:b'), { kind: 'secret', clientId: 'a', secret: 'b' }],
    [`${CC}&client_id=a&client_secret=b&scope=scim&resource=x&resource=y`, null, { kind: 'secret', clientId: 'a', secret: 'b' }],
    [`${CC}&${ASSERTION}&client_assertion=j`, null, { kind: 'assertion', clientId: null, assertion: 'j', mayBeOwn: true, isExchange: false }],
    [`${CC}&${ASSERTION}&client_assertion=j&client_id=a`, null, { kind: 'assertion', clientId: 'a', assertion: 'j', mayBeOwn: true, isExchange: false }],
    [`${CC}&client_id=a&client_secret=x`, basic('a:y'), [400, 'invalid_request']],
    [`${CC}&client_id=x`, basic('a:y'), [400, 'invalid_request']],
    [CC, null, [401, 'invalid_client']], [`${CC}&client_secret=b`, null, [401, 'invalid_client']], [CC, 'Bearer x', [401, 'invalid_client']], [CC, 'Basic %', [401, 'invalid_client']],
    [CC, basic('nocolon'), [401, 'invalid_client']], [CC, `Basic ${btoa('\xff:\xff')}`, [401, 'invalid_client']], [CC, basic(`a:${'x'.repeat(9000)}`), [401, 'invalid_client']],
    [`${CC}&${CC}&client_id=a&client_secret=b`, null, [400, 'invalid_request']], [`${CC}&client_id=a&client_secret=b&client_secret=b`, null, [400, 'invalid_request']],
    [`${CC}&client_assertion=j`, null, [400, 'invalid_request']], [`${CC}&client_assertion=j&client_assertion_type=saml`, null, [400, 'invalid_request']],
    [`${CC}&${ASSERTION}&client_assertion=j&client_secret=b`, null, [400, 'invalid_request']], [`${CC}&${ASSERTION}&client_assertion=j`, basic('a:b'), [400, 'invalid_request']],
    ['', null, [400, 'invalid_request']], ['grant_type=', null, [400, 'invalid_request']], ['grant_type=authorization_code', null, [400, 'unsupported_grant_type']],
    ['grant_type=__proto__', null, [400, 'unsupported_grant_type']],
  ])('%s with %s', (form, authorization, expected) => {
    expect(read(form, authorization)).toEqual(expected)
  })

  it('of any text is read or refused in words, and never thrown at', () => {
    fc.assert(fc.property(fc.string(), fc.option(fc.string()), (form, authorization) => {
      const done = readTokenRequest(new URLSearchParams(form), authorization)
      expect(done.ok || done.error.description.endsWith('.')).toBe(true)
    }))
  })
})
