import type { BulkCommand } from '../directory/scimCommand'
import { err, ok, type Result } from '../result'
import { planBulk } from '../scim/bulkOrder'
import { readBulk, type ReadTarget } from '../scim/bulkRequest'
import { invalidValue, methodNotAllowed, type ScimError } from '../scim/error'
import { endpointOf } from './endpoint'

/** A bulk request as one command. The paths of its operations are the addresses of requests of their own. */

const readTarget: ReadTarget = (method, path) => {
  const endpoint = endpointOf(path)
  if (endpoint.kind === 'collection') {
    if (method === 'POST') return ok({ type: endpoint.type, id: null })
    return err(methodNotAllowed(`${method} needs the path of a resource, as in "/${endpoint.type}s/{id}".`))
  }
  if (endpoint.kind === 'resource') {
    if (method !== 'POST') return ok({ type: endpoint.type, id: endpoint.id })
    return err(methodNotAllowed(`POST needs the path of a collection: "/${endpoint.type}s".`))
  }
  if (endpoint.kind === 'none' && endpoint.error.status === 404) return err(endpoint.error)
  return err(invalidValue(`A bulk operation works on /Users, /Groups and the resources in them, not on "${path.slice(0, 200)}".`))
}

/** The command that the body of a bulk request asks for. */
export const readBulkCommand = (body: unknown): Result<BulkCommand, ScimError> => {
  const bulk = readBulk(body, readTarget)
  return bulk.ok ? ok({ op: 'bulk', ...planBulk(bulk.value) }) : bulk
}
