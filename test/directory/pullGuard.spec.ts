import { describe, expect, it } from 'vitest'
import { changeConnection } from '../../src/directory/connectionChange'
import { removeConnection } from '../../src/directory/connectionRemoval'
import { pauseConnection } from '../../src/directory/connectionState'
import { createConnection } from '../../src/directory/connections'
import { guardSource, OUTDATED } from '../../src/directory/pullGuard'
import { keepSubscriptions, renounceSubscriptions, subscriptionsOf } from '../../src/directory/pullSubscriptions'
import { err, ok } from '../../src/result'
import type { Source, Subscription } from '../../src/sources/source'
import { openStore, type TestStore } from './memoryStore'

const open = (run: (store: TestStore) => Promise<void>): Promise<void> =>
  openStore(async (store) => {
    createConnection(store, { kind: 'graph', name: 'Graph', source: 'entra', config: { address: 'email', issuers: [] } }, 'test', 'g')
    await run(store)
  })

/** A provider during whose answer something happens. */
const sourceWith = (meanwhile: () => void): Source => ({
  tellsOfAll: true,
  probe: async () => ok(meanwhile()),
  person: async () => ok((meanwhile(), null)),
  group: async () => ok((meanwhile(), null)),
  everything: async () => ok((meanwhile(), { items: [], next: null, delta: null })),
  changes: async () => ok((meanwhile(), { items: [], next: null, delta: null })),
})

const askAll = (source: Source): Promise<readonly unknown[]> => Promise.all([
  source.probe(), source.person({ id: 'x', userName: null }), source.group({ id: 'x', displayName: null }, null), source.everything(null), source.changes?.('d'),
])

describe('the answers of a provider', () => {
  it('are heard while the connection is what it was', () =>
    open(async (store) => {
      for (const answer of await askAll(guardSource(store, 'g', sourceWith(() => undefined)))) expect(answer).toMatchObject({ ok: true })
    }))

  it.each<[string, (store: TestStore) => unknown]>([
    ['paused', (store) => pauseConnection(store, 'g', 'test')], ['removed', (store) => removeConnection(store, 'g', 'Graph', 'test')],
    ['changed', (store) => changeConnection(store, 'g', { settings: { tenantId: 'other' } }, 'test')],
  ])('are not heard once it is %s', (_what, end) =>
    open(async (store) => {
      const answers = await askAll(guardSource(store, 'g', sourceWith(() => void end(store))))
      expect(answers).toEqual(answers.map(() => err(OUTDATED)))
    }))
})

describe('subscriptions whose secret was replaced', () => {
  it('are made anew with the new one, and the old ones are ended once', () =>
    open(async (store) => {
      const alive = new Map<string, string>()
      const asked: string[] = []
      let serial = 0
      const port = {
        resources: ['users'],
        create: async ({ resource, clientState }: { readonly resource: string; readonly clientState: string }) => {
          const made: Subscription = { id: `s${++serial}`, resource, expiresAt: store.now() + 20 * 24 * 3_600_000 }
          alive.set(made.id, clientState)
          return ok(made)
        },
        renew: async (subscription: Subscription) => ok(subscription),
        remove: async ({ id }: Subscription) => {
          asked.push(id)
          return alive.delete(id) ? ok(undefined) : err({ kind: 'unavailable', sentence: 'It is away.' } as const)
        },
      }
      const keep = (clientState: string) =>
        keepSubscriptions({ store, connectionId: 'g', port, notify: { notificationUrl: 'https://bridge.example.com/webhooks/graph/g', clientState }, isUrgent: false })
      expect((await keep('old')).ok).toBe(true)
      renounceSubscriptions(store, 'g')
      expect(subscriptionsOf(store, 'g')).toEqual([])
      expect((await keep('new')).ok).toBe(true)
      expect([[...alive], subscriptionsOf(store, 'g').map(({ id }) => id), asked]).toEqual([[['s2', 'new']], ['s2'], ['s1']])
      renounceSubscriptions(store, 'g')
      alive.clear()
      await keep('newest')
      await keep('newest')
      expect([subscriptionsOf(store, 'g').map(({ id }) => id), asked]).toEqual([['s3'], ['s1', 's2']])
    }))
})
