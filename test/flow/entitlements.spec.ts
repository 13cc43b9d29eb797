import { describe, expect, it } from 'vitest'
import { PROVISIONING_SCHEMA } from '../../src/scim/schema'
import { own } from '../http/bridge'
import { expectSettled, openBridge, patchOf, type Bridge } from './bridge'

/** Okta assigns what the policy offers (identity-providers A.6), without a group: from the user's attributes to Arize's state. */

const POLICY = {
  mappings: [
    { id: 'viewer', entitlement: 'ML viewer', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
    { id: 'lead', entitlement: 'Ranking lead', grants: [{ organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'by-group', group: 'Arize Ops', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
  ],
}

const LEAD = { value: 'mapping.lead', display: 'Ranking lead', type: 'Entitlement' }
const ADA = 'ada@example.com'
const AS_VIEWER = [`${ADA} ML READ_ONLY`]
/** The organization comes with the space. */
const AS_LEAD = [`${ADA} ML READ_ONLY`, `${ADA} ML/Ranking ADMIN`]

const open = async (): Promise<Bridge> => {
  const bridge = await openBridge()
  await bridge.addOrganization('ML', ['Ranking'])
  await bridge.addOrganization('Ops')
  await bridge.policy(POLICY)
  return bridge
}

const patch = async (bridge: Bridge, id: string, ...operations: readonly unknown[]): Promise<void> => {
  const answer = await bridge.scim('PATCH', `/Users/${id}`, patchOf(...operations))
  expect([answer.status, answer.text]).toEqual([200, expect.any(String)])
  await expectSettled(bridge)
}

describe('an entitlement', () => {
  it.each([
    ['the id that Okta discovered', { entitlements: [LEAD] }],
    ['the id among roles', { roles: [{ value: 'mapping.lead' }] }],
    ['the text of the policy, in any case', { entitlements: [{ value: 'RANKING lead', primary: 'True' }] }],
    ['the text as a bare value', { roles: ['Ranking lead'] }],
  ])('that a user is created with gives its roles: by %s', async (_by, attributes) => {
    const bridge = await open()
    await bridge.createUser(ADA, attributes)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(AS_LEAD)
  })

  it('that is nobody\'s gives nothing, and a mapping\'s id alone is none', async () => {
    const bridge = await open()
    await bridge.createUser(ADA, { entitlements: [{ value: 'lead' }, { value: 'mapping.by-group' }, { value: '__proto__' }], roles: [{ value: 'Administrator' }] })
    await expectSettled(bridge)
    expect((await bridge.state()).users).toEqual([])
  })

  it('comes and goes by PATCH: add, replace, remove, and a path with a filter', async () => {
    const bridge = await open()
    const id = await bridge.createUser(ADA)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
    await patch(bridge, id, { op: 'add', path: 'entitlements', value: [LEAD] })
    expect(await bridge.roles()).toEqual(AS_LEAD)
    await patch(bridge, id, { op: 'Add', path: 'roles', value: [{ value: 'ml VIEWER' }, { value: 'Janitor' }] })
    await patch(bridge, id, { op: 'remove', path: 'entitlements[value eq "mapping.lead"]' })
    expect(await bridge.roles()).toEqual(AS_VIEWER)
    await patch(bridge, id, { op: 'remove', path: 'roles[value eq "ML viewer"]' })
    expect(await bridge.roles()).toEqual([])
    await patch(bridge, id, { op: 'replace', value: { entitlements: [{ value: 'mapping.viewer' }] } })
    expect(await bridge.roles()).toEqual(AS_VIEWER)
    await patch(bridge, id, { op: 'replace', path: 'entitlements', value: [LEAD] })
    expect(await bridge.roles()).toEqual(AS_LEAD)
    await patch(bridge, id, { op: 'replace', path: 'entitlements', value: [] })
    expect(await bridge.roles()).toEqual([])
    expect((await bridge.state()).users.map(({ email }) => email)).toEqual([ADA])
  })

  it('comes and goes by PUT, beside groups, and goes with the person', async () => {
    const bridge = await open()
    const id = await bridge.createUser(ADA, { entitlements: [LEAD] })
    await bridge.createGroup('Arize Ops', [id])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...AS_LEAD, `${ADA} Ops MEMBER`])
    const { entitlements: _gone, ...rest } = (await bridge.scim('GET', `/Users/${id}`)).json
    expect((await bridge.scim('PUT', `/Users/${id}`, rest)).status).toBe(200)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([`${ADA} Ops MEMBER`])
    expect((await bridge.scim('PUT', `/Users/${id}`, { ...rest, roles: [{ value: 'mapping.viewer' }] })).status).toBe(200)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([...AS_VIEWER, `${ADA} Ops MEMBER`])
    await bridge.setActive(id, false)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
  })

  it('keeps its id when its text is written otherwise, and what was assigned stays', async () => {
    const bridge = await open()
    await bridge.createUser(ADA, { entitlements: [LEAD] })
    await expectSettled(bridge)
    await bridge.policy({ mappings: POLICY.mappings.map((mapping) => (mapping.id === 'lead' ? { ...mapping, entitlement: 'Lead of ranking' } : mapping)) })
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(AS_LEAD)
  })
})

describe('the extension', () => {
  it('tells the provider what became of it', async () => {
    const bridge = await open()
    const id = await bridge.createUser(ADA, { entitlements: [LEAD] })
    const created = await bridge.scim('GET', `/Users/${id}`)
    await expectSettled(bridge)
    const read = await bridge.scim('GET', `/Users/${id}`)
    const account = (await bridge.state()).users[0]?.id
    expect(own(read.json, PROVISIONING_SCHEMA)).toEqual({
      state: 'in_step', arizeUserId: account, accountRole: 'MEMBER',
      grants: [
        { type: 'organization', resource: 'organization "ML"', role: 'READ_ONLY', reason: 'READ_ONLY of organization "ML" because a space of it needs it: entitlement "mapping.lead" is mapped by "lead"' },
        { type: 'space', resource: 'space "Ranking" in organization "ML"', role: 'ADMIN', reason: 'ADMIN of space "Ranking" in organization "ML" because entitlement "mapping.lead" is mapped by "lead"' },
      ],
    })
    expect([read.headers.get('etag'), own(read.json, 'meta')]).toEqual([created.headers.get('etag'), own(created.json, 'meta')])
    const found = await bridge.scim('GET', `/Users?filter=${encodeURIComponent(`${PROVISIONING_SCHEMA}:state eq "in_step"`)}&attributes=id`)
    expect(own(found.json, 'Resources', 0, 'id')).toBe(id)
  })

  it('says what a human has to do', async () => {
    const bridge = await open()
    await bridge.policy({ mappings: [{ id: 'gone', entitlement: 'x', grants: [{ organization: 'Nowhere', role: 'MEMBER' }] }] })
    const id = await bridge.createUser(ADA, { roles: [{ value: 'x' }] })
    await expectSettled(bridge, { held: 1 })
    const read = await bridge.scim('GET', `/Users/${id}`)
    expect(own(read.json, PROVISIONING_SCHEMA)).toMatchObject({ state: 'held', conflicts: [expect.stringContaining('Organization "Nowhere" does not exist in Arize')] })
  })
})
