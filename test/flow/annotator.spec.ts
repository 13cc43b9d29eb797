import { describe, expect, it } from 'vitest'
import { expectSettled, openBridge } from './bridge'

/** Every row of the annotator matrix, from a SCIM group to Arize's own refusal or consent (arize-api section 3). */

const ACCOUNTS = ['ADMIN', 'MEMBER', 'ANNOTATOR'] as const
const ROLES = ['ADMIN', 'MEMBER', 'READ_ONLY', 'ANNOTATOR'] as const

const rows = ACCOUNTS.flatMap((account) => ROLES.map((role) => ({ account, role, fits: (account === 'ANNOTATOR') === (role === 'ANNOTATOR') })))

describe('an existing account', () => {
  it.each(rows)('$account put in a group for organization $role: given = $fits', async ({ account, role, fits }) => {
    const bridge = await openBridge()
    const organization = await bridge.addOrganization('ML')
    const created = await bridge.arize('POST', '/v2/users', { name: 'Ada', email: 'Ada@Example.com', role: { type: 'PREDEFINED', name: account }, invite_mode: 'NONE' })
    expect(created.status).toBe(201)
    await bridge.policy({ mappings: [{ id: 'm', group: 'Group', grants: [{ organization: 'ML', role }] }] })
    await bridge.createGroup('Group', [await bridge.createUser('ada@example.com')])
    await expectSettled(bridge, { held: fits ? 0 : 1 })
    expect(await bridge.roles()).toEqual(fits ? [`Ada@Example.com ML ${role}`] : [])
    const person = await bridge.person('ada@example.com')
    expect(person.conflicts.map(({ code }) => code)).toEqual(fits ? [] : ['annotator_rule'])
    // What is forbidden is never even tried, and Arize would have refused it.
    expect((await bridge.calls()).filter((call) => call.endsWith(' 400'))).toEqual([])
    const tried = await bridge.arize('POST', `/v2/organizations/${encodeURIComponent(organization)}/users`, { user_id: created.json['id'], role: { type: 'PREDEFINED', name: role } })
    expect(tried.status).toBe(fits ? 200 : 400)
  })

  it.each(rows)('$account put in a group for space $role: given = $fits', async ({ account, role, fits }) => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML', ['Ranking'])
    await bridge.arize('POST', '/v2/users', { name: 'Ada', email: 'ada@example.com', role: { type: 'PREDEFINED', name: account }, invite_mode: 'NONE' })
    await bridge.policy({ mappings: [{ id: 'm', group: 'Group', grants: [{ organization: 'ML', space: 'Ranking', role }] }] })
    await bridge.createGroup('Group', [await bridge.createUser('ada@example.com')])
    await expectSettled(bridge, { held: fits ? 0 : 1 })
    const implied = role === 'ANNOTATOR' ? 'ANNOTATOR' : 'READ_ONLY'
    expect(await bridge.roles()).toEqual(fits ? [`ada@example.com ML ${implied}`, `ada@example.com ML/Ranking ${role}`] : [])
    expect((await bridge.calls()).filter((call) => call.endsWith(' 400'))).toEqual([])
  })
})

describe('no account yet', () => {
  const policy = (mixed?: string) => ({
    mappings: [
      { id: 'eng', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] },
      { id: 'lab', group: 'Labelers', grants: [{ organization: 'Labeling', role: 'ANNOTATOR' }] },
    ],
    ...(mixed === undefined ? {} : { annotators: { mixed } }),
  })

  it.each([
    { groups: ['Engineers'], mixed: undefined, account: 'MEMBER', roles: ['ada@example.com ML MEMBER'], held: 0 },
    { groups: ['Labelers'], mixed: undefined, account: 'ANNOTATOR', roles: ['ada@example.com Labeling ANNOTATOR'], held: 0 },
    { groups: ['Engineers', 'Labelers'], mixed: undefined, account: null, roles: [], held: 1 },
    { groups: ['Engineers', 'Labelers'], mixed: 'hold', account: null, roles: [], held: 1 },
    { groups: ['Engineers', 'Labelers'], mixed: 'member', account: 'MEMBER', roles: ['ada@example.com ML MEMBER'], held: 1 },
    { groups: ['Engineers', 'Labelers'], mixed: 'annotator', account: 'ANNOTATOR', roles: ['ada@example.com Labeling ANNOTATOR'], held: 1 },
  ])('$groups with mixed = $mixed makes a(n) $account', async ({ groups, mixed, account, roles, held }) => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.addOrganization('Labeling')
    await bridge.policy(policy(mixed))
    const ada = await bridge.createUser('ada@example.com')
    for (const group of groups) await bridge.createGroup(group, [ada])
    await expectSettled(bridge, { held })
    expect((await bridge.state()).users.map(({ role, status }) => `${role} ${status}`)).toEqual(account === null ? [] : [`${account} ACTIVE`])
    expect(await bridge.roles()).toEqual(roles)
    if (held > 0) expect((await bridge.person('ada@example.com')).conflicts.length).toBeGreaterThan(0)
  })

  it('heals when a human changes the account role in Arize', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.arize('POST', '/_emulator/users', { email: 'ada@example.com', role: 'ANNOTATOR' })
    await bridge.policy(policy())
    await bridge.createGroup('Engineers', [await bridge.createUser('ada@example.com')])
    await expectSettled(bridge, { held: 1 })
    await bridge.arize('POST', '/_emulator/users', { email: 'ada@example.com', role: 'MEMBER' })
    expect((await bridge.admin('POST', 'people/ada%40example.com/retry')).status).toBeLessThan(300)
    await expectSettled(bridge)
    expect(await bridge.roles()).toEqual(['ada@example.com ML MEMBER'])
  })
})
