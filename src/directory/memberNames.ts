import type { Member } from '../scim/resource'
import type { Store } from './sql'

/** The names of a group's members, which are read only when somebody asks for them (`attributes=members.display`). */

/** A row is short here, unlike the user that it is read from. */
const CHUNK = 1_000

/** In characters: nobody shows more of a name, and 1,000 of them stay below 4 MB. */
const MAX_DISPLAY = 1_000

/** The members of a group, the oldest user first, a chunk at a time. `display` is the displayName, or else the userName. */
export function* namedMembers({ sql }: Pick<Store, 'sql'>, groupId: string): Generator<readonly Member[]> {
  let from = 0
  for (;;) {
    const page = sql.rows<{ seq: number; value: string; display: string }>(
      `SELECT u.seq AS seq, u.id AS value, substr(coalesce(json_extract(u.data, '$."displayName"'), u.user_name), 1, ${MAX_DISPLAY}) AS display
       FROM groups g CROSS JOIN group_members m ON m.group_seq = g.seq CROSS JOIN users u ON u.seq = m.user_seq
       WHERE g.id = ? AND m.user_seq > ? ORDER BY m.user_seq LIMIT ${CHUNK}`,
      groupId, from)
    const last = page.at(-1)
    if (last === undefined) return
    yield page.map(({ value, display }) => ({ value, type: 'User', display }))
    if (page.length < CHUNK) return
    from = last.seq
  }
}
