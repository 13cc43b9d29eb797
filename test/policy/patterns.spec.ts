import { describe, expect, it } from 'vitest'
import { MAX_SPLITS } from '../../src/policy/pattern'
import { conflictsOf, ENTRA, evaluated, grantsOf, group, type Setting } from './world'

const BY_NAME = { id: 'by-name', group: 'arize-{organization}-{role}', grants: [{ organization: '{organization}', role: '{role}' }] }
const organizations = ['ML Platform', 'Risk', 'Risk-Read', 'Ops', 'ops', ' Spaced ', '__proto__']

const outcome = (mappings: readonly unknown[], setting: Setting) => {
  const evaluation = evaluated(mappings, setting)
  return [grantsOf(evaluation), conflictsOf(evaluation), evaluation.unmappedGroups]
}

describe('organizations and roles by name', () => {
  it.each([
    ['arize-ML Platform-member', ['ML Platform: MEMBER']],
    ['ARIZE-ml platform-Viewer', ['ML Platform: READ_ONLY']],
    ['arize- ml platform -read_only', ['ML Platform: READ_ONLY']],
    ['arize-risk-read-only', ['Risk: READ_ONLY']],
    ['arize-risk-readOnly', ['Risk: READ_ONLY']],
    ['arize-risk-annotator', ['Risk: ANNOTATOR']],
    ['arize-spaced-member', [' Spaced : MEMBER']],
    ['arize-__PROTO__-member', ['__proto__: MEMBER']],
  ])('%j gives %j', (name, grants) => expect(outcome([BY_NAME], { groups: [name], organizations })).toEqual([grants, [], []]))

  it.each([
    'arize-risk-owner',
    'arize-unheard of-member',
    'arize-constructor-member',
    'arize-ML Platform-',
    'arize--member',
    'ml platform-member',
    '',
    '__proto__',
    'arize-{organization}-{role}',
  ])('%j is unmapped', (name) => expect(outcome([BY_NAME], { groups: [name], organizations })).toEqual([[], [], [name]]))

  it('is unmapped while Arize has no organization at all', () => {
    expect(outcome([BY_NAME], { groups: ['arize-risk-member'] })).toEqual([[], [], ['arize-risk-member']])
  })

  it('holds a name that reads in two ways', () => {
    const mapping = { id: 'm', group: 'a-{x}-{y}', grants: [{ organization: '{x}', space: '{y}', role: 'MEMBER' }] }
    const setting = { groups: ['a-1-2-3'], organizations: ['1', '1-2'] }
    expect(outcome([mapping], setting)).toEqual([[], ['ambiguous_name'], []])
    expect(outcome([mapping], { ...setting, spaces: { 1: ['other'], '1-2': ['3'] } })).toEqual([
      ['1-2: READ_ONLY', '1-2/3: MEMBER'],
      [],
      [],
    ])
  })

  it('says once what groups of one name share, whichever connections tell of them', () => {
    const groups = [group('arize-OPS-member'), group('arize-OPS-member', { connection: ENTRA })]
    expect(outcome([BY_NAME], { groups, organizations })).toEqual([[], ['ambiguous_name'], []])
  })

  it('does not take for a name what is longer than a name can be', () => {
    const mapping = { id: 'm', group: 'p-{p}', grants: [{ organization: 'Risk', space: 'S', project: '{p}', customRole: 'R' }] }
    const given = (length: number) => outcome([mapping], { groups: [`p-${'x'.repeat(length)}`], organizations })[2]
    expect([given(255), given(256)]).toEqual([[], [`p-${'x'.repeat(256)}`]])
  })

  it('holds a name that two organizations have', () => {
    expect(outcome([BY_NAME], { groups: ['arize-OPS-member'], organizations })).toEqual([[], ['ambiguous_name'], []])
  })

  it('holds a name with too many readings to try', () => {
    const mapping = { id: 'm', group: '{a}-{b}-{c}', grants: [{ organization: '{a}', space: '{b}', customRole: '{c}' }] }
    const name = '-'.repeat(3 * Math.ceil(Math.sqrt(MAX_SPLITS)))
    expect(outcome([mapping], { groups: [name], organizations: ['ML'] })).toEqual([[], ['ambiguous_name'], []])
  })

  it('takes two readings of the same meaning for one', () => {
    const mapping = { id: 'm', group: '{o} {r}', grants: [{ organization: '{o}', role: '{r}' }] }
    expect(outcome([mapping], { groups: ['Risk  member'], organizations })).toEqual([['Risk: MEMBER'], [], []])
  })

  it('lets nothing of a mapping count when one of its grants has no meaning', () => {
    const grants = [{ organization: 'Risk', role: 'MEMBER' }, { organization: '{o}', role: 'MEMBER' }]
    expect(outcome([{ id: 'm', group: 'a-{o}', grants }], { groups: ['a-nowhere'], organizations })).toEqual([[], [], ['a-nowhere']])
  })

  it('fills text around a placeholder', () => {
    const mapping = { id: 'm', group: 'team-{t}', grants: [{ organization: '{t}-Read', role: 'MEMBER' }] }
    expect(outcome([mapping], { groups: ['team-RISK'], organizations })).toEqual([['Risk-Read: MEMBER'], [], []])
  })

  it('keeps a literal organization as it is written, whether it exists or not', () => {
    const mapping = { id: 'm', group: 'future-{r}', grants: [{ organization: 'Future', role: '{r}' }] }
    expect(outcome([mapping], { groups: ['future-member'], organizations })).toEqual([['Future: MEMBER'], [], []])
  })
})

describe('spaces by name', () => {
  const mapping = { id: 'm', group: 'ml-{space}', grants: [{ organization: 'ML', space: '{space}', role: 'MEMBER' }] }
  it.each([
    ['as Arize spells it', { organizations: ['ML'], spaces: { ML: ['Ranking'] } }, [['ML: READ_ONLY', 'ML/Ranking: MEMBER'], [], []]],
    ['unmapped without one', { organizations: ['ML'], spaces: { ML: ['Search'] } }, [[], [], ['ml-RANKING']]],
    ['held with two', { organizations: ['ML'], spaces: { ML: ['Ranking', 'ranking'] } }, [[], ['ambiguous_name'], []]],
    ['as captured while they are not known', { organizations: ['ML'] }, [['ML: READ_ONLY', 'ML/RANKING: MEMBER'], [], []]],
    ['as captured while the organization is missing', {}, [['ML: READ_ONLY', 'ML/RANKING: MEMBER'], [], []]],
  ])('%s', (_name, setting, expected) => expect(outcome([mapping], { groups: ['ml-RANKING'], ...setting })).toEqual(expected))

  it('asks for the spaces of an organization that exists once, in its own spelling', () => {
    const asked: string[] = []
    const spaces = new Proxy<Record<string, readonly string[]>>({}, {
      getOwnPropertyDescriptor: (_target, key) => {
        asked.push(String(key))
        return undefined
      },
    })
    evaluated([mapping, { ...mapping, id: 'n', group: 'x-{space}' }], { groups: ['ml-a', 'ml-b', 'x-c'], organizations: ['Ml'], spaces })
    expect(asked).toEqual(['Ml'])
  })
})

describe('ADMIN by name', () => {
  it.each([
    ['is refused', {}, [], ['admin_not_allowed Risk: ADMIN']],
    ['is given where the mapping says so', { allowAdmin: true }, ['Risk: ADMIN'], []],
  ])('%s', (_name, change, grants, conflicts) => {
    expect(outcome([{ ...BY_NAME, ...change }], { groups: ['arize-risk-admin'], organizations })).toEqual([grants, conflicts, []])
  })

  it('is not allowed by accounts.allowAdmin', () => {
    const evaluation = evaluated([BY_NAME], { groups: ['arize-risk-admin'], organizations }, { accounts: { allowAdmin: true } })
    expect(conflictsOf(evaluation)).toEqual(['admin_not_allowed Risk: ADMIN'])
  })

  it('does not keep the rest of the mapping, nor a lower role, from being given', () => {
    const mapping = { ...BY_NAME, grants: [...BY_NAME.grants, { organization: '{organization}', space: 'S', role: 'MEMBER' }] }
    const groups = ['arize-risk-admin', 'arize-risk-member']
    expect(outcome([mapping], { groups, organizations })).toEqual([['Risk: MEMBER', 'Risk/S: MEMBER'], ['admin_not_allowed Risk: ADMIN'], []])
  })

  it('may still come from a literal mapping', () => {
    const literal = { id: 'l', group: 'arize-risk-admin', grants: [{ organization: 'Risk', role: 'ADMIN' }] }
    expect(outcome([BY_NAME, literal], { groups: ['arize-risk-admin'], organizations })).toEqual([
      ['Risk: ADMIN'],
      ['admin_not_allowed Risk: ADMIN'],
      [],
    ])
  })
})

it('a group that a literal mapping and a pattern select gets both', () => {
  const literal = { id: 'l', group: 'arize-risk-member', grants: [{ organization: 'ML Platform', role: 'READ_ONLY' }] }
  expect(outcome([BY_NAME, literal], { groups: ['arize-risk-member'], organizations })).toEqual([
    ['ML Platform: READ_ONLY', 'Risk: MEMBER'],
    [],
    [],
  ])
  expect(outcome([BY_NAME, literal], { groups: ['arize-risk-member'], organizations: ['ML Platform'] })).toEqual([
    ['ML Platform: READ_ONLY'],
    [],
    [],
  ])
})
