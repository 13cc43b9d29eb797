import { describe, expect, it } from 'vitest'
import { expectSettled, openBridge } from './bridge'

/** One bulk request, from the wire to Arize's state. */

const POLICY = {
  mappings: [
    { id: 'eng', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'ops', group: 'Operators', grants: [{ organization: 'Ops', role: 'READ_ONLY' }] },
  ],
}

const create = (name: string): unknown => ({
  method: 'POST', path: '/Users', bulkId: name,
  data: { userName: `${name}@example.com`, emails: [{ value: `${name}@example.com`, primary: true }], active: true },
})

const createGroup = (displayName: string, ...members: readonly string[]): unknown => ({
  method: 'POST', path: '/Groups', bulkId: displayName, data: { displayName, members: members.map((value) => ({ value: `bulkId:${value}` })) },
})

describe('a bulk request', () => {
  it('that creates groups before their users gives everybody their roles, and one that deactivates takes them', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.addOrganization('Ops')
    await bridge.policy(POLICY)
    const joined = await bridge.scim('POST', '/Bulk', {
      Operations: [createGroup('Engineers', 'ada', 'bob'), createGroup('Operators', 'bob', 'nobody'), createGroup('Visitors', 'cyd'), create('ada'), create('bob'), create('cyd'),
        { method: 'PATCH', path: '/Groups/bulkId:Engineers', data: { Operations: [{ op: 'add', path: 'members', value: 'bulkId:cyd' }] } }],
    })
    expect(joined.status).toBe(200)
    const outcomes = joined.json['Operations'] as readonly { readonly status: string; readonly location?: string }[]
    expect(outcomes.map(({ status }) => status)).toEqual(['201', '400', '201', '201', '201', '201', '204'])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada', 'bob', 'cyd'].flatMap((name) => [`${name}@example.com ML MEMBER`, `${name}@example.com ML/Ranking ADMIN`]))
    const pathOf = (index: number): string => new URL(outcomes[index]?.location ?? '').pathname.replace(/^.*\/scim\/v2/, '')
    const left = await bridge.scim('POST', '/Bulk', {
      Operations: [{ method: 'PATCH', path: pathOf(3), data: { Operations: [{ op: 'replace', path: 'active', value: false }] } }, { method: 'DELETE', path: pathOf(4) }],
    })
    expect((left.json['Operations'] as readonly { readonly status: string }[]).map(({ status }) => status)).toEqual(['200', '204'])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['cyd@example.com ML MEMBER', 'cyd@example.com ML/Ranking ADMIN'])
  })
})
