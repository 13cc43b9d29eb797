import { expect, it } from 'vitest'
import { memberIds } from '../../src/directory/members'
import { migrate, MIGRATIONS } from '../../src/directory/migrations'
import { openStore } from './memoryStore'

it('keeps who is in which group when members come to be stored by number', async () => {
  await openStore((store) => {
    const { sql } = store
    // As an older version left the tables.
    sql.write(`DROP VIEW members`)
    sql.write(`DROP TABLE group_members`)
    sql.write(`CREATE TABLE members (
      group_id TEXT NOT NULL, member_id TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID`)
    sql.write(`DELETE FROM _migrations WHERE id > 2`)
    for (const id of ['g1', 'g2']) {
      sql.write(
        `INSERT INTO groups (id, connection_id, display_name, display_name_fold, created, modified, version, data, fold)
         VALUES (?1, 'okta', ?1, ?1, '', '', 1, '{}', '{}')`, id)
    }
    for (const id of ['u3', 'u1', 'u2']) {
      sql.write(
        `INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
         VALUES (?1, 'okta', ?1, ?1, 1, '', '', 1, '{}', '{}')`, id)
    }
    for (const [group, user] of [['g1', 'u1'], ['g1', 'u3'], ['g2', 'u2'], ['g2', 'nobody'], ['nothing', 'u1']] as const) {
      sql.write(`INSERT INTO members (group_id, member_id, type) VALUES (?, ?, 'User')`, group, user)
    }
    migrate(store, store.transaction, MIGRATIONS.slice(0, 3))
    expect([...memberIds(store, 'g1')].flat()).toEqual(['u3', 'u1'])
    expect(sql.rows(`SELECT group_id, member_id FROM members ORDER BY 1, 2`)).toEqual([
      { group_id: 'g1', member_id: 'u1' }, { group_id: 'g1', member_id: 'u3' }, { group_id: 'g2', member_id: 'u2' },
    ])
    migrate(store, store.transaction, MIGRATIONS.slice(0, 3))
    expect(sql.one(`SELECT count(*) AS n FROM group_members`)).toEqual({ n: 3 })
  })
})

it('finds users of before by their e-mail addresses', async () => {
  await openStore((store) => {
    const { sql } = store
    for (const trigger of ['come', 'go', 'change']) sql.write(`DROP TRIGGER user_emails_${trigger}`)
    sql.write(`DROP TABLE user_emails`)
    sql.write(`DELETE FROM _migrations WHERE id > 7`)
    const folds = ['{}', '{"emails":[{"value":"a@b.c"},{"value":"a@b.c","type":"work"},{"type":"home"},{"value":"d@e.f"}]}', '{"emails":[{"value":"a@b.c"}]}']
    for (const fold of folds) {
      sql.write(
        `INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
         VALUES (?1, 'okta', ?1, ?1, 1, '', '', 1, '{}', ?2)`, crypto.randomUUID(), fold)
    }
    migrate(store, store.transaction, MIGRATIONS.slice(0, 8))
    expect(sql.rows(`SELECT address, user_seq FROM user_emails ORDER BY 1, 2`)).toEqual([
      { address: 'a@b.c', user_seq: 2 }, { address: 'a@b.c', user_seq: 3 }, { address: 'd@e.f', user_seq: 2 },
    ])
  })
})
