import { env } from 'cloudflare:workers'
import { runInDurableObject } from 'cloudflare:test'
import { USER_SCHEMA } from '../bridge'

/** Thousands of users, written as rows: what they are members of is then made by requests. They have no address, so nothing follows from them. */

export const idOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`

const TIME = '2026-01-01T00:00:00.000Z'

/** The stored JSON of a user, with `n` as the number of the row. */
const DATA = (name: string): string => `json_object(
  'schemas', json_array('${USER_SCHEMA}'), 'id', id, 'meta', json_object('resourceType', 'User', 'created', '${TIME}', 'lastModified', '${TIME}', 'version', 'W/"1"'),
  'userName', ${name}, 'active', json('true'))`

/** Users `from` to `to` of a connection, `to` not included. */
export const populate = (tenant: string, connectionId: string, from: number, to: number): Promise<void> =>
  runInDurableObject(env.DIRECTORY.getByName(tenant), (_directory, { storage }) => {
    storage.sql.exec(
      `INSERT INTO users (id, connection_id, user_name, user_name_fold, active, created, modified, version, data, fold)
       WITH RECURSIVE numbers (n) AS (SELECT ? UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < ?),
         named (id, name) AS (SELECT printf('00000000-0000-4000-8000-%012d', n), printf('User %06d', n) FROM numbers)
       SELECT id, ?, name, lower(name), 1, '${TIME}', '${TIME}', 1, ${DATA('name')}, ${DATA('lower(name)')} FROM named`,
      from, to, connectionId)
    storage.sql.exec(
      `INSERT INTO counters (name, hour, value) VALUES (?, 0, ?) ON CONFLICT (name, hour) DO UPDATE SET value = value + excluded.value`,
      `users:${connectionId}`, to - from)
  })
