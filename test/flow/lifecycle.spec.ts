import { describe, expect, it } from 'vitest'
import { expectSettled, openBridge, patchOf } from './bridge'

/** Joiners, movers and leavers from the SCIM call to Arize's state, with the number of calls that it takes. */

const POLICY = {
  mappings: [
    { id: 'eng', group: 'Arize ML Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }, { organization: 'ML', space: 'Ranking', role: 'ADMIN' }] },
    { id: 'read', group: 'Arize Readers', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
    { id: 'named', group: 'arize-{organization}-{role}', grants: [{ organization: '{organization}', role: '{role}' }] },
  ],
}

const writes = (calls: readonly string[]): readonly string[] => calls.filter((call) => !call.startsWith('GET '))

describe('a joiner', () => {
  it('with three groups costs one account and one call for each changed slot', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.addOrganization('Ops')
    await bridge.policy(POLICY)
    const before = (await bridge.calls()).length
    const ada = await bridge.createUser('Ada.Lovelace@Example.com', { displayName: 'Ada Lovelace', externalId: '00u1' })
    await bridge.createGroup('ARIZE ml engineers', [ada])
    await bridge.createGroup('Arize Readers', [ada])
    await bridge.createGroup('arize-ops-viewer', [ada])
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([
      'ada.lovelace@example.com ML MEMBER', 'ada.lovelace@example.com ML/Ranking ADMIN', 'ada.lovelace@example.com Ops READ_ONLY',
    ])
    const made = (await bridge.calls()).slice(before)
    expect(writes(made)).toHaveLength(4)
    expect(made).toHaveLength(7)
    const [user] = (await bridge.state()).users
    expect(user).toMatchObject({ name: 'Ada Lovelace', role: 'MEMBER', status: 'ACTIVE' })
    const person = await bridge.person('ada.lovelace@example.com')
    expect(person).toMatchObject({ state: 'in_step', conflicts: [], lastError: null })
    expect(person.grants.map(({ role, because }) => `${role} ${because.map(({ mapping, group }) => `${mapping}/${group}`).join()}`)).toEqual([
      'MEMBER eng/ARIZE ml engineers', 'READ_ONLY named/arize-ops-viewer', 'ADMIN eng/ARIZE ml engineers',
    ])
    await expectSettled(bridge)
    expect((await bridge.calls()).slice(before)).toHaveLength(7)
  })

  it('who is created in no mapped group gets no account', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.policy(POLICY)
    const ada = await bridge.createUser('ada@example.com')
    await bridge.createGroup('Everyone', [ada])
    await expectSettled(bridge)
    expect((await bridge.state()).users).toEqual([])
  })
})

describe('a mover', () => {
  it('is re-roled by one upsert, and never removed in between', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.policy(POLICY)
    const ada = await bridge.createUser('ada@example.com')
    const readers = await bridge.createGroup('Arize Readers', [ada])
    await expectSettled(bridge)
    const before = (await bridge.calls()).length
    await bridge.createGroup('Arize ML Engineers', [ada])
    await bridge.removeMembers(readers, ada)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
    const made = (await bridge.calls()).slice(before)
    expect(made.filter((call) => call.startsWith('DELETE'))).toEqual([])
    expect(writes(made)).toHaveLength(2)
  })
})

describe('a leaver', () => {
  it.each(['deactivated', 'deleted'] as const)('who is %s loses every role and key, keeps the account, and can come back', async (how) => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.policy(POLICY)
    let ada = await bridge.createUser('ada@example.com', { externalId: '00u1' })
    const engineers = await bridge.createGroup('Arize ML Engineers', [ada])
    await expectSettled(bridge)
    await bridge.arize('POST', '/_emulator/keys', { owner: 'ada@example.com' })
    const before = (await bridge.calls()).length
    if (how === 'deactivated') await bridge.setActive(ada, false)
    else expect((await bridge.scim('DELETE', `/Users/${ada}`)).status).toBe(204)
    await expectSettled(bridge)
    const state = await bridge.state()
    expect(await bridge.roles()).toEqual([])
    expect(state.keys.filter(({ owner }) => owner === 'ada@example.com').map(({ revoked }) => revoked)).toEqual([true])
    expect(state.users.map(({ email, status }) => `${email} ${status}`)).toEqual(['ada@example.com ACTIVE'])
    expect(writes((await bridge.calls()).slice(before))).toHaveLength(2)

    if (how === 'deactivated') await bridge.setActive(ada, true)
    else {
      ada = await bridge.createUser('ada@example.com', { externalId: '00u1' })
      await bridge.addMembers(engineers, ada)
    }
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER', 'ada@example.com ML/Ranking ADMIN'])
    expect((await bridge.state()).users).toHaveLength(1)
  })

  it('whom the IdP deactivates with "False" or a PUT is one all the same', async () => {
    for (const send of ['string', 'put'] as const) {
      const bridge = await openBridge()
      await bridge.addOrganization('ML', ['Ranking'])
      await bridge.policy(POLICY)
      const ada = await bridge.createUser('ada@example.com')
      await bridge.createGroup('Arize Readers', [ada])
      await expectSettled(bridge)
      if (send === 'string') await bridge.scim('PATCH', `/Users/${ada}`, patchOf({ op: 'Replace', path: 'active', value: 'False' }))
      else {
        const read = await bridge.scim('GET', `/Users/${ada}`)
        await bridge.scim('PUT', `/Users/${ada}`, { ...read.json, active: false })
      }
      await expectSettled(bridge)
      expect(await bridge.roles()).toEqual([])
    }
  })
})

describe('what the bridge did not give', () => {
  it('stays, whatever the directory says', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.addOrganization('Private')
    await bridge.arize('POST', '/_emulator/users', { email: 'ada@example.com', memberships: [{ organization: 'Private', role: 'ADMIN' }] })
    await bridge.policy(POLICY)
    const ada = await bridge.createUser('ada@example.com')
    await bridge.createGroup('Arize Readers', [ada])
    await expectSettled(bridge)
    await bridge.setActive(ada, false)
    await bridge.settle()
    expect(await bridge.roles()).toEqual(['ada@example.com Private ADMIN'])
    expect((await bridge.calls()).filter((call) => /DELETE \/v2\/(users|spaces)\//.test(call))).toEqual([])
  })
})

describe('an emptied group', () => {
  it('holds everybody, and an approval lets exactly them go', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.policy(POLICY)
    const ids = await Promise.all(Array.from({ length: 12 }, (_, index) => bridge.createUser(`p${index}@example.com`)))
    const readers = await bridge.createGroup('Arize Readers', ids)
    await expectSettled(bridge)
    expect((await bridge.scim('PATCH', `/Groups/${readers}`, patchOf({ op: 'replace', path: 'members', value: [] }))).status).toBe(204)
    await expectSettled(bridge, { held: 12 })
    expect(await bridge.roles()).toHaveLength(12)
    const { holds } = JSON.parse((await bridge.admin('GET', 'holds')).text) as { holds: { id: string; state: string; peopleCount: number }[] }
    const [hold] = holds
    expect(hold).toMatchObject({ state: 'open', peopleCount: 12 })
    expect((await bridge.admin('POST', `holds/${hold?.id}/approve`)).status).toBe(200)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual([])
  })
})

describe('two tenants', () => {
  it('in parallel never see each other', async () => {
    const bridges = await Promise.all([openBridge(), openBridge()])
    await Promise.all(bridges.map(async (bridge, index) => {
      await bridge.addOrganization('ML', ['Ranking'])
      await bridge.policy(POLICY)
      const ids = await Promise.all(Array.from({ length: 5 }, (_, person) => bridge.createUser(`p${person}@tenant${index}.example.com`)))
      await bridge.createGroup('Arize Readers', ids)
      await expectSettled(bridge)
    }))
    for (const [index, bridge] of bridges.entries()) {
      expect(await bridge.roles()).toEqual(Array.from({ length: 5 }, (_, person) => `p${person}@tenant${index}.example.com ML READ_ONLY`))
      const other = bridges[1 - index]
      expect((await bridge.scim('GET', '/Users', undefined, { authorization: `Bearer ${other?.token}` })).status).toBe(401)
    }
  })
})
