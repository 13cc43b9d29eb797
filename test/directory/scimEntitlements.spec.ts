import { describe, expect, it } from 'vitest'
import { putPolicy } from '../../src/directory/policies'
import type { CatalogueRequest } from '../../src/directory/scimEntitlements'
import { notFound } from '../../src/scim/error'
import { readListQuery } from '../../src/scim/query'
import type { CatalogueType } from '../../src/scim/schema'
import { openScim, type Client, type Json, type ScimWorld } from './scimClient'

const BASE = 'https://bridge.example/scim/v2'
const ROLE = 'urn:okta:scim:schemas:core:1.0:Role'

const POLICY = {
  mappings: [
    { id: 'viewer', entitlement: 'ML viewer', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
    { id: 'by group', group: 'ML', grants: [{ organization: 'ML', role: 'MEMBER' }] },
    { id: 'lead', entitlement: 'Ranking lead', grants: [{ organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'member', entitlement: 'ml member', grants: [{ organization: 'ML', role: 'MEMBER' }, { developer: true }] },
    { id: 'äöü', entitlement: 'Über', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
  ],
}

interface Got {
  readonly status: number
  readonly body: Json
  readonly etag: string | null
}

const ask = (client: Client, type: CatalogueType, request: CatalogueRequest): Got => {
  const reply = client.execute({ op: 'catalogue', type, request })
  if (!reply.ok) return { status: reply.error.status, body: { ...reply.error }, etag: null }
  const { status, body, etag } = reply.value
  return { status, etag, body: body === null ? {} : (JSON.parse(body) as Json) }
}

const list = (client: Client, type: CatalogueType, query: Readonly<Record<string, string>> = {}): Got => {
  const read = readListQuery(new URLSearchParams(query))
  return ask(client, type, read.ok ? { kind: 'list', query: read.value } : { kind: 'refused', error: read.error })
}

const one = (client: Client, type: CatalogueType, id: string, view: { attributes?: string[]; excludedAttributes?: string[]; ifNoneMatch?: string } = {}): Got =>
  ask(client, type, { kind: 'one', id, view: { attributes: [], excludedAttributes: [], ifNoneMatch: null, ...view } })

const namesIn = ({ body }: Got): unknown[] => (Array.isArray(body.Resources) ? body.Resources.map(({ displayName }: Json) => displayName) : [])

const open = (run: (world: ScimWorld) => void, policy: unknown = POLICY): Promise<void> =>
  openScim((world) => {
    if (policy !== null) {
      const put = putPolicy(world.store, policy, 'test')
      if (!put.ok) throw new Error(JSON.stringify(put.error))
    }
    run(world)
  }, { hasCatalogue: true })

describe('Roles and Entitlements', () => {
  it('are what the policy offers, apart by what they reach', async () => {
    await open(({ okta }) => {
      const roles = list(okta, 'Role')
      expect(roles.body).toMatchObject({ schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'], totalResults: 3, startIndex: 1, itemsPerPage: 3 })
      expect(roles.body.Resources).toContainEqual({
        schemas: [ROLE], id: 'mapping.member', displayName: 'ml member', description: 'Gives MEMBER of organization "ML" and developer access.',
        meta: { resourceType: 'Role', location: `${BASE}/Roles/mapping.member`, version: 'W/"1"' },
      })
      expect(list(okta, 'Entitlement').body.Resources).toEqual([{
        schemas: ['urn:okta:scim:schemas:core:1.0:Entitlement'], id: 'mapping.lead', displayName: 'Ranking lead', type: 'Entitlement',
        description: 'Gives ADMIN of space "Ranking" in organization "ML".',
        meta: { resourceType: 'Entitlement', location: `${BASE}/Entitlements/mapping.lead`, version: 'W/"1"' },
      }])
    })
  })

  it('are read by id, as the caller wants them, and not again while the policy stays', async () => {
    await open(({ okta, store }) => {
      const role = one(okta, 'Role', 'mapping.~e4.~f6.~fc.')
      expect([role.status, role.etag, role.body.displayName]).toEqual([200, 'W/"1"', 'Über'])
      expect(one(okta, 'Role', 'mapping.viewer', { attributes: [`${ROLE}:displayName`, 'meta.version'] }).body).toEqual({
        schemas: [ROLE], id: 'mapping.viewer', displayName: 'ML viewer', meta: { version: 'W/"1"' },
      })
      expect(one(okta, 'Role', 'mapping.viewer', { excludedAttributes: ['META', 'description'] }).body).toEqual({ schemas: [ROLE], id: 'mapping.viewer', displayName: 'ML viewer' })
      expect(one(okta, 'Role', 'mapping.viewer', { ifNoneMatch: 'W/"1"' })).toEqual({ status: 304, body: {}, etag: 'W/"1"' })
      putPolicy(store, POLICY, 'test')
      expect(one(okta, 'Role', 'mapping.viewer', { ifNoneMatch: 'W/"1"' })).toMatchObject({ status: 200, etag: 'W/"2"' })
    })
  })

  it.each<[CatalogueType, string]>([
    ['Role', 'mapping.lead'], ['Entitlement', 'mapping.viewer'], ['Role', 'mapping.by~20.group'], ['Role', 'viewer'], ['Role', 'MAPPING.viewer'], ['Role', 'ML viewer'],
    ['Role', '__proto__'], ['Role', ''],
  ])('%s %j is 404', async (type, id) => {
    await open(({ okta }) => expect(one(okta, type, id)).toMatchObject({ status: 404, body: { detail: `There is no ${type} with this id.` } }))
  })

  it.each<[Readonly<Record<string, string>>, readonly string[], number]>([
    [{}, ['ML viewer', 'ml member', 'Über'], 3],
    [{ count: '1', startIndex: '1' }, ['ML viewer'], 3],
    [{ count: '1', startindex: '3' }, ['Über'], 3],
    [{ count: '2', startIndex: '4' }, [], 3],
    [{ count: '0' }, [], 3],
    [{ filter: 'displayName eq "ML VIEWER"' }, ['ML viewer'], 1],
    [{ filter: 'displayName sw "ml" and not (description co "developer")' }, ['ML viewer'], 1],
    [{ filter: `${ROLE}:displayName co "ü" or id eq "mapping.member"` }, ['ml member', 'Über'], 2],
    [{ filter: 'id eq "MAPPING.member"' }, [], 0],
    [{ filter: 'meta.resourceType eq "Role" and meta.version pr' }, ['ML viewer', 'ml member', 'Über'], 3],
    [{ filter: 'type eq "Entitlement"' }, [], 0],
    [{ filter: 'nothing pr' }, [], 0],
    [{ filter: 'displayName pr', count: '1', startIndex: '2' }, ['ml member'], 3],
    [{ sortBy: 'displayName' }, ['ml member', 'ML viewer', 'Über'], 3],
    [{ sortBy: 'DisplayName', sortOrder: 'descending', count: '2' }, ['Über', 'ML viewer'], 3],
    [{ sortBy: 'id', count: '1' }, ['ml member'], 3],
    [{ sortBy: 'nothing' }, ['ML viewer', 'ml member', 'Über'], 3],
    [{ cursor: '' }, ['ML viewer', 'ml member', 'Über'], 3],
  ])('%j gives %j of %d', async (query, names, total) => {
    await open(({ okta }) => {
      const page = list(okta, 'Role', query)
      expect(namesIn(page)).toEqual(names)
      expect(page.body).toMatchObject({ totalResults: total, itemsPerPage: names.length })
    })
  })

  it('echo where the page begins', async () => {
    await open(({ okta }) => expect(list(okta, 'Role', { startIndex: '3', count: '1' }).body.startIndex).toBe(3))
  })

  it.each<[Readonly<Record<string, string>>, string]>([
    [{ filter: 'displayName eq' }, 'invalidFilter'], [{ count: 'x' }, 'invalidValue'], [{ filter: 'displayName[a eq "b"]' }, 'invalidFilter'],
    [{ cursor: 'abc' }, 'invalidCursor'], [{ cursor: '1.2.3' }, 'invalidCursor'], [{ cursor: '1.1.1.0', count: '1' }, 'invalidCursor'], [{ cursor: '', count: 'x' }, 'invalidCount'],
  ])('refuse %j as %s', async (query, scimType) => {
    await open(({ okta }) => expect(list(okta, 'Role', query).body).toMatchObject({ status: 400, scimType }))
  })

  it('are paged by cursor too, as long as the policy and the other parameters stay', async () => {
    await open(({ okta, store }) => {
      const read = (cursor: string, more: Readonly<Record<string, string>> = {}): Got => list(okta, 'Role', { sortBy: 'displayName', count: '1', cursor, ...more })
      const names: unknown[] = []
      let cursor = ''
      for (let pages = 0; pages < 5; pages += 1) {
        const page = read(cursor)
        expect([page.status, page.body.totalResults, page.body.itemsPerPage, 'startIndex' in page.body]).toEqual([200, 3, 1, false])
        names.push(...namesIn(page))
        if (typeof page.body.nextCursor !== 'string') break
        cursor = page.body.nextCursor
        expect(cursor).toMatch(/^[\w.~-]+$/)
      }
      expect(names).toEqual(['ml member', 'ML viewer', 'Über'])
      const errors = [
        read(cursor, { count: '2' }), read(cursor, { sortBy: 'id' }), read(cursor, { filter: 'id pr' }), read(`${cursor}0`), read(cursor, { attributes: 'id' }),
        list(okta, 'Entitlement', { sortBy: 'displayName', count: '1', cursor }),
      ]
      expect(errors.map(({ body }) => body.scimType)).toEqual(['invalidCount', ...Array.from({ length: 5 }, () => 'invalidCursor')])
      expect(read(cursor, { sortBy: 'DISPLAYNAME' }).status).toBe(200)
      putPolicy(store, POLICY, 'test')
      expect(read(cursor).body).toMatchObject({ status: 400, scimType: 'expiredCursor' })
      expect(read('', { count: '0' }).body).toMatchObject({ totalResults: 3, itemsPerPage: 0 })
      expect('nextCursor' in read('', { count: '0' }).body || 'nextCursor' in read('', { count: '3' }).body).toBe(false)
    })
  })

  it('are none without a policy, and unknown while the policy is not valid', async () => {
    await open(({ okta, store }) => {
      expect([list(okta, 'Role').body.totalResults, list(okta, 'Entitlement').body.Resources]).toEqual([0, []])
      putPolicy(store, POLICY, 'test')
      expect(list(okta, 'Role').body.totalResults).toBe(3)
      // As an earlier version of the bridge could have left it.
      store.sql.run(`UPDATE policies SET document = '{"mappings":[{}]}'`)
      store.sql.run(`INSERT INTO meta (key, value) VALUES ('rules', '99') ON CONFLICT (key) DO UPDATE SET value = '99'`)
      expect(list(okta, 'Role')).toMatchObject({ status: 503, body: { retryAfterSeconds: 300, detail: expect.stringContaining('policy') as string } })
    }, null)
  })

  it('write nothing, whatever is asked', async () => {
    await open(({ okta, dump }) => {
      const before = dump()
      list(okta, 'Role')
      one(okta, 'Entitlement', 'mapping.lead')
      expect(ask(okta, 'Role', { kind: 'refused', error: { status: 405, detail: 'No.' } }).status).toBe(405)
      expect(dump()).toEqual(before)
    })
  })

  it('are not there at all for a connection that has them off', async () => {
    await openScim(({ okta, store }) => {
      putPolicy(store, POLICY, 'test')
      const answers = [list(okta, 'Role'), list(okta, 'Role', { filter: 'x' }), one(okta, 'Role', 'mapping.viewer'), ask(okta, 'Entitlement', { kind: 'refused', error: { status: 405, detail: 'No.' } })]
      expect(answers.map(({ status, body }) => [status, body.detail])).toEqual(answers.map(() => [404, notFound('There is no such endpoint.').detail]))
    })
  })
})
