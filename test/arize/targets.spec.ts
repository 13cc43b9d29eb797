import { describe, expect, it } from 'vitest'
import { PREDEFINED_ROLES } from '../../src/policy/role'
import type { SendableRole } from '../../src/reconcile/target'
import { gone, id, json, list, problem, resource, target, wireTo, type Wire } from './wire'

const USER = id('User', 1)
const ORGANIZATION = id('Organization', 1)
const SPACE = id('Space', 7)
const PROJECT = id('Model', 121)
const REVIEWER: SendableRole = { type: 'CUSTOM', name: 'Prompt Reviewer', id: id('Role', 5) }
const MEMBER: SendableRole = { type: 'PREDEFINED', name: 'MEMBER' }
const DONE = { ok: true, value: undefined }
const UNKNOWN = { ok: false, error: { kind: 'unavailable' } }

/** `DELETE /v2/users/a=` instead of `…/a%3D`, for reading. */
const lines = ({ asked }: Wire): string[] => asked.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)

describe.each([
  ['organization', ORGANIZATION, 'organization_id', `/v2/organizations/${ORGANIZATION}/users`],
  ['space', SPACE, 'space_id', `/v2/spaces/${SPACE}/users`],
] as const)('%s', (kind, resourceId, field, path) => {
  const place = resource(kind, resourceId)
  const membership = (more: Record<string, unknown> = {}) => ({
    id: id('Member', 1),
    user_id: USER,
    [field]: resourceId,
    role: { type: 'PREDEFINED', name: 'MEMBER' },
    ...more,
  })

  it.each(PREDEFINED_ROLES)('gives %s in one call', async (name) => {
    const wire = wireTo(({ body }) => json(membership(Object(body))))
    expect(await target(wire.arize, kind).give(USER, place, { type: 'PREDEFINED', name })).toEqual(DONE)
    expect(lines(wire)).toEqual([`POST ${path}`])
    expect(wire.asked[0]?.body).toEqual({ user_id: USER, role: { type: 'PREDEFINED', name } })
  })

  it('takes in one call', async () => {
    const wire = wireTo(() => gone())
    expect(await target(wire.arize, kind).take(USER, place)).toEqual(DONE)
    expect(lines(wire)).toEqual([`DELETE ${path}/${USER}`])
  })

  it('leaves it to the reconciler what a 404 means', async () => {
    const { arize } = wireTo(() => problem(404))
    expect(await target(arize, kind).take(USER, place)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
  })

  it.each<[string, Record<string, unknown>]>([
    ['ids in another dress', { user_id: btoa('User:1'), [field]: btoa(`${kind === 'space' ? 'AccountSpace:7' : 'AccountOrganization:1'}`) }],
    ['a role that cannot be read', { role: null }],
    ['a role name of tomorrow', { role: { type: 'PREDEFINED', name: 'MEMBER_PLUS' } }],
    ['another spelling of the role', { role: { type: 'predefined', name: 'member' } }],
    ['more fields', { created_at: 'now', extra: { deep: [1] } }],
  ])('believes an answer with %s', async (_name, more) => {
    const { arize } = wireTo(() => json(membership(more)))
    expect(await target(arize, kind).give(USER, place, MEMBER)).toEqual(DONE)
  })

  it.each<[string, Record<string, unknown>]>([
    ['another user', { user_id: id('User', 2) }],
    ['another resource', { [field]: id(kind === 'space' ? 'Space' : 'Organization', 99) }],
    ['a lower role', { role: { type: 'PREDEFINED', name: 'READ_ONLY' } }],
    ['a higher role', { role: { type: 'PREDEFINED', name: 'ADMIN' } }],
    ['a custom role', { role: { type: 'CUSTOM', id: 'r', name: 'MEMBER' } }],
    ['no user', { user_id: undefined }],
    ['no resource', { [field]: undefined }],
    ['ids of another type', { user_id: 1 }],
  ])('does not take an answer about %s for success', async (_name, more) => {
    const { arize } = wireTo(() => json(membership(more)))
    expect(await target(arize, kind).give(USER, place, MEMBER)).toMatchObject(UNKNOWN)
  })
})

describe('custom roles', () => {
  it('are sent to a space by id, without the name', async () => {
    const answer = { id: 'm', user_id: USER, space_id: SPACE, role: { type: 'CUSTOM', id: REVIEWER.id, name: 'Renamed' } }
    const wire = wireTo(() => json(answer))
    expect(await target(wire.arize, 'space').give(USER, resource('space', SPACE), REVIEWER)).toEqual(DONE)
    expect(wire.asked[0]?.body).toEqual({ user_id: USER, role: { type: 'CUSTOM', id: REVIEWER.id } })
  })

  it.each([
    [{ type: 'CUSTOM', id: id('Role', 6) }],
    [{ type: 'PREDEFINED', name: 'MEMBER' }],
  ])('are not given when the answer shows %j', async (role) => {
    const { arize } = wireTo(() => json({ id: 'm', user_id: USER, space_id: SPACE, role }))
    expect(await target(arize, 'space').give(USER, resource('space', SPACE), REVIEWER)).toMatchObject(UNKNOWN)
  })

  it('are not sent to an organization, nor predefined ones to a project', async () => {
    const wire = wireTo(() => gone())
    const rejected = { ok: false, error: { kind: 'rejected', status: 422 } }
    expect(await target(wire.arize, 'organization').give(USER, resource('organization', ORGANIZATION), REVIEWER)).toMatchObject(rejected)
    expect(await target(wire.arize, 'project').give(USER, resource('project', PROJECT), MEMBER)).toMatchObject(rejected)
    expect(wire.asked).toEqual([])
  })
})

interface Binding {
  id: string
  role_id: string
  user_id: string
  resource_type: string
  resource_id: string
}

const binding = (number: number, more: Partial<Binding> = {}): Binding => ({
  id: id('RoleBinding', number),
  role_id: id('Role', 5),
  user_id: USER,
  resource_type: 'PROJECT',
  resource_id: PROJECT,
  ...more,
})

/** Role bindings as Arize keeps them: one per user and resource. Filters are ignored, which must not matter. */
const bindings = (held: Binding[], hiddenAtFirst: readonly Binding[] = []) => {
  const wire = wireTo(({ method, path, body }, index) => {
    if (method === 'GET') {
      if (index === 0) return list('role_bindings', held.filter((one) => !hiddenAtFirst.includes(one)))
      return list('role_bindings', held)
    }
    const one = held.find((each) => each.id === decodeURIComponent(path.split('/')[3] ?? ''))
    if (method === 'POST') {
      const made: Binding = { ...binding(50), ...Object(body) }
      if (held.some((each) => each.user_id === made.user_id && each.resource_id === made.resource_id)) return problem(409)
      held.push(made)
      return json(made, 201)
    }
    if (one === undefined) return problem(404)
    if (method === 'PATCH') return json(Object.assign(one, body))
    held.splice(held.indexOf(one), 1)
    return gone()
  })
  return { ...wire, held }
}

/** Bindings that are not the user's on the project. */
const others = () => [
  binding(1, { user_id: id('User', 2) }),
  binding(2, { resource_id: id('Model', 122) }),
  binding(3, { resource_type: 'SPACE' }),
]

const methods = ({ asked }: Wire) => asked.map(({ method }) => method)

describe('project', () => {
  const place = resource('project', PROJECT)

  it('creates a binding where there is none', async () => {
    const state = bindings(others().slice(0, 2))
    expect(await target(state.arize, 'project').give(USER, place, REVIEWER)).toEqual(DONE)
    expect(state.held.slice(0, 2)).toEqual(others().slice(0, 2))
    expect(state.held[2]).toMatchObject({ user_id: USER, resource_id: PROJECT, role_id: REVIEWER.id })
    expect(methods(state)).toEqual(['GET', 'POST'])
    expect(state.asked[0]?.query.get('resource_type')).toBe('PROJECT')
    expect(state.asked[0]?.query.get('user_id')).toBe(USER)
    expect(state.asked[1]?.body).toEqual({ user_id: USER, resource_type: 'PROJECT', resource_id: PROJECT, role_id: REVIEWER.id })
  })

  it('changes the one that is there, and nobody else\'s', async () => {
    const state = bindings([...others(), binding(4, { role_id: id('Role', 9) })])
    expect(await target(state.arize, 'project').give(USER, place, REVIEWER)).toEqual(DONE)
    expect(state.held).toEqual([...others(), binding(4)])
    expect(methods(state)).toEqual(['GET', 'PATCH'])
  })

  it('writes nothing when the role is there', async () => {
    const state = bindings([binding(4)])
    expect(await target(state.arize, 'project').give(USER, place, REVIEWER)).toEqual(DONE)
    expect(methods(state)).toEqual(['GET'])
  })

  it('changes the one that appeared between the list and the call', async () => {
    const raced = binding(4, { role_id: id('Role', 9) })
    const state = bindings([raced], [raced])
    expect(await target(state.arize, 'project').give(USER, place, REVIEWER)).toEqual(DONE)
    expect(state.held).toEqual([binding(4)])
    expect(methods(state)).toEqual(['GET', 'POST', 'GET', 'PATCH'])
  })

  it('says conflict when the one in the way is not shown', async () => {
    const { arize } = wireTo(({ method }) => (method === 'GET' ? list('role_bindings', []) : problem(409)))
    expect(await target(arize, 'project').give(USER, place, REVIEWER)).toMatchObject({ ok: false, error: { kind: 'conflict' } })
  })

  it('takes the one that is there, and nobody else\'s', async () => {
    const state = bindings([...others(), binding(4)])
    expect(await target(state.arize, 'project').take(USER, place)).toEqual(DONE)
    expect(state.held).toEqual(others())
  })

  it('answers not_found when there is none to take', async () => {
    const state = bindings(others())
    expect(await target(state.arize, 'project').take(USER, place)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
    expect(methods(state)).toEqual(['GET'])
  })

  it.each<[string, Partial<Binding>]>([
    ['another role', { role_id: id('Role', 6) }],
    ['another user', { user_id: id('User', 2) }],
    ['another project', { resource_id: id('Model', 122) }],
  ])('does not take an answer about %s for success', async (_name, more) => {
    const { arize } = wireTo(({ method }) => (method === 'GET' ? list('role_bindings', []) : json(binding(1, more), 201)))
    expect(await target(arize, 'project').give(USER, place, REVIEWER)).toMatchObject(UNKNOWN)
  })

  it('touches nothing when the list fails', async () => {
    const wire = wireTo(() => problem(503))
    expect(await target(wire.arize, 'project').give(USER, place, REVIEWER)).toMatchObject(UNKNOWN)
    expect(await target(wire.arize, 'project').take(USER, place)).toMatchObject(UNKNOWN)
    expect(methods(wire)).toEqual(['GET', 'GET'])
  })
})

describe('names', () => {
  it('lists the spaces of one organization with org_id', async () => {
    const wire = wireTo(() => list('spaces', [{ id: SPACE, name: 'Ranking', is_private: true }]))
    expect(await wire.arize.names.spaces(ORGANIZATION)).toEqual({ ok: true, value: [{ id: SPACE, name: 'Ranking' }] })
    expect(wire.asked[0]?.query.get('org_id')).toBe(ORGANIZATION)
    expect(wire.asked[0]?.query.has('organization_id')).toBe(false)
  })

  it('lists custom roles only, should the filter be ignored', async () => {
    const roles = [
      { id: 'a', name: 'Member', is_predefined: true },
      { id: 'b', name: 'Prompt Reviewer', is_predefined: false },
      { id: 'c', name: 'Old server' },
    ]
    const wire = wireTo(() => list('roles', roles))
    expect(await wire.arize.names.customRoles()).toEqual({
      ok: true,
      value: [
        { id: 'b', name: 'Prompt Reviewer' },
        { id: 'c', name: 'Old server' },
      ],
    })
    expect(wire.asked[0]?.query.get('is_predefined')).toBe('false')
  })

  it('reads one organization by id', async () => {
    const shown = { id: ORGANIZATION, name: 'ML Platform', description: '' }
    const { arize } = wireTo(() => json(shown))
    expect(await arize.names.organization(ORGANIZATION)).toEqual({ ok: true, value: { id: ORGANIZATION, name: 'ML Platform' } })
    expect(await arize.names.organization(id('Organization', 2))).toMatchObject(UNKNOWN)
    expect(await wireTo(() => problem(404)).arize.names.organization(ORGANIZATION)).toEqual({ ok: true, value: null })
    const forbidden = await wireTo(() => problem(403)).arize.names.organization(ORGANIZATION)
    expect(forbidden).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })
})
