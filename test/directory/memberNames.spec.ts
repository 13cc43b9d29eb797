import { describe, expect, it } from 'vitest'
import { namedMembers } from '../../src/directory/memberNames'
import { idOf, openScim, person, type Answer, type Json, type ScimWorld } from './scimClient'

const displaysIn = ({ body }: Answer): unknown[] =>
  Array.isArray(body.members) ? body.members.map((member: Json) => member.display) : []

/** Users and members straight in the tables: what is asked is how they are read. */
const seedGroup = ({ store, okta }: ScimWorld, count: number): string => {
  const group = idOf(okta.post('Group', { displayName: 'Everybody' }))
  store.sql.run(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
     SELECT printf('u%06d', i), 'okta', 'p' || i, 'p' || i, 1, '', '', 1, json_object('displayName', 'Person ' || i), '{}' FROM n`, count)
  store.sql.run(`INSERT INTO group_members (group_seq, user_seq) SELECT g.seq, u.seq FROM groups g CROSS JOIN users u WHERE g.id = ?`, group)
  return group
}

describe('members.display', () => {
  it('is the displayName, or else the userName, and only there when it is asked for by name', async () => {
    await openScim(({ okta }) => {
      const ada = idOf(okta.post('User', person('ada', { displayName: 'Ada Lovelace' })))
      const bob = idOf(okta.post('User', person('bob', { displayName: '' })))
      const created = okta.post('Group', { displayName: 'Engineers', members: [{ value: ada, display: 'told by the client' }, { value: bob }] })
      const id = idOf(created)
      for (const answer of [created, okta.get('Group', id), okta.get('Group', id, { attributes: ['members'] }), okta.list('Group')]) {
        expect(JSON.stringify(answer.body)).not.toContain('"display"')
      }
      const named = okta.get('Group', id, { attributes: ['members.value', 'members.display'] })
      expect(named.body.members).toEqual([{ value: ada, display: 'Ada Lovelace' }, { value: bob, display: 'bob@example.com' }])
      expect(named.etag).toBe(created.etag)
      const whole = { value: ada, display: 'Ada Lovelace', type: 'User', $ref: `https://bridge.example/scim/v2/Users/${ada}` }
      expect(okta.list('Group', { attributes: 'members,members.display' }).body.Resources).toEqual([
        { schemas: created.body.schemas, id, members: [whole, expect.objectContaining({ display: 'bob@example.com' })] },
      ])
      // What is renamed is shown renamed, and the group does not change by it.
      okta.patch('User', ada, [{ op: 'replace', path: 'displayName', value: 'Countess' }])
      const patched = okta.patch('Group', id, [{ op: 'add', path: 'externalId', value: 'g' }], { attributes: ['members.display'] })
      expect([patched.status, displaysIn(patched)]).toEqual([200, ['Countess', 'bob@example.com']])
    })
  })

  it('is what a filter on it compares', async () => {
    await openScim(({ okta }) => {
      const bob = idOf(okta.post('User', person('bob', { displayName: null })))
      okta.post('Group', { displayName: 'Engineers', members: [{ value: bob }] })
      const totals = ['BOB@example.com', 'bob Test'].map((name) => okta.list('Group', { filter: `members.display eq "${name}"` }).body.totalResults)
      expect(totals).toEqual([1, 0])
    })
  })

  it('is read in chunks, however large the group', async () => {
    await openScim((world) => {
      const id = seedGroup(world, 20_000)
      const sizes = [...namedMembers(world.store, id)].map((chunk) => chunk.length)
      expect([sizes.length, new Set(sizes)]).toEqual([20, new Set([1_000])])
      const answer = world.okta.get('Group', id, { attributes: ['members.display'] })
      expect([displaysIn(answer).length, displaysIn(answer)[19_999]]).toEqual([20_000, 'Person 20000'])
    })
  })

  it('ends a name that nobody could read', async () => {
    await openScim(({ okta }) => {
      const id = idOf(okta.post('User', person('ada', { displayName: '\u{1F600}'.repeat(5_000) })))
      const group = idOf(okta.post('Group', { displayName: 'Engineers', members: [{ value: id }] }))
      expect(displaysIn(okta.get('Group', group, { attributes: ['members.display'] }))).toEqual(['\u{1F600}'.repeat(1_000)])
    })
  })
})
