import { describe, expect, it } from 'vitest'
import { compilePolicy, mappingsOfGroup } from '../../src/policy/mapping'
import { ENTRA, evaluated, grantsOf, group, policyOf } from './world'

const grants = [{ organization: 'O', role: 'MEMBER' }]

const policy = compilePolicy(
  policyOf({
    mappings: [
      { id: 'by-name', group: 'Arize ML', grants },
      { id: 'by-id', groupId: '00g1', grants },
      { id: 'by-entitlement', entitlement: 'Arize ML', grants },
      { id: 'okta-only', group: 'Shared', connection: 'con-okta', grants },
      { id: 'entra-only', group: 'shared', connection: 'ENTRA id', grants },
      { id: 'braces', group: '{{x}}', grants },
      { id: 'proto', group: '__proto__', grants },
      { id: 'pattern', group: 'arize-{organization}-{role}', grants: [{ organization: '{organization}', role: '{role}' }] },
      { id: 'entra-pattern', group: 'arize-{o}', connection: 'con-entra', grants: [{ organization: '{o}', role: 'MEMBER' }] },
    ],
  }),
)

describe('mappingsOfGroup', () => {
  it.each([
    ['Arize ML', {}, ['by-name']],
    [' arize ml ', {}, ['by-name']],
    ['Arize ML2', {}, []],
    ['Renamed', { externalId: '00g1' }, ['by-id']],
    ['Renamed', { externalId: '00G1' }, []],
    ['Arize ML', { externalId: '00g1' }, ['by-name', 'by-id']],
    ['Shared', {}, ['okta-only']],
    ['Shared', { connection: ENTRA }, ['entra-only']],
    ['Shared', { connection: { id: 'x', name: 'X' } }, []],
    ['{X}', {}, ['braces']],
    ['__PROTO__', {}, ['proto']],
    ['constructor', {}, []],
    ['arize-anything-member', {}, ['pattern']],
    ['arize-anything-else', {}, []],
    ['arize-anything-member', { connection: ENTRA }, ['pattern', 'entra-pattern']],
    ['arize-', { connection: ENTRA }, []],
    ['', {}, []],
  ])('%j with %j is selected by %j', (name, rest, expected) => {
    expect(mappingsOfGroup(policy, group(name, rest))).toEqual(expected)
  })
})

describe('selectors', () => {
  const mappings = [
    { id: 'e', entitlement: 'ml-user', grants: [{ organization: 'ML', role: 'MEMBER' }] },
    { id: 'g', group: 'ml-user', grants: [{ organization: 'Risk', role: 'MEMBER' }] },
    { id: 'i', groupId: 'ml-user', grants: [{ organization: 'Ops', role: 'MEMBER' }] },
  ]
  it.each([
    [{ entitlements: ['ML-User'] }, ['ML: MEMBER']],
    [{ groups: ['ML-User'] }, ['Risk: MEMBER']],
    [{ groups: [group('x', { externalId: 'ml-user' })] }, ['Ops: MEMBER']],
    [{ groups: [group('ml-user', { externalId: 'ml-user' })], entitlements: ['ml-user', 'other'] }, ['ML: MEMBER', 'Ops: MEMBER', 'Risk: MEMBER']],
    [{}, []],
  ])('%j gives %j', (setting, expected) => expect(grantsOf(evaluated(mappings, setting))).toEqual(expected))

  it('keep to their connection', () => {
    const mapping = { id: 'e', entitlement: 'x', connection: 'Entra ID', grants }
    expect(grantsOf(evaluated([mapping], { entitlements: ['x'] }))).toEqual([])
    expect(grantsOf(evaluated([{ ...mapping, connection: 'OKTA' }], { entitlements: ['x'] }))).toEqual(['O: MEMBER'])
  })

  it('say in because that an entitlement is none of the groups', () => {
    const [grant] = evaluated(mappings, { entitlements: ['ml-user'] }).grants
    expect(grant?.because).toEqual([{ mapping: 'e', group: 'ml-user', entitlement: true }])
  })
})
