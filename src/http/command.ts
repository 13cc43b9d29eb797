import type { ScimCommand, View } from '../directory/scimCommand'
import { err, ok, type Result } from '../result'
import { invalidSyntax, methodNotAllowed, payloadTooLarge, unsupportedMediaType, type ScimError } from '../scim/error'
import { parseJson } from '../scim/json'
import { readPatch } from '../scim/patch'
import { readListQuery, readProjection } from '../scim/query'
import { readGroup, readUser } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { MAX_BODY_BYTES, MAX_GROUP_BODY_BYTES, mediaTypeOf, readText, sizeOf } from './body'
import { methodsOf, type Endpoint } from './endpoint'

/** A SCIM request as the command that it asks for. What is wrong with it is a command too: callers are authenticated first. */

type Read<T> = Result<T, ScimError>

/** Identity providers send either, with and without a charset (identity-providers 0.1, rule 2). */
const MEDIA_TYPES: ReadonlySet<string> = new Set(['application/scim+json', 'application/json'])

const readBody = async (request: Request, maxBytes: number): Promise<Read<unknown>> => {
  const mediaType = mediaTypeOf(request)
  if (mediaType !== null && !MEDIA_TYPES.has(mediaType)) {
    return err(unsupportedMediaType('The Content-Type of a SCIM request is application/scim+json or application/json.'))
  }
  const text = await readText(request, maxBytes)
  if (!text.ok) {
    return err(text.error === 'too_large'
      ? payloadTooLarge(`The request body is larger than ${sizeOf(maxBytes)}.`)
      : invalidSyntax('The request body is not UTF-8.'))
  }
  return text.value.trim() === '' ? err(invalidSyntax('The request body is empty.')) : parseJson(text.value)
}

const readView = (request: Request, params: URLSearchParams): Read<View> => {
  const projection = readProjection(params)
  return projection.ok ? ok({ ...projection.value, ifNoneMatch: request.headers.get('if-none-match') }) : projection
}

const readCreate = async (type: ResourceType, request: Request, view: View): Promise<Read<ScimCommand>> => {
  const body = await readBody(request, MAX_BODY_BYTES)
  if (!body.ok) return body
  if (type === 'User') {
    const user = readUser(body.value)
    return user.ok ? ok({ op: 'createUser', user: user.value, view }) : user
  }
  const group = readGroup(body.value)
  return group.ok ? ok({ op: 'createGroup', group: group.value.group, members: group.value.members ?? [], view }) : group
}

const readCollectionCommand = async (
  type: ResourceType, request: Request, params: URLSearchParams,
): Promise<Read<ScimCommand>> => {
  if (request.method === 'POST') {
    const view = readView(request, params)
    return view.ok ? readCreate(type, request, view.value) : view
  }
  const query = readListQuery(params)
  return query.ok ? ok({ op: 'list', type, query: query.value }) : query
}

const readResourceCommand = async (
  target: { readonly type: ResourceType; readonly id: string }, request: Request, params: URLSearchParams,
): Promise<Read<ScimCommand>> => {
  const guarded = { ...target, ifMatch: request.headers.get('if-match') }
  if (request.method === 'DELETE') return ok({ op: 'delete', ...guarded })
  const view = readView(request, params)
  if (!view.ok) return view
  if (request.method === 'GET' || request.method === 'HEAD') return ok({ op: 'get', ...target, view: view.value })
  const body = await readBody(request, target.type === 'Group' ? MAX_GROUP_BODY_BYTES : MAX_BODY_BYTES)
  if (!body.ok) return body
  if (request.method === 'PUT') return ok({ op: 'replace', ...guarded, body: body.value, view: view.value })
  const operations = readPatch(body.value)
  return operations.ok ? ok({ op: 'patch', ...guarded, operations: operations.value, view: view.value }) : operations
}

const read = async (endpoint: Endpoint, request: Request, params: URLSearchParams): Promise<Read<ScimCommand>> => {
  if (endpoint.kind === 'none') return err(endpoint.error)
  if (!methodsOf(endpoint).includes(request.method)) {
    return err(methodNotAllowed(`The method ${request.method} is not supported here.`))
  }
  switch (endpoint.kind) {
    case 'discovery':
      return ok({ op: 'authenticate' })
    case 'collection':
      return readCollectionCommand(endpoint.type, request, params)
    case 'resource':
      return readResourceCommand({ type: endpoint.type, id: endpoint.id }, request, params)
  }
}

export const readCommand = async (endpoint: Endpoint, request: Request, params: URLSearchParams): Promise<ScimCommand> => {
  const command = await read(endpoint, request, params)
  return command.ok ? command.value : { op: 'refuse', error: command.error }
}
