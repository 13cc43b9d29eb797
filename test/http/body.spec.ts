import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codingOf, fitsCall, mediaTypeOf, readText, sizeOf } from '../../src/http/body'

const streamOf = (chunks: readonly Uint8Array[]): { body: ReadableStream<Uint8Array>; taken: () => number } => {
  let taken = 0
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => {
      const chunk = chunks[taken]
      taken += 1
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
  }, { highWaterMark: 0 })
  return { body, taken: () => taken }
}

const requestOf = (body: ReadableStream | string | null, headers: Record<string, string> = {}): Request =>
  new Request('http://127.0.0.1/', { method: 'POST', body, headers })

describe('readText', () => {
  it('gives back what was sent, wherever it was cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 60 }), fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 20 }), async (text, cuts) => {
        const bytes = new TextEncoder().encode(text)
        const chunks: Uint8Array[] = []
        let from = 0
        for (const cut of [...cuts, bytes.byteLength]) {
          if (from < bytes.byteLength) chunks.push(bytes.slice(from, from + cut))
          from += cut
        }
        const read = await readText(requestOf(streamOf(chunks).body), 1000)
        expect(read).toEqual({ ok: true, value: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) })
      }), { numRuns: 50 })
  })

  it('is empty without a body', async () => {
    expect(await readText(requestOf(null), 10)).toEqual({ ok: true, value: '' })
  })

  it.each([[10, true], [11, false]])('of %i bytes with a limit of 10: %s', async (bytes, isRead) => {
    expect((await readText(requestOf('x'.repeat(bytes)), 10)).ok).toBe(isRead)
  })

  it('counts bytes, not characters', async () => {
    expect(await readText(requestOf('ééé'), 5)).toEqual({ ok: false, error: 'too_large' })
  })

  it('believes a length that is too large without reading', async () => {
    const { body, taken } = streamOf([new Uint8Array(1)])
    expect(await readText(requestOf(body, { 'content-length': '11' }), 10)).toEqual({ ok: false, error: 'too_large' })
    expect(taken()).toBe(0)
  })

  it('stops reading at the limit when no length was told', async () => {
    const chunks = Array.from({ length: 100 }, () => new Uint8Array(4).fill(0x20))
    const { body, taken } = streamOf(chunks)
    expect(await readText(requestOf(body), 10)).toEqual({ ok: false, error: 'too_large' })
    expect(taken()).toBeLessThan(6)
  })

  it.each([[[0xff]], [[0x22, 0xc3]], [[0xed, 0xa0, 0x80]], [[0xc0, 0xaf]]])('refuses the bytes %j', async (bytes) => {
    expect(await readText(requestOf(streamOf([new Uint8Array(bytes)]).body), 10)).toEqual({ ok: false, error: 'not_utf8' })
  })
})

describe('fitsCall', () => {
  const MB = 1024 * 1024
  const fits = (value: unknown): boolean => fitsCall(value, JSON.stringify(value).length)
  const members = (count: number, display?: string): unknown => ({
    members: Array.from({ length: count }, (_, index) => ({ value: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`, display })),
  })

  it.each<[string, unknown, boolean]>([
    ['16 MB of one text', 'x'.repeat(16 * MB), true],
    ['16 MB of one text with one wide character', `${'x'.repeat(16 * MB)}€`, false],
    ['the same as a name', { [`${'x'.repeat(16 * MB)}€`]: 1 }, false],
    ['10 MB of it', `${'x'.repeat(10 * MB)}€`, true],
    ['numbers that are no small integers', { a: [Array.from({ length: 4_000_000 }, () => 0.5)] }, false],
    ['300,000 members', members(300_000), true],
    ['100,000 members with their names', members(100_000, '山田太郎 (Taro Yamada)'), true],
  ])('%s: %#', (_what, value, does) => {
    expect(fits(value)).toBe(does)
  })
})

describe('codingOf', () => {
  it.each([['gzip', 'gzip'], [' Identity ', null], ['', null], ['gzip, br', 'gzip, br']])('%j is %j', (header, coding) => {
    expect(codingOf(requestOf('x', { 'content-encoding': header }))).toBe(coding)
  })
})

describe('mediaTypeOf', () => {
  it.each([
    ['application/json', 'application/json'], ['Application/SCIM+JSON ; charset=utf-8', 'application/scim+json'], ['', null], [';charset=utf-8', null],
  ])('%j is %j', (header, type) => {
    expect(mediaTypeOf(new Request('http://127.0.0.1/', { headers: { 'content-type': header } }))).toBe(type)
  })

  it('names none where there is none', () => {
    expect(mediaTypeOf(new Request('http://127.0.0.1/'))).toBeNull()
  })
})

it('writes sizes as people read them', () => {
  expect([sizeOf(1024 * 1024), sizeOf(16 * 1024 * 1024)]).toEqual(['1 MB', '16 MB'])
})
