import type { Member } from '../scim/resource'
import type { Store } from './sql'

/** The names of a group's members, which are read only when somebody asks for them (`attributes=members.display`). */

/** A row is short here, unlike the user that it is read from. */
const CHUNK = 1_000

/** In characters: nobody shows more of a name, and 1,000 of them stay below 4 MB. */
const MAX_DISPLAY = 1_000

/** The members of a group in the order of their ids, a chunk at a time. `display` is the displayName, or else the userName. */
export function* namedMembers({ sql }: Pick<Store, 'sql'>, groupId: string): Generator<readonly Member[]> {
  let from = ''
  for (;;) {
    const page = sql.rows<{ value: string; display: string | null }>(
      `SELECT m.member_id AS value, substr(coalesce(json_extract(u.data, '$."displayName"'), u.user_name), 1, ${MAX_DISPLAY}) AS display
       FROM members m LEFT JOIN users u ON u.id = m.member_id
       WHERE m.group_id = ? AND m.member_id > ? ORDER BY m.member_id LIMIT ${CHUNK}`,
      groupId, from)
    const last = page.at(-1)
    if (last === undefined) return
    yield page.map(({ value, display }) => ({ value, type: 'User', ...(display === null ? {} : { display }) }))
    if (page.length < CHUNK) return
    from = last.value
  }
}
