import { beforeAll, describe, expect, it } from 'vitest'
import { admin, openTenant, own, rowsOf, textAt } from '../http/bridge'

const TENANT = 'admin-policy'
const PATH = `/t/${TENANT}/admin/api/policy`

beforeAll(() => openTenant(TENANT))

const mapping = (id: string, more: Readonly<Record<string, unknown>> = {}): unknown =>
  ({ id, group: `Group ${id}`, grants: [{ organization: 'ML Platform', role: 'MEMBER' }], ...more })

const POLICY = { mappings: [mapping('a')], protected: ['root@example.com'] }

describe('GET before the first PUT', () => {
  it('is version 0: nobody gets anything', async () => {
    const answer = await admin('GET', PATH)
    expect([answer.status, answer.headers.get('etag')]).toEqual([200, '"0"'])
    expect(answer.body).toEqual({ version: 0, policy: { mappings: [] }, createdAt: null, actor: null })
  })
})

describe('PUT', () => {
  beforeAll(async () => {
    expect((await admin('PUT', PATH, POLICY)).status).toBe(200)
  })

  const version = async (): Promise<unknown> => own((await admin('GET', PATH)).body, 'version')

  it('answers the new version, which is then the policy as it was given', async () => {
    const before = await version()
    const put = await admin('PUT', PATH, POLICY)
    expect([put.status, own(put.body, 'version')]).toEqual([200, Number(before) + 1])
    const got = await admin('GET', PATH)
    expect([own(got.body, 'version'), own(got.body, 'policy'), own(got.body, 'actor')]).toEqual([own(put.body, 'version'), POLICY, 'administrator-token'])
    expect(got.headers.get('etag')).toBe(put.headers.get('etag'))
    expect(Date.parse(textAt(got, 'createdAt'))).toBeGreaterThan(Date.now() - 60_000)
  })

  it.each<[string, unknown, string, RegExp]>([
    ['not an object', [], '', /object/],
    ['text', '"mappings"', '', /object/],
    ['without mappings', {}, 'mappings', /missing/],
    ['an unknown key', { mappings: [], mapings: [] }, 'mapings', /"mapings".*"mappings"/],
    ['an unknown role', { mappings: [mapping('a', { grants: [{ organization: 'X', role: 'OWNER' }] })] }, 'mappings[0].grants[0].role', /ADMIN/],
    ['a duplicate id', { mappings: [mapping('a'), mapping('b'), mapping('a')] }, 'mappings[2].id', /"a"/],
    ['an unused placeholder', { mappings: [mapping('a', { group: 'x-{organization}-{other}', grants: [{ organization: '{organization}', role: 'MEMBER' }] })] }, 'mappings[0].group', /other/],
    ['a grant without a resource', { mappings: [mapping('a', { grants: [{ role: 'MEMBER' }] })] }, 'mappings[0].grants[0]', /no resource/],
    ['an unknown connection', { mappings: [mapping('a', { connection: 'nobody' })] }, 'mappings[0].connection', /nobody/],
  ])('%s: 400 with the path in the document, and the old policy stays', async (_name, document, path, sentence) => {
    const before = await rowsOf(TENANT)
    const answer = await admin('PUT', PATH, document)
    expect([answer.status, answer.headers.get('content-type'), own(answer.body, 'errors', 0, 'path')]).toEqual([400, 'application/problem+json', path])
    expect(String(own(answer.body, 'errors', 0, 'sentence'))).toMatch(sentence)
    expect(String(own(answer.body, 'detail'))).toContain(String(own(answer.body, 'errors', 0, 'sentence')))
    expect(await rowsOf(TENANT)).toEqual(before)
  })

  it('lists everything that is wrong', async () => {
    const answer = await admin('PUT', PATH, { mappings: [mapping('a', { x: 1 }), { id: 'b' }], brake: { maxRemovalsPerHour: -1 } })
    expect(own(answer.body, 'errors')).toEqual(expect.arrayContaining([
      expect.objectContaining({ path: 'mappings[0].x' }), expect.objectContaining({ path: 'mappings[1].grants' }), expect.objectContaining({ path: 'brake.maxRemovalsPerHour' }),
    ]))
  })

  it.each<[string, (version: number) => string, number]>([
    ['the present version', (n) => `"${n}"`, 200], ['the present version, weak', (n) => `W/"${n}"`, 200], ['any', () => '*', 200],
    ['one of several', (n) => `"999", "${n}"`, 200], ['an older version', (n) => `"${n - 1}"`, 412], ['a later version', (n) => `"${n + 1}"`, 412],
  ])('with If-Match of %s', async (_name, tag, status) => {
    const before = Number(await version())
    const answer = await admin('PUT', PATH, POLICY, { 'if-match': tag(before) })
    expect([answer.status, await version()]).toEqual([status, status === 200 ? before + 1 : before])
  })
})
