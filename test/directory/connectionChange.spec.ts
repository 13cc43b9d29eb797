import { describe, expect, it } from 'vitest'
import { changeConnection, type ConnectionChange } from '../../src/directory/connectionChange'
import { connectionById, createConnection } from '../../src/directory/connections'
import { createPolicyCache, putPolicy } from '../../src/directory/policies'
import { openStore, type TestStore } from './memoryStore'

const ISSUER = { issuer: 'https://idp.example.com/', audience: 'a', jwksUri: 'https://idp.example.com/keys', caller: { claim: 'azp' as const, values: ['x'] } }

const open = (run: (store: TestStore) => void): Promise<void> =>
  openStore((store) => {
    createConnection(store, { kind: 'scim', name: 'Okta', source: 'okta', config: { address: 'userName', issuers: [ISSUER] } }, 'test', 'okta')
    createConnection(store, { kind: 'okta-event-hook', name: 'Hook', source: 'okta', config: { address: 'email', issuers: [] } }, 'test', 'hook')
    run(store)
  })

const journal = (store: TestStore): unknown[] =>
  store.sql.rows<{ connection_id: string; actor: string; data: string }>(`SELECT connection_id, actor, data FROM journal WHERE kind = 'connection.changed'`)
    .map(({ data, ...row }) => ({ ...row, data: JSON.parse(data) as unknown }))

const connections = (store: TestStore): unknown[] => store.sql.rows(`SELECT * FROM connections ORDER BY id`)

const mapping = (connection?: string) => ({ mappings: [{ id: 'm', group: 'G', ...(connection === undefined ? {} : { connection }), grants: [{ organization: 'O', role: 'MEMBER' }] }] })

const statusOf = (result: ReturnType<typeof changeConnection>): number => (result.ok ? 200 : result.error.status)

describe('changeConnection', () => {
  it('turns the catalogue on and off, keeps the rest, raises the revision and is journalled', async () => {
    await open((store) => {
      const on = changeConnection(store, 'okta', { entitlements: true }, 'admin')
      expect(on).toMatchObject({ ok: true, value: { revision: 2, name: 'Okta', config: { address: 'userName', issuers: [ISSUER], entitlements: true } } })
      expect(changeConnection(store, 'okta', { entitlements: false, name: 'Okta EU' }, 'admin')).toMatchObject({
        ok: true, value: { revision: 3, name: 'Okta EU', config: { entitlements: false } },
      })
      expect(journal(store)).toEqual([
        { connection_id: 'okta', actor: 'admin', data: { changed: ['entitlements'], entitlements: true } },
        { connection_id: 'okta', actor: 'admin', data: { changed: ['name', 'entitlements'], entitlements: false } },
      ])
    })
  })

  it.each<[ConnectionChange]>([[{}], [{ name: 'Okta' }], [{ entitlements: false }], [{ name: 'Okta', entitlements: false }]])('does nothing for %j', async (change) => {
    await open((store) => {
      const before = connections(store)
      expect(changeConnection(store, 'okta', change, 'admin')).toMatchObject({ ok: true, value: { revision: 1 } })
      expect([connections(store), journal(store)]).toEqual([before, []])
    })
  })

  it.each<[string, string, ConnectionChange, number, RegExp]>([
    ['one that is not there', 'nobody', { entitlements: true }, 404, /No such/],
    ['a name that is taken', 'okta', { name: 'Hook', entitlements: true }, 409, /"Hook"/],
    ['a hook, which discovers nothing', 'hook', { entitlements: true }, 422, /SCIM/],
    ['a name that the policy uses', 'okta', { name: 'Okta EU' }, 409, /its id \(okta\)/],
  ])('refuses %s, and changes nothing', async (_what, id, change, status, sentence) => {
    await open((store) => {
      expect(putPolicy(store, mapping('OKTA'), 'test').ok).toBe(true)
      const before = connections(store)
      const refused = changeConnection(store, id, change, 'admin')
      expect([statusOf(refused), refused.ok ? '' : refused.error.sentence]).toEqual([status, expect.stringMatching(sentence)])
      expect([connections(store), journal(store)]).toEqual([before, []])
    })
  })

  it.each([['the policy names it by its id', 'okta', 'Okta EU'], ['the name differs by case alone', 'okTA', 'OKTA'], ['the policy names none', undefined, 'X']])(
    'renames it when %s', async (_why, named, name) => {
      await open((store) => {
        putPolicy(store, mapping(named), 'test')
        const policy = createPolicyCache(store)
        expect(policy().compiled).not.toBeNull()
        expect(changeConnection(store, 'okta', { name }, 'admin')).toMatchObject({ ok: true, value: { name, revision: 2 } })
        expect(policy().compiled).not.toBeNull()
        expect(connectionById(store, 'okta')?.name).toBe(name)
      })
    })

  it('renames it although the policy is not valid for another reason', async () => {
    await open((store) => {
      putPolicy(store, mapping(), 'test')
      store.sql.run(`UPDATE policies SET document = '{}'`)
      expect(statusOf(changeConnection(store, 'okta', { name: 'X' }, 'admin'))).toBe(200)
    })
  })
})
