/** Projects, as far as role bindings need them: made, listed and read. Their ids say `Model`. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { administersSpace, holdsPermission, type Place, SPACE_IS_SEEN, seesSpace } from './access'
import {
  type Call, created, found, type Json, name255, readBody, readIdFilter, readParam, type Reply, type Route,
} from './call'
import { idOf, makeId } from './ids'
import { readPage, readSubstring } from './paging'
import { conflict, forbidden, notFound, type Problem } from './problem'
import { first, nextNumber, rows } from './sql'
import { findSpace } from './spaces'

type ProjectRow = { n: number; id: string; name: string; created_at: string; space: number; space_id: string }

const SELECT = `SELECT p.n, p.id, p.name, p.created_at, p.space, s.id AS space_id
  FROM projects p JOIN spaces s ON s.n = p.space`

const projectJson = ({ id, name, space_id, created_at }: ProjectRow): Json => ({ id, name, space_id, created_at })

const spaceOf = (call: Call, project: ProjectRow): Place | undefined =>
  first<Place>(call.sql, 'SELECT n, organization, is_private FROM spaces WHERE n = ?', project.space)

/** With its space, whose rights decide. Somebody bound to the project alone sees it too. */
export const findProject = (call: Call, id: string): Result<{ readonly n: number; readonly space: Place }, Problem> => {
  const project = readProject(call, id)
  if (project === undefined) return err(notFound(id))
  const space = spaceOf(call, project)
  return space === undefined ? err(notFound(id)) : ok({ n: project.n, space })
}

const readProject = (call: Call, id: string): ProjectRow | undefined => {
  const project = first<ProjectRow>(call.sql, `${SELECT} WHERE p.id = ?`, id)
  if (project === undefined) return undefined
  const space = spaceOf(call, project)
  const binding = first(call.sql, 'SELECT 1 FROM bindings WHERE project = ? AND user = ?', project.n, call.caller.n)
  return binding !== undefined || (space !== undefined && seesSpace(call, space)) ? project : undefined
}

const listProjects = (call: Call): Reply => {
  const page = readPage(call, 'projects')
  if (!page.ok) return page.error
  const space = readIdFilter(call, 'space_id', 'Space')
  if (!space.ok) return space.error
  const name = readSubstring(call, 'name')
  return page.value(
    (after, limit) =>
      rows<ProjectRow>(
        call.sql,
        `${SELECT} WHERE p.n > ?2 AND (?3 = '' OR instr(p.name_key, ?3) > 0) AND (?5 IS NULL OR s.id = ?5)
         AND (?4 OR ${SPACE_IS_SEEN} OR EXISTS (SELECT 1 FROM bindings b WHERE b.project = p.n AND b.user = ?1))
         ORDER BY p.n LIMIT ?6`,
        call.caller.n, after, name, call.caller.isAdmin ? 1 : 0, space.value ?? null, limit,
      ),
    projectJson,
  )
}

const newProject = z.strictObject({ name: name255, space_id: idOf('Space') })

const createProject = (call: Call): Reply => {
  const body = readBody(call, newProject)
  if (!body.ok) return body.error
  const space = findSpace(call, body.value.space_id)
  if (!space.ok) return space.error
  if (!administersSpace(call, space.value) && !holdsPermission(call, space.value, 'PROJECT_CREATE')) return forbidden()
  const { name } = body.value
  const other = first(call.sql, 'SELECT 1 FROM projects WHERE space = ? AND name = ?', space.value.n, name)
  if (other !== undefined) return conflict()
  const n = nextNumber(call.sql)
  const id = makeId('Model', n)
  call.sql.exec(
    'INSERT INTO projects (n, id, space, name, name_key, created_at) VALUES (?, ?, ?, ?, ?, ?)',
    n, id, space.value.n, name, name.toLowerCase(), call.now,
  )
  return created({ id, name, space_id: space.value.id, created_at: call.now })
}

const getProject = (call: Call): Reply => {
  const id = readParam(call, 'project_id', 'Model')
  if (!id.ok) return id.error
  const project = readProject(call, id.value)
  return project === undefined ? notFound(id.value) : found(projectJson(project))
}

export const projectRoutes: readonly Route[] = [
  ['GET', '/v2/projects', listProjects],
  ['POST', '/v2/projects', createProject],
  ['GET', '/v2/projects/:project_id', getProject],
]
