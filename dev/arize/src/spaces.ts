/** Spaces. The wire form never names the organization; `org_id` filters the list, `organization_id` is for creating. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { administersOrganization, administersSpace, seesSpace, SPACE_IS_SEEN } from './access'
import {
  AT_LEAST_ONE, type Call, created, description1000, found, hasField, type Json, name255, NO_CONTENT, readBody, readIdFilter,
  readParam, type Reply, type Route,
} from './call'
import { idOf, makeId } from './ids'
import { findOrganization } from './organizations'
import { readPage, readSubstring } from './paging'
import { conflict, forbidden, notFound, type Problem } from './problem'
import { first, nextNumber, rows, run } from './sql'

export type SpaceRow = {
  n: number
  id: string
  organization: number
  name: string
  description: string
  is_private: number
  created_at: string
}

const COLUMNS = 'n, id, organization, name, description, is_private, created_at'

const spaceJson = ({ id, name, description, is_private: isPrivate, created_at }: SpaceRow): Json => ({
  id,
  name,
  description,
  created_at,
  is_private: isPrivate === 1,
})

export const findSpace = (call: Call, id: string): Result<SpaceRow, Problem> => {
  const row = first<SpaceRow>(call.sql, `SELECT ${COLUMNS} FROM spaces WHERE id = ?`, id)
  return row === undefined || !seesSpace(call, row) ? err(notFound(id)) : ok(row)
}

const listSpaces = (call: Call): Reply => {
  const page = readPage(call, 'spaces')
  if (!page.ok) return page.error
  const organization = readIdFilter(call, 'org_id', 'Organization')
  if (!organization.ok) return organization.error
  const name = readSubstring(call, 'name')
  return page.value(
    (after, limit) =>
      rows<SpaceRow>(
        call.sql,
        `SELECT ${COLUMNS} FROM spaces s WHERE n > ?2 AND (?3 = '' OR instr(name_key, ?3) > 0) AND (?4 OR ${SPACE_IS_SEEN})
         AND (?5 IS NULL OR organization = (SELECT n FROM organizations WHERE id = ?5)) ORDER BY n LIMIT ?6`,
        call.caller.n, after, name, call.caller.isAdmin ? 1 : 0, organization.value ?? null, limit,
      ),
    spaceJson,
  )
}

const isTaken = (call: Call, organization: number, name: string, except: number): boolean => {
  const other = 'SELECT 1 FROM spaces WHERE organization = ? AND name = ? AND n <> ?'
  return first(call.sql, other, organization, name, except) !== undefined
}

const newSpace = z.strictObject({
  name: name255,
  organization_id: idOf('Organization'),
  description: description1000.optional(),
  is_private: z.boolean().optional(),
})

const createSpace = (call: Call): Reply => {
  const body = readBody(call, newSpace)
  if (!body.ok) return body.error
  const organization = findOrganization(call, body.value.organization_id)
  if (!organization.ok) return organization.error
  if (!administersOrganization(call, organization.value.n)) return forbidden()
  const { name, description = '', is_private: isPrivate = false } = body.value
  if (isTaken(call, organization.value.n, name, 0)) return conflict()
  const n = nextNumber(call.sql)
  return created(
    spaceJson(
      call.sql
        .exec<SpaceRow>(
          `INSERT INTO spaces (n, id, organization, name, name_key, description, is_private, created_at)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING ${COLUMNS}`,
          n, makeId('Space', n), organization.value.n, name, name.toLowerCase(), description, isPrivate ? 1 : 0, call.now,
        )
        .one(),
    ),
  )
}

const getSpace = (call: Call): Reply => {
  const id = readParam(call, 'space_id', 'Space')
  if (!id.ok) return id.error
  const space = findSpace(call, id.value)
  return space.ok ? found(spaceJson(space.value)) : space.error
}

const spacePatch = z
  .strictObject({
    name: name255.optional(),
    description: description1000.nullable().optional(),
    is_private: z.boolean().optional(),
  })
  .refine(hasField, AT_LEAST_ONE)

const patchSpace = (call: Call): Reply => {
  const id = readParam(call, 'space_id', 'Space')
  if (!id.ok) return id.error
  const body = readBody(call, spacePatch)
  if (!body.ok) return body.error
  const space = findSpace(call, id.value)
  if (!space.ok) return space.error
  const row = space.value
  if (!administersSpace(call, row)) return forbidden()
  const name = body.value.name ?? row.name
  if (isTaken(call, row.organization, name, row.n)) return conflict()
  const description = body.value.description === undefined ? row.description : (body.value.description ?? '')
  const isPrivate = body.value.is_private ?? row.is_private === 1
  return found(
    spaceJson(
      call.sql
        .exec<SpaceRow>(
          `UPDATE spaces SET name = ?, name_key = ?, description = ?, is_private = ? WHERE n = ? RETURNING ${COLUMNS}`,
          name, name.toLowerCase(), description, isPrivate ? 1 : 0, row.n,
        )
        .one(),
    ),
  )
}

const deleteSpace = (call: Call): Reply => {
  const id = readParam(call, 'space_id', 'Space')
  if (!id.ok) return id.error
  const space = findSpace(call, id.value)
  if (!space.ok) return space.error
  if (!administersSpace(call, space.value)) return forbidden()
  run(call.sql, 'DELETE FROM spaces WHERE n = ?', space.value.n)
  return NO_CONTENT
}

export const spaceRoutes: readonly Route[] = [
  ['GET', '/v2/spaces', listSpaces],
  ['POST', '/v2/spaces', createSpace],
  ['GET', '/v2/spaces/:space_id', getSpace],
  ['PATCH', '/v2/spaces/:space_id', patchSpace],
  ['DELETE', '/v2/spaces/:space_id', deleteSpace],
]
