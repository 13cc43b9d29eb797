import { describe, expect, it } from 'vitest'
import { createClient } from '../../src/arize/client'
import { parseApiKey, parseOrigin } from '../../src/arize/origin'

describe('parseOrigin', () => {
  it.each([
    ['https://api.arize.com', 'https://api.arize.com'],
    ['https://api.arize.com/', 'https://api.arize.com'],
    [' https://api.arize.com// ', 'https://api.arize.com'],
    ['https://api.eu-west-1a.arize.com', 'https://api.eu-west-1a.arize.com'],
    ['https://api.ca-central-1a.arize.com/', 'https://api.ca-central-1a.arize.com'],
    ['HTTPS://Arize.Example.COM:8443', 'https://arize.example.com:8443'],
  ])('takes %j', (text, origin) => {
    expect(parseOrigin(text, false)).toEqual({ ok: true, value: origin })
  })

  it.each(['http://127.0.0.1:8788', 'http://localhost:8788/', 'http://[::1]:8788', 'http://127.3.2.1'])(
    'takes %j in development only',
    (text) => {
      expect(parseOrigin(text, true)).toEqual({ ok: true, value: new URL(text).origin })
      expect(parseOrigin(text, false).ok).toBe(false)
    },
  )

  it.each([
    '',
    '   ',
    'api.arize.com',
    '//api.arize.com',
    'undefined',
    'http://api.arize.com',
    'http://127.0.0.1.evil.example',
    'http://localhost.evil.example',
    'ftp://api.arize.com',
    'javascript:alert(1)',
    'https://',
    'https://key:secret@api.arize.com',
    'https://api.arize.com/v2',
    'https://api.arize.com/?region=eu',
    'https://api.arize.com/#x',
  ])('refuses %j even in development, and names the variable', (text) => {
    const result = parseOrigin(text, true)
    expect(result).toMatchObject({ ok: false, error: { variable: 'ARIZE_BASE_URL' } })
    if (!result.ok) {
      expect(result.error.sentence).toMatch(/^ARIZE_BASE_URL /)
      expect(result.error.sentence).not.toContain('secret')
    }
  })
})

describe('parseApiKey', () => {
  it('leaves out the white space of a paste', () => {
    expect(parseApiKey(' ak-1_2.3= \n')).toEqual({ ok: true, value: 'ak-1_2.3=' })
  })

  it.each(['', ' ', 'ak 1', 'ak\r\nx-injected: 1', 'ák', 'ak\u0000'])('refuses %j without quoting it', (key) => {
    const result = parseApiKey(key)
    expect(result).toMatchObject({ ok: false, error: { variable: 'ARIZE_API_KEY' } })
    if (!result.ok && key.trim() !== '') expect(result.error.sentence).not.toContain(key)
  })
})

const create = (baseUrl: string, apiKey: string) => createClient({ baseUrl, apiKey })

describe('createClient', () => {
  it('is not made of a setting that is wrong', () => {
    expect(create('', 'k')).toMatchObject({ ok: false, error: { variable: 'ARIZE_BASE_URL' } })
    expect(create('http://127.0.0.1', 'k')).toMatchObject({ ok: false, error: { variable: 'ARIZE_BASE_URL' } })
    expect(create('https://api.arize.com', '')).toMatchObject({ ok: false, error: { variable: 'ARIZE_API_KEY' } })
    expect(create('https://api.arize.com', 'k')).toMatchObject({ ok: true })
  })
})
