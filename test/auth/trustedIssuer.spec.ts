import { describe, expect, it } from 'vitest'
import { needsDevelopment, sharedCallers, trustedIssuerSchema, type IssuerOfConnection } from '../../src/auth/trustedIssuer'

const TENANT = 'f08e6aff-ca0f-4f11-81fa-1ffd43323373'
const OTHER_TENANT = '11111111-2222-4333-8444-555555555555'
const ENTRA = 'https://login.microsoftonline.com'
const ENTRA_US = 'https://login.microsoftonline.us'
const ENTRA_CN = 'https://login.partner.microsoftonline.cn'
const SHARED = '8adf8e6e-67b2-4cf2-a259-e3dc5476c621'

const okta = {
  issuer: 'https://example.okta.com/oauth2/default',
  audience: 'https://bridge.example.com/scim/v2',
  jwksUri: 'https://example.okta.com/oauth2/default/v1/keys',
  caller: { claim: 'sub', values: ['0oa1client'] },
}
const entra = {
  issuer: `https://sts.windows.net/${TENANT}/`,
  audience: SHARED,
  jwksUri: `https://login.microsoftonline.com/${TENANT}/discovery/keys`,
  caller: { claim: 'appid', values: [OTHER_TENANT] },
  tid: TENANT,
}

const LOOPBACK = { issuer: 'http://127.0.0.1:9', jwksUri: 'http://localhost:9/keys' }

const parse = (value: unknown, development = false) => trustedIssuerSchema({ development }).safeParse(value)

/** The paths of everything that is objected to. */
const objections = (value: unknown, development = false): string[] => {
  const parsed = parse(value, development)
  return parsed.success ? [] : parsed.error.issues.map(({ path }) => path.join('.'))
}

describe('a trusted issuer', () => {
  const accepted: [string, unknown][] = [
    ['Okta', okta],
    ['several audiences and algorithms', { ...okta, audience: ['a', 'b'], algorithms: ['RS256', 'EdDSA'] }],
    ['Entra v1 with the shared audience', entra],
    ['Entra v2', { ...entra, issuer: `${ENTRA}/${TENANT}/v2.0`, audience: 'api://bridge', tid: undefined }],
    ['Entra US Government', { ...entra, issuer: `${ENTRA_US}/${TENANT}/v2.0`, jwksUri: `${ENTRA_US}/${TENANT}/keys` }],
    ['Entra China', { ...entra, issuer: `https://sts.chinacloudapi.cn/${TENANT}/`, jwksUri: `${ENTRA_CN}/${TENANT}/keys` }],
    ['another provider whose path says common', { ...okta, issuer: 'https://idp.example.com/common' }],
    ['a jwksUri with a query', { ...okta, jwksUri: 'https://idp.example.com/keys?p=policy' }],
  ]
  it.each(accepted)('is accepted: %s', (_name, value) => {
    expect(parse(value)).toMatchObject({ success: true })
  })

  const refused: [string, string[], unknown][] = [
    ['http issuer', ['issuer'], { ...okta, issuer: 'http://example.okta.com' }],
    ['http key set', ['jwksUri'], { ...okta, jwksUri: 'http://example.okta.com/keys' }],
    ['loopback http outside development', ['issuer', 'jwksUri'], { ...okta, ...LOOPBACK }],
    ['no URL', ['issuer'], { ...okta, issuer: 'accounts.example.com' }],
    ['javascript', ['jwksUri'], { ...okta, jwksUri: 'javascript:alert(1)' }],
    ['data', ['jwksUri'], { ...okta, jwksUri: 'data:application/json,1' }],
    ['user name in the address', ['issuer'], { ...okta, issuer: 'https://user@example.okta.com' }],
    ['password in the address', ['jwksUri'], { ...okta, jwksUri: 'https://u:p@example.okta.com/keys' }],
    ['fragment', ['jwksUri'], { ...okta, jwksUri: 'https://example.okta.com/keys#' }],
    ['query in the issuer', ['issuer'], { ...okta, issuer: 'https://example.okta.com/?x' }],
    ['blanks around', ['issuer'], { ...okta, issuer: ' https://example.okta.com' }],
    ['template', ['issuer'], { ...entra, issuer: 'https://sts.windows.net/{tenantid}/' }],
    ['template in the key set', ['jwksUri'], { ...okta, jwksUri: 'https://{tenant}.example.com/keys' }],
    ['wildcard', ['issuer'], { ...okta, issuer: 'https://*.okta.com' }],
    ...['common', 'organizations', 'consumers', 'contoso.onmicrosoft.com', '9188040d-6c67-4c5b-b112-36a304b66dad', ''].map(
      (tenant): [string, string[], unknown] => [
        `Microsoft's ${tenant || 'no tenant'}`,
        ['issuer'],
        { ...okta, issuer: `https://login.microsoftonline.com/${tenant}/v2.0` },
      ],
    ),
    ['keys of common', ['jwksUri'], { ...entra, jwksUri: 'https://login.microsoftonline.com/common/discovery/keys' }],
    ['keys of another tenant', ['jwksUri'], { ...entra, jwksUri: `${ENTRA}/${OTHER_TENANT}/discovery/keys` }],
    ['tid of another tenant', ['tid'], { ...entra, tid: OTHER_TENANT }],
    ['shared audience without tid', ['tid'], { ...entra, tid: undefined }],
    ['shared audience in a list', ['tid'], { ...entra, audience: ['api://bridge', SHARED.toUpperCase()], tid: undefined }],
    ['shared audience of US Government', ['tid'], { ...okta, audience: 'spn:4602d0b4-76bb-404b-bca9-2652e1a39c6d' }],
    ['shared audience of China', ['tid'], { ...okta, audience: '5a532e38-1581-4918-9658-008dc27c1d68' }],
    ['symmetric algorithm', ['algorithms.1'], { ...okta, algorithms: ['RS256', 'HS256'] }],
    ['alg none', ['algorithms.0'], { ...okta, algorithms: ['none'] }],
    ['no algorithm', ['algorithms'], { ...okta, algorithms: [] }],
    ['empty audience', ['audience'], { ...okta, audience: '' }],
    ['no audience', ['audience'], { ...okta, audience: [] }],
    ['no caller', ['caller'], { ...okta, caller: undefined }],
    ['nobody as caller', ['caller.values'], { ...okta, caller: { claim: 'sub', values: [] } }],
    ['empty caller', ['caller.values.0'], { ...okta, caller: { claim: 'sub', values: [''] } }],
    ['another claim', ['caller.claim'], { ...okta, caller: { claim: 'email', values: ['x'] } }],
    ['a claim of the prototype', ['caller.claim'], { ...okta, caller: { claim: '__proto__', values: ['x'] } }],
    ['unknown key', [''], { ...okta, jwks_uri: 'https://example.okta.com' }],
    ['__proto__', [''], JSON.parse(`{"__proto__":{"development":true},${JSON.stringify(okta).slice(1)}`)],
    ['null', [''], null],
    ['text', [''], 'https://example.okta.com'],
  ]
  it.each(refused)('is refused: %s', (_name, paths, value) => {
    expect(objections(value)).toEqual(paths)
  })

  it('may use http on loopback in development', () => {
    const local = { ...okta, issuer: 'http://127.0.0.1:9000', jwksUri: 'http://[::1]:9000/keys' }
    const parsed = parse(local, true)
    expect(parsed).toMatchObject({ success: true })
    if (parsed.success) expect(needsDevelopment(parsed.data)).toBe(true)
    expect(objections({ ...local, issuer: 'http://127.0.0.1.example.com' }, true)).toEqual(['issuer'])
  })

  it('needs no development with https', () => {
    const parsed = parse(okta, true)
    if (!parsed.success) throw new Error('expected a trusted issuer')
    expect(needsDevelopment(parsed.data)).toBe(false)
  })
})

const entry = (
  connectionId: string,
  issuer: string,
  values: string[],
  claim: 'sub' | 'azp' = 'sub',
): IssuerOfConnection => ({
  ...okta,
  issuer,
  connectionId,
  caller: { claim, values },
})

describe('sharedCallers', () => {
  it('finds a caller that two connections name, whatever the claim', () => {
    const issuers = [
      entry('a', 'https://one.example.com', ['x', 'y']),
      entry('b', 'https://one.example.com', ['y'], 'azp'),
      entry('c', 'https://two.example.com', ['x']),
    ]
    expect(sharedCallers(issuers)).toEqual([{ issuer: 'https://one.example.com', caller: 'y', connectionIds: ['a', 'b'] }])
  })

  it('lets one connection name a caller twice', () => {
    const twice = [entry('a', 'https://one.example.com', ['x', 'x']), entry('a', 'https://one.example.com', ['x'])]
    expect(sharedCallers(twice)).toEqual([])
  })
})
