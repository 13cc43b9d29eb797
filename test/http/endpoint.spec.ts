import { describe, expect, it } from 'vitest'
import { methodsOf, readScimAddress } from '../../src/http/endpoint'

const shortOf = (path: string): unknown => {
  const address = readScimAddress(`https://bridge.example.com${path}`)
  if (address === null) return null
  const { tenant, base, endpoint } = address
  const { kind } = endpoint
  const named = kind === 'resource' ? [endpoint.type, endpoint.id] : kind === 'collection' || kind === 'search' ? [endpoint.type]
    : kind === 'discovery' ? [endpoint.endpoint, endpoint.id] : endpoint.kind === 'none' ? [endpoint.error.status] : []
  return [tenant, base.replace('https://bridge.example.com', ''), kind, ...named]
}

describe('readScimAddress', () => {
  it.each<[string, unknown]>([
    ['/scim/v2/Users', ['default', '/scim/v2', 'collection', 'User']],
    ['/scim/v2/Groups/', ['default', '/scim/v2', 'collection', 'Group']],
    ['/scim/v2//Users//7', ['default', '/scim/v2', 'resource', 'User', '7']],
    ['/scim/v2/Users/a%20b%2Fc', ['default', '/scim/v2', 'resource', 'User', 'a b/c']],
    ['/scim/v2/Users/%C3%A9', ['default', '/scim/v2', 'resource', 'User', 'é']],
    ['/scim/v2/Users/%zz', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Users/%ff', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Users/__proto__', ['default', '/scim/v2', 'resource', 'User', '__proto__']],
    ['/scim/v2/Users/7/x', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/users', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/constructor', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2', ['default', '/scim/v2', 'root']],
    ['/scim/v2/', ['default', '/scim/v2', 'root']],
    ['/t/acme/scim/v2//', ['acme', '/t/acme/scim/v2', 'root']],
    ['/scim/v2?aadOptscim062020', ['default', '/scim/v2', 'root']],
    ['/scim/v2/Bulk', ['default', '/scim/v2', 'bulk']],
    ['/scim/v2/Bulk/', ['default', '/scim/v2', 'bulk']],
    ['/scim/v2/Bulk/7', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Me/x', ['default', '/scim/v2', 'none', 501]],
    ['/scim/v2/.search', ['default', '/scim/v2', 'search', null]],
    ['/scim/v2/.search/', ['default', '/scim/v2', 'search', null]],
    ['/scim/v2/Users/.search', ['default', '/scim/v2', 'search', 'User']],
    ['/scim/v2/Groups/.search/', ['default', '/scim/v2', 'search', 'Group']],
    ['/scim/v2/.search/7', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Users/7/.search', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Nothing/.search', ['default', '/scim/v2', 'none', 404]],
    ['/scim/v2/Me/.search', ['default', '/scim/v2', 'none', 501]],
    ['/scim/v2/Schemas/urn:ietf:x', ['default', '/scim/v2', 'discovery', 'Schemas', 'urn:ietf:x']],
    ['/scim/v2/ResourceTypes', ['default', '/scim/v2', 'discovery', 'ResourceTypes', null]],
    ['/t/acme-2/scim/v2/Users', ['acme-2', '/t/acme-2/scim/v2', 'collection', 'User']],
    ['/t/ACME/scim/v2/Users', ['ACME', '/t/ACME/scim/v2', 'collection', 'User']],
    ['/t/acme/scim/v2?aadOptscim062020/Groups/7', ['acme', '/t/acme/scim/v2', 'resource', 'Group', '7']],
    ['/scim/v2?AzureAdScimPatch2017/Users', ['default', '/scim/v2', 'collection', 'User']],
    ['/scim/v2?aadOptscim062020/../../admin', ['default', '/scim/v2', 'root']],
    ['/scim/v1/Users', null], ['/scim/v22/Users', null], ['/t//scim/v2/Users', null], ['/t/a/b/scim/v2/Users', null],
  ])('%s', (path, expected) => {
    expect(shortOf(path)).toEqual(expected)
  })

  it('the name of the default tenant is nobody below /t/', () => {
    expect(readScimAddress('https://bridge.example.com/t/default/scim/v2/Users')?.tenant).toBe('')
  })

  it('keeps the parameters but for the flag', () => {
    const params = readScimAddress('https://bridge.example.com/scim/v2/Users?aadOptscim062020&filter=a+eq+%22b%22&count=1')?.params
    expect([...(params ?? [])]).toEqual([['filter', 'a eq "b"'], ['count', '1']])
  })
})

it('an endpoint that is none has no methods', () => {
  expect(methodsOf({ kind: 'none', error: { status: 404, detail: 'No.' } })).toEqual([])
})
