import { describe, expect, it } from 'vitest'
import type { PersonRef, SourceEvent } from '../../src/change'
import { dueQuestions } from '../../src/directory/refreshes'
import { KEYS_ASKED } from '../../src/directory/subjects'
import { active, event, membership, openEventWorld, type EventWorld } from './eventWorld'
import { START } from './memoryStore'

/** What the Directory does with events: whose word holds, for how long, and for whom. */

const ANN = { id: 'p1', userName: 'ann@example.com' }
const MINUTE = 60
const DAY = 86_400

const within = (story: (world: EventWorld) => void) => () => openEventWorld(story)

const openHook = (world: EventWorld): string => world.connect('hook', 'okta-event-hook')

/** An event hook and a SCIM client of one source; the client has Ann. */
const openPair = (world: EventWorld, person: { readonly externalId?: string; readonly active?: boolean } = { externalId: 'p1' }) => {
  const scim = world.connect('scim', 'scim')
  return { hook: openHook(world), scim, id: world.join(scim, { userName: 'ann@example.com', ...person }) }
}

const logout = (who: PersonRef): SourceEvent => ({ ...event(0, active(who, true)), changes: [], acts: [{ kind: 'logout', who }] })

/** Whose API keys are to be revoked by name. */
const keysAsked = ({ store }: EventWorld): string[] =>
  store.sql.rows<{ address: string }>(`SELECT address FROM subjects WHERE keys_due = ${KEYS_ASKED}`).map(({ address }) => address)

const effects = (world: EventWorld): unknown[] =>
  world.journal('event.taken').flatMap((row) => (row as { events: { effects: unknown[]; ignored?: string }[] }).events.flatMap(({ effects: all, ignored }) => (ignored === undefined ? all : [ignored])))

const lastError = ({ store }: EventWorld, connection: string): unknown =>
  store.sql.one(`SELECT last_error AS sentence FROM connections WHERE id = ?`, connection)?.['sentence']

describe('the time of an event', () => {
  it('decides, and of two at one time inactive wins, whichever comes first', within((world) => {
    const hook = openHook(world)
    world.tell(hook, [event(-60, active(ANN, true)), event(-30, active(ANN, false)), event(-40, active(ANN, true)), event(-30, active(ANN, true))])
    expect(world.state(hook).users).toEqual(['p1 ann@example.com inactive'])
    expect(effects(world)).toEqual(['applied', 'applied', 'older', 'older'])
  }))

  it.each([
    ['far ahead', 3600, 1], ['not said', null, 1], ['five minutes ahead', 5 * MINUTE, 5 * MINUTE + 1],
  ])('is that of receipt where it is %s and cannot be believed', async (_name, at, later) => {
    await openEventWorld((world) => {
      const hook = openHook(world)
      world.tell(hook, [event(-60, active(ANN, true)), event(at, active(ANN, false))])
      world.store.clock.at = START + later * 1000
      world.tell(hook, [event(later, active(ANN, true))])
      expect(world.state(hook).users).toEqual(['p1 ann@example.com active'])
    })
  })

  it('more than 14 days ago makes it a question and nothing else', within((world) => {
    const hook = openHook(world)
    world.tell(hook, [event(-60, active(ANN, true)), event(-14 * DAY - 1, active({ id: 'p2', userName: 'ben@example.com' }, true))])
    expect(world.state(hook).users).toEqual(['p1 ann@example.com active'])
    expect(effects(world)).toEqual(['applied', 'The event is more than 14 days old.'])
  }))

  it('of a membership and of a group is its own', within((world) => {
    const hook = openHook(world)
    world.tell(hook, [
      event(-50, membership('g1', 'Sales', ANN, true)), event(-60, membership('g1', 'Sales', ANN, false)),
      event(-40, { kind: 'group', group: { id: 'g1', displayName: 'EMEA' } }), event(-45, { kind: 'group', group: { id: 'g1', displayName: 'Sales' } }),
    ])
    expect(world.state(hook)).toMatchObject({ groups: ['g1 EMEA'], members: ['g1 p1'] })
    world.tell(hook, [event(-30, { kind: 'groupGone', group: { id: 'g1', displayName: 'EMEA' } }), event(-35, membership('g1', 'EMEA', ANN, true))])
    expect(world.state(hook)).toMatchObject({ groups: [], members: [] })
  }))
})

describe('somebody whom nobody knows', () => {
  it('is counted, is made by no deactivation, and is inactive when put in a group later', within((world) => {
    const hook = openHook(world)
    expect(world.tell(hook, [event(-60, active(ANN, false))])).toEqual({ taken: 1, duplicates: 0, unknown: 1, refused: [] })
    expect(world.state(hook).users).toEqual([])
    world.tell(hook, [event(-50, membership('g1', 'Sales', ANN, true))])
    expect(world.state(hook)).toEqual({ users: ['p1 ann@example.com inactive'], groups: ['g1 Sales'], members: ['g1 p1'] })
  }))

  it('is not made without a name, nor a group', within((world) => {
    const hook = openHook(world)
    const nameless = { id: 'p1', userName: null }
    expect(world.tell(hook, [event(-60, active(nameless, true)), event(-50, membership('g1', null, ANN, true)), event(-40, membership('g1', 'Sales', nameless, true))]))
      .toMatchObject({ taken: 3 })
    expect(world.state(hook)).toEqual({ users: ['p1 ann@example.com active'], groups: ['g1 Sales'], members: ['g1 p1'] })
  }))
})

describe('an address that somebody else has now', () => {
  const BOB = { id: 'p2', userName: 'ann@example.com' }

  it('goes to them, and they are held until an administrator decides', within((world) => {
    const hook = openHook(world)
    world.tell(hook, [event(-60, active(ANN, true)), event(-50, active(ANN, false)), event(-40, active(BOB, true))])
    expect(world.state(hook).users).toEqual(['p1 ann@example.com (p1) inactive', 'p2 ann@example.com active'])
    expect(world.store.sql.one(`SELECT hold FROM users WHERE external_id = 'p2'`)?.['hold']).toMatch(/^This address belonged to somebody else \(externalId p1\)/)
    world.tell(hook, [event(-30, active(ANN, false))])
    expect(world.counts(hook, 'p2')).toBe(true)
  }))

  it('is not taken from somebody who is active', within((world) => {
    const hook = openHook(world)
    world.tell(hook, [event(-60, active(ANN, true)), event(-40, active(BOB, true))])
    expect(world.state(hook).users).toEqual(['p1 ann@example.com active'])
    expect(effects(world)).toEqual(['applied', { refused: 'A User with the userName "ann@example.com" exists already.' }])
  }))
})

describe('two connections of one source', () => {
  it('a suspension holds for the SCIM client that repeats active, until it says that they became active', within((world) => {
    const { hook, scim, id } = openPair(world)
    world.tell(hook, [event(-60, active(ANN, false))])
    world.put(scim, id, true)
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active stopped'])
    world.put(scim, id, false)
    world.put(scim, id, true)
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active'])
  }))

  it('it ends with the hook saying so', within((world) => {
    const { hook, scim } = openPair(world)
    world.tell(hook, [event(-60, active(ANN, false)), event(-30, active(ANN, true))])
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active'])
    expect(world.journal('identity.resumed')).toHaveLength(1)
  }))

  it('the person is found by address where the client gives no id, or one of its own', async () => {
    for (const externalId of [undefined, 'ann-in-entra']) {
      await openEventWorld((world) => {
        const { hook, scim } = openPair(world, externalId === undefined ? {} : { externalId })
        expect(world.tell(hook, [event(-60, active(ANN, false))])).toMatchObject({ unknown: 0 })
        expect(world.state(scim).users).toEqual([`${externalId ?? '-'} ann@example.com active stopped`])
      })
    }
  })

  it('by address only where the client does not know the id', within((world) => {
    const { hook, scim } = openPair(world, { externalId: 'p2' })
    world.join(scim, { userName: 'former.ann@example.com', externalId: 'p1' })
    world.tell(hook, [event(-60, active(ANN, false))])
    expect([world.counts(scim, 'p2'), world.counts(scim, 'p1')]).toEqual([true, false])
  }))

  it('by address never where both ids are of one provider: the address had another owner before', async () => {
    const PAIRS = [
      ['00u3m90rxKjGQ0G6L1d6', '00u2di94bAMSEPvAY1d6'],
      ['f0a5993b-5c2d-49cc-bb2f-8cb0060fef8e', '11111111-0000-4000-8000-000000000001'],
    ] as const
    for (const [former, present] of PAIRS) {
      await openEventWorld((world) => {
        const { hook, scim } = openPair(world, { externalId: present })
        const gone = { id: former, userName: 'ann@example.com' }
        expect(world.tell(hook, [event(-60, active(gone, false)), logout(gone)])).toMatchObject({ unknown: 2 })
        expect([world.state(scim).users, keysAsked(world)]).toEqual([[`${present} ann@example.com active`], []])
        world.tell(hook, [logout({ id: present, userName: null })])
        expect(keysAsked(world)).toEqual(['ann@example.com'])
      })
    }
  })

  it('keys of somebody else are not revoked because of who had the address before, or waits for it', within((world) => {
    const hook = openHook(world)
    const BOB = { id: 'p2', userName: 'ann@example.com' }
    world.tell(hook, [event(-60, active(ANN, true)), event(-50, active(ANN, false)), event(-40, active(BOB, true))])
    world.tell(hook, [logout(BOB)])
    expect(keysAsked(world)).toEqual([])
    world.store.sql.run(`UPDATE users SET hold = NULL`)
    world.tell(hook, [logout(ANN)])
    expect(keysAsked(world)).toEqual([])
    world.tell(hook, [logout(BOB)])
    expect(keysAsked(world)).toEqual(['ann@example.com'])
  }))

  it('what the SCIM client said since is not undone by an event that comes late, or again in another batch', within((world) => {
    const { hook, scim, id } = openPair(world)
    world.tell(hook, [event(-900, active(ANN, false))])
    world.put(scim, id, false)
    world.put(scim, id, true)
    world.tell(hook, [event(-900, active(ANN, false)), event(-600, active(ANN, false))])
    expect(world.counts(scim, 'p1')).toBe(true)
    world.tell(hook, [event(-200, active(ANN, false))])
    expect(world.counts(scim, 'p1')).toBe(false)
  }))

  it('whom the SCIM client deactivated or deleted since is not brought back by an event that comes late', async () => {
    for (const how of ['deactivate', 'delete'] as const) {
      await openEventWorld((world) => {
        const { hook, scim, id } = openPair(world)
        if (how === 'delete') world.leave(scim, id)
        else world.put(scim, id, false)
        world.tell(hook, [event(-600, active(ANN, true)), event(-600, membership('g1', 'Sales', ANN, true))])
        expect(world.counts(hook, 'p1') ?? false).toBe(false)
        world.store.clock.at += 3_600_000
        world.tell(hook, [event(3_000, active(ANN, true))])
        expect(world.counts(hook, 'p1')).toBe(true)
      })
    }
  })

  it('nobody of another source is touched', within((world) => {
    const { hook } = openPair(world)
    const entra = world.connect('entra', 'scim', 'entra')
    world.join(entra, { userName: 'ann@example.com', externalId: 'p1' })
    world.tell(hook, [event(-60, active(ANN, false))])
    expect(world.state(entra).users).toEqual(['p1 ann@example.com active'])
  }))

  it.each<[string, number, number, boolean]>([
    ['a later one that is inactive', 0, 60, false],
    ['a later one that is active, with the clocks too close to tell', 0, 4 * 60, false],
    ['a later one that is active', 0, 6 * 60, true],
  ])('of two event connections that contradict each other, %s', async (name, first, second, expected) => {
    const isLaterActive = name.includes('is active')
    for (const isReversed of [false, true]) {
      await openEventWorld((world) => {
        const hook = openHook(world)
        const stream = world.connect('stream', 'security-events')
        const scim = world.connect('scim', 'scim')
        world.join(scim, { userName: 'ann@example.com', externalId: 'p1' })
        const told = [
          () => world.tell(hook, [event(first - 3600, active(ANN, !isLaterActive))]),
          () => world.tell(stream, [event(second - 3600, active(ANN, isLaterActive))]),
        ]
        for (const tell of isReversed ? told.toReversed() : told) tell()
        expect(world.counts(scim, 'p1')).toBe(expected)
      })
    }
  })
})

describe('a source that can be asked', () => {
  it('is asked, whatever the event says, unless its pull is paused', within((world) => {
    const { hook, scim } = openPair(world)
    const pull = world.connect('pull', 'okta')
    world.tell(hook, [event(-60, active(ANN, false)), event(-50, membership('g1', 'Sales', ANN, true)), event(-40, { kind: 'groupGone', group: { id: 'g2', displayName: null } })])
    expect(world.questions()).toEqual(['pull group g2', 'pull person p1'])
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active'])
    expect(world.state(hook)).toEqual({ users: [], groups: [], members: [] })
    world.store.sql.run(`UPDATE connections SET state = 'paused' WHERE id = ?`, pull)
    world.tell(hook, [event(-30, active(ANN, false))])
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active stopped'])
  }))

  it('is asked about whoever may have left before everybody else', within((world) => {
    const hook = openHook(world)
    world.connect('pull', 'okta')
    const others = ['p2', 'p3', 'p4'].map((id, at) => event(-60 - at, active({ id, userName: null }, true)))
    world.tell(hook, others)
    world.store.clock.at += 1000
    world.tell(hook, [event(-50, active(ANN, false))])
    expect(dueQuestions(world.store, 10).map(({ id }) => id)).toEqual(['p1', 'p2', 'p3', 'p4'])
  }))

  it('is asked about nothing by an event of another source', within((world) => {
    world.connect('pull', 'okta', 'entra')
    const hook = openHook(world)
    world.tell(hook, [{ ...event(-60, active(ANN, true)), refresh: [{ kind: 'person', who: ANN }] }])
    expect(world.questions()).toEqual([])
    expect(effects(world)).toEqual(['No pull connector of this source can be asked.'])
  }))
})

describe('a delivery', () => {
  const withSecret = (id: string, secretHash?: string): SourceEvent => ({ ...event(-60, active(ANN, true), id), ...(secretHash === undefined ? {} : { secretHash }) })

  it('is taken once', within((world) => {
    const hook = openHook(world)
    const twice = event(-60, active(ANN, true))
    expect(world.tell(hook, [twice, twice])).toMatchObject({ taken: 1, duplicates: 1 })
    expect(world.tell(hook, [twice])).toMatchObject({ taken: 0, duplicates: 1 })
    expect(world.journal('event.taken')).toHaveLength(1)
    expect(world.tell(world.connect('other', 'okta-event-hook', 'other'), [twice])).toMatchObject({ taken: 1 })
  }))

  it('that is not proven as a whole gives only the events that prove themselves, and the others use up no id', within((world) => {
    const graph = world.connect('graph', 'event-grid')
    const events = [withSecret('a'), withSecret('b', 'wrong'), withSecret('c', 'right'), withSecret('d', 'none')]
    expect(world.tell(graph, events, { isProven: false, secrets: ['right'] })).toEqual({ taken: 1, duplicates: 0, unknown: 0, refused: ['a', 'b', 'd'] })
    expect(world.tell(graph, [withSecret('b', 'right')], { isProven: false, secrets: ['right'] })).toMatchObject({ taken: 1, refused: [] })
  }))

  it.each([
    ['paused', 'maintenance', 'The sender says that the stream is paused: maintenance.'],
    ['disabled', null, 'The sender says that the stream is disabled.'],
    ['reauthorize', null, 'The sender says that the subscription has to be authorized again.'],
    ['removed', null, 'The sender says that the subscription was removed.'],
    ['enabled', 'again', null],
  ] as const)('about the stream, that it is %s, is shown with the connection', async (status, reason, sentence) => {
    await openEventWorld((world) => {
      const stream = world.connect('stream', 'security-events')
      const told = (id: string, act: SourceEvent['acts'][number]): SourceEvent => ({ id, type: 'stream', at: START, changes: [], refresh: [], acts: [act] })
      world.tell(stream, [told('first', { kind: 'stream', status: 'disabled', reason: 'x' }), told('second', { kind: 'stream', status, reason })])
      expect(lastError(world, stream)).toBe(sentence)
    })
  })
})

describe('a resource of RFC 9967', () => {
  const put = (at: number, isActive: boolean, title: string): SourceEvent =>
    event(at, { kind: 'resource', type: 'User', id: 'p1', op: 'put', body: { userName: 'ann@example.com', active: isActive, title } })

  it('does not undo what was said later of activity alone, and is not undone by what was said before', within((world) => {
    const stream = world.connect('stream', 'security-events')
    world.tell(stream, [put(-90, true, 'a'), event(-60, active({ id: 'p1', userName: null }, false)), put(-70, true, 'b')])
    expect(world.state(stream).users).toEqual(['p1 ann@example.com inactive'])
    world.tell(stream, [put(-50, true, 'c'), event(-55, active({ id: 'p1', userName: null }, false))])
    expect(world.state(stream).users).toEqual(['p1 ann@example.com active'])
  }))

  it('that was deleted stops the person in the other connections, and comes back by no older word', within((world) => {
    const stream = world.connect('stream', 'security-events')
    const { scim } = openPair(world)
    world.tell(stream, [put(-90, true, 'a'), event(-60, { kind: 'resource', type: 'User', id: 'p1', op: 'delete', body: null }), put(-70, true, 'b')])
    expect(world.state(stream).users).toEqual([])
    expect(world.state(scim).users).toEqual(['p1 ann@example.com active stopped'])
  }))

  it.each([
    ['of another type', { active: 7 }], ['no object', 'text'], ['a list', []], ['nothing', null], ['deep', { userName: { a: { b: 1 } } }],
  ])('that is %s is refused by the sentence of the SCIM error', async (_name, body) => {
    await openEventWorld((world) => {
      const stream = world.connect('stream', 'security-events')
      world.tell(stream, [event(-60, { kind: 'resource', type: 'User', id: 'p1', op: 'put', body })])
      expect(world.state(stream).users).toEqual([])
      expect(effects(world)).toEqual([{ refused: expect.stringMatching(/\.$/) }])
    })
  })
})
