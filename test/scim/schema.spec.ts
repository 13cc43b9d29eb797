import { describe, expect, it } from 'vitest'
import {
  ENTERPRISE_SCHEMA, GROUP_SCHEMA, PROVISIONING_SCHEMA, USER_SCHEMA, definitionOf, isProvisioningName, isUnwritable, resolveName,
  resourceTypeOf,
} from '../../src/scim/schema'

const names = (name: string, resourceType: 'User' | 'Group' = 'User'): string[] | null =>
  resolveName(definitionOf(resourceType), name)?.map((attribute) => attribute.name) ?? null

describe('resolveName', () => {
  it.each([
    ['userName', ['userName']],
    ['USERNAME', ['userName']],
    [' name.GivenName ', ['name', 'givenName']],
    ['emails.Value', ['emails', 'value']],
    ['meta.lastmodified', ['meta', 'lastModified']],
    [`${USER_SCHEMA}:name.familyName`, ['name', 'familyName']],
    [`${USER_SCHEMA.toUpperCase()}:userName`, ['userName']],
    [ENTERPRISE_SCHEMA, [ENTERPRISE_SCHEMA]],
    [`${ENTERPRISE_SCHEMA}:department`, [ENTERPRISE_SCHEMA, 'department']],
    [`${ENTERPRISE_SCHEMA}.manager`, [ENTERPRISE_SCHEMA, 'manager']],
    [`${ENTERPRISE_SCHEMA}:manager.value`, [ENTERPRISE_SCHEMA, 'manager', 'value']],
    [`${ENTERPRISE_SCHEMA.toLowerCase()}:Manager.Value`, [ENTERPRISE_SCHEMA, 'manager', 'value']],
    ['manager', [ENTERPRISE_SCHEMA, 'manager']],
    ['manager.$ref', [ENTERPRISE_SCHEMA, 'manager', '$ref']],
    ['department', [ENTERPRISE_SCHEMA, 'department']],
    ['', null],
    ['.', null],
    ['name.', null],
    ['name.givenName.x', null],
    ['name.constructor', null],
    ['__proto__', null],
    ['constructor.prototype', null],
    ['toString', null],
    ['nickNam', null],
    [USER_SCHEMA, null],
    [`${USER_SCHEMA}:department`, null],
    ['urn:ietf:params:scim:schemas:extension:enterprise:2.0User', null],
    [`${ENTERPRISE_SCHEMA}X:department`, null],
    ['members', null],
  ])('%j', (name, path) => expect(names(name)).toEqual(path))

  it.each([
    ['members.value', ['members', 'value']],
    ['DISPLAYNAME', ['displayName']],
    [`${GROUP_SCHEMA}:members`, ['members']],
    ['manager', null],
  ])('%j of a Group', (name, path) => expect(names(name, 'Group')).toEqual(path))
})

describe('the registry', () => {
  it('knows what a client may not write', () => {
    const unwritable = ['id', 'meta.created', 'groups', 'groups.value', 'password', 'schemas', 'manager.displayName', 'manager.$ref']
    const writable = ['userName', 'externalId', 'active', 'emails.value', 'manager', 'manager.value']
    const isUnwritableName = (name: string) => isUnwritable(resolveName(definitionOf('User'), name) ?? [])
    expect(unwritable.filter((name) => !isUnwritableName(name))).toEqual([])
    expect(writable.filter(isUnwritableName)).toEqual([])
  })

  it('has nothing of our extension that a client could write, nor a name of it without the URN', () => {
    const provisioning = resolveName(definitionOf('User'), PROVISIONING_SCHEMA)?.at(-1)
    const attributes = [provisioning, ...(provisioning?.children.values() ?? []), ...(provisioning?.children.get('grants')?.children.values() ?? [])]
    expect(attributes.map((attribute) => [attribute?.mutability, attribute?.returned])).toEqual(attributes.map(() => ['readOnly', 'default']))
    expect(attributes).toHaveLength(11)
    expect(names(`${PROVISIONING_SCHEMA}:grants.role`)).toEqual([PROVISIONING_SCHEMA, 'grants', 'role'])
    expect([names('state'), names('grants'), names('lastError'), names(PROVISIONING_SCHEMA, 'Group')]).toEqual([null, null, null, null])
  })

  it('tells our extension by its name', () => {
    expect([PROVISIONING_SCHEMA, `${PROVISIONING_SCHEMA}:state`, PROVISIONING_SCHEMA.toUpperCase()].every(isProvisioningName)).toBe(true)
    expect(isProvisioningName(`${PROVISIONING_SCHEMA}x`)).toBe(false)
  })

  it('tells a Group from a User', () => {
    expect(resourceTypeOf({ schemas: [GROUP_SCHEMA] })).toBe('Group')
    expect(resourceTypeOf({ schemas: [USER_SCHEMA], meta: { resourceType: 'Group' } })).toBe('Group')
    expect(resourceTypeOf({})).toBe('User')
  })

  it.each([
    ['Group.displayName is required (5368)', 'Group', 'displayName', { required: true }],
    ['members.display is there (6011)', 'Group', 'members.display', { type: 'string' }],
    ['members are users only (scim-decisions 19)', 'Group', 'members.$ref', { referenceTypes: ['User'] }],
    ['members are users only (scim-decisions 19)', 'Group', 'members.type', { canonicalValues: ['User'] }],
    ['groups.$ref refers to groups (8471)', 'User', 'groups.$ref', { type: 'reference', referenceTypes: ['Group'] }],
    ['manager.value is case exact (8472)', 'User', 'manager.value', { caseExact: true }],
  ] as const)('%s', (_erratum, resourceType, name, expected) => {
    expect(resolveName(definitionOf(resourceType), name)?.at(-1)).toMatchObject(expected)
  })

  it('has no complex attribute inside another (8415), but for the extensions themselves', () => {
    const { root } = definitionOf('User')
    const deep = [...root.children.values()].filter(({ name }) => !name.startsWith('urn:'))
      .flatMap(({ children }) => [...children.values()]).filter(({ type }) => type === 'complex')
    expect(deep).toEqual([])
  })
})
