/** The account as a person would describe it: everything by address and name. Bots appear only as owners of keys. */
import type { Json } from './call'
import { rows } from './sql'

type Member = { place: number; email: string; role: string }

/** Members by the number of their organization or space, in the order in which they joined. */
const byPlace = (members: readonly Member[]): Map<number, Json[]> => {
  const grouped = new Map<number, Json[]>()
  for (const { place, email, role } of members) {
    const list = grouped.get(place)
    if (list === undefined) grouped.set(place, [{ email, role }])
    else list.push({ email, role })
  }
  return grouped
}

const users = (sql: SqlStorage): Json =>
  rows<{ id: string; email: string; name: string; status: string; role: string; is_developer: number }>(
    sql,
    'SELECT id, email, name, status, role, is_developer FROM users WHERE is_bot = 0 ORDER BY n',
  ).map((user) => ({ ...user, is_developer: user.is_developer === 1 }))

const organizations = (sql: SqlStorage): Json => {
  const members = byPlace(
    rows<Member>(
      sql,
      `SELECT m.organization AS place, u.email, m.role FROM organization_members m JOIN users u ON u.n = m.user ORDER BY m.n`,
    ),
  )
  const spaces = spacesByOrganization(sql)
  return rows<{ n: number; id: string; name: string }>(sql, 'SELECT n, id, name FROM organizations ORDER BY n').map(
    ({ n, id, name }) => ({ id, name, members: members.get(n) ?? [], spaces: spaces.get(n) ?? [] }),
  )
}

const spacesByOrganization = (sql: SqlStorage): Map<number, Json[]> => {
  const members = byPlace(
    rows<Member>(
      sql,
      `SELECT m.space AS place, u.email, coalesce(m.role, r.name) AS role FROM space_members m JOIN users u ON u.n = m.user
       LEFT JOIN bindings b ON b.space = m.space AND b.user = m.user LEFT JOIN roles r ON r.n = b.role ORDER BY m.n`,
    ),
  )
  const grouped = new Map<number, Json[]>()
  const all = rows<{ n: number; organization: number; id: string; name: string }>(
    sql,
    'SELECT n, organization, id, name FROM spaces ORDER BY n',
  )
  for (const { n, organization, id, name } of all) {
    const list = grouped.get(organization) ?? []
    grouped.set(organization, [...list, { id, name, members: members.get(n) ?? [] }])
  }
  return grouped
}

const bindings = (sql: SqlStorage): Json =>
  rows<{ email: string; resource_type: string; resource: string; role: string }>(
    sql,
    `SELECT u.email, CASE WHEN b.space IS NULL THEN 'PROJECT' ELSE 'SPACE' END AS resource_type,
     coalesce(s.name, p.name) AS resource, r.name AS role FROM bindings b JOIN users u ON u.n = b.user
     JOIN roles r ON r.n = b.role LEFT JOIN spaces s ON s.n = b.space LEFT JOIN projects p ON p.n = b.project ORDER BY b.n`,
  ).map((binding) => ({ ...binding }))

const keys = (sql: SqlStorage): Json =>
  rows<{ id: string; owner: string; is_revoked: number }>(
    sql,
    'SELECT k.id, u.email AS owner, k.is_revoked FROM keys k JOIN users u ON u.n = k.owner ORDER BY k.n',
  ).map(({ id, owner, is_revoked: isRevoked }) => ({ id, owner, revoked: isRevoked === 1 }))

export const readState = (sql: SqlStorage): Json => ({
  users: users(sql),
  organizations: organizations(sql),
  bindings: bindings(sql),
  keys: keys(sql),
})
