import { describe, expect, it } from 'vitest'
import { expectSettled, openBridge, type Bridge } from './bridge'

/** Arize on a bad day: whatever a call meets, the end is the one that the directory asks for. */

const POLICY = {
  mappings: [
    { id: 'eng', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'ops', group: 'Operators', grants: [{ organization: 'Ops', role: 'READ_ONLY' }] },
  ],
}

const FAULTS = [
  { kind: '429', retryAfter: 1 },
  { kind: '429', retryAfter: null },
  { kind: 'status', status: 503 },
  { kind: 'status', status: 500, applied: true },
  { kind: 'empty' },
  { kind: 'empty', applied: true },
  { kind: 'html' },
  { kind: 'lost' },
  { kind: 'lost', applied: false },
] as const

const STEPS: readonly { readonly name: string; readonly match: Readonly<Record<string, string>>; readonly story: 'join' | 'move' | 'leave' }[] = [
  { name: 'look-up', match: { method: 'GET', path: '/v2/users' }, story: 'join' },
  { name: 'creation', match: { method: 'POST', path: '/v2/users' }, story: 'join' },
  { name: 'organization list', match: { method: 'GET', path: '/v2/organizations' }, story: 'join' },
  { name: 'organization role', match: { method: 'POST', path: '/v2/organizations/' }, story: 'join' },
  { name: 'space role', match: { method: 'POST', path: '/v2/spaces/' }, story: 'join' },
  { name: 'removal from an organization', match: { method: 'DELETE', path: '/v2/organizations/' }, story: 'move' },
  { name: 'offboarding', match: { method: 'DELETE', path: '/v2/organizations/' }, story: 'leave' },
  { name: 'key revocation', match: { method: 'PUT', path: '/v2/api-keys/' }, story: 'leave' },
]

const prepare = async (): Promise<Bridge> => {
  const bridge = await openBridge()
  await bridge.addOrganization('ML', ['Ranking'])
  await bridge.addOrganization('Ops')
  await bridge.policy(POLICY)
  return bridge
}

describe.each(STEPS)('$name', ({ match, story }) => {
  it.each(FAULTS)('meets %o', async (fault) => {
    const bridge = await prepare()
    const ada = await bridge.createUser('ada@example.com')
    const engineers = await bridge.createGroup('Engineers', [ada])
    const operators = await bridge.createGroup('Operators')
    if (story !== 'join') {
      await expectSettled(bridge)
      await bridge.arize('POST', '/_emulator/keys', { owner: 'ada@example.com' })
    }
    expect((await bridge.arize('POST', '/_emulator/faults', { ...fault, times: 2, match })).status).toBeLessThan(300)
    if (story === 'move') {
      await bridge.removeMembers(engineers, ada)
      await bridge.addMembers(operators, ada)
    }
    if (story === 'leave') await bridge.setActive(ada, false)
    await expectSettled(bridge)
    const joined = ['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN']
    expect(await bridge.roles()).toEqual(story === 'join' ? joined : story === 'move' ? ['ada@example.com Ops READ_ONLY'] : [])
    const { users, keys } = await bridge.state()
    expect(users.map(({ email }) => email)).toEqual(['ada@example.com'])
    if (story !== 'join') expect(keys.filter(({ owner }) => owner === 'ada@example.com').map(({ revoked }) => revoked)).toEqual([story === 'leave'])
    expect((await bridge.person('ada@example.com')).memberships).toHaveLength((await bridge.roles()).length)
  })
})

describe('a call that keeps failing', () => {
  it('leaves the person due after three tries, and the next settling finishes', async () => {
    const bridge = await prepare()
    await bridge.createGroup('Operators', [await bridge.createUser('ada@example.com')])
    await bridge.arize('POST', '/_emulator/faults', { kind: 'status', status: 503, times: 3, match: { method: 'POST', path: '/v2/users' } })
    expect(await bridge.settle()).toEqual({ due: 1, held: 0, stuck: 0 })
    expect((await bridge.person('ada@example.com')).lastError).toContain('503')
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com Ops READ_ONLY'])
  })
})
