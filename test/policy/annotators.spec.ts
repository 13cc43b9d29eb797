import { describe, expect, it } from 'vitest'
import { conflictsOf, evaluated, grantsOf } from './world'

const mapping = (id: string, ...grants: readonly object[]) => ({ id, group: id, grants })

const MAPPINGS = [
  mapping('labelers', { organization: 'Labeling', role: 'ANNOTATOR' }),
  mapping('label-space', { organization: 'Labeling', space: 'Batch', role: 'ANNOTATOR' }),
  mapping('engineers', { organization: 'ML', role: 'MEMBER' }),
  mapping('admins', { organization: 'ML', role: 'ADMIN' }),
  mapping('readers', { organization: 'ML', role: 'READ_ONLY' }),
  mapping('ml-labelers', { organization: 'ML', role: 'ANNOTATOR' }),
  mapping('space', { organization: 'ML', space: 'Ranking', role: 'MEMBER' }),
  mapping('space-labelers', { organization: 'ML', space: 'Ranking', role: 'ANNOTATOR' }),
  mapping('reviewers', { organization: 'ML', space: 'Ranking', customRole: 'Reviewer' }),
  mapping('project', { organization: 'ML', space: 'Ranking', project: 'P', customRole: 'Reviewer' }),
  mapping('developers', { developer: true }),
]

describe('an account that exists', () => {
  // Every row of the matrix, on organizations and on spaces.
  it.each([
    ['ADMIN', ['admins'], ['ML: ADMIN'], []],
    ['ADMIN', ['engineers'], ['ML: MEMBER'], []],
    ['ADMIN', ['readers'], ['ML: READ_ONLY'], []],
    ['ADMIN', ['labelers'], [], ['annotator_rule Labeling: ANNOTATOR']],
    ['ADMIN', ['label-space'], [], ['annotator_rule Labeling/Batch: ANNOTATOR']],
    ['MEMBER', ['admins'], ['ML: ADMIN'], []],
    ['MEMBER', ['engineers'], ['ML: MEMBER'], []],
    ['MEMBER', ['readers'], ['ML: READ_ONLY'], []],
    ['MEMBER', ['labelers'], [], ['annotator_rule Labeling: ANNOTATOR']],
    ['MEMBER', ['label-space'], [], ['annotator_rule Labeling/Batch: ANNOTATOR']],
    ['MEMBER', ['space'], ['ML: READ_ONLY', 'ML/Ranking: MEMBER'], []],
    ['MEMBER', ['reviewers'], ['ML: READ_ONLY', 'ML/Ranking: custom:Reviewer'], []],
    ['MEMBER', ['project'], ['ML: READ_ONLY', 'ML/Ranking/P: custom:Reviewer'], []],
    ['MEMBER', ['developers'], ['developer'], []],
    ['ANNOTATOR', ['admins'], [], ['annotator_rule ML: ADMIN']],
    ['ANNOTATOR', ['engineers'], [], ['annotator_rule ML: MEMBER']],
    ['ANNOTATOR', ['readers'], [], ['annotator_rule ML: READ_ONLY']],
    ['ANNOTATOR', ['labelers'], ['Labeling: ANNOTATOR'], []],
    ['ANNOTATOR', ['label-space'], ['Labeling: ANNOTATOR', 'Labeling/Batch: ANNOTATOR'], []],
    ['ANNOTATOR', ['space'], [], ['annotator_rule ML/Ranking: MEMBER']],
    ['ANNOTATOR', ['reviewers'], [], ['annotator_rule ML/Ranking: custom:Reviewer']],
    ['ANNOTATOR', ['project'], [], ['annotator_rule ML/Ranking/P: custom:Reviewer']],
    ['ANNOTATOR', ['developers'], [], ['annotator_rule developer']],
    ['annotator', ['labelers', 'engineers'], ['Labeling: ANNOTATOR'], ['annotator_rule ML: MEMBER']],
    ['Member - UI Only', ['engineers', 'labelers'], ['ML: MEMBER'], ['annotator_rule Labeling: ANNOTATOR']],
    ['toString', ['engineers', 'labelers'], ['ML: MEMBER'], ['annotator_rule Labeling: ANNOTATOR']],
    // One slot: what fits is given beside what does not.
    ['MEMBER', ['engineers', 'ml-labelers'], ['ML: MEMBER'], ['annotator_rule ML: ANNOTATOR']],
    ['ANNOTATOR', ['engineers', 'admins', 'ml-labelers'], ['ML: ANNOTATOR'], ['annotator_rule ML: ADMIN', 'annotator_rule ML: MEMBER']],
    ['ANNOTATOR', ['reviewers', 'space', 'space-labelers'], ['ML: ANNOTATOR', 'ML/Ranking: ANNOTATOR'], ['annotator_rule ML/Ranking: MEMBER', 'annotator_rule ML/Ranking: custom:Reviewer']],
    ['MEMBER', ['reviewers', 'space-labelers'], ['ML: READ_ONLY', 'ML/Ranking: custom:Reviewer'], ['annotator_rule ML/Ranking: ANNOTATOR']],
    ['MEMBER', ['space', 'reviewers', 'space-labelers'], [], ['annotator_rule ML/Ranking: ANNOTATOR', 'slot ML/Ranking: MEMBER']],
  ])('%s in %j: %j, conflicts %j', (account, groups, grants, conflicts) => {
    const evaluation = evaluated(MAPPINGS, { groups, account })
    expect([grantsOf(evaluation), conflictsOf(evaluation)]).toEqual([grants, conflicts])
    expect(evaluation.accountRole).toBeNull()
  })

  it('is not asked about by annotators.mixed', () => {
    const evaluation = evaluated(MAPPINGS, { groups: ['labelers', 'engineers'], account: 'MEMBER' }, { annotators: { mixed: 'annotator' } })
    expect(grantsOf(evaluation)).toEqual(['ML: MEMBER'])
  })

  it('names everything that asks for what does not fit', () => {
    const mappings = [...MAPPINGS, mapping('more', { organization: 'ml', role: 'MEMBER' })]
    const evaluation = evaluated(mappings, { groups: ['more', 'engineers'], account: 'ANNOTATOR' })
    expect(evaluation.conflicts.map(({ because }) => because)).toEqual([
      [
        { mapping: 'engineers', group: 'engineers' },
        { mapping: 'more', group: 'more' },
      ],
    ])
  })
})

describe('no account yet', () => {
  it.each([
    [['labelers'], ['Labeling: ANNOTATOR'], 'ANNOTATOR'],
    [['label-space'], ['Labeling: ANNOTATOR', 'Labeling/Batch: ANNOTATOR'], 'ANNOTATOR'],
    [['labelers', 'space-labelers'], ['Labeling: ANNOTATOR', 'ML: ANNOTATOR', 'ML/Ranking: ANNOTATOR'], 'ANNOTATOR'],
    [['engineers'], ['ML: MEMBER'], 'MEMBER'],
    [['admins'], ['ML: ADMIN'], 'MEMBER'],
    [['reviewers'], ['ML: READ_ONLY', 'ML/Ranking: custom:Reviewer'], 'MEMBER'],
    [['developers'], ['developer'], 'MEMBER'],
    [['nobody'], [], null],
  ])('groups %j: %j, account %s', (groups, grants, accountRole) => {
    const evaluation = evaluated(MAPPINGS, { groups })
    expect([grantsOf(evaluation), evaluation.accountRole, evaluation.conflicts]).toEqual([grants, accountRole, []])
  })

  const MIXED: readonly (readonly string[])[] = [
    ['labelers', 'engineers'],
    ['labelers', 'developers'],
    ['labelers', 'reviewers'],
    ['labelers', 'project'],
    ['ml-labelers', 'engineers'],
    ['label-space', 'space'],
  ]

  it.each(MIXED)('%s and %s: hold gives nothing, creates nothing and says one thing', (...groups) => {
    const evaluation = evaluated(MAPPINGS, { groups })
    expect([grantsOf(evaluation), conflictsOf(evaluation), evaluation.accountRole]).toEqual([[], ['annotator_mixed'], null])
    expect(evaluation.conflicts[0]?.because.map((because) => because.group)).toEqual(groups.toSorted())
  })

  it.each([
    ['member', ['labelers', 'engineers'], ['ML: MEMBER'], ['annotator_mixed Labeling: ANNOTATOR'], 'MEMBER'],
    ['annotator', ['labelers', 'engineers'], ['Labeling: ANNOTATOR'], ['annotator_mixed ML: MEMBER'], 'ANNOTATOR'],
    ['member', ['ml-labelers', 'engineers'], ['ML: MEMBER'], ['annotator_mixed ML: ANNOTATOR'], 'MEMBER'],
    ['annotator', ['ml-labelers', 'engineers'], ['ML: ANNOTATOR'], ['annotator_mixed ML: MEMBER'], 'ANNOTATOR'],
    ['annotator', ['labelers', 'developers'], ['Labeling: ANNOTATOR'], ['annotator_mixed developer'], 'ANNOTATOR'],
    ['annotator', ['label-space', 'reviewers'], ['Labeling: ANNOTATOR', 'Labeling/Batch: ANNOTATOR'], ['annotator_mixed ML/Ranking: custom:Reviewer'], 'ANNOTATOR'],
  ])('%s with %j: %j, conflicts %j', (mixed, groups, grants, conflicts, accountRole) => {
    const evaluation = evaluated(MAPPINGS, { groups }, { annotators: { mixed } })
    expect([grantsOf(evaluation), conflictsOf(evaluation), evaluation.accountRole]).toEqual([grants, conflicts, accountRole])
  })

  it('is decided by account grants too', () => {
    const mappings = [...MAPPINGS, mapping('member', { account: true, role: 'MEMBER' })]
    expect(conflictsOf(evaluated(mappings, { groups: ['labelers', 'member'] }))).toEqual(['annotator_mixed'])
    const chosen = evaluated(mappings, { groups: ['labelers', 'member'] }, { annotators: { mixed: 'annotator' } })
    expect([grantsOf(chosen), conflictsOf(chosen)]).toEqual([['Labeling: ANNOTATOR'], ['annotator_mixed account: MEMBER']])
  })

  it('is decided by grants that will not be given: two custom roles on one slot', () => {
    const mappings = [...MAPPINGS, mapping('others', { organization: 'ML', space: 'Ranking', customRole: 'Other' })]
    expect(conflictsOf(evaluated(mappings, { groups: ['reviewers', 'others', 'labelers'] }))).toEqual(['annotator_mixed'])
    const evaluation = evaluated(mappings, { groups: ['reviewers', 'others'] })
    expect([evaluation.grants, evaluation.accountRole]).toEqual([[], null])
  })

  it('is decided by ADMIN that a pattern may not give', () => {
    const pattern = { id: 'p', group: 'arize-{o}-{r}', grants: [{ organization: '{o}', role: '{r}' }] }
    const evaluation = evaluated([...MAPPINGS, pattern], { groups: ['labelers', 'arize-ml-admin'], organizations: ['ML'] })
    expect([grantsOf(evaluation), conflictsOf(evaluation), evaluation.accountRole]).toEqual([
      [],
      ['admin_not_allowed ML: ADMIN', 'annotator_mixed'],
      null,
    ])
  })

  it('is decided by every reading of an ambiguous name', () => {
    const pattern = { id: 'p', group: 'arize-{o}-{s}-{r}', grants: [{ organization: '{o}', space: '{s}', role: '{r}' }] }
    const evaluation = evaluated([...MAPPINGS, pattern], {
      groups: ['labelers', 'arize-a-b-c-member'],
      organizations: ['a', 'a-b', 'Labeling'],
      spaces: { a: ['b-c'], 'a-b': ['c'], Labeling: [] },
    })
    expect([grantsOf(evaluation), conflictsOf(evaluation)]).toEqual([[], ['ambiguous_name', 'annotator_mixed']])
  })

  it('is not decided by an implied organization role', () => {
    const evaluation = evaluated(MAPPINGS, { groups: ['label-space'] }, { spaces: { organizationRole: 'MEMBER' } })
    expect(evaluation.accountRole).toBe('ANNOTATOR')
  })
})
