import { describe, expect, it } from 'vitest'
import { compilePolicy, evaluate } from '../../src/policy/evaluate'
import { becauseOf, conflictsOf, ENTRA, evaluated, grantsOf, group, inputOf, policyOf, type Setting } from './world'

const ML = { organization: 'ML' }
const RANKING = { organization: 'ML', space: 'Ranking' }
const mapping = (id: string, name: string, ...grants: readonly object[]) => ({ id, group: name, grants })

describe('one group', () => {
  it('gives what its mapping says, and says why', () => {
    const evaluation = evaluated([mapping('ml', 'Arize ML', { ...ML, role: 'MEMBER' })], { groups: ['arize ml', 'Other'] })
    expect(evaluation).toEqual({
      grants: [
        { kind: 'organization', organization: 'ML', role: { type: 'PREDEFINED', name: 'MEMBER' }, because: [{ mapping: 'ml', group: 'arize ml' }] },
      ],
      accountRole: 'MEMBER',
      conflicts: [],
      unmappedGroups: ['Other'],
    })
  })

  it('gives nothing to somebody in no group, and no account', () => {
    const nothing = { grants: [], accountRole: null, conflicts: [], unmappedGroups: [] }
    expect(evaluated([mapping('ml', 'ML', { ...ML, role: 'MEMBER' })], {})).toEqual(nothing)
    expect(evaluated([], { account: 'MEMBER' })).toEqual(nothing)
  })

  it('gives from the outside in, then by name', () => {
    const grants = [
      { developer: true },
      { ...RANKING, project: 'b', customRole: 'R' },
      { ...RANKING, project: 'a', customRole: 'R' },
      { ...RANKING, role: 'MEMBER' },
      { organization: 'A', space: 'Z', role: 'ADMIN' },
      { ...ML, role: 'ADMIN' },
      { account: true, role: 'MEMBER' },
    ]
    const evaluation = evaluated([mapping('all', 'G', ...grants)], { groups: ['G'] })
    expect(grantsOf(evaluation)).toEqual([
      'account: MEMBER',
      'A: READ_ONLY',
      'ML: ADMIN',
      'A/Z: ADMIN',
      'ML/Ranking: MEMBER',
      'ML/Ranking/a: custom:R',
      'ML/Ranking/b: custom:R',
      'developer',
    ])
  })
})

describe('one slot, several grants', () => {
  const roles = (...names: readonly string[]) => names.map((role, index) => mapping(`m${index}`, `G${index}`, { ...ML, role }))
  const all: Setting = { groups: ['G0', 'G1', 'G2'] }

  it.each([
    [['MEMBER', 'READ_ONLY'], 'MEMBER'],
    [['READ_ONLY', 'MEMBER'], 'MEMBER'],
    [['READ_ONLY', 'MEMBER', 'ADMIN'], 'ADMIN'],
    [['ADMIN', 'READ_ONLY', 'READ_ONLY'], 'ADMIN'],
    [['READ_ONLY', 'READ_ONLY'], 'READ_ONLY'],
    [['ANNOTATOR', 'ANNOTATOR'], 'ANNOTATOR'],
  ])('%j gives %s', (names, expected) => {
    expect(grantsOf(evaluated(roles(...names), all))).toEqual([`ML: ${expected}`])
  })

  it('names every mapping that agrees, and none that asks for less', () => {
    const evaluation = evaluated(roles('MEMBER', 'READ_ONLY', 'MEMBER'), { groups: ['G2', 'G1', 'G0'] })
    expect(becauseOf(evaluation, 'ML: MEMBER')).toEqual(['m0 < G0', 'm2 < G2'])
  })

  it('names one reason once, however many connections tell it', () => {
    const groups = [group('G0'), group('G0', { connection: ENTRA }), group('g0')]
    expect(becauseOf(evaluated(roles('MEMBER'), { groups }), 'ML: MEMBER')).toEqual(['m0 < G0', 'm0 < g0'])
  })

  it.each([
    ['a predefined and a custom role', [{ ...RANKING, role: 'MEMBER' }], [{ ...RANKING, customRole: 'R' }]],
    ['two custom roles', [{ ...RANKING, customRole: 'Q' }], [{ ...RANKING, customRole: 'R' }]],
    ['custom roles of a project', [{ ...RANKING, project: 'P', customRole: 'Q' }], [{ ...RANKING, project: 'P', customRole: 'R' }]],
  ])('holds %s, and gives the rest', (_name, first, second) => {
    const mappings = [mapping('a', 'A', ...first, { organization: 'Risk', role: 'MEMBER' }), mapping('b', 'B', ...second)]
    const evaluation = evaluated(mappings, { groups: ['A', 'B'] })
    expect(grantsOf(evaluation)).toEqual(['Risk: MEMBER'])
    expect(evaluation.conflicts.map(({ code }) => code)).toEqual(['slot'])
    expect(evaluation.conflicts[0]?.because).toEqual([{ mapping: 'a', group: 'A' }, { mapping: 'b', group: 'B' }])
    expect(evaluation.accountRole).toBe('MEMBER')
  })

  it('gives one custom role that two mappings agree on', () => {
    const mappings = ['A', 'B'].map((name) => mapping(name, name, { ...RANKING, customRole: 'R' }))
    const evaluation = evaluated(mappings, { groups: ['A', 'B'] })
    expect(grantsOf(evaluation)).toEqual(['ML: READ_ONLY', 'ML/Ranking: custom:R'])
    expect(becauseOf(evaluation, 'ML/Ranking: custom:R')).toEqual(['A < A', 'B < B'])
  })

  it.each([
    ['as Arize spells it', { organizations: ['Ml'] }, ['Ml: MEMBER']],
    ['as the policy spells it where Arize has the name twice', { organizations: ['ML', 'ml', 'Ml'] }, ['ML: READ_ONLY', 'ml: MEMBER']],
    ['in one of the spellings while Arize has none', {}, ['ML: MEMBER']],
  ])('takes two spellings of one organization for one slot: %s', (_name, setting, expected) => {
    const mappings = [mapping('a', 'G', { ...ML, role: 'READ_ONLY' }), mapping('b', 'G', { organization: ' ml', role: 'MEMBER' })]
    expect(grantsOf(evaluated(mappings, { groups: ['G'], ...setting }))).toEqual(expected)
  })

  it.each([
    ['as Arize spells it', { organizations: ['ML'], spaces: { ML: ['ranking', 'x'] } }, 'ML/ranking: ADMIN'],
    ['while spaces are not known', { organizations: ['ML'] }, 'ML/RANKING: ADMIN'],
    ['while the organization is not known', {}, 'ML/RANKING: ADMIN'],
  ])('takes two spellings of one space for one slot: %s', (_name, setting, expected) => {
    const mappings = [mapping('a', 'G', { ...RANKING, role: 'MEMBER' }), mapping('b', 'G', { organization: 'ml', space: 'RANKING', role: 'ADMIN' })]
    expect(grantsOf(evaluated(mappings, { groups: ['G'], ...setting }))).toContain(expected)
    expect(grantsOf(evaluated(mappings, { groups: ['G'], ...setting }))).toHaveLength(2)
  })
})

describe('the organization role that a space needs', () => {
  it.each([
    ['is READ_ONLY', [{ ...RANKING, role: 'ADMIN' }], {}, ['ML: READ_ONLY', 'ML/Ranking: ADMIN']],
    ['is what the policy says', [{ ...RANKING, role: 'ADMIN' }], { spaces: { organizationRole: 'MEMBER' } }, ['ML: MEMBER', 'ML/Ranking: ADMIN']],
    ['is ANNOTATOR for an annotator', [{ ...RANKING, role: 'ANNOTATOR' }], { spaces: { organizationRole: 'MEMBER' } }, ['ML: ANNOTATOR', 'ML/Ranking: ANNOTATOR']],
    ['is what a mapping gives', [{ ...RANKING, role: 'ADMIN' }, { ...ML, role: 'MEMBER' }], {}, ['ML: MEMBER', 'ML/Ranking: ADMIN']],
    ['comes with a project too', [{ ...RANKING, project: 'P', customRole: 'R' }], {}, ['ML: READ_ONLY', 'ML/Ranking/P: custom:R']],
  ])('%s', (_name, grants, keys, expected) => {
    expect(grantsOf(evaluated([mapping('m', 'G', ...grants)], { groups: ['G'] }, keys))).toEqual(expected)
  })

  it('names every space that needs it', () => {
    const mappings = [mapping('a', 'A', { ...RANKING, role: 'MEMBER' }), mapping('b', 'B', { ...ML, space: 'Search', role: 'MEMBER' })]
    const evaluation = evaluated(mappings, { groups: ['A', 'B'] })
    expect(becauseOf(evaluation, 'ML: READ_ONLY')).toEqual(['a < A !', 'b < B !'])
    expect(becauseOf(evaluation, 'ML/Search: MEMBER')).toEqual(['b < B'])
  })

  it('does not come with a space role that is not given', () => {
    const mappings = [mapping('a', 'A', { ...RANKING, role: 'MEMBER' })]
    expect(evaluated(mappings, { groups: ['A'], account: 'ANNOTATOR' }).grants).toEqual([])
  })

  it('comes although the role that a mapping asks for there does not fit', () => {
    const mappings = [mapping('a', 'A', { ...RANKING, role: 'ANNOTATOR' }), mapping('b', 'B', { ...ML, role: 'MEMBER' })]
    const evaluation = evaluated(mappings, { groups: ['A', 'B'], account: 'ANNOTATOR' })
    expect(grantsOf(evaluation)).toEqual(['ML: ANNOTATOR', 'ML/Ranking: ANNOTATOR'])
    expect(conflictsOf(evaluation)).toEqual(['annotator_rule ML: MEMBER'])
  })
})

describe('account roles', () => {
  const account = (role: string, rest: object = {}) => ({ id: `acc-${role}`, group: role, grants: [{ account: true, role }], ...rest })
  const mappings = [account('MEMBER'), account('ANNOTATOR'), account('ADMIN', { allowAdmin: true })]

  it.each([
    [['MEMBER'], null, ['account: MEMBER'], [], 'MEMBER'],
    [['ADMIN'], null, ['account: ADMIN'], [], 'ADMIN'],
    [['ANNOTATOR'], null, ['account: ANNOTATOR'], [], 'ANNOTATOR'],
    [['MEMBER', 'ADMIN'], null, ['account: ADMIN'], [], 'ADMIN'],
    [['MEMBER', 'ANNOTATOR'], null, [], ['annotator_mixed'], null],
    [['MEMBER'], 'MEMBER', ['account: MEMBER'], [], null],
    [['ADMIN'], 'ADMIN', ['account: ADMIN'], [], null],
    [['ADMIN', 'MEMBER'], 'ADMIN', ['account: ADMIN'], [], null],
    [['ADMIN', 'MEMBER'], 'MEMBER', ['account: MEMBER'], ['account_role account: ADMIN'], null],
    [['MEMBER'], 'ADMIN', [], ['account_role account: MEMBER'], null],
    [['ADMIN'], 'MEMBER', [], ['account_role account: ADMIN'], null],
    [['ADMIN', 'MEMBER'], 'ANNOTATOR', [], ['account_role account: ADMIN'], null],
    [['ANNOTATOR', 'MEMBER'], 'ANNOTATOR', ['account: ANNOTATOR'], ['account_role account: MEMBER'], null],
    [['ANNOTATOR'], 'MEMBER', [], ['account_role account: ANNOTATOR'], null],
    [['MEMBER'], 'Member - UI Only', [], ['account_role account: MEMBER'], null],
    [['ANNOTATOR'], 'annotator', ['account: ANNOTATOR'], [], null],
  ])('groups %j and account %j: %j, conflicts %j', (groups, existing, grants, conflicts, accountRole) => {
    const evaluation = evaluated(mappings, { groups, account: existing })
    expect([grantsOf(evaluation), conflictsOf(evaluation), evaluation.accountRole]).toEqual([grants, conflicts, accountRole])
  })

  it('act beside other grants', () => {
    const evaluation = evaluated([account('ADMIN'), mapping('ml', 'ML', { ...ML, role: 'READ_ONLY' })], { groups: ['ADMIN', 'ML'] }, { accounts: { allowAdmin: true } })
    expect([grantsOf(evaluation), evaluation.accountRole]).toEqual([['account: ADMIN', 'ML: READ_ONLY'], 'ADMIN'])
  })

  it('are never ADMIN when a policy that was not parsed leaves allowAdmin out', () => {
    const allowed = policyOf({ mappings: [account('ADMIN')], accounts: { allowAdmin: true } })
    const input = inputOf(allowed, { groups: ['ADMIN'] })
    const policy = compilePolicy({ ...allowed, accounts: { ...allowed.accounts, allowAdmin: false } })
    const evaluation = evaluate({ ...input, policy })
    expect([grantsOf(evaluation), conflictsOf(evaluation)]).toEqual([[], ['admin_not_allowed account: ADMIN']])
    expect(evaluation.accountRole).toBeNull()
  })
})
