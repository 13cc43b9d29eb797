/**
 * What the server says about itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643 sections 5 to 8). Made from the
 * registry and the limits that the code enforces, so that it is true. Knows no routes beyond these three.
 */
import { err, ok } from '../result'
import type { Result } from '../result'
import type { Attribute } from './attribute'
import { forbidden, notFound } from './error'
import type { ScimError } from './error'
import type { JsonObject } from './json'
import { MAX_COUNT } from './query'
import { listResponse } from './render'
import { ENTERPRISE_SCHEMA, GROUP_SCHEMA, SCHEMAS, USER_SCHEMA } from './schema'
import type { Schema } from './schema'

const CONFIG_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'
const RESOURCE_TYPE_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType'
const SCHEMA_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Schema'

const meta = (resourceType: string, base: string, path: string): JsonObject => ({
  resourceType, location: `${base.replace(/\/$/, '')}/${path}`,
})

/** `base` is the absolute SCIM base. */
export const serviceProviderConfig = (base: string): JsonObject => ({
  schemas: [CONFIG_SCHEMA],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_COUNT },
  changePassword: { supported: false },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of the connection, or a JWT of a trusted issuer, in the Authorization header.',
      specUri: 'https://www.rfc-editor.org/info/rfc6750',
      primary: true,
    },
    {
      type: 'httpbasic',
      name: 'HTTP Basic',
      description: 'A token of the connection as the password.',
      specUri: 'https://www.rfc-editor.org/info/rfc7617',
      primary: false,
    },
  ],
  meta: meta('ServiceProviderConfig', base, 'ServiceProviderConfig'),
})

const userType = (base: string): JsonObject => ({
  schemas: [RESOURCE_TYPE_SCHEMA],
  id: 'User',
  name: 'User',
  endpoint: '/Users',
  description: 'User Account',
  schema: USER_SCHEMA,
  schemaExtensions: [{ schema: ENTERPRISE_SCHEMA, required: false }],
  meta: meta('ResourceType', base, 'ResourceTypes/User'),
})

const groupType = (base: string): JsonObject => ({
  schemas: [RESOURCE_TYPE_SCHEMA],
  id: 'Group',
  name: 'Group',
  endpoint: '/Groups',
  description: 'Group',
  schema: GROUP_SCHEMA,
  schemaExtensions: [],
  meta: meta('ResourceType', base, 'ResourceTypes/Group'),
})

/** What is never returned is not published: clients would look for it (B.5). */
const publishAttributes = (attributes: Iterable<Attribute>): readonly JsonObject[] =>
  [...attributes].filter(({ returned }) => returned !== 'never').map(publishAttribute)

const publishAttribute = (attribute: Attribute): JsonObject => {
  const { name, type, multiValued, description, required, caseExact, mutability, returned, uniqueness } = attribute
  return {
    name, type, multiValued, description, required,
    ...(type === 'complex' ? {} : { caseExact }),
    ...(attribute.canonicalValues === undefined ? {} : { canonicalValues: attribute.canonicalValues }),
    mutability, returned,
    ...(type === 'complex' ? {} : { uniqueness }),
    ...(attribute.referenceTypes === undefined ? {} : { referenceTypes: attribute.referenceTypes }),
    ...(type === 'complex' ? { subAttributes: publishAttributes(attribute.children.values()) } : {}),
  }
}

const publishSchema = (base: string) => ({ id, name, description, attributes }: Schema): JsonObject => ({
  schemas: [SCHEMA_SCHEMA],
  id, name, description,
  attributes: publishAttributes(attributes),
  meta: meta('Schema', base, `Schemas/${id}`),
})

export type DiscoveryEndpoint = 'ServiceProviderConfig' | 'ResourceTypes' | 'Schemas'

const everything = (endpoint: 'ResourceTypes' | 'Schemas', base: string): readonly JsonObject[] =>
  endpoint === 'Schemas' ? SCHEMAS.map(publishSchema(base)) : [userType(base), groupType(base)]

const isNamed = (resource: JsonObject, id: string): boolean => String(resource.id).toLowerCase() === id.toLowerCase()

/**
 * The body of GET on a discovery endpoint, as a list or by id. 403 when the request has a filter, whatever it is (RFC 7644 section
 * 4); other list parameters are ignored. 404 for an unknown id.
 */
export const discover = (
  endpoint: DiscoveryEndpoint, id: string | null, base: string, params: URLSearchParams,
): Result<JsonObject, ScimError> => {
  if ([...params.keys()].some((name) => name.toLowerCase() === 'filter')) {
    return err(forbidden(`${endpoint} cannot be filtered.`))
  }
  if (endpoint === 'ServiceProviderConfig') {
    return id === null ? ok(serviceProviderConfig(base)) : err(notFound('ServiceProviderConfig has no resources of its own.'))
  }
  const resources = everything(endpoint, base)
  if (id === null) return ok(listResponse({ totalResults: resources.length, startIndex: 1, resources }))
  const found = resources.find((resource) => isNamed(resource, id))
  return found === undefined ? err(notFound(`There is no "${id.slice(0, 200)}" among ${endpoint}.`)) : ok(found)
}
