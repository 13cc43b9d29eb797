import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_DESCRIPTION, catalogueFor } from '../../src/policy/catalogue'
import { entitlementId } from '../../src/policy/entitlementId'
import { compilePolicy } from '../../src/policy/mapping'
import { ENTRA, evaluated, grantsOf, OKTA, policyOf } from './world'

const MEMBER = { organization: 'ML', role: 'MEMBER' }
const SPACE = { organization: 'ML', space: 'Ranking', role: 'ADMIN' }
const PROJECT = { organization: 'ML', space: 'Ranking', project: 'Bids', customRole: 'Reviewer' }

const entriesOf = (mappings: readonly unknown[], connection = OKTA) => catalogueFor(compilePolicy(policyOf({ mappings })), connection)

describe('entitlementId', () => {
  it.each([
    ['ml-engineers', 'mapping.ml-engineers'], ['ML_2', 'mapping.ML_2'], ['ml engineers', 'mapping.ml~20.engineers'], ['../x', 'mapping.~2e.~2e.~2f.x'],
    ['a~20.b', 'mapping.a~7e.20~2e.b'], ['Größe', 'mapping.Gr~f6.~df.e'], ['日\u{1F600}', 'mapping.~65e5.~1f600.'], ['my-bulkId:1', 'mapping.my-~62.ulkId~3a.1'],
    ['bulkIdbulkId', 'mapping.~62.ulkId~62.ulkId'], ['\ud800', 'mapping.~d800.'], ['\u0000', 'mapping.~0.'], ['__proto__', 'mapping.__proto__'],
  ])('of %j is %s', (mapping, id) => expect(entitlementId(mapping)).toBe(id))

  it('is one segment of a URL, no other mapping has it, and it never says bulkId', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom('bulkId', 'bulk', 'Id', 'b', '~', '62', '.', '/', ' ', '-') }))
    fc.assert(fc.property(text, text, (a, b) => {
      const id = entitlementId(a)
      expect(id).toMatch(/^mapping\.[A-Za-z0-9_~.-]*$/)
      expect(id).not.toContain('bulkId')
      expect(new URL(`https://b.example/scim/v2/Roles/${id}`).pathname).toBe(`/scim/v2/Roles/${id}`)
      expect(id === entitlementId(b)).toBe(a === b)
    }))
  })
})

describe('catalogueFor', () => {
  it('lists each mapping by entitlement once, as a role unless it reaches into a space or project', () => {
    expect(entriesOf([
      { id: 'org', entitlement: 'ML member', grants: [MEMBER] },
      { id: 'group', group: 'ML', grants: [MEMBER] },
      { id: 'id', groupId: 'g1', grants: [MEMBER] },
      { id: 'admin', entitlement: 'Account admin', allowAdmin: true, grants: [{ account: true, role: 'ADMIN' }, { developer: true }, MEMBER] },
      { id: 'ranking lead', entitlement: 'Ranking lead', grants: [MEMBER, SPACE] },
      { id: 'bids', entitlement: 'ml MEMBER', grants: [PROJECT] },
    ])).toEqual([
      { id: 'mapping.org', kind: 'role', name: 'ML member', description: 'Gives MEMBER of organization "ML".' },
      { id: 'mapping.admin', kind: 'role', name: 'Account admin', description: 'Gives account role ADMIN, developer access and MEMBER of organization "ML".' },
      {
        id: 'mapping.ranking~20.lead', kind: 'entitlement', name: 'Ranking lead',
        description: 'Gives MEMBER of organization "ML" and ADMIN of space "Ranking" in organization "ML".',
      },
      {
        id: 'mapping.bids', kind: 'entitlement', name: 'ml MEMBER',
        description: 'Gives custom role "Reviewer" on project "Bids" of space "Ranking" in organization "ML".',
      },
    ])
  })

  it('shows a connection only what it may assign, and the same list each time', () => {
    const mappings = [
      { id: 'both', entitlement: 'both', grants: [MEMBER] }, { id: 'okta', entitlement: 'okta', connection: 'con-okta', grants: [MEMBER] },
      { id: 'entra', entitlement: 'entra', connection: 'ENTRA ID', grants: [MEMBER] },
    ]
    const policy = compilePolicy(policyOf({ mappings }))
    const namesOf = (connection: typeof OKTA): readonly string[] => catalogueFor(policy, connection).map(({ name }) => name)
    expect([namesOf(OKTA), namesOf(ENTRA), namesOf({ id: 'x', name: 'X' })]).toEqual([['both', 'okta'], ['both', 'entra'], ['both']])
    expect(catalogueFor(policy, OKTA)).toBe(catalogueFor(policy, OKTA))
    expect(entriesOf([])).toEqual([])
  })

  it('says in at most 1,000 characters what fits, and how much more there is', () => {
    const organization = (index: number) => ({ organization: `Organization ${index}`, role: 'MEMBER' })
    const [many] = entriesOf([{ id: 'many', entitlement: 'x', grants: Array.from({ length: 100 }, (_, index) => organization(index)) }])
    expect(many?.description).toMatch(/^Gives MEMBER of organization "Organization 0", .* and \d+ more\.$/)
    expect(many?.description.length).toBeLessThanOrEqual(MAX_DESCRIPTION)
    expect(many?.description.length).toBeGreaterThan(MAX_DESCRIPTION - 60)
    const shown = many?.description.match(/Organization/g)?.length ?? 0
    expect(many?.description).toContain(`and ${100 - shown} more.`)
    const long = (letter: string) => letter.repeat(255)
    const [one] = entriesOf([{ id: 'one', entitlement: 'x', grants: [{ organization: long('o'), space: long('s'), project: long('p'), customRole: '\u{1F600}'.repeat(127) }] }])
    expect(one?.description).toMatch(/…$/)
    expect(one?.description.length).toBeLessThanOrEqual(MAX_DESCRIPTION)
    expect(one?.description.isWellFormed()).toBe(true)
  })
})

describe('a value of entitlements or roles', () => {
  const mappings = [
    { id: 'lead', entitlement: 'Ranking lead', grants: [{ organization: 'ML', role: 'ADMIN' }] },
    { id: 'ranking', entitlement: 'ranking LEAD', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
    { id: 'odd', entitlement: 'mapping.lead', grants: [{ organization: 'Risk', role: 'MEMBER' }] },
    { id: 'theirs', entitlement: 'theirs', connection: 'con-entra', grants: [{ organization: 'Partners', role: 'MEMBER' }] },
    { id: 'viewer', entitlement: 'x', grants: [{ organization: 'ML', role: 'READ_ONLY' }] },
  ]
  it.each<[readonly string[], readonly string[]]>([
    [['RANKING LEAD'], ['ML: ADMIN', 'Ops: MEMBER']],
    [['mapping.ranking'], ['Ops: MEMBER']],
    [[' mapping.ranking '], ['Ops: MEMBER']],
    // A text of the policy is what it says, even where it looks like an id.
    [['mapping.lead'], ['Risk: MEMBER']],
    [['MAPPING.ranking'], []],
    // A mapping's id alone may be what a provider calls a role of its own.
    [['viewer', 'lead', 'ranking'], []],
    [['theirs', 'mapping.theirs'], []],
    [['mapping.viewer', 'x'], ['ML: READ_ONLY']],
    [['__proto__', 'constructor', 'mapping.', ''], []],
  ])('%j gives %j', (entitlements, expected) => expect(grantsOf(evaluated(mappings, { entitlements }))).toEqual(expected))

  it('is named in the reason', () => {
    expect(evaluated(mappings, { entitlements: ['mapping.ranking'] }).grants[0]?.because).toEqual([
      { mapping: 'ranking', group: 'mapping.ranking', entitlement: true },
    ])
  })
})
