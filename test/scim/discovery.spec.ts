import { describe, expect, it } from 'vitest'
import { MAX_BULK_BYTES, MAX_BULK_OPERATIONS } from '../../src/scim/bulk'
import { discover, isFiltered, serviceProviderConfig, type DiscoveryEndpoint } from '../../src/scim/discovery'
import { isObject } from '../../src/scim/json'
import type { JsonObject } from '../../src/scim/json'
import { CURSOR_TIMEOUT_SECONDS, DEFAULT_COUNT, MAX_COUNT } from '../../src/scim/query'
import { ENTERPRISE_SCHEMA, ENTITLEMENT_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, ROLE_SCHEMA, USER_SCHEMA } from '../../src/scim/schema'

const base = 'https://b.example/scim/v2'

const get = (endpoint: DiscoveryEndpoint, id: string | null = null, query = '', hasCatalogue = false) => {
  const found = discover({ endpoint, id, isFiltered: isFiltered(new URLSearchParams(query)) }, { base, hasCatalogue })
  return found.ok ? found.value : found.error.status
}

const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])

const resourcesOf = (endpoint: 'ResourceTypes' | 'Schemas', hasCatalogue = false): readonly JsonObject[] => {
  const list = get(endpoint, null, '', hasCatalogue)
  return isObject(list) ? listOf(list.Resources) : []
}

/** An attribute of a published schema, by its path. */
const published = (schema: string, ...path: readonly string[]): JsonObject => {
  const found = get('Schemas', schema, '', true)
  let attributes = isObject(found) ? listOf(found.attributes) : []
  let end: JsonObject = {}
  for (const name of path) {
    end = attributes.find((attribute) => attribute.name === name) ?? {}
    attributes = listOf(end.subAttributes)
  }
  return end
}

describe('discover', () => {
  it('lists, and answers by id in any case', () => {
    expect(get('ServiceProviderConfig')).toEqual(serviceProviderConfig(base))
    expect(get('ResourceTypes')).toMatchObject({ totalResults: 2, itemsPerPage: 2, startIndex: 1 })
    expect(resourcesOf('Schemas').map(({ id }) => id)).toEqual([USER_SCHEMA, ENTERPRISE_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA])
    expect(get('Schemas')).toMatchObject({ totalResults: 4, itemsPerPage: 4, startIndex: 1 })
    expect(get('ResourceTypes', 'group')).toMatchObject({ id: 'Group', endpoint: '/Groups', schema: GROUP_SCHEMA, schemaExtensions: [] })
    expect(get('ResourceTypes', 'USER')).toMatchObject({
      id: 'User', endpoint: '/Users', schema: USER_SCHEMA,
      schemaExtensions: [{ schema: ENTERPRISE_SCHEMA, required: false }, { schema: PROVISIONING_SCHEMA, required: false }],
    })
    for (const schema of resourcesOf('Schemas')) {
      expect(get('Schemas', String(schema.id))).toEqual(schema)
      expect(get('Schemas', String(schema.id).toUpperCase())).toEqual(schema)
      expect(schema).toMatchObject({
        schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'], meta: { resourceType: 'Schema', location: `${base}/Schemas/${String(schema.id)}` },
      })
    }
  })

  it.each([
    ['Schemas', 'urn:x', '', 404], ['ResourceTypes', 'Device', '', 404], ['ServiceProviderConfig', 'x', '', 404], ['Schemas', null, 'filter=id+eq+"x"', 403],
    ['ResourceTypes', 'User', 'FILTER=x', 403], ['ServiceProviderConfig', null, 'filter=', 403], ['Schemas', '__proto__', '', 404],
    ['Schemas', ROLE_SCHEMA, '', 404], ['ResourceTypes', 'Role', '', 404], ['ResourceTypes', 'Entitlement', '', 404],
    ['Schemas', 'urn:ietf:params:scim:schemas:core:2.0:Schema', '', 404], ['Schemas', 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig', '', 404],
  ] as const)('%s %s %s is %d', (endpoint, id, query, status) => expect(get(endpoint, id, query)).toBe(status))

  it('ignores paging and sorting, and what it does not know', () => {
    for (const query of ['count=1&startIndex=5&sortBy=x&sortOrder=y', 'cursor', 'count=x', 'attributes=id&excludedAttributes=name']) {
      expect(get('Schemas', null, query)).toEqual(get('Schemas'))
    }
  })

  it('shows Roles and Entitlements, with their schemas, to connections that have them', () => {
    expect(resourcesOf('ResourceTypes', true).map(({ id, endpoint, schema }) => [id, endpoint, schema])).toEqual([
      ['User', '/Users', USER_SCHEMA], ['Group', '/Groups', GROUP_SCHEMA], ['Role', '/Roles', 'urn:okta:scim:schemas:core:1.0:Role'],
      ['Entitlement', '/Entitlements', 'urn:okta:scim:schemas:core:1.0:Entitlement'],
    ])
    expect(get('ResourceTypes', 'role', '', true)).toMatchObject({ name: 'Role', meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/Role` } })
    expect(resourcesOf('Schemas', true).map(({ id }) => id).slice(4)).toEqual([ROLE_SCHEMA, ENTITLEMENT_SCHEMA])
    expect([published(ROLE_SCHEMA, 'displayName'), published(ENTITLEMENT_SCHEMA, 'type'), published(ENTITLEMENT_SCHEMA, 'description')])
      .toMatchObject([{ mutability: 'readOnly' }, { canonicalValues: ['Entitlement'] }, { type: 'string' }])
    expect(published(ROLE_SCHEMA, 'type')).toEqual({})
  })

  // Each resource type's schema and extensions can be read, and every core schema has a resource type: a suite stops at either.
  it.each([false, true])('is of one piece (with a catalogue: %s)', (hasCatalogue) => {
    const types = resourcesOf('ResourceTypes', hasCatalogue)
    const schemas = new Set(resourcesOf('Schemas', hasCatalogue).map(({ id }) => id))
    const extensions = types.flatMap(({ schemaExtensions }) => listOf(schemaExtensions).map(({ schema }) => schema))
    const named = [...types.map(({ schema }) => schema), ...extensions]
    expect(named.filter((schema) => !schemas.has(schema))).toEqual([])
    expect([...schemas].filter((schema) => !named.includes(schema))).toEqual([])
  })
})

describe('serviceProviderConfig', () => {
  // Clients that validate answers refuse attributes that the RFCs do not have.
  it('configures nothing that RFC 7643 section 5 and RFC 9865 section 4 do not know', () => {
    expect(Object.keys(serviceProviderConfig(base)).toSorted()).toEqual([
      'authenticationSchemes', 'bulk', 'changePassword', 'etag', 'filter', 'meta', 'pagination', 'patch', 'schemas', 'sort',
    ])
  })

  it('announces the limits that are kept', () => {
    expect(serviceProviderConfig(base)).toMatchObject({
      bulk: { supported: true, maxOperations: MAX_BULK_OPERATIONS, maxPayloadSize: MAX_BULK_BYTES },
      filter: { supported: true, maxResults: MAX_COUNT },
      pagination: {
        cursor: true, index: true, defaultPaginationMethod: 'index', defaultPageSize: DEFAULT_COUNT, maxPageSize: MAX_COUNT,
        cursorTimeout: CURSOR_TIMEOUT_SECONDS,
      },
      patch: { supported: true }, sort: { supported: true }, etag: { supported: true }, changePassword: { supported: false },
    })
  })
})

describe('what is published of attributes', () => {
  it('is true: no nulls, no password, externalId, suggestions for type', () => {
    const text = JSON.stringify(get('Schemas', null, '', true))
    expect(text).not.toContain('null')
    expect(text).not.toContain('password')
    expect(published(USER_SCHEMA, 'externalId')).toMatchObject({ caseExact: true, mutability: 'readWrite' })
    expect(published(GROUP_SCHEMA, 'externalId')).toMatchObject({ caseExact: true })
    expect(published(USER_SCHEMA, 'userName')).toMatchObject({ required: true, uniqueness: 'server', caseExact: false })
    expect(published(USER_SCHEMA, 'emails', 'type')).toMatchObject({ canonicalValues: ['work', 'home', 'other'] })
    expect(published(USER_SCHEMA, 'phoneNumbers', 'type').canonicalValues).toEqual(expect.arrayContaining(['work', 'mobile', 'fax']))
  })

  it('has the characteristics of RFC 7643 section 7, in camel case (E-03)', () => {
    const known: Readonly<Record<string, readonly unknown[]>> = {
      mutability: ['readOnly', 'readWrite', 'immutable', 'writeOnly'], returned: ['always', 'never', 'default', 'request'], uniqueness: ['none', 'server', 'global', undefined],
      type: ['string', 'boolean', 'decimal', 'integer', 'dateTime', 'reference', 'binary', 'complex'],
    }
    const faultsOf = (attribute: JsonObject): readonly string[] => [
      ...Object.entries(known).flatMap(([name, values]) => (values.includes(attribute[name]) ? [] : [`${String(attribute.name)} ${name}`])),
      ...(attribute.type === 'reference' && !Array.isArray(attribute.referenceTypes) ? [`${String(attribute.name)} referenceTypes`] : []),
      ...((attribute.type === 'complex') === Array.isArray(attribute.subAttributes) ? [] : [`${String(attribute.name)} subAttributes`]),
      ...listOf(attribute.subAttributes).flatMap(faultsOf),
    ]
    expect(resourcesOf('Schemas', true).flatMap(({ attributes }) => listOf(attributes).flatMap(faultsOf))).toEqual([])
  })

  it('has nothing of our extension that could be written', () => {
    const names = listOf((get('Schemas', PROVISIONING_SCHEMA) as JsonObject).attributes).map(({ name, mutability, returned }) => [name, mutability, returned])
    expect(names).toEqual(['state', 'arizeUserId', 'accountRole', 'grants', 'conflicts', 'lastError'].map((name) => [name, 'readOnly', 'default']))
    expect(published(PROVISIONING_SCHEMA, 'state')).toMatchObject({ canonicalValues: ['in_step', 'due', 'held', 'stuck'] })
    expect(published(PROVISIONING_SCHEMA, 'grants', 'reason')).toMatchObject({ type: 'string', mutability: 'readOnly' })
  })

  it.each<[string, JsonObject, JsonObject]>([
    ['5368: displayName of a Group is required', published(GROUP_SCHEMA, 'displayName'), { required: true }],
    ['6011: members have a display, which is there on request', published(GROUP_SCHEMA, 'members', 'display'), { type: 'string', mutability: 'readOnly', returned: 'request' }],
    ['8471: $ref of groups is a reference to a Group', published(USER_SCHEMA, 'groups', '$ref'), { type: 'reference', referenceTypes: ['Group'] }],
    ['8472: value of manager is case exact', published(ENTERPRISE_SCHEMA, 'manager', 'value'), { caseExact: true }],
  ])('follows erratum %s', (_erratum, attribute, expected) => expect(attribute).toMatchObject(expected))

  it('follows erratum 8415: nothing complex among sub-attributes', () => {
    const deep = resourcesOf('Schemas', true).flatMap(({ attributes }) => listOf(attributes).flatMap(({ subAttributes }) => listOf(subAttributes)))
    expect(deep.length).toBeGreaterThan(20)
    expect(deep.filter(({ type, subAttributes }) => type === 'complex' || subAttributes !== undefined)).toEqual([])
  })
})
