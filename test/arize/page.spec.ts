import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { asPage, readAll, type Page, type PageQuery } from '../../src/arize/page'
import { ok } from '../../src/result'
import { id, json, list, problem, wireTo } from './wire'

const organization = (number: number) => ({ id: id('Organization', number), name: `Organization ${number}` })

describe('readAll', () => {
  it('reads every page, in order, in Arize\'s largest size', async () => {
    const wire = wireTo(({ query }) => {
      const from = Number(query.get('cursor') ?? 0)
      const items = Array.from({ length: 100 }, (_, index) => organization(from + index))
      return from < 200 ? list('organizations', items, String(from + 100)) : list('organizations', items.slice(0, 1))
    })
    const result = await wire.arize.names.organizations()
    expect(result.ok && result.value.map(({ name }) => name)).toEqual(Array.from({ length: 201 }, (_, index) => `Organization ${index}`))
    expect(wire.asked.map(({ query }) => query.get('limit'))).toEqual(['100', '100', '100'])
  })

  it('goes on after short and empty pages', async () => {
    const pages = [[organization(1)], [], [], [organization(2), organization(3)], []]
    const wire = wireTo((_asked, index) => list('organizations', pages[index] ?? [], index < pages.length - 1 ? `c=${index}&/` : undefined))
    const result = await wire.arize.names.organizations()
    expect(result.ok && result.value.map((one) => one.id)).toEqual([1, 2, 3].map((number) => id('Organization', number)))
    expect(wire.asked.map(({ query }) => query.get('cursor'))).toEqual([null, 'c=0&/', 'c=1&/', 'c=2&/', 'c=3&/'])
  })

  it('gives nothing when a later page fails', async () => {
    const wire = wireTo((_asked, index) => (index === 0 ? list('organizations', [organization(1)], 'next') : problem(500)))
    expect(await wire.arize.names.organizations()).toMatchObject({ ok: false, error: { kind: 'unavailable', status: 500 } })
  })

  it.each<[string, Record<string, unknown>, number]>([
    ['has_more without a cursor', { has_more: true }, 1],
    ['has_more with a null cursor', { has_more: true, next_cursor: null }, 1],
    ['has_more with an empty cursor', { has_more: true, next_cursor: '' }, 1],
    ['a cursor that leads to itself', { has_more: true, next_cursor: 'same' }, 2],
  ])('does not take a list with %s for a whole one', async (_name, pagination, calls) => {
    const wire = wireTo(() => json({ organizations: [organization(1)], pagination }))
    expect(await wire.arize.names.organizations()).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(wire.asked).toHaveLength(calls)
  })

  it('notices a longer circle of cursors', async () => {
    const wire = wireTo((_asked, index) => list('organizations', [], `cursor ${index % 3}`))
    expect(await wire.arize.names.organizations()).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(wire.asked).toHaveLength(4)
  })

  it('gives up on a list without an end', async () => {
    let pages = 0
    const endless = async (_query: PageQuery) => {
      pages += 1
      return ok<Page<number>>({ items: [], hasMore: true, cursor: String(pages) })
    }
    expect(await readAll(endless, 25)).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(pages).toBe(25)
  })

  it('is the concatenation of the pages, however they are cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(fc.nat(), { maxLength: 5 }), { minLength: 1, maxLength: 8 }), async (pages) => {
        const read = async ({ cursor }: PageQuery) => {
          const index = cursor === undefined ? 0 : Number(cursor)
          const hasMore = index < pages.length - 1
          return ok<Page<number>>({ items: pages[index] ?? [], hasMore, cursor: hasMore ? String(index + 1) : null })
        }
        expect(await readAll(read)).toEqual({ ok: true, value: pages.flat() })
      }),
    )
  })
})

describe('asPage', () => {
  const read = asPage('things', z.object({ id: z.string() }))

  it.each<[string, unknown]>([
    ['no pagination', { things: [] }],
    ['has_more of another type', { things: [], pagination: { has_more: 'false' } }],
    ['no list', { pagination: { has_more: false } }],
    ['another list', { others: [], pagination: { has_more: false } }],
    ['a list that is an object', { things: {}, pagination: { has_more: false } }],
    ['a thing without id', { things: [{ id: 'a' }, { name: 'b' }], pagination: { has_more: false } }],
    ['nothing', undefined],
    ['null', null],
    ['a text', 'things'],
  ])('cannot read %s', (_name, data) => {
    expect(read(data, 200)).toBeNull()
  })

  it('ignores what is new, and a cursor after the end', () => {
    const data: unknown = JSON.parse(
      '{"things": [{"id": "a", "__proto__": {"x": 1}, "new": 1}], "pagination": {"has_more": false, "next_cursor": "z", "total": 1}, "__proto__": {}}',
    )
    expect(read(data, 200)).toEqual({ items: [{ id: 'a' }], hasMore: false, cursor: 'z' })
  })
})
