import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { createSecretBox, secretContext, type SecretBox } from '../../src/auth/secretBox'

const keyOf = (fill: number) => btoa(String.fromCharCode(...new Uint8Array(32).fill(fill)))
const FIRST = keyOf(1)
const SECOND = keyOf(2)
const context = secretContext('default', 'arize-key')

const boxOf = async (masterKey: string): Promise<SecretBox> => {
  const box = await createSecretBox(masterKey)
  if (!box.ok) throw new Error(box.error.sentence)
  return box.value
}

let box: SecretBox
beforeAll(async () => {
  box = await boxOf(FIRST)
})

const flip = (part: string) => (part.startsWith('A') ? 'B' : 'A') + part.slice(1)

describe('a sealed secret', () => {
  it('opens to the text it was made of', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme' }), fc.string(), async (plain, name) => {
        const sealed = await box.seal(plain, name)
        expect(sealed).toMatch(/^v1\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]{22,}$/)
        expect(await box.open(sealed, name)).toEqual({ ok: true, value: plain })
      }),
    )
  })

  it('is never the same twice', async () => {
    expect(await box.seal('secret', context)).not.toBe(await box.seal('secret', context))
  })

  it('does not open in another context', async () => {
    const sealed = await box.seal('secret', secretContext('a', 'b'))
    for (const wrong of [secretContext('a', 'c'), secretContext('b', 'b'), secretContext('a","b', ''), '']) {
      expect(await box.open(sealed, wrong)).toMatchObject({ ok: false, error: { kind: 'not_opened' } })
    }
  })

  it('does not open when a character of it was altered', async () => {
    const sealed = await box.seal('secret', context)
    const [, iv = '', text = ''] = sealed.split('.')
    for (const altered of [`${flip(iv)}.${text}`, `${iv}.${flip(text)}`, `${iv}.${text.slice(0, -4)}`, `${iv}.AAAA`]) {
      expect(await box.open(`v1.${altered}`, context)).toMatchObject({ ok: false, error: { kind: 'not_opened' } })
    }
  })

  it('is told from text that nobody sealed', async () => {
    const sealed = await box.seal('secret', context)
    const texts = ['', 'secret', 'v1', 'v1..', 'v1.AAAA.AAAA', `${sealed}.x`, sealed.replaceAll('.', ':'), `${sealed}=`]
    for (const text of texts) {
      expect(await box.open(text, context)).toMatchObject({ ok: false, error: { kind: 'malformed' } })
    }
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        expect((await box.open(text, context)).ok).toBe(false)
      }),
    )
  })
})

describe('rotation of MASTER_KEY', () => {
  it('opens what the old key sealed and seals with the new one', async () => {
    const old = await box.seal('secret', context)
    const rotated = await boxOf(`v2:${SECOND}, v1:${FIRST}`)
    expect(await rotated.open(old, context)).toEqual({ ok: true, value: 'secret' })
    const sealed = await rotated.seal('secret', context)
    expect([rotated.isCurrent(old), rotated.isCurrent(sealed), sealed.slice(0, 3)]).toEqual([false, true, 'v2.'])
    expect(await (await boxOf(`v2:${SECOND}`)).open(sealed, context)).toEqual({ ok: true, value: 'secret' })
  })

  it('says whether a version is missing or a key was replaced', async () => {
    const old = await box.seal('secret', context)
    expect(await (await boxOf(`v2:${SECOND}`)).open(old, context)).toMatchObject({ error: { kind: 'unknown_version' } })
    expect(await (await boxOf(SECOND)).open(old, context)).toMatchObject({ error: { kind: 'not_opened' } })
    expect(await box.open(old.replace('v1', '__proto__'), context)).toMatchObject({ error: { kind: 'unknown_version' } })
  })

  it('does not let a sealed value change its version', async () => {
    const twins = await boxOf(`v2:${FIRST},v1:${FIRST}`)
    const sealed = await twins.seal('secret', context)
    expect(await twins.open(sealed.replace('v2', 'v1'), context)).toMatchObject({ error: { kind: 'not_opened' } })
  })
})

describe('MASTER_KEY', () => {
  const spellings = [FIRST, FIRST.replace('=', ''), `v7:${FIRST}`, ` ${FIRST} `, keyOf(255).replaceAll('/', '_')]
  it.each(spellings)('may be %s', async (key) => {
    expect(await createSecretBox(key)).toMatchObject({ ok: true })
  })

  it.each([
    '', ',', 'secret', 'v1:', `v0:${FIRST}`, `1:${FIRST}`, `:${FIRST}`, btoa('short'), `${FIRST}${FIRST}`, `${FIRST},`,
    `v2:${SECOND},v2:${FIRST}`, `${FIRST},${SECOND}`, `__proto__:${FIRST}`, `v1:v1:${FIRST}`, `${FIRST.slice(0, -2)}!=`,
  ])('may not be %j, and the sentence does not quote it', async (key) => {
    const box = await createSecretBox(key)
    expect(box).toMatchObject({ ok: false, error: { sentence: expect.stringContaining('MASTER_KEY') } })
    if (!box.ok) expect(box.error.sentence).not.toContain(FIRST)
  })
})
