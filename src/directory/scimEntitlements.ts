import { catalogueFor, type EntryKind } from '../policy/catalogue'
import { discover, type DiscoveryRequest } from '../scim/discovery'
import { notFound, unavailable, type ScimError } from '../scim/error'
import { etagOf, matchesEtag } from '../scim/etag'
import { catalogueEndpoint, listCatalogue, projectEntry, renderEntry, type CataloguePlace } from '../scim/catalogue'
import type { CursorQuery, ListQuery } from '../scim/query'
import type { CatalogueType } from '../scim/schema'
import type { View } from '../scim/write'
import { err, ok, type Result } from '../result'
import type { PolicyInForce } from './policies'
import type { ScimContext, ScimReply } from './scimCommand'

/**
 * What a connection may find out about the server: discovery, and what the policy in force offers for assigning directly
 * (`/Roles`, `/Entitlements`), where that is turned on for the connection.
 */

type Reply = Result<ScimReply, ScimError>

/** What is asked of Roles or Entitlements. `refused`: the HTTP layer found the request wrong. */
export type CatalogueRequest =
  | { readonly kind: 'list'; readonly query: ListQuery | CursorQuery }
  | { readonly kind: 'one'; readonly id: string; readonly view: View }
  | { readonly kind: 'refused'; readonly error: ScimError }

const document = (body: Result<object, ScimError>): Reply =>
  body.ok ? ok({ status: 200, body: JSON.stringify(body.value), location: null, etag: null }) : body

export const discoverFor = ({ base, connection }: ScimContext, request: DiscoveryRequest): Reply =>
  document(discover(request, { base, hasCatalogue: connection.hasCatalogue }))

const KINDS: Readonly<Record<CatalogueType, EntryKind>> = { Role: 'role', Entitlement: 'entitlement' }

/** A list that is empty by mistake would take from everybody what the provider has assigned. */
const NO_POLICY = unavailable('The policy in force is no longer valid, so it is not known what can be assigned. An administrator has to store another one.', 300)

const readCatalogue = (
  { connection, base }: ScimContext, { version, compiled }: PolicyInForce, type: CatalogueType, request: Exclude<CatalogueRequest, { readonly kind: 'refused' }>,
): Reply => {
  if (compiled === null) return err(NO_POLICY)
  const entries = catalogueFor(compiled, connection).filter(({ kind }) => kind === KINDS[type])
  const place: CataloguePlace = { type, base, version }
  if (request.kind === 'list') return document(listCatalogue(place, entries, request.query))
  const { id, view } = request
  const entry = entries.find((each) => each.id === id)
  if (entry === undefined) return err(notFound(`There is no ${type} with this id.`))
  const etag = etagOf(version)
  if (view.ifNoneMatch !== null && matchesEtag(view.ifNoneMatch, version)) return ok({ status: 304, body: null, location: null, etag })
  const body = JSON.stringify(projectEntry(type, renderEntry(place, entry), view))
  return ok({ status: 200, body, location: `${base}/${catalogueEndpoint(type)}/${id}`, etag })
}

/** 404 as for any other unknown address, whatever is asked, where it is not turned on. */
export const answerCatalogue = (context: ScimContext, type: CatalogueType, request: CatalogueRequest): Reply => {
  if (!context.connection.hasCatalogue) return err(notFound('There is no such endpoint.'))
  return request.kind === 'refused' ? err(request.error) : readCatalogue(context, context.policy(), type, request)
}
