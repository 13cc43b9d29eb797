import { describe, expectTypeOf, it } from 'vitest'
import type { Paths } from '../../src/arize/client'
import type { Account, NewAccount } from '../../src/reconcile/target'

/**
 * What the bridge is built on, as the types of Arize's own package say it. Proven by the type checker: an upgrade of the
 * package that changes any of it does not compile.
 */
type BodyOf<Operation> = Operation extends { requestBody?: { content: { 'application/json': infer Body } } } ? Body : never
type QueryOf<Operation> = Operation extends { parameters: { query?: infer Query } } ? NonNullable<Query> : never
type StatusOf<Operation> = Operation extends { responses: infer Responses } ? keyof Responses : never

type UserPatch = BodyOf<Paths['/v2/users/{user_id}']['patch']>
type NewUser = BodyOf<Paths['/v2/users']['post']>
type OrganizationUser = BodyOf<Paths['/v2/organizations/{org_id}/users']['post']>

describe('the contract with Arize', () => {
  it('changes of an account user its name and developer access, and nothing else', () => {
    expectTypeOf<keyof UserPatch>().toEqualTypeOf<'name' | 'is_developer'>()
  })

  it('creates account users with a role that is never changed', () => {
    expectTypeOf<NewAccount['inviteMode']>().toEqualTypeOf<NewUser['invite_mode']>()
    expectTypeOf<{ type: 'PREDEFINED'; name: NewAccount['role'] }>().toExtend<NewUser['role']>()
    expectTypeOf<{ type: 'predefined'; name: 'member' }>().not.toExtend<NewUser['role']>()
    expectTypeOf<'MEMBER'>().not.toExtend<NewUser['role']>()
    expectTypeOf<StatusOf<Paths['/v2/users']['post']>>().toEqualTypeOf<200 | 201 | 400 | 401 | 403 | 404 | 409 | 422 | 429>()
  })

  it('cannot list blocked users', () => {
    expectTypeOf<'INACTIVE'>().not.toExtend<NonNullable<QueryOf<Paths['/v2/users']['get']>['status']>[number]>()
    expectTypeOf<Account['status']>().toEqualTypeOf<string>()
  })

  it('has no roster: members can be added and removed, not listed', () => {
    expectTypeOf<Paths['/v2/organizations/{org_id}/users']['get']>().toEqualTypeOf<undefined>()
    expectTypeOf<Paths['/v2/spaces/{space_id}/users']['get']>().toEqualTypeOf<undefined>()
    expectTypeOf<Paths['/v2/organizations/{org_id}/users']['patch']>().toEqualTypeOf<undefined>()
  })

  it('upserts members: 200, never 201, never 409', () => {
    expectTypeOf<Extract<StatusOf<Paths['/v2/organizations/{org_id}/users']['post']>, 201 | 409>>().toEqualTypeOf<never>()
    expectTypeOf<Extract<StatusOf<Paths['/v2/spaces/{space_id}/users']['post']>, 201 | 409>>().toEqualTypeOf<never>()
    expectTypeOf<keyof OrganizationUser>().toEqualTypeOf<'user_id' | 'role'>()
  })

  it('lists spaces by org_id, bindings by resource_type, keys by user', () => {
    expectTypeOf<QueryOf<Paths['/v2/spaces']['get']>>().toHaveProperty('org_id')
    expectTypeOf<QueryOf<Paths['/v2/spaces']['get']>>().not.toHaveProperty('organization_id')
    expectTypeOf<QueryOf<Paths['/v2/role-bindings']['get']>['resource_type']>().toEqualTypeOf<'SPACE' | 'PROJECT'>()
    expectTypeOf<NonNullable<QueryOf<Paths['/v2/api-keys']['get']>['user_id']>>().toEqualTypeOf<string>()
  })

  it('revokes keys with PUT', () => {
    expectTypeOf<StatusOf<Paths['/v2/api-keys/{api_key_id}/revoke']['put']>>().toEqualTypeOf<204 | 400 | 401 | 403 | 404 | 429>()
    expectTypeOf<Paths['/v2/api-keys/{api_key_id}/revoke']['post']>().toEqualTypeOf<undefined>()
  })
})
