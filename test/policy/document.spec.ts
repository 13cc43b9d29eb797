import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EMPTY_POLICY, MAX_PROBLEMS, parsePolicy, policySchema } from '../../src/policy/document'

const MAPPING = { id: 'm', group: 'G', grants: [{ organization: 'O', role: 'MEMBER' }] }
const one = (change: object): unknown => ({ mappings: [{ ...MAPPING, ...change }] })
const granting = (...grants: readonly unknown[]): unknown => one({ grants })
const pattern = (group: string, ...grants: readonly unknown[]): unknown => one({ group, grants })

const refusal = (document: unknown, context?: Parameters<typeof parsePolicy>[1]): readonly string[] => {
  const parsed = parsePolicy(document, context)
  return parsed.ok ? [] : parsed.error.map(({ path, sentence }) => `${path} | ${sentence}`)
}

describe('defaults', () => {
  it('fills every key but mappings', () => {
    expect(EMPTY_POLICY).toEqual({
      mappings: [],
      annotators: { mixed: 'hold' },
      accounts: { create: true, inviteMode: 'NONE', allowAdmin: false, annotatorWaitSeconds: 15 },
      spaces: { organizationRole: 'READ_ONLY' },
      offboarding: { onDeactivate: 'remove', onDelete: 'remove', graceDays: 30, revokeApiKeys: true, foreignRoles: 'report' },
      brake: { maxRemovalsPerHour: 10, maxRemovalsPercent: 10, maxLeaversPerHour: 50, maxLeaversPercent: 20 },
      drift: { changedByHand: 'report' },
      signals: { sessionRevoked: 'refresh' },
      journal: { retentionDays: 400 },
      protected: [],
      organizations: [],
    })
  })

  it('fills what is missing beside what is there, and reads its own output', () => {
    const parsed = parsePolicy({
      mappings: [{ id: ' m ', group: 'G', grants: [{ organization: ' ML ', role: 'read-only' }] }],
      accounts: { create: false },
      spaces: { organizationRole: 'member' },
      protected: [' Break-Glass@Example.COM '],
      organizations: [{ name: 'ML', spaces: [{ name: 'Ranking' }] }],
    })
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
    expect(parsed.value).toMatchObject({
      mappings: [{ id: 'm', allowAdmin: false, authoritative: false, grants: [{ organization: 'ML', role: 'READ_ONLY' }] }],
      accounts: { create: false, inviteMode: 'NONE' },
      spaces: { organizationRole: 'MEMBER' },
      protected: ['break-glass@example.com'],
      organizations: [{ name: 'ML', spaces: [{ name: 'Ranking', private: true }] }],
    })
    expect(parsePolicy(parsed.value)).toEqual(parsed)
  })

  it('is shared by the schema and by parsePolicy', () => {
    expect(policySchema.safeParse(one({})).success).toBe(true)
    expect(policySchema.safeParse(one({ group: '{a}{b}' })).success).toBe(false)
  })

  it.each(['ADMIN', 'admin', 'Read-Only', 'readOnly', 'READ_ONLY', 'viewer', 'annotator'])('takes the role %s', (role) => {
    expect(refusal(granting({ organization: 'O', role }))).toEqual([])
  })
})

describe('what is accepted', () => {
  it.each([
    ['a space role', granting({ organization: 'O', space: 'S', role: 'ADMIN' })],
    ['a custom space role', granting({ organization: 'O', space: 'S', customRole: 'R' })],
    ['a project role', granting({ organization: 'O', space: 'S', project: 'P', customRole: 'R' })],
    ['an account role', granting({ account: true, role: 'ANNOTATOR' })],
    ['developer access', granting({ developer: true })],
    ['account ADMIN by its mapping', one({ allowAdmin: true, grants: [{ account: true, role: 'ADMIN' }] })],
    ['account ADMIN by the policy', { ...(granting({ account: true, role: 'admin' }) as object), accounts: { allowAdmin: true } }],
    ['ADMIN by a literal group', granting({ organization: 'O', role: 'ADMIN' })],
    ['a captured role', pattern('a-{o}-{r}', { organization: '{o}', role: '{r}' })],
    ['ADMIN by a pattern that may', one({ group: 'a-{o}', allowAdmin: true, grants: [{ organization: '{o}', role: 'ADMIN' }] })],
    ['a captured project and custom role', pattern('{s}/{p}/{c}', { organization: 'O', space: '{s}', project: 'x {p}', customRole: '{c}' })],
    ['developer access by a pattern', pattern('a-{o}', { organization: '{o}', role: 'MEMBER' }, { developer: true })],
    ['braces that are braces', pattern('{{x}}', { organization: '{{O}}', role: 'MEMBER' })],
    ['an entitlement', { mappings: [{ id: 'm', entitlement: 'ml', grants: MAPPING.grants }] }],
    ['a group id', { mappings: [{ id: 'm', groupId: '00g1', grants: MAPPING.grants }] }],
    ['names of 255 characters', one({ group: 'g'.repeat(255) })],
    ['two predefined roles on one slot', granting({ organization: 'O', role: 'MEMBER' }, { organization: 'O', role: 'ADMIN' })],
    ['the same custom role twice', granting(...Array.from({ length: 2 }, () => ({ organization: 'O', space: 'S', customRole: 'R' })))],
    ['2,000 mappings', { mappings: Array.from({ length: 2_000 }, (_, n) => ({ ...MAPPING, id: `m${n}` })) }],
    ['a limit of 0', { mappings: [], brake: { maxRemovalsPerHour: 0, maxLeaversPercent: 0 } }],
  ])('%s', (_name, document) => expect(refusal(document)).toEqual([]))
})

describe('what is refused, and where', () => {
  it.each([
    // Shape
    ['no object', 3, ' | This must be an object, not a number.'],
    ['null', null, ' | '],
    ['a list', [], ' | '],
    ['nothing', undefined, ' | A policy is an object.'],
    ['no mappings', {}, 'mappings | "mappings" is missing.'],
    ['mappings of another type', { mappings: 'x' }, 'mappings | This must be a list, not text.'],
    ['an unknown key', { mappings: [], brakes: {} }, 'brakes | There is no key "brakes" here. Did you mean "brake"?'],
    ['an unknown nested key', { mappings: [], brake: { maxLeavers: 1 } }, 'brake.maxLeavers | There is no key "maxLeavers" here. Did you mean "maxLeaversPerHour"?'],
    ['an unknown mapping key', one({ grop: 'x' }), 'mappings[0].grop | There is no key "grop" here. Did you mean "group"?'],
    ['an unknown grant key', granting({ organisation: 'O', role: 'MEMBER' }), 'mappings[0].grants[0].organisation | There is no key "organisation" here. Did you mean "organization"?'],
    ['__proto__', JSON.parse('{"mappings":[],"__proto__":{"x":1}}'), '__proto__ | There is no key "__proto__" here.'],
    ['constructor', { mappings: [], constructor: 1 }, 'constructor | There is no key "constructor" here.'],
    ['__proto__ in a grant', granting(JSON.parse('{"organization":"O","role":"MEMBER","__proto__":1}')), 'mappings[0].grants[0].__proto__ | '],
    ['a wild key', { mappings: [], 'a"b c': 1 }, '["a\\"b c"] | '],
    ['an empty id', one({ id: ' ' }), 'mappings[0].id | This must not be empty.'],
    ['an empty group', one({ group: '' }), 'mappings[0].group | This must not be empty.'],
    ['a number for a name', one({ group: 7 }), 'mappings[0].group | This must be text, not a number.'],
    ['a long name', one({ group: 'g'.repeat(256) }), 'mappings[0].group | This may have at most 255 characters.'],
    ['a long organization', granting({ organization: 'o'.repeat(256), role: 'MEMBER' }), 'mappings[0].grants[0].organization | This may'],
    ['no grants', one({ grants: [] }), 'mappings[0].grants | This list must not be empty.'],
    ['too many grants', granting(...Array.from({ length: 101 }, () => ({ developer: true }))), 'mappings[0].grants | This list may have at most 100 entries.'],
    ['a negative limit', { mappings: [], brake: { maxRemovalsPerHour: -1 } }, 'brake.maxRemovalsPerHour | This must be at least 0.'],
    ['a negative percentage', { mappings: [], brake: { maxLeaversPercent: -0.1 } }, 'brake.maxLeaversPercent | This must be at least 0.'],
    ['more than all', { mappings: [], brake: { maxRemovalsPercent: 101 } }, 'brake.maxRemovalsPercent | This must be at most 100.'],
    ['half a person', { mappings: [], brake: { maxRemovalsPerHour: 1.5 } }, 'brake.maxRemovalsPerHour | This must be a whole number, not a number.'],
    ['no grace', { mappings: [], offboarding: { graceDays: 0 } }, 'offboarding.graceDays | This must be at least 1.'],
    ['a negative wait', { mappings: [], accounts: { annotatorWaitSeconds: -1 } }, 'accounts.annotatorWaitSeconds | This must be at least 0.'],
    ['an unknown word', { mappings: [], annotators: { mixed: 'members' } }, 'annotators.mixed | This must be "hold" or "member" or "annotator". Did you mean "member"?'],
    ['a temporary password', { mappings: [], accounts: { inviteMode: 'TEMPORARY_PASSWORD' } }, 'accounts.inviteMode | This must be "NONE" or "EMAIL_LINK".'],
    ['null for an object', { mappings: [], brake: null }, 'brake | This must be an object, not null.'],
    ['no address', { mappings: [], protected: ['nobody'] }, 'protected[0] | This must be an e-mail address.'],
    ['an implied ADMIN', { mappings: [], spaces: { organizationRole: 'ADMIN' } }, 'spaces.organizationRole | The role that a space implies is READ_ONLY or MEMBER.'],
    ['an implied ANNOTATOR', { mappings: [], spaces: { organizationRole: 'ANNOTATOR' } }, 'spaces.organizationRole | '],
    // Grants
    ['a grant that is no object', granting('MEMBER'), 'mappings[0].grants[0] | A grant is an object, not text.'],
    ['a grant that is a list', granting([]), 'mappings[0].grants[0] | A grant is an object, not a list.'],
    ['a grant without a resource', granting({ role: 'MEMBER' }), 'mappings[0].grants[0] | This grant has no resource.'],
    ['an empty grant', granting({}), 'mappings[0].grants[0] | This grant has no resource.'],
    ['a grant without a role', granting({ organization: 'O' }), 'mappings[0].grants[0] | This grant has no role.'],
    ['a space without its organization', granting({ space: 'S', role: 'MEMBER' }), 'mappings[0].grants[0] | A space and a project belong to an organization'],
    ['a project without its space', granting({ organization: 'O', project: 'P', customRole: 'R' }), 'mappings[0].grants[0] | A project belongs to a space'],
    ['a predefined role on a project', granting({ organization: 'O', space: 'S', project: 'P', role: 'MEMBER' }), 'mappings[0].grants[0].role | Arize has only custom roles on projects'],
    ['a custom role on an organization', granting({ organization: 'O', customRole: 'R' }), 'mappings[0].grants[0].customRole | Arize has no custom roles on organizations'],
    ['role and customRole', granting({ organization: 'O', space: 'S', role: 'MEMBER', customRole: 'R' }), 'mappings[0].grants[0].customRole | Say "role" or "customRole", not both.'],
    ['account and organization', granting({ account: true, organization: 'O', role: 'MEMBER' }), 'mappings[0].grants[0] | A grant is about one thing'],
    ['account and developer', granting({ account: true, developer: true }), 'mappings[0].grants[0] | A grant is about one thing'],
    ['a custom account role', granting({ account: true, customRole: 'R' }), 'mappings[0].grants[0].customRole | An account has no custom role'],
    ['account: false', granting({ account: false, role: 'MEMBER' }), 'mappings[0].grants[0].account | This must be true.'],
    ['developer with a role', granting({ developer: true, role: 'MEMBER' }), 'mappings[0].grants[0].role | There is no key "role" here.'],
    ['an unknown role', granting({ organization: 'O', role: 'MEMBR' }), 'mappings[0].grants[0].role | Arize has no predefined role of this name: there are ADMIN, MEMBER, READ_ONLY and ANNOTATOR. Did you mean MEMBER?'],
    ['a role near read-only', granting({ organization: 'O', space: 'S', role: 'readonyl' }), 'mappings[0].grants[0].role | Arize has no predefined role of this name: there are ADMIN, MEMBER, READ_ONLY and ANNOTATOR. Did you mean READ_ONLY?'],
    ['administrators', granting({ organization: 'O', role: 'administrator' }), 'mappings[0].grants[0].role | Arize has no predefined role of this name: there are ADMIN, MEMBER, READ_ONLY and ANNOTATOR. Did you mean ADMIN?'],
    ['a role of another world', granting({ organization: 'O', role: '__proto__' }), 'mappings[0].grants[0].role | Arize has no predefined role of this name: there are ADMIN, MEMBER, READ_ONLY and ANNOTATOR.'],
    ['a role with more than a placeholder', pattern('a-{r}', { organization: 'O', role: 'read-{r}' }), 'mappings[0].grants[0].role | A role is one of'],
    ['an account READ_ONLY', granting({ account: true, role: 'READ_ONLY' }), 'mappings[0].grants[0].role | An account cannot be READ_ONLY'],
    ['a captured account role', pattern('a-{role}', { account: true, role: '{role}' }), "mappings[0].grants[0].role | An account's role is one of"],
    // Rules between values
    ['no selector', { mappings: [{ id: 'm', grants: MAPPING.grants }] }, 'mappings[0] | A mapping selects by'],
    ['two selectors', one({ groupId: 'x' }), 'mappings[0].groupId | A mapping selects by one of'],
    ['a group and an entitlement', one({ entitlement: 'x' }), 'mappings[0].entitlement | A mapping selects by one of'],
    ['a duplicate id', { mappings: [MAPPING, { ...MAPPING, group: 'H' }] }, 'mappings[1].id | Another mapping has the id "m" already.'],
    ['adjacent placeholders', pattern('a-{o}{r}', { organization: '{o}', role: '{r}' }), 'mappings[0].group | {o}{r} stand side by side'],
    ['an unused placeholder', pattern('a-{o}-{x}', { organization: '{o}', role: 'MEMBER' }), 'mappings[0].group | {x} is captured, but no grant uses it.'],
    ['a placeholder from nowhere', pattern('a-{team}', { organization: '{team}', role: 'MEMBER' }, { organization: '{teem}', role: 'MEMBER' }), 'mappings[0].grants[1].organization | {teem} is not captured by the group pattern. Did you mean "team"?'],
    ['a placeholder beside a literal group', granting({ organization: '{o}', role: 'MEMBER' }), 'mappings[0].grants[0].organization | {o} is filled by nothing'],
    ['a placeholder beside an entitlement', { mappings: [{ id: 'm', entitlement: 'ml-{r}', grants: [{ organization: 'O', role: '{r}' }] }] }, 'mappings[0].grants[0].role | {r} is filled by nothing'],
    ['a broken placeholder in a grant', granting({ organization: 'a{', role: 'MEMBER' }), 'mappings[0].grants[0].organization | A placeholder is'],
    ['an account role by a pattern', pattern('a-{o}', { organization: '{o}', role: 'MEMBER' }, { account: true, role: 'MEMBER' }), 'mappings[0].grants[1].account | A group pattern never gives an account role.'],
    ['an account role by a pattern that may give ADMIN', one({ group: 'a-{o}', allowAdmin: true, grants: [{ organization: '{o}', role: 'MEMBER' }, { account: true, role: 'ADMIN' }] }), 'mappings[0].grants[1].account | A group pattern never'],
    ['account ADMIN', granting({ account: true, role: 'Admin' }), 'mappings[0].grants[0].role | Account ADMIN is given only if'],
    ['ADMIN by a pattern', pattern('a-{o}', { organization: '{o}', role: 'admin' }), 'mappings[0].grants[0].role | A group pattern gives ADMIN only if'],
    ['ADMIN of a space by a pattern', pattern('a-{o}', { organization: '{o}', space: 'S', role: 'ADMIN' }), 'mappings[0].grants[0].role | A group pattern gives ADMIN only if'],
    ['a predefined and a custom role in one mapping', granting({ organization: 'O', space: 'S', role: 'MEMBER' }, { organization: 'o', space: ' s', customRole: 'R' }), 'mappings[0].grants[1].customRole | The same people get a predefined role on this resource through this mapping'],
    ['two custom roles in one mapping', granting({ organization: 'O', space: 'S', customRole: 'Q' }, { organization: 'O', space: 'S', customRole: 'R' }), 'mappings[0].grants[1].customRole | The same people get custom role "Q"'],
    ['two custom roles on a project', granting({ organization: 'O', space: 'S', project: 'P', customRole: 'Q' }, { organization: 'O', space: 'S', project: 'P', customRole: 'R' }), 'mappings[0].grants[1].customRole | The same people'],
    ['two custom roles by one pattern', pattern('a-{o}', { organization: '{o}', space: 'S', customRole: 'Q' }, { organization: '{o}', space: 'S', customRole: 'R' }), 'mappings[0].grants[1].customRole | The same people'],
    [
      'a predefined and a custom role of one group',
      { mappings: [{ id: 'a', group: 'G', grants: [{ organization: 'O', space: 'S', customRole: 'R' }] }, { id: 'b', group: ' g', grants: [{ organization: 'O', space: 'S', role: 'MEMBER' }] }] },
      'mappings[1].grants[0].role | The same people get custom role "R" on this resource through mapping "a"',
    ],
    ['an organization declared twice', { mappings: [], organizations: [{ name: 'ML' }, { name: ' ml' }] }, 'organizations[1].name | An organization of this name'],
    ['a space declared twice', { mappings: [], organizations: [{ name: 'ML', spaces: [{ name: 'R' }, { name: 'r' }] }] }, 'organizations[0].spaces[1].name | A space of this name'],
    ['2,001 mappings', { mappings: Array.from({ length: 2_001 }, () => 0) }, 'mappings | This list may have at most 2000 entries.'],
    ['more than 1 MB', { mappings: Array.from({ length: 2_000 }, (_, n) => ({ ...MAPPING, id: `m${n}`, group: 'é'.repeat(255) })) }, ' | A policy may have at most 1000000 bytes.'],
  ])('%s', (_name, document, expected) => {
    const found = refusal(document)
    expect(found).toHaveLength(1)
    expect(found[0]?.slice(0, expected.length)).toBe(expected)
  })

  it('says everything that is wrong, in the order of the document', () => {
    const document = { mappings: [{ ...MAPPING, group: '{x}-{y}' }, { ...MAPPING, grants: [{ account: true, role: 'ADMIN' }] }] }
    expect(refusal(document).map((line) => line.split(' | ')[0])).toEqual([
      'mappings[0].group',
      'mappings[0].group',
      'mappings[1].grants[0].role',
      'mappings[1].id',
    ])
  })

  it('says each thing about a grant once', () => {
    expect(refusal(granting({ organization: '', space: ' ', role: 'MEMBER' }))).toEqual([
      'mappings[0].grants[0].organization | This must not be empty.',
      'mappings[0].grants[0].space | This must not be empty.',
    ])
    expect(refusal(granting({ organization: '', role: 'r'.repeat(256) }))).toEqual([
      'mappings[0].grants[0].organization | This must not be empty.',
      'mappings[0].grants[0].role | This may have at most 255 characters.',
    ])
  })

  it('lists a bounded number of problems', () => {
    const mappings = Array.from({ length: 2_000 }, (_, n) => ({ ...MAPPING, id: n }))
    expect(refusal({ mappings })).toHaveLength(MAX_PROBLEMS)
  })
})

describe('connections', () => {
  const okta = { id: 'c1', name: 'Okta', source: 'okta' }
  const hook = { id: 'c2', name: 'Okta events', source: 'okta' }
  const entra = { id: 'c3', name: 'Entra ID', source: 'entra' }

  it.each([
    ['none is needed for no source', [], {}, []],
    ['none is needed for one source', [okta, hook], {}, []],
    ['an id', [okta, entra], { connection: 'c3' }, []],
    ['a name in any case', [okta, entra], { connection: 'entra id' }, []],
    ['none, but two sources', [okta, entra], {}, ['mappings[0].connection | Groups of several sources may have one name: say which "connection" this mapping is for.']],
    ['an unknown one', [okta, entra], { connection: 'Entra' }, ['mappings[0].connection | There is no connection "Entra". Did you mean "Entra ID"?']],
    ['an unknown one of one source', [okta], { connection: 'c9' }, ['mappings[0].connection | There is no connection "c9". Did you mean "c1"?']],
    ['a name that two have', [okta, { ...entra, name: 'OKTA' }], { connection: 'Okta' }, ['mappings[0].connection | 2 connections are called this: use an id ("c1", "c3").']],
  ])('%s', (_name, connections, change, expected) => expect(refusal(one(change), { connections })).toEqual(expected))

  it('are not looked at without the context', () => expect(refusal(one({ connection: 'anything' }))).toEqual([]))

  it('keep roles apart that never meet', () => {
    const grants = (customRole: string) => [{ organization: 'O', space: 'S', customRole }]
    const document = (second: object): unknown => ({
      mappings: [
        { id: 'a', group: 'G', connection: 'c1', grants: grants('Q') },
        { id: 'b', group: 'G', grants: grants('R'), ...second },
      ],
    })
    expect(refusal(document({ connection: 'c3' }))).toEqual([])
    expect(refusal(document({}))).toHaveLength(1)
    expect(refusal(document({ connection: 'C1' }))).toHaveLength(1)
  })
})

describe('hostile documents', () => {
  it('are refused or read, and never throw', () => {
    const key = fc.constantFrom('mappings', 'id', 'group', 'grants', 'organization', 'role', 'account', 'space', '__proto__', 'constructor', 'brake')
    const value = fc.letrec((tie) => ({
      any: fc.oneof({ maxDepth: 5 }, fc.jsonValue(), fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(key, tie('any'), { maxKeys: 4 })),
    })).any
    fc.assert(
      fc.property(value, (document) => {
        const parsed = parsePolicy(document)
        if (parsed.ok) expect(parsePolicy(parsed.value)).toEqual(parsed)
        else expect(parsed.error.every(({ path, sentence }) => typeof path === 'string' && sentence.length > 0)).toBe(true)
      }),
    )
    expect(Object.hasOwn(Object.prototype, 'x')).toBe(false)
  })

  it('may be deep', () => {
    let deep: unknown = 1
    for (let level = 0; level < 50_000; level += 1) deep = [deep]
    expect(refusal({ mappings: [deep] })).toHaveLength(1)
    expect(refusal({ mappings: [{ ...MAPPING, grants: [deep] }] })).toHaveLength(1)
  })
})
