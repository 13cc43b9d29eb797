import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { equalHashes, hashToken, newToken, readCredential } from '../../src/auth/bearer'
import { segment } from './issuer'

const JWT = `${segment({ alg: 'RS256' })}.${segment({ iss: 'https://idp.example.test/' })}.c2ln`
const basic = (text: string) => `Basic ${btoa(String.fromCharCode(...new TextEncoder().encode(text)))}`

describe('readCredential', () => {
  const tokens: [string, string | null, string][] = [
    ['Bearer', 'Bearer arzb_scim_x', 'arzb_scim_x'],
    ['bearer in small letters', 'bearer arzb_scim_x', 'arzb_scim_x'],
    ['BEARER with several blanks', ' BEARER \t arzb_scim_x ', 'arzb_scim_x'],
    ['no scheme (Okta Header mode)', 'arzb_scim_x', 'arzb_scim_x'],
    ['Okta suite', 'non-token', 'non-token'],
    ['Basic', basic('okta:arzb_scim_x'), 'arzb_scim_x'],
    ['basic without user name', basic(':arzb_scim_x').replace('Basic', 'basic'), 'arzb_scim_x'],
    ['Basic with a colon in the password', basic('okta:a:b'), 'a:b'],
    ['Basic in UTF-8', basic('Jürgen:geheim-ß'), 'geheim-ß'],
    ['Basic without padding', basic('okta:arzb_scim_xy').replace(/=+$/, ''), 'arzb_scim_xy'],
    ['dots that are no JWS', 'Bearer a.b.c', 'a.b.c'],
    ['a JWS header without alg', `Bearer ${segment({ typ: 'JWT' })}.e30.x`, `${segment({ typ: 'JWT' })}.e30.x`],
    ['a JWE (five parts)', `Bearer ${JWT}.x.y`, `${JWT}.x.y`],
    ['names of prototypes', 'Bearer __proto__', '__proto__'],
  ]
  it.each(tokens)('token: %s', (_name, header, token) => {
    expect(readCredential(header)).toEqual({ ok: true, value: { kind: 'token', token } })
  })

  it.each([`Bearer ${JWT}`, JWT, basic(`x:${JWT}`)])('JWT: %s', (header) => {
    expect(readCredential(header)).toEqual({
      ok: true,
      value: { kind: 'jwt', token: JWT, issuer: 'https://idp.example.test/' },
    })
  })

  it('calls an unsigned token a JWT, for the refusal to name it', () => {
    const unsigned = `${segment({ alg: 'none' })}.${segment({ iss: 'x' })}.`
    expect(readCredential(unsigned)).toMatchObject({ value: { kind: 'jwt', issuer: 'x' } })
  })

  it.each([null, '', '   ', '\t'])('missing: %j', (header) => {
    expect(readCredential(header)).toEqual({ ok: false, error: { kind: 'missing' } })
  })

  const refused: [string, string, string][] = [
    ['another scheme', 'Digest username="x"', 'unsupported_scheme'],
    ['Okta API scheme', 'SSWS 00abc', 'unsupported_scheme'],
    ['Negotiate', 'Negotiate YII=', 'unsupported_scheme'],
    ['a scheme alone', 'Bearer', 'malformed'],
    ['Basic alone', 'Basic ', 'malformed'],
    ['two tokens', 'Bearer a b', 'malformed'],
    ['two headers merged', 'Bearer a, Bearer b', 'malformed'],
    ['control characters', 'Bearer a\u0000b', 'malformed'],
    ['Basic that is not base64', 'Basic !!!', 'malformed'],
    ['Basic of an impossible length', 'Basic abcde', 'malformed'],
    ['Basic without colon', basic('arzb_scim_x'), 'malformed'],
    ['Basic with an empty password', basic('okta:'), 'malformed'],
    ['Basic with a line break', basic('okta:a\nb'), 'malformed'],
    ['Basic that is not UTF-8', `Basic ${btoa('okta:\u00ff\u00fe')}`, 'malformed'],
    ['a JWS whose payload is no object', `${segment({ alg: 'RS256' })}.${segment('[]')}.x`, 'malformed'],
    ['a JWS without iss', `${segment({ alg: 'RS256' })}.e30.x`, 'wrong_issuer'],
    ['a JWS with iss 1', `${segment({ alg: 'RS256' })}.${segment({ iss: 1 })}.x`, 'wrong_issuer'],
    ['8 KiB and one', `Bearer ${'a'.repeat(8 * 1024 - 6)}`, 'too_large'],
  ]
  it.each(refused)('refused: %s', (_name, header, reason) => {
    expect(readCredential(header)).toEqual({ ok: false, error: { kind: 'invalid', reason } })
  })

  it('takes 8 KiB', () => {
    expect(readCredential(`Bearer ${'a'.repeat(8 * 1024 - 7)}`)).toMatchObject({ ok: true })
  })

  it('never throws, and never hands out blanks or control characters', () => {
    const scheme = fc.constantFrom('', 'Bearer ', 'basic ', 'Basic', 'x ')
    const jws = fc.json().map((json) => `${segment(json)}.${segment(json)}.`)
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.base64String(), jws)
    fc.assert(
      fc.property(scheme, text, (prefix, rest) => {
        const credential = readCredential(prefix + rest)
        if (credential.ok) expect(credential.value.token).toMatch(/^[^\s\p{Cc}]+$/u)
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('hashes', () => {
  it('are SHA-256 in hexadecimal (FIPS 180-2, "abc")', async () => {
    expect(await hashToken('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(await hashToken('ß')).toHaveLength(64)
  })

  it('are equal only to themselves', () => {
    const hex = fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 })
    fc.assert(
      fc.property(hex, hex, fc.nat(63), (a, b, at) => {
        expect(equalHashes(a, a)).toBe(true)
        expect(equalHashes(a, b)).toBe(a === b)
        const changed = a.slice(0, at) + (a[at] === '0' ? '1' : '0') + a.slice(at + 1)
        expect(equalHashes(a, changed)).toBe(false)
        expect(equalHashes(a, a.slice(1))).toBe(false)
        expect(equalHashes('', a)).toBe(false)
      }),
    )
  })
})

describe('newToken', () => {
  it('has a prefix that a secret scanner finds, and 256 bits', () => {
    expect(newToken('scim').token).toMatch(/^arzb_scim_[A-Za-z0-9_-]{43}$/)
    expect(newToken('admin').token).toMatch(/^arzb_admin_[A-Za-z0-9_-]{43}$/)
  })

  it('is different each time', () => {
    expect(new Set(Array.from({ length: 100 }, () => newToken('scim').token)).size).toBe(100)
  })

  it('is made of the bytes that the source gives; the hint shows four characters', () => {
    expect(newToken('scim', (bytes) => bytes.fill(255))).toEqual({
      token: `arzb_scim_${'_'.repeat(42)}8`,
      hint: 'arzb_scim_…___8',
    })
  })

  it('is read back as a token, never as a JWT', () => {
    const { token } = newToken('scim')
    expect(readCredential(`Bearer ${token}`)).toEqual({ ok: true, value: { kind: 'token', token } })
  })
})
