import { describe, expect, it } from 'vitest'
import { verifyIssuedToken } from '../../src/auth/issuedToken'
import type { Config } from '../../src/config'
import { clientOf, publishedKeys, signToken } from '../../src/directory/clients'
import { connectionById, createConnection, type Connection } from '../../src/directory/connections'
import { createToken } from '../../src/directory/tokens'
import { err, ok } from '../../src/result'
import { openStore, type TestStore } from './memoryStore'

const keyOf = (letter: string): string => btoa(letter.repeat(32))

const config = (masterKey: string | null): Config => ({
  arize: { baseUrl: 'https://arize.invalid', apiKey: 'k', ownUser: null, callsPerSecond: 1 }, masterKey, adminToken: 'a', scimToken: null, isDevelopment: false,
})

const ENDPOINT = { issuer: 'https://bridge.example.com/oauth', audience: 'https://bridge.example.com/scim/v2' }
const PROOF = { kind: 'secret', clientId: 'entra', hash: 'h' } as const

const open = (run: (store: TestStore, connection: Connection) => void | Promise<void>): Promise<void> =>
  openStore(async (store) => {
    const made = createConnection(store, {
      kind: 'scim', name: 'Entra', source: 'entra', config: { address: 'email', issuers: [], oauth: { clientId: 'entra', federation: [], keys: null } },
    }, 'test', 'c1')
    if (!made.ok) throw new Error(made.error.sentence)
    createToken(store, 'c1', { hash: 'h', expiresAt: store.now() + 1_000, purpose: 'client' }, 'test')
    createToken(store, 'c1', { hash: 'b', expiresAt: null }, 'test')
    await run(store, made.value)
  })

const sign = (store: TestStore, connection: Connection, masterKey: string | null) =>
  signToken({ store, settings: ok(config(masterKey)), name: 'acme' }, connection, { proof: PROOF, ...ENDPOINT })

const DAY = 24 * 3_600_000

describe('a signing key', () => {
  it('is made with the first token, sealed, and replaced in time; the one before is published while its tokens live', () =>
    open(async (store, connection) => {
      const first = await sign(store, connection, keyOf('a'))
      expect(first).toMatchObject({ ok: true, value: { expiresInSeconds: 3600 } })
      expect((await sign(store, connection, keyOf('a'))).ok).toBe(true)
      expect(publishedKeys(store)).toHaveLength(1)
      expect(JSON.stringify(publishedKeys(store).map(({ publicJwk }) => publicJwk))).not.toContain('"d"')
      store.clock.at += 90 * DAY
      expect((await sign(store, connection, keyOf('a'))).ok).toBe(true)
      expect(publishedKeys(store)).toHaveLength(2)
      store.clock.at += 91 * DAY
      expect((await sign(store, connection, keyOf('a'))).ok).toBe(true)
      expect(publishedKeys(store)).toHaveLength(1)
    }))

  it('that a replaced MASTER_KEY does not open gives way to a new one', () =>
    open(async (store, connection) => {
      await sign(store, connection, keyOf('a'))
      const token = await sign(store, connection, keyOf('b'))
      if (!token.ok) throw new Error(token.error.sentence)
      const keys = publishedKeys(store).map(({ publicJwk }) => publicJwk)
      expect(keys).toHaveLength(2)
      expect(await verifyIssuedToken(token.value.accessToken, { ...ENDPOINT, keys, now: store.now, development: false })).toMatchObject({ ok: true, value: { connectionId: 'c1', generation: 1 } })
    }))

  it('needs MASTER_KEY, also when there is one already', () =>
    open(async (store, connection) => {
      expect(await sign(store, connection, null)).toMatchObject({ ok: false, error: { variable: 'MASTER_KEY' } })
      await sign(store, connection, keyOf('a'))
      expect(await sign(store, connection, null)).toMatchObject({ ok: false, error: { variable: 'MASTER_KEY' } })
    }))
})

describe('a client', () => {
  it('is known by its secret while that lives, and while the connection is open', () =>
    open((store) => {
      expect(clientOf(store, PROOF)).toMatchObject({ ok: true, value: { id: 'c1' } })
      const refused = (reason: string) => err({ kind: 'invalid', reason })
      expect(clientOf(store, { ...PROOF, clientId: 'other' })).toEqual(refused('unknown_token'))
      expect(clientOf(store, { ...PROOF, hash: 'b' })).toEqual(refused('unknown_token'))
      for (const [state, reason] of [['paused', 'connection_paused'], ['removing', 'unknown_token']] as const) {
        store.sql.run(`UPDATE connections SET state = ?`, state)
        expect(clientOf(store, PROOF)).toEqual(refused(reason))
      }
      store.sql.run(`UPDATE connections SET state = 'active'`)
      store.clock.at += 1_000
      expect(clientOf(store, PROOF)).toEqual(refused('unknown_token'))
    }))

  it('proves itself by an assertion of the present revision, once where it counts once', () =>
    open((store) => {
      const proof = (once: string | null, revision = 1) => clientOf(store, { kind: 'assertion', connectionId: 'c1', revision, once })
      expect([proof('j1').ok, proof('j1'), proof('j2').ok, proof(null).ok, proof(null).ok]).toEqual([true, err({ kind: 'invalid', reason: 'replayed' }), true, true, true])
      expect(proof('j3', 2)).toEqual(err({ kind: 'stale' }))
      expect(connectionById(store, 'c1')?.revision).toBe(1)
    }))
})
