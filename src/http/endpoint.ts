import type { DiscoveryEndpoint } from '../scim/discovery'
import { notFound, notImplemented, type ScimError } from '../scim/error'
import { stripEntraFlag } from '../scim/quirks'
import type { CatalogueType, ResourceType } from '../scim/schema'
import { DEFAULT_TENANT, prefixOf } from './tenants'

/** Which SCIM endpoint an address names (RFC 7644 section 3.2). A slash too many is no error: base URLs are pasted with one. */

export type Endpoint =
  /** The base itself: all types (RFC 7644 section 3.4.2.1). */
  | { readonly kind: 'root' }
  | { readonly kind: 'collection'; readonly type: ResourceType }
  /** A query in a body (RFC 7644 section 3.4.3); `type` is null for all types. */
  | { readonly kind: 'search'; readonly type: ResourceType | null }
  | { readonly kind: 'resource'; readonly type: ResourceType; readonly id: string }
  | { readonly kind: 'discovery'; readonly endpoint: DiscoveryEndpoint; readonly id: string | null }
  | { readonly kind: 'catalogue'; readonly type: CatalogueType; readonly id: string | null }
  | { readonly kind: 'catalogueSearch'; readonly type: CatalogueType }
  | { readonly kind: 'bulk' }
  | { readonly kind: 'none'; readonly error: ScimError }

export interface ScimAddress {
  readonly tenant: string
  /** Absolute, without a trailing slash. */
  readonly base: string
  readonly endpoint: Endpoint
  readonly params: URLSearchParams
}

const METHODS: Readonly<Record<Endpoint['kind'], readonly string[]>> = {
  root: ['GET', 'HEAD', 'OPTIONS'],
  collection: ['GET', 'HEAD', 'POST', 'OPTIONS'],
  search: ['POST', 'OPTIONS'],
  resource: ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  discovery: ['GET', 'HEAD', 'OPTIONS'],
  catalogue: ['GET', 'HEAD', 'OPTIONS'],
  catalogueSearch: ['POST', 'OPTIONS'],
  bulk: ['POST', 'OPTIONS'],
  none: [],
}

/** The methods of an endpoint; none where there is no endpoint. */
export const methodsOf = ({ kind }: Endpoint): readonly string[] => METHODS[kind]

const RESOURCE_TYPES: ReadonlyMap<string, ResourceType> = new Map([['Users', 'User'], ['Groups', 'Group']])
const CATALOGUE_TYPES: ReadonlyMap<string, CatalogueType> = new Map([['Roles', 'Role'], ['Entitlements', 'Entitlement']])
const SEARCH = '.search'
const DISCOVERY: readonly DiscoveryEndpoint[] = ['ServiceProviderConfig', 'ResourceTypes', 'Schemas']

const none = (error: ScimError): Endpoint => ({ kind: 'none', error })

/** Null for a segment that is not well-formed: nothing has such an id. */
const decode = (segment: string): string | null => {
  try {
    return decodeURIComponent(segment)
  } catch {
    return null
  }
}

const UNKNOWN = none(notFound('There is no such endpoint.'))

/** Of a path below the base. */
export const endpointOf = (path: string): Endpoint => {
  const segments = path.split('/').filter((segment) => segment !== '')
  const [name = '', encoded, ...rest] = segments
  if (segments.length === 0) return { kind: 'root' }
  if (name === SEARCH) return encoded === undefined ? { kind: 'search', type: null } : UNKNOWN
  if (name === 'Bulk') return encoded === undefined ? { kind: 'bulk' } : UNKNOWN
  if (name === 'Me') return none(notImplemented('/Me is not supported: no user signs in here.'))
  if (rest.length > 0) return UNKNOWN
  const id = encoded === undefined ? null : decode(encoded)
  const discovery = DISCOVERY.find((endpoint) => endpoint === name)
  if (discovery !== undefined) {
    return encoded !== undefined && id === null ? UNKNOWN : { kind: 'discovery', endpoint: discovery, id }
  }
  const catalogue = CATALOGUE_TYPES.get(name)
  if (catalogue !== undefined) {
    if (encoded === SEARCH) return { kind: 'catalogueSearch', type: catalogue }
    return encoded !== undefined && id === null ? UNKNOWN : { kind: 'catalogue', type: catalogue, id }
  }
  const type = RESOURCE_TYPES.get(name)
  if (type === undefined) return UNKNOWN
  if (encoded === undefined) return { kind: 'collection', type }
  if (encoded === SEARCH) return { kind: 'search', type }
  return id === null ? none(notFound(`There is no ${type} with this id.`)) : { kind: 'resource', type, id }
}

const SCIM_PATH = /^(?:\/t\/([^/]+))?\/scim\/v2(?:\/(.*))?$/

/** Null for an address outside of SCIM. */
export const readScimAddress = (requested: string): ScimAddress | null => {
  const url = stripEntraFlag(new URL(requested))
  const [matched, name, path = ''] = SCIM_PATH.exec(url.pathname) ?? []
  if (matched === undefined) return null
  // The default tenant has no second address: its name below /t/ is nobody's.
  const tenant = name === undefined ? DEFAULT_TENANT : name === DEFAULT_TENANT ? '' : name
  return {
    tenant, endpoint: endpointOf(path), params: url.searchParams,
    base: `${url.origin}${prefixOf(tenant)}/scim/v2`,
  }
}
