import type { BulkCommand, PageCommand, ScimCommand, View } from '../directory/scimCommand'
import type { CatalogueRequest } from '../directory/scimEntitlements'
import { err, ok, type Result } from '../result'
import { MAX_BULK_BYTES } from '../scim/bulk'
import { bulkTooLarge } from '../scim/bulkRequest'
import { invalidSyntax, methodNotAllowed, payloadTooLarge, unsupportedMediaType, type ScimError } from '../scim/error'
import { parseJson } from '../scim/json'
import { isFiltered } from '../scim/discovery'
import { isCursorQuery, readListQuery, readProjection, readSearchRequest, type CursorQuery, type ListQuery } from '../scim/query'
import type { ResourceType } from '../scim/schema'
import { readChange, readCreate } from '../scim/write'
import { codingOf, fitsCall, MAX_BODY_BYTES, MAX_GROUP_BODY_BYTES, mediaTypeOf, readText, sizeOf } from './body'
import { readBulkCommand } from './bulk'
import { methodsOf, type Endpoint } from './endpoint'

/** A SCIM request as the command that it asks for. What is wrong with it is a command too: callers are authenticated first. */

type Read<T> = Result<T, ScimError>

export type AnyCommand = ScimCommand | PageCommand | BulkCommand

/** Identity providers send either, with and without a charset (identity-providers 0.1, rule 2). */
const MEDIA_TYPES: ReadonlySet<string> = new Set(['application/scim+json', 'application/json'])

const tooLarge = (maxBytes: number): ScimError => payloadTooLarge(`The request body is larger than ${sizeOf(maxBytes)}.`)

const readBody = async (request: Request, maxBytes: number, whenLarger = tooLarge(maxBytes)): Promise<Read<unknown>> => {
  const mediaType = mediaTypeOf(request)
  if (mediaType !== null && !MEDIA_TYPES.has(mediaType)) {
    return err(unsupportedMediaType('The Content-Type of a SCIM request is application/scim+json or application/json.'))
  }
  const coding = codingOf(request)
  if (coding !== null) return err(unsupportedMediaType(`The Content-Encoding "${coding.slice(0, 100)}" is not supported: send the body as it is.`))
  const text = await readText(request, maxBytes)
  if (!text.ok) {
    return err(text.error === 'too_large' ? whenLarger : invalidSyntax('The request body is not UTF-8.'))
  }
  if (text.value.trim() === '') return err(invalidSyntax('The request body is empty.'))
  const body = parseJson(text.value)
  if (!body.ok || fitsCall(body.value, text.value.length)) return body
  return err(payloadTooLarge('The request body is too large to be passed on. Send fewer members in one request.'))
}

const readView = (request: Request, params: URLSearchParams): Read<View> => {
  const projection = readProjection(params)
  return projection.ok ? ok({ ...projection.value, ifNoneMatch: request.headers.get('if-none-match') }) : projection
}

const listCommand = (type: ResourceType | null, query: Read<ListQuery | CursorQuery>): Read<ScimCommand | PageCommand> => {
  if (!query.ok) return query
  return ok(isCursorQuery(query.value) ? { op: 'page', type, query: query.value } : { op: 'list', type, query: query.value })
}

const readSearchCommand = async (type: ResourceType | null, request: Request): Promise<Read<ScimCommand | PageCommand>> => {
  const body = await readBody(request, MAX_BODY_BYTES)
  return body.ok ? listCommand(type, readSearchRequest(body.value)) : body
}

const readCollectionCommand = async (
  type: ResourceType, request: Request, params: URLSearchParams,
): Promise<Read<ScimCommand | PageCommand>> => {
  if (request.method === 'POST') {
    const view = readView(request, params)
    if (!view.ok) return view
    const body = await readBody(request, MAX_BODY_BYTES)
    return body.ok ? readCreate(type, body.value, view.value) : body
  }
  return listCommand(type, readListQuery(params))
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
  return readChange(request.method === 'PUT' ? 'PUT' : 'PATCH', guarded, body.value, view.value)
}

type CatalogueEndpoint = Extract<Endpoint, { readonly kind: 'catalogue' | 'catalogueSearch' }>

const readCatalogueRequest = async (endpoint: CatalogueEndpoint, request: Request, params: URLSearchParams): Promise<Read<CatalogueRequest>> => {
  if (!methodsOf(endpoint).includes(request.method)) return err(unsupportedMethod(request))
  if (endpoint.kind === 'catalogue' && endpoint.id !== null) {
    const view = readView(request, params)
    return view.ok ? ok({ kind: 'one', id: endpoint.id, view: view.value }) : view
  }
  const body = endpoint.kind === 'catalogueSearch' ? await readBody(request, MAX_BODY_BYTES) : null
  if (body !== null && !body.ok) return body
  const query = body === null ? readListQuery(params) : readSearchRequest(body.value)
  return query.ok ? ok({ kind: 'list', query: query.value }) : query
}

/** Whether the connection has these endpoints at all is found out first, so what is wrong goes with the command. */
const readCatalogueCommand = async (endpoint: CatalogueEndpoint, request: Request, params: URLSearchParams): Promise<ScimCommand> => {
  const asked = await readCatalogueRequest(endpoint, request, params)
  return { op: 'catalogue', type: endpoint.type, request: asked.ok ? asked.value : { kind: 'refused', error: asked.error } }
}

const unsupportedMethod = ({ method }: Request): ScimError => methodNotAllowed(`The method ${method} is not supported here.`)

const read = async (endpoint: Endpoint, request: Request, params: URLSearchParams): Promise<Read<AnyCommand>> => {
  if (endpoint.kind === 'none') return err(endpoint.error)
  if (endpoint.kind === 'catalogue' || endpoint.kind === 'catalogueSearch') return ok(await readCatalogueCommand(endpoint, request, params))
  if (!methodsOf(endpoint).includes(request.method)) return err(unsupportedMethod(request))
  switch (endpoint.kind) {
    case 'discovery':
      return ok({ op: 'discover', request: { endpoint: endpoint.endpoint, id: endpoint.id, isFiltered: isFiltered(params) } })
    case 'bulk': {
      const body = await readBody(request, MAX_BULK_BYTES, bulkTooLarge())
      return body.ok ? readBulkCommand(body.value) : body
    }
    case 'root':
      return listCommand(null, readListQuery(params))
    case 'search':
      return readSearchCommand(endpoint.type, request)
    case 'collection':
      return readCollectionCommand(endpoint.type, request, params)
    case 'resource':
      return readResourceCommand({ type: endpoint.type, id: endpoint.id }, request, params)
  }
}

export const readCommand = async (endpoint: Endpoint, request: Request, params: URLSearchParams): Promise<AnyCommand> => {
  const command = await read(endpoint, request, params)
  return command.ok ? command.value : { op: 'refuse', error: command.error }
}
