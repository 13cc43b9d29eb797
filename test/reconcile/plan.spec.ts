import { describe, expect, it } from 'vitest'
import type { LedgerRow } from '../../src/reconcile/ledger'
import { changeKey, describeChange, heldKeys, keysOf, plan, removals, type PlanInput } from '../../src/reconcile/plan'
import {
  ADMIN, BECAUSE, custom, developer, input, MEMBER, organization, predefined, project, READ_ONLY, row, seen, space, want,
} from './model'

const o1 = organization('o1')
const o2 = organization('o2')
const a = space('a', 'o1')
const b = space('b', 'o1')
const p = project('p', 'o1')
const REVIEWER = custom('Reviewer')
const CURATOR = custom('Curator')
const give = (role: typeof ADMIN): LedgerRow['intention'] => ({ op: 'give', role })
const TAKE: LedgerRow['intention'] = { op: 'take' }

/** Changes as keys with `<` for lowering and what goes along; withheld as reason and key. */
const read = (parts: Partial<PlanInput>): readonly string[] => {
  const { changes, withheld } = plan(input(parts))
  return [
    ...changes.map((change) => {
      const along = change.op === 'delete' ? change.cascades.map(({ id }) => ` +${id}`).join('') : ''
      return `${changeKey(change)}${along}${change.lowers ? ' <' : ''}`
    }),
    ...withheld.map(({ reason, key }) => `${reason}: ${key}`),
  ]
}

const table = (cases: readonly (readonly [string, Partial<PlanInput>, readonly string[]])[]): void => {
  for (const [name, parts, expected] of cases) it(name, () => expect(read(parts)).toEqual(expected))
}

describe('one slot', () => {
  table([
    ['nothing wanted, nothing held', {}, []],
    ['a new role', { desired: [want(o1, MEMBER)] }, ['create organization:o1 MEMBER']],
    ['in step', { desired: [want(o1, MEMBER)], ledger: [row(o1, MEMBER)] }, []],
    ['in step with a custom role, told by its name', { desired: [want(a, REVIEWER), want(o1, MEMBER)], ledger: [row(a, REVIEWER), row(o1, MEMBER)] }, []],
    ['raised by one call', { desired: [want(o1, ADMIN)], ledger: [row(o1, MEMBER)] }, ['update organization:o1 ADMIN']],
    ['lowered by one call', { desired: [want(o1, READ_ONLY)], ledger: [row(o1, MEMBER)] }, ['update organization:o1 READ_ONLY <']],
    ['a custom role instead of a predefined one counts as lowering', { desired: [want(a, REVIEWER)], ledger: [row(a, READ_ONLY)] }, ['update space:a custom:Reviewer <']],
    ['one custom role instead of another', { desired: [want(a, REVIEWER)], ledger: [row(a, CURATOR)] }, ['update space:a custom:Reviewer <']],
    ['removed', { ledger: [row(o1, MEMBER)] }, ['delete organization:o1 <']],
    ['developer access given', { desired: [want(developer, MEMBER)] }, ['create developer:user MEMBER']],
    ['developer access removed', { ledger: [row(developer, MEMBER)] }, ['delete developer:user <']],
    ['an id with "=", "+" and "/" is kept as it is', { desired: [want(organization('T3=+/1'), MEMBER)] }, ['create organization:T3=+/1 MEMBER']],
    ['ids that objects have as properties', { desired: [want(organization('__proto__'), MEMBER), want(organization('constructor'), MEMBER)] }, ['create organization:__proto__ MEMBER', 'create organization:constructor MEMBER']],
  ])

  it('carries the reasons, the former role and the role to send', () => {
    const { changes } = plan(input({ desired: [want(a, REVIEWER)], ledger: [row(a, MEMBER)] }))
    expect(changes).toEqual([{ op: 'update', resource: a, role: REVIEWER, from: MEMBER, lowers: true, because: BECAUSE }])
  })
})

describe('after a crash', () => {
  table([
    ['a first call in doubt is made again', { desired: [want(o1, MEMBER)], ledger: [row(o1, null, give(MEMBER))] }, ['create organization:o1 MEMBER']],
    ['a first call in doubt with another role now', { desired: [want(o1, ADMIN)], ledger: [row(o1, null, give(MEMBER))] }, ['create organization:o1 ADMIN']],
    ['a first call in doubt that would be lowered', { desired: [want(o1, READ_ONLY)], ledger: [row(o1, null, give(ADMIN))] }, ['create organization:o1 READ_ONLY <']],
    ['a first call in doubt that nobody wants is cleaned up', { ledger: [row(o1, null, give(MEMBER))] }, ['delete organization:o1 <']],
    ['a raise in doubt is made again', { desired: [want(o1, ADMIN)], ledger: [row(o1, MEMBER, give(ADMIN))] }, ['update organization:o1 ADMIN']],
    ['a raise in doubt that is withdrawn may lower', { desired: [want(o1, MEMBER)], ledger: [row(o1, MEMBER, give(ADMIN))] }, ['update organization:o1 MEMBER <']],
    ['a lowering in doubt is made again', { desired: [want(o1, MEMBER)], ledger: [row(o1, ADMIN, give(MEMBER))] }, ['update organization:o1 MEMBER <']],
    ['a removal in doubt is made again', { ledger: [row(o1, MEMBER, TAKE)] }, ['delete organization:o1 <']],
    ['a removal in doubt of what is wanted again is undone', { desired: [want(o1, MEMBER)], ledger: [row(o1, MEMBER, TAKE)] }, ['update organization:o1 MEMBER']],
    ['an organization removal in doubt takes its spaces along again', { ledger: [row(o1, MEMBER, TAKE), row(a, MEMBER, TAKE)] }, ['delete organization:o1 +a <']],
    ['an organization removal in doubt, wanted again: its spaces are in doubt too', { desired: [want(o1, MEMBER), want(a, MEMBER)], ledger: [row(a, MEMBER, TAKE), row(o1, MEMBER, TAKE)] }, ['update organization:o1 MEMBER', 'update space:a MEMBER']],
  ])
})

describe('order', () => {
  table([
    ['given from the outside in, removed from the inside out', {
      desired: [want(project('q', 'o2'), REVIEWER), want(space('c', 'o2'), MEMBER), want(o2, MEMBER)],
      ledger: [row(o1, MEMBER), row(a, REVIEWER), row(developer, MEMBER), row(p, REVIEWER)],
    }, [
      'create organization:o2 MEMBER', 'create space:c MEMBER', 'create project:q custom:Reviewer',
      'delete developer:user <', 'delete project:p <', 'delete space:a <', 'delete organization:o1 <',
    ]],
    ['a space is removed while its organization stays', { desired: [want(o1, MEMBER)], ledger: [row(o1, MEMBER), row(a, MEMBER)] }, ['delete space:a <']],
  ])
})

describe('an organization takes its spaces along', () => {
  table([
    ['predefined roles go with it', { ledger: [row(o1, MEMBER), row(a, ADMIN), row(b, READ_ONLY)] }, ['delete organization:o1 +a +b <']],
    ['custom roles and projects go first, by calls of their own', { ledger: [row(o1, MEMBER), row(a, ADMIN), row(b, REVIEWER), row(p, REVIEWER)] }, ['delete project:p <', 'delete space:b <', 'delete organization:o1 +a <']],
    ['what may be a custom role goes first', { ledger: [row(o1, MEMBER), row(a, MEMBER, give(REVIEWER)), row(b, REVIEWER, give(MEMBER))] }, ['delete space:a <', 'delete space:b <', 'delete organization:o1 <']],
    ['only its own', { ledger: [row(o1, MEMBER), row(space('c', 'o2'), MEMBER)] }, ['delete space:c <', 'delete organization:o1 <']],
    ['an organization that the ledger does not own stays', { ledger: [row(a, MEMBER)] }, ['delete space:a <']],
    ['never what is still wanted', { desired: [want(a, MEMBER)], ledger: [row(o1, MEMBER), row(a, MEMBER), row(b, MEMBER)] }, ['delete space:b <', 'cascade_desired: delete organization:o1']],
  ])
})

describe('several grants for one slot', () => {
  const other = { mapping: 'admins', group: 'Admins' }
  it('gives the most permissive role, because of those that ask for it', () => {
    const desired = [want(o1, READ_ONLY), want(o1, ADMIN), { ...want(o1, ADMIN), because: [other] }, want(o1, MEMBER)]
    const { changes, withheld } = plan(input({ desired }))
    expect(changes).toEqual([{ op: 'create', resource: o1, role: ADMIN, from: null, lowers: false, because: [...BECAUSE, other] }])
    expect(withheld).toEqual([])
  })
  table([
    ['a predefined and a custom role: neither, and what is held stays', { desired: [want(o1, MEMBER), want(a, MEMBER), want(a, REVIEWER)], ledger: [row(o1, MEMBER), row(a, CURATOR)] }, ['conflict: update space:a MEMBER', 'conflict: update space:a custom:Reviewer']],
    ['two custom roles on a new slot', { desired: [want(a, CURATOR), want(a, REVIEWER)] }, ['conflict: create space:a custom:Curator', 'conflict: create space:a custom:Reviewer']],
    ['a contested slot stays', { ledger: [row(a, MEMBER), row(b, MEMBER)], contested: new Map([['space:a', 'Two roles.']]) }, ['delete space:b <', 'conflict: delete space:a']],
    ['a contested slot keeps its organization', { ledger: [row(o1, MEMBER), row(a, MEMBER), row(b, MEMBER)], contested: new Map([['space:a', 'Two roles.']]) }, ['delete space:b <', 'conflict: delete space:a', 'conflict: delete organization:o1']],
    ['a contested slot where nothing is held keeps nothing', { ledger: [row(o1, MEMBER)], contested: new Map([['space:a', 'Two roles.']]) }, ['delete organization:o1 <']],
    ['a contested slot keeps no other organization', { ledger: [row(o2, MEMBER), row(a, MEMBER)], contested: new Map([['space:a', 'Two roles.']]) }, ['delete organization:o2 <', 'conflict: delete space:a']],
    ['a contested slot does not keep a leaver', { leaver: true, ledger: [row(o1, MEMBER), row(a, MEMBER)], contested: new Map([['space:a', 'Two roles.']]) }, ['delete organization:o1 +a <']],
  ])
})

describe('who keeps what', () => {
  const moved = { desired: [want(o1, MEMBER), want(o2, MEMBER), want(a, ADMIN)], ledger: [row(o1, ADMIN), row(a, MEMBER), row(b, MEMBER)] }
  const given = ['create organization:o2 MEMBER', 'update space:a ADMIN']
  const kept = (reason: string): readonly string[] => [...given, `${reason}: update organization:o1 MEMBER`, `${reason}: delete space:b`]
  const keepRows = { sentence: 'The organization "Ranking" does not exist.' }
  const exempt = { until: '2030-01-01', reason: 'on call' }
  const gone = { leaver: true, ledger: [row(o1, ADMIN), row(a, MEMBER), row(b, REVIEWER)] }
  const removed = ['delete space:b <', 'delete organization:o1 +a <']
  table([
    ['a mover', moved, ['update organization:o1 MEMBER <', 'create organization:o2 MEMBER', 'update space:a ADMIN', 'delete space:b <']],
    ['protected: given, not lowered, not removed', { ...moved, protectedPerson: true }, kept('protected')],
    ['exempt', { ...moved, exempt }, kept('exempt')],
    ['unresolved grants', { ...moved, keepRows }, kept('unresolved_grant')],
    ['renamed', { ...moved, renamedTo: 'new@example.com' }, kept('rename_pending')],
    ['the key\'s own user: nothing at all', { ...moved, ownUser: true }, ['own_user: update organization:o1 MEMBER', 'own_user: create organization:o2 MEMBER', 'own_user: update space:a ADMIN', 'own_user: delete space:b']],
    ['own user before protected', { ...gone, ownUser: true, protectedPerson: true }, ['own_user: delete organization:o1', 'own_user: delete space:b']],
    ['protected before exempt', { ledger: [row(o1, MEMBER)], protectedPerson: true, exempt, keepRows }, ['protected: delete organization:o1']],
    ['exempt before unresolved', { ledger: [row(o1, MEMBER)], exempt, keepRows, renamedTo: 'x@example.com' }, ['exempt: delete organization:o1']],
    ['exempt before what is said of one organization', { ledger: [row(o1, ADMIN), row(a, MEMBER)], exempt, isLastAdmin: () => true, observed: [seen(b, MEMBER)] }, ['exempt: delete organization:o1']],
    ['a leaver', gone, removed],
    ['a leaver, whatever else', { ...gone, keepRows, exempt, isLastAdmin: () => true, renamedTo: 'new@example.com', observed: [seen(space('f', 'o1'), MEMBER)] }, removed],
    ['a leaver is given nothing', { ...gone, desired: [want(o1, ADMIN), want(o2, MEMBER)] }, removed],
    ['a protected leaver', { ...gone, protectedPerson: true }, ['protected: delete organization:o1', 'protected: delete space:b']],
    ['a leaver who is the key\'s own user', { ...gone, ownUser: true }, ['own_user: delete organization:o1', 'own_user: delete space:b']],
    ['assertions after a crash take nothing away', { desired: [want(o1, MEMBER)], ledger: [row(o1, MEMBER, TAKE)], keepRows, exempt, protectedPerson: true }, ['update organization:o1 MEMBER']],
  ])

  it('says what a withheld organization would have taken along', () => {
    const { withheld } = plan(input({ ledger: [row(o1, MEMBER), row(a, MEMBER)], exempt }))
    expect(withheld.map(({ sentence }) => sentence)).toEqual([
      'Not done: remove MEMBER on organization "The o1", and with it space "The a". An administrator exempted this person until 2030-01-01: on call',
    ])
  })
})

const isLastAdmin = (id: string): boolean => id === 'o1'

describe('the last ADMIN', () => {
  table([
    ['is not removed, but from the spaces', { ledger: [row(o1, ADMIN), row(a, MEMBER), row(b, REVIEWER)], isLastAdmin }, ['delete space:a <', 'delete space:b <', 'last_admin: delete organization:o1']],
    ['is not lowered', { desired: [want(o1, MEMBER), want(a, MEMBER)], ledger: [row(o1, ADMIN)], isLastAdmin }, ['create space:a MEMBER', 'last_admin: update organization:o1 MEMBER']],
    ['may still be one after a crash', { ledger: [row(o1, MEMBER, give(ADMIN))], isLastAdmin }, ['last_admin: delete organization:o1']],
    ['is given the same role again after a crash', { desired: [want(o1, ADMIN)], ledger: [row(o1, ADMIN, TAKE)], isLastAdmin }, ['update organization:o1 ADMIN']],
    ['of another organization', { ledger: [row(o2, ADMIN)], isLastAdmin }, ['delete organization:o2 <']],
    ['of a space is no matter', { ledger: [row(a, ADMIN)], isLastAdmin }, ['delete space:a <']],
    ['is not somebody with a lower role', { ledger: [row(o1, MEMBER)], isLastAdmin }, ['delete organization:o1 <']],
    ['leaves all the same', { leaver: true, ledger: [row(o1, ADMIN)], isLastAdmin }, ['delete organization:o1 <']],
    ['is removed once that is approved', { ledger: [row(o1, ADMIN)], isLastAdmin, approved: new Set(['delete organization:o1']) }, ['delete organization:o1 <']],
    ['is lowered once that is approved', { desired: [want(o1, MEMBER)], ledger: [row(o1, ADMIN)], isLastAdmin, approved: new Set(['update organization:o1 MEMBER']) }, ['update organization:o1 MEMBER <']],
    ['is not removed when a lowering was approved', { ledger: [row(o1, ADMIN)], isLastAdmin, approved: new Set(['update organization:o1 MEMBER']) }, ['last_admin: delete organization:o1']],
  ])
})

describe('what the roster shows', () => {
  const authoritative = { ...want(o1, MEMBER), authoritative: true }
  table([
    ['a higher foreign role is kept', { desired: [want(o1, MEMBER)], observed: [seen(o1, ADMIN)] }, ['foreign_role: update organization:o1 MEMBER']],
    ['a foreign role that cannot be compared is kept', { desired: [want(a, MEMBER)], observed: [seen(a, REVIEWER)] }, ['foreign_role: update space:a MEMBER']],
    ['a lower one is raised', { desired: [want(o1, MEMBER)], observed: [seen(o1, READ_ONLY)] }, ['update organization:o1 MEMBER']],
    ['the same one is enough', { desired: [want(o1, MEMBER)], observed: [seen(o1, MEMBER)] }, []],
    ['an authoritative mapping overwrites', { desired: [authoritative], observed: [seen(o1, ADMIN)] }, ['update organization:o1 MEMBER <']],
    ['authoritative if one of those that agree is', { desired: [want(o1, MEMBER), authoritative], observed: [seen(o1, ADMIN)] }, ['update organization:o1 MEMBER <']],
    ['not if only one that lost is', { desired: [authoritative, want(a, MEMBER), want(o1, ADMIN)], observed: [seen(o1, custom('Owner'))] }, ['create space:a MEMBER', 'foreign_role: update organization:o1 ADMIN']],
    ['not even authoritative lowers somebody protected', { desired: [authoritative], observed: [seen(o1, ADMIN)], protectedPerson: true }, ['protected: update organization:o1 MEMBER']],
    ['nor the last ADMIN', { desired: [authoritative], observed: [seen(o1, ADMIN)], isLastAdmin: () => true }, ['last_admin: update organization:o1 MEMBER']],
    ['an owned role is lowered as ever', { desired: [want(o1, MEMBER)], ledger: [row(o1, ADMIN)], observed: [seen(o1, ADMIN)] }, ['update organization:o1 MEMBER <']],
    ['foreign memberships are never removed', { observed: [seen(o1, ADMIN), seen(a, MEMBER)] }, []],
    ['without a roster the first write is an upsert', { desired: [want(o1, MEMBER)] }, ['create organization:o1 MEMBER']],
    ['the key\'s own user first', { desired: [want(o1, MEMBER)], observed: [seen(o1, ADMIN)], ownUser: true }, ['own_user: update organization:o1 MEMBER']],
    ['a mover\'s organization stays for a foreign space role, its spaces go', { ledger: [row(o1, MEMBER), row(a, MEMBER)], observed: [seen(o1, MEMBER), seen(a, MEMBER), seen(b, MEMBER)] }, ['delete space:a <', 'cascade_foreign: delete organization:o1']],
    ['not for one that the ledger owns', { ledger: [row(o1, MEMBER), row(a, MEMBER), row(p, REVIEWER)], observed: [seen(o1, MEMBER), seen(a, MEMBER), seen(p, REVIEWER)] }, ['delete project:p <', 'delete organization:o1 +a <']],
    ['or a foreign project role', { ledger: [row(o1, MEMBER)], observed: [seen(o1, MEMBER), seen(p, REVIEWER)] }, ['cascade_foreign: delete organization:o1']],
    ['not for one elsewhere', { ledger: [row(o1, MEMBER)], observed: [seen(o1, MEMBER), seen(space('c', 'o2'), MEMBER), seen(o2, MEMBER)] }, ['delete organization:o1 <']],
    ['a leaver\'s organization goes', { leaver: true, ledger: [row(o1, MEMBER), row(a, MEMBER)], observed: [seen(o1, MEMBER), seen(a, MEMBER), seen(b, MEMBER)] }, ['delete organization:o1 +a <']],
  ])
})

describe('keys and words', () => {
  const { changes, withheld } = plan(input({
    desired: [want(o2, predefined('ANNOTATOR'))],
    ledger: [row(o1, MEMBER), row(a, MEMBER), row(b, null, give(REVIEWER)), row(organization('o3'), ADMIN)],
    isLastAdmin: () => true,
  }))
  it('names every slot that a removal takes', () => {
    expect(changes.map(keysOf)).toEqual([
      ['create organization:o2 ANNOTATOR'], ['delete space:b'], ['delete organization:o1', 'delete space:a'],
    ])
  })
  it('lists what lowers', () => {
    expect(removals({ changes, withheld }).map(changeKey)).toEqual(['delete space:b', 'delete organization:o1'])
  })
  it('lists what can be approved', () => expect(heldKeys({ changes, withheld })).toEqual(['delete organization:o3']))
  it('describes changes', () => {
    expect([...changes, ...withheld.map(({ change }) => change)].map(describeChange)).toEqual([
      'give ANNOTATOR on organization "The o2"',
      'remove space "The b"',
      'remove MEMBER on organization "The o1", and with it space "The a"',
      'remove ADMIN on organization "The o3"',
    ])
    expect(describeChange({ op: 'delete', resource: developer, from: MEMBER, lowers: true, cascades: [] })).toBe('remove developer access')
  })
  it('counts what it does not name', () => {
    const ledger = [row(o1, MEMBER), ...Array.from({ length: 7 }, (_, n) => row(space(`s${n}`, 'o1'), MEMBER))]
    expect(plan(input({ ledger })).changes.map(describeChange)[0]).toContain('space "The s4" and 2 more')
  })
})
