import type { Store } from '../../src/directory/sql'

/** Members put straight into the tables. */

type Tables = Pick<Store, 'sql'>

const seqOf = ({ sql }: Tables, table: 'groups' | 'users', id: string): number => {
  const row = sql.one<{ seq: number }>(`SELECT seq FROM ${table} WHERE id = ?`, id)
  if (row === null) throw new Error(`nothing in ${table} is called ${id}`)
  return row.seq
}

export const groupSeq = (store: Tables, groupId: string): number => seqOf(store, 'groups', groupId)

export const putMember = (store: Tables, groupId: string, userId: string): void =>
  store.sql.write(
    `INSERT OR IGNORE INTO group_members (group_seq, user_seq) VALUES (?, ?)`, groupSeq(store, groupId), seqOf(store, 'users', userId))

export const dropMember = (store: Tables, groupId: string, userId: string): void =>
  store.sql.write(
    `DELETE FROM group_members WHERE group_seq = ? AND user_seq = ?`, groupSeq(store, groupId), seqOf(store, 'users', userId))
