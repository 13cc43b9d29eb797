import { describe, expect, it } from 'vitest'
import type { Because, Grant } from '../../src/policy/entitlement'
import { explainBecause, explainConflict, explainGrant, type ConflictFacts } from '../../src/policy/explain'
import type { Role } from '../../src/policy/role'
import { evaluated } from './world'

const because: readonly Because[] = [{ mapping: 'ml-engineers', group: 'Arize ML Engineers' }]
const MEMBER: Role = { type: 'PREDEFINED', name: 'MEMBER' }
const REVIEWER: Role = { type: 'CUSTOM', name: 'Prompt Reviewer' }
const RANKING = { organization: 'ML Platform', space: 'Ranking' }

describe('explainGrant', () => {
  const rows: readonly (readonly [Grant, string])[] = [
    [{ kind: 'organization', organization: 'ML Platform', role: MEMBER, because }, 'MEMBER of organization "ML Platform" because group "Arize ML Engineers" is mapped by "ml-engineers"'],
    [{ kind: 'space', ...RANKING, role: MEMBER, because }, 'MEMBER of space "Ranking" in organization "ML Platform" because group "Arize ML Engineers" is mapped by "ml-engineers"'],
    [{ kind: 'space', ...RANKING, role: REVIEWER, because }, 'custom role "Prompt Reviewer" on space "Ranking" in organization "ML Platform" because group "Arize ML Engineers" is mapped by "ml-engineers"'],
    [{ kind: 'project', ...RANKING, project: 'P', role: REVIEWER, because }, 'custom role "Prompt Reviewer" on project "P" of space "Ranking" in organization "ML Platform" because group "Arize ML Engineers" is mapped by "ml-engineers"'],
    [{ kind: 'account', role: 'ADMIN', because }, 'account role ADMIN because group "Arize ML Engineers" is mapped by "ml-engineers"'],
    [{ kind: 'developer', because: [{ mapping: 'd', group: 'dev', entitlement: true }] }, 'developer access because entitlement "dev" is mapped by "d"'],
    [
      { kind: 'organization', organization: 'ML Platform', role: MEMBER, because: [{ mapping: 'r', group: 'R', implied: true }] },
      'MEMBER of organization "ML Platform" because a space of it needs it: group "R" is mapped by "r"',
    ],
  ]
  it.each(rows)('%j', (grant, sentence) => expect(explainGrant(grant)).toBe(sentence))
})

describe('explainBecause', () => {
  it('names each reason once, and at most five', () => {
    const many = Array.from({ length: 9 }, (_, n) => ({ mapping: 'm', group: `G${n}` }))
    expect(explainBecause(many.slice(0, 2))).toBe('group "G0" is mapped by "m" and group "G1" is mapped by "m"')
    expect(explainBecause([...many, ...many])).toMatch(/group "G4" is mapped by "m" and 4 more$/)
  })

  it('shows hostile names harmlessly', () => {
    const text = explainBecause([{ mapping: '"\n', group: `\u0007${'x'.repeat(9_999)}` }])
    expect([...text].filter((character) => character < ' ')).toEqual([])
    expect(text.length).toBeLessThan(400)
    expect(text).toContain('by "\\"\\n"')
  })
})

const HEALS = 'It heals by itself once that is done.'

describe('explainConflict', () => {
  const rows: readonly (readonly [ConflictFacts, readonly string[]])[] = [
    [
      { code: 'annotator_rule', entitlement: { kind: 'organization', organization: 'ML', role: MEMBER }, because, accountRole: 'ANNOTATOR' },
      [
        'Arize refuses MEMBER of organization "ML": an ANNOTATOR account can hold only ANNOTATOR roles.',
        "In Arize, Account Settings → Account Members, change the account's role to MEMBER",
        'remove the person from group "Arize ML Engineers" at the identity provider',
        HEALS,
      ],
    ],
    [
      { code: 'annotator_rule', entitlement: { kind: 'space', ...RANKING, role: { type: 'PREDEFINED', name: 'ANNOTATOR' } }, because, accountRole: 'Member - UI Only' },
      ['only an ANNOTATOR account can hold ANNOTATOR roles, and this account is "Member - UI Only"', "change the account's role to ANNOTATOR", HEALS],
    ],
    [
      {
        code: 'annotator_mixed',
        entitlement: null,
        because: [...because, { mapping: 'l', group: 'Labelers' }],
        annotators: [{ mapping: 'l', group: 'Labelers' }],
        others: because,
      },
      [
        'No Arize account is created yet',
        'ANNOTATOR is asked for (group "Labelers" is mapped by "l")',
        'other roles (group "Arize ML Engineers" is mapped by "ml-engineers")',
        'remove the person from group "Labelers"',
        '"annotators.mixed"',
        HEALS,
      ],
    ],
    [
      { code: 'annotator_mixed', entitlement: { kind: 'developer' }, because, mixed: 'annotator' },
      ['Developer access is not given', '"annotators.mixed" in the policy is "annotator"', 'remove the person from group "Arize ML Engineers"', HEALS],
    ],
    [
      { code: 'account_role', entitlement: { kind: 'account', role: 'ADMIN' }, because, accountRole: 'MEMBER' },
      ['The policy asks for account role ADMIN', 'account is "MEMBER"', 'Account Settings → Account Members, change it to ADMIN', HEALS],
    ],
    [
      { code: 'admin_not_allowed', entitlement: { kind: 'organization', organization: 'ML', role: { type: 'PREDEFINED', name: 'ADMIN' } }, because },
      ['ADMIN of organization "ML" is not given: mapping "ml-engineers" may not give ADMIN.', '"allowAdmin": true', HEALS],
    ],
    [
      { code: 'slot', entitlement: { kind: 'space', ...RANKING, role: MEMBER }, because, roles: [MEMBER, REVIEWER] },
      ['MEMBER and custom role "Prompt Reviewer" are asked for on space "Ranking"', 'what is held there stays', 'leave one of them in the policy', HEALS],
    ],
    [
      { code: 'ambiguous_name', entitlement: null, because, readings: [[{ kind: 'organization', organization: 'A', role: MEMBER }], [{ kind: 'organization', organization: 'B', role: MEMBER }]] },
      ['The name of group "Arize ML Engineers" can be read in more than one way (MEMBER of organization "A"; or MEMBER of organization "B")', 'Rename the group', HEALS],
    ],
    [{ code: 'ambiguous_name', entitlement: null, because, readings: [] }, ['can be read in too many ways by mapping "ml-engineers"']],
    [
      { code: 'unresolved', entitlement: { kind: 'space', ...RANKING, role: MEMBER }, because, missing: 'organization' },
      ['Arize shows no organization "ML Platform", so MEMBER of space "Ranking"', 'is held', 'mapping "ml-engineers"', HEALS],
    ],
    [{ code: 'unresolved', entitlement: { kind: 'space', ...RANKING, role: MEMBER }, because, missing: 'space' }, ['Arize shows no space "Ranking" in organization "ML Platform"']],
    [{ code: 'unresolved', entitlement: { kind: 'space', ...RANKING, role: REVIEWER }, because, missing: 'customRole' }, ['Arize shows no custom role "Prompt Reviewer"']],
    [{ code: 'unsupported', entitlement: { kind: 'developer' }, because }, ['The bridge does not give developer access', 'by hand in Arize']],
  ]
  it.each(rows)('%j', (facts, parts) => {
    const sentence = explainConflict(facts)
    for (const part of parts) expect(sentence).toContain(part)
  })

  it('tells what to take away when an entitlement asked for it', () => {
    const mixed: readonly Because[] = [...because, { mapping: 'e', group: 'ml-user', entitlement: true }]
    expect(explainConflict({ code: 'admin_not_allowed', entitlement: { kind: 'account', role: 'ADMIN' }, because: mixed })).toContain(
      'remove the person from group "Arize ML Engineers" and take the entitlement "ml-user" away at the identity provider',
    )
  })
})

it('evaluate says its conflicts in these sentences', () => {
  const mappings = [{ id: 'engineers', group: 'Engineers', grants: [{ organization: 'ML', role: 'MEMBER' }] }]
  const [conflict] = evaluated(mappings, { groups: ['Engineers'], account: 'ANNOTATOR' }).conflicts
  expect(conflict?.sentence).toBe(
    'Arize refuses MEMBER of organization "ML": an ANNOTATOR account can hold only ANNOTATOR roles. An account\'s role cannot be ' +
      "changed through the API. In Arize, Account Settings → Account Members, change the account's role to MEMBER, or remove " +
      'the person from group "Engineers" at the identity provider. It heals by itself once that is done.',
  )
})
