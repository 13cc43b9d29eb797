import { describe, expect, it } from 'vitest'
import { fillIds } from '../../../dev/day/exchange'
import { describeCall, describeFacts, differencesOf, factsOf, reasonsOf } from '../../../dev/day/facts'
import type { ArizeState, PersonView } from '../../../dev/day/world'

const STATE: ArizeState = {
  users: [
    { id: 'U1=', email: 'Ada@acme.example', status: 'ACTIVE', role: 'MEMBER' },
    { id: 'U2/+=', email: 'gone@acme.example', status: 'INACTIVE', role: 'MEMBER' },
  ],
  organizations: [
    {
      id: 'O1=',
      name: 'ML',
      members: [{ email: 'Ada@acme.example', role: 'MEMBER' }, { email: 'ben@acme.example', role: 'ADMIN' }],
      spaces: [{ id: 'S1=', name: 'Ranking', members: [{ email: 'Ada@acme.example', role: 'Prompt Reviewer' }] }],
    },
  ],
  keys: [
    { id: 'K1', owner: 'ada@acme.example', revoked: false },
    { id: 'K2', owner: 'ada@acme.example', revoked: true },
    { id: 'K3', owner: 'ben@acme.example', revoked: false },
  ],
}

const VIEW: PersonView = { state: 'in_step', groups: [], grants: [], conflicts: [], withheld: [], leaver: null, lastError: null }

describe('factsOf', () => {
  it('finds everything of one person, whatever the case of the address', () => {
    const facts = factsOf(STATE, 'ada@acme.example')
    expect(facts).toEqual({ account: 'MEMBER', roles: ['ML MEMBER', 'ML/Ranking Prompt Reviewer'], liveKeys: 1, revokedKeys: 1 })
    expect(describeFacts(facts)).toEqual(['MEMBER account', 'ML MEMBER', 'ML/Ranking Prompt Reviewer', '1 API key', '1 revoked API key'])
  })

  it.each(['gone@acme.example', 'nobody@acme.example'])('%s has no account', (email) => {
    expect(describeFacts(factsOf(STATE, email))).toEqual(['no account'])
  })
})

describe('reasonsOf', () => {
  it('explains grants, implied ones too, and everything that is not given', () => {
    const view: PersonView = {
      ...VIEW,
      grants: [
        {
          resource: { kind: 'space', organization: 'ML', space: 'Ranking' },
          role: 'ADMIN',
          because: [{ mapping: 'a', group: 'A' }, { mapping: 'b', group: 'B' }],
        },
        { resource: { kind: 'organization', organization: 'ML' }, role: 'READ_ONLY', because: [{ mapping: 'a', group: 'A', implied: true }] },
      ],
      conflicts: [{ code: 'slot', sentence: 'Two roles.' }],
      withheld: [{ sentence: 'Too many.' }],
      leaver: 'deleted',
      lastError: 'Broken.',
    }
    expect(reasonsOf(view)).toEqual([
      { what: 'ML/Ranking ADMIN', why: 'group "A" (mapping a) and group "B" (mapping b)' },
      { what: 'ML READ_ONLY', why: 'group "A" (mapping a, a space needs it)' },
      { what: null, why: 'Left: the user is deleted at the identity provider.' },
      { what: null, why: 'Held: Two roles.' },
      { what: null, why: 'Waits: Too many.' },
      { what: null, why: 'Failed: Broken.' },
    ])
  })
})

describe('describeCall', () => {
  it.each([
    ['/v2/organizations/O1%3D/users/U2%2F%2B%3D', 'DELETE /v2/organizations/ML/users/gone@acme.example → 204'],
    ['/v2/spaces/S1%3D/users', 'DELETE /v2/spaces/Ranking/users → 204'],
    ['/v2/api-keys/K1/revoke', 'DELETE /v2/api-keys/a key of ada@acme.example/revoke → 204'],
    ['/v2/users/unknown', 'DELETE /v2/users/unknown → 204'],
    ['/v2/users/%', 'DELETE /v2/users/% → 204'],
  ])('%s', (path, text) => {
    expect(describeCall({ method: 'DELETE', path, status: 204 }, STATE)).toBe(text)
  })
})

describe('differencesOf', () => {
  const found = factsOf(STATE, 'ada@acme.example')
  const ending = { account: 'MEMBER', roles: ['ML/Ranking Prompt Reviewer', 'ML MEMBER'], state: 'in_step', liveKeys: 1 } as const

  it('the order of roles is no difference', () => {
    expect(differencesOf('ada@acme.example', ending, found, VIEW)).toEqual([])
  })

  it.each([
    [{ ...ending, account: null }, VIEW, 'the account should be none and is MEMBER.'],
    [{ ...ending, roles: [] }, VIEW, 'roles should be nothing and is ML MEMBER, ML/Ranking Prompt Reviewer.'],
    [ending, { ...VIEW, state: 'stuck' }, 'the state should be in_step and is stuck.'],
    [ending, { ...VIEW, conflicts: [{ code: 'slot', sentence: '' }] }, 'conflicts should be nothing and is slot.'],
    [{ ...ending, liveKeys: 0 }, VIEW, 'the number of live keys should be 0 and is 1.'],
  ])('case %#: %j', (expected, view, sentence) => {
    expect(differencesOf('ada@acme.example', expected, found, view)).toEqual([`ada@acme.example: ${sentence}`])
  })
})

describe('fillIds', () => {
  it.each([
    ['/Users/{{ada}}?x={{ben}}', '/Users/1?x=2'],
    ['nothing to fill', 'nothing to fill'],
    ['{{ada}} {{chloe}}', null],
  ])('%s', (text, filled) => {
    expect(fillIds(text, new Map([['ada', '1'], ['ben', '2']]))).toBe(filled)
  })
})
