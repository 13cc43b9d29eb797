import { beforeEach, describe, expect, it } from 'vitest'
import { createClient } from '../../src/arize/client'
import { createArize } from '../../src/arize/targets'
import type { Account, Arize, NewAccount, Resource, ResourceKind, SendableRole } from '../../src/reconcile/target'
import { orThrow, target } from './wire'

/** The whole of `src/arize` against the Arize emulator of `dev/arize`, over HTTP: asserted is the state of that account. */
const ORIGIN = 'http://127.0.0.1:8788'
const KEY = 'dev-arize-key-client-1'
const DONE = { ok: true, value: undefined }

interface Member {
  readonly email: string
  readonly role: string
}

interface State {
  readonly users: readonly { readonly email: string; readonly status: string; readonly role: string; readonly is_developer: boolean }[]
  readonly organizations: readonly {
    readonly name: string
    readonly members: readonly Member[]
    readonly spaces: readonly { readonly name: string; readonly members: readonly Member[] }[]
  }[]
  readonly bindings: readonly (Member & { readonly resource: string })[]
  readonly keys: readonly { readonly id: string; readonly owner: string; readonly revoked: boolean }[]
}

const send = async (method: string, path: string, body?: unknown): Promise<Response> => {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' }
  const response = await fetch(`${ORIGIN}${path}`, { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
  return response
}

const make = async (path: string, body: unknown): Promise<{ id: string; key: string }> =>
  (await send('POST', path, body)).json<{ id: string; key: string }>()

const control = async (path: string, body: unknown = {}): Promise<void> => {
  await (await send('POST', `/_emulator/${path}`, body)).text()
}

const readState = async (): Promise<State> => (await send('GET', '/_emulator/state')).json<State>()

const arizeWith = (apiKey: string): Arize =>
  createArize(orThrow(createClient({ baseUrl: ORIGIN, apiKey, development: true })))

const arize = arizeWith(KEY)

const resource = (kind: ResourceKind, id: string, organizationId: string): Resource => ({ kind, id, name: kind, organizationId })

const predefined = (name: 'ADMIN' | 'MEMBER' | 'READ_ONLY' | 'ANNOTATOR'): SendableRole => ({ type: 'PREDEFINED', name })

const create = async (email: string, more: Partial<NewAccount> = {}): Promise<Account> => {
  const made = await arize.accounts.create({ email, name: email, role: 'MEMBER', inviteMode: 'NONE', ...more })
  return orThrow(made).account
}

/** An organization with a space and a project, and a custom role for the latter two. */
const build = async () => {
  const organization = await make('/v2/organizations', { name: 'ML Platform' })
  const space = await make('/v2/spaces', { name: 'Ranking', organization_id: organization.id, is_private: true })
  const project = await make('/v2/projects', { name: 'Search', space_id: space.id })
  const role = await make('/v2/roles', { name: 'Prompt Reviewer', permissions: ['PROJECT_READ'] })
  const other = await make('/v2/roles', { name: 'Prompt Writer', permissions: ['PROJECT_READ'] })
  return {
    organization: resource('organization', organization.id, organization.id),
    space: resource('space', space.id, organization.id),
    project: resource('project', project.id, organization.id),
    reviewer: { type: 'CUSTOM', name: 'Prompt Reviewer', id: role.id } as const,
    writer: { type: 'CUSTOM', name: 'Prompt Writer', id: other.id } as const,
  }
}

beforeEach(async () => {
  await control('reset')
})

describe('accounts', () => {
  it('are found by exact address only, on any page', async () => {
    await create('xjo@acme.com')
    await create('jo@acme.com.example')
    const jo = await create('Jo@Acme.com')
    await control('faults', { kind: 'shortPages', size: 1, times: 2 })
    expect(await arize.accounts.find('jo@acme.com')).toEqual({ ok: true, value: jo })
    expect(await arize.accounts.find('o@acme.com')).toEqual({ ok: true, value: null })
    expect(await arize.accounts.read(jo.id)).toEqual({ ok: true, value: jo })
  })

  it('are created once, active at once', async () => {
    const made = await arize.accounts.create({ email: 'jo@acme.com', name: 'Jo', role: 'ANNOTATOR', inviteMode: 'NONE' })
    expect(made).toMatchObject({ ok: true, value: { created: true, account: { role: 'ANNOTATOR', status: 'ACTIVE', isDeveloper: false } } })
    const again = await arize.accounts.create({ email: 'JO@acme.com', name: 'Jo', role: 'MEMBER', inviteMode: 'NONE' })
    expect(again).toMatchObject({ ok: false, error: { kind: 'conflict' } })
    expect((await readState()).users).toMatchObject([{ email: 'jo@acme.com', role: 'ANNOTATOR' }])
  })

  it('are not created where somebody else\'s invitation is pending', async () => {
    await control('users', { email: 'jo@acme.com', status: 'INVITED', role: 'ADMIN' })
    const made = await arize.accounts.create({ email: 'jo@acme.com', name: 'Jo', role: 'MEMBER', inviteMode: 'EMAIL_LINK' })
    expect(made).toMatchObject({ ok: true, value: { created: false, account: { role: 'ADMIN', status: 'INVITED' } } })
  })

  it('that are blocked conflict and are not found', async () => {
    await control('users', { email: 'jo@acme.com' })
    const jo = orThrow(await arize.accounts.find('jo@acme.com'))
    await control('users', { email: 'jo@acme.com', status: 'INACTIVE' })
    expect(await arize.accounts.find('jo@acme.com')).toEqual({ ok: true, value: null })
    expect(await arize.accounts.read(jo?.id ?? '')).toEqual({ ok: true, value: null })
    const made = await arize.accounts.create({ email: 'jo@acme.com', name: 'Jo', role: 'MEMBER', inviteMode: 'NONE' })
    expect(made).toMatchObject({ ok: false, error: { kind: 'conflict' } })
  })

  it('may have roles and fields that nobody knows yet', async () => {
    await control('users', { email: 'jo@acme.com', role: 'MEMBER_UI_ONLY' })
    await control('switches', { extraFields: true })
    expect(await arize.accounts.find('jo@acme.com')).toMatchObject({ ok: true, value: { role: 'MEMBER_UI_ONLY' } })
  })

  it('lose every live key of their own, and nobody else\'s', async () => {
    const jo = await create('jo@acme.com')
    const mine = [await make('/_emulator/keys', { owner: 'jo@acme.com' }), await make('/_emulator/keys', { owner: 'jo@acme.com' })]
    const theirs = await make('/_emulator/keys', { owner: 'kim@acme.com' })
    const service = await make('/_emulator/keys', { owner: 'jo@acme.com', key_type: 'SERVICE' })
    expect(await arize.accounts.revokeKeys(jo.id)).toEqual({ ok: true, value: mine.map(({ id }) => id) })
    const revoked = (await readState()).keys.filter((key) => key.revoked).map(({ id }) => id)
    expect(revoked).toEqual(mine.map(({ id }) => id))
    expect(revoked).not.toContain(theirs.id)
    expect(revoked).not.toContain(service.id)
    expect(await arize.accounts.revokeKeys(jo.id)).toEqual({ ok: true, value: [] })
  })
})

describe('targets', () => {
  it('organization: added, re-roled and removed, with its spaces', async () => {
    const { organization, space } = await build()
    const jo = await create('jo@acme.com')
    const give = (role: SendableRole) => target(arize, 'organization').give(jo.id, organization, role)
    expect(await give(predefined('MEMBER'))).toEqual(DONE)
    expect(await give(predefined('READ_ONLY'))).toEqual(DONE)
    expect(await target(arize, 'space').give(jo.id, space, predefined('ADMIN'))).toEqual(DONE)
    expect((await readState()).organizations).toMatchObject([
      { members: [{ email: 'jo@acme.com', role: 'READ_ONLY' }], spaces: [{ members: [{ email: 'jo@acme.com', role: 'ADMIN' }] }] },
    ])
    expect(await target(arize, 'organization').take(jo.id, organization)).toEqual(DONE)
    expect((await readState()).organizations).toMatchObject([{ members: [], spaces: [{ members: [] }] }])
    expect(await target(arize, 'organization').take(jo.id, organization)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
  })

  it.each([
    ['MEMBER', 'ANNOTATOR', 400],
    ['ANNOTATOR', 'MEMBER', 422],
  ] as const)('organization: an account of %s is refused %s, whether with 400 or 422', async (account, role, status) => {
    const { organization } = await build()
    const jo = await create('jo@acme.com', { role: account })
    await control('switches', { annotatorStatus: status, errorTitles: 'page', error_code: true, request_id: true })
    const given = await target(arize, 'organization').give(jo.id, organization, predefined(role))
    expect(given).toMatchObject({ ok: false, error: { kind: 'rejected', status, requestId: expect.stringMatching(/./) } })
    expect((await readState()).organizations).toMatchObject([{ members: [] }])
  })

  it('space: needs the organization, takes predefined and custom roles', async () => {
    const { organization, space, reviewer } = await build()
    const jo = await create('jo@acme.com')
    const give = (role: SendableRole) => target(arize, 'space').give(jo.id, space, role)
    expect(await give(predefined('MEMBER'))).toMatchObject({ ok: false, error: { kind: 'rejected', status: 400 } })
    await target(arize, 'organization').give(jo.id, organization, predefined('READ_ONLY'))
    expect(await give(predefined('MEMBER'))).toEqual(DONE)
    expect(await give(reviewer)).toEqual(DONE)
    expect((await readState()).organizations[0]?.spaces[0]?.members).toEqual([{ email: 'jo@acme.com', role: 'Prompt Reviewer' }])
    expect(await target(arize, 'space').take(jo.id, space)).toEqual(DONE)
    expect((await readState()).organizations[0]?.spaces[0]?.members).toEqual([])
    expect(await target(arize, 'space').take(jo.id, space)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
  })

  it('project: bound, bound to another role, unbound, and nobody else touched', async () => {
    const { organization, space, project, reviewer, writer } = await build()
    const [jo, kim] = [await create('jo@acme.com'), await create('kim@acme.com')]
    for (const { id } of [jo, kim]) {
      await target(arize, 'organization').give(id, organization, predefined('MEMBER'))
      await target(arize, 'space').give(id, space, predefined('MEMBER'))
    }
    const projects = target(arize, 'project')
    expect(await projects.give(kim.id, project, reviewer)).toEqual(DONE)
    expect(await projects.give(jo.id, project, reviewer)).toEqual(DONE)
    expect(await projects.give(jo.id, project, writer)).toEqual(DONE)
    expect((await readState()).bindings).toMatchObject([
      { email: 'kim@acme.com', resource: 'Search', role: 'Prompt Reviewer' },
      { email: 'jo@acme.com', resource: 'Search', role: 'Prompt Writer' },
    ])
    expect(await projects.take(jo.id, project)).toEqual(DONE)
    expect((await readState()).bindings).toMatchObject([{ email: 'kim@acme.com' }])
    expect(await projects.take(jo.id, project)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
  })

  it('developer access: given and taken', async () => {
    const jo = await create('jo@acme.com', { role: 'ANNOTATOR' })
    const place = resource('developer', jo.id, '')
    expect(await target(arize, 'developer').give(jo.id, place, predefined('MEMBER'))).toEqual(DONE)
    expect((await readState()).users).toMatchObject([{ is_developer: true }])
    expect(await target(arize, 'developer').take(jo.id, place)).toEqual(DONE)
    expect((await readState()).users).toMatchObject([{ is_developer: false }])
  })
})

describe('names', () => {
  it('are complete, although pages are short or empty', async () => {
    const names = ['Ämter', 'ML Platform', 'Operations', 'Risk & Fraud', 'Zoo']
    for (const name of names) await make('/v2/organizations', { name })
    await control('faults', { faults: [{ kind: 'shortPages', size: 0, times: 1 }, { kind: 'shortPages', size: 2, times: 2 }] })
    const listed = orThrow(await arize.names.organizations())
    expect(listed.map(({ name }) => name)).toEqual(names)
    // The emulator makes ids with `+` and `/` on purpose: reading them back proves that they are encoded.
    expect(listed.some(({ id }) => /[+/]/.test(id))).toBe(true)
    for (const organization of listed) expect(await arize.names.organization(organization.id)).toEqual({ ok: true, value: organization })
  })

  it('of spaces are those of the one organization', async () => {
    const { organization } = await build()
    const other = await make('/v2/organizations', { name: 'Other' })
    await make('/v2/spaces', { name: 'Ranking', organization_id: other.id })
    const spaces = [orThrow(await arize.names.spaces(organization.id)), orThrow(await arize.names.spaces(other.id))]
    expect(spaces.map((list) => list.map(({ name }) => name))).toEqual([['Ranking'], ['Ranking']])
    expect(spaces[0]?.[0]?.id).not.toBe(spaces[1]?.[0]?.id)
  })

  it('of roles are the custom ones', async () => {
    const { reviewer, writer } = await build()
    expect(orThrow(await arize.names.customRoles())).toEqual([reviewer, writer].map(({ id, name }) => ({ id, name })))
  })

  it('of an organization that is gone is null', async () => {
    const { organization } = await build()
    await send('DELETE', `/v2/organizations/${encodeURIComponent(organization.id)}`)
    expect(await arize.names.organization(organization.id)).toEqual({ ok: true, value: null })
  })
})

describe('keys', () => {
  it('of an administrator pass the preflight, those of a member and revoked ones do not', async () => {
    await create('jo@acme.com')
    await create('kim@acme.com')
    const admin = await make('/_emulator/keys', { owner: 'ada@acme.com', role: 'ADMIN' })
    const member = await make('/_emulator/keys', { owner: 'kim@acme.com' })
    expect(await arize.names.preflight()).toEqual(DONE)
    expect(await arizeWith(admin.key).names.preflight()).toEqual(DONE)
    expect(await arizeWith(member.key).names.preflight()).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
    await send('PUT', `/v2/api-keys/${encodeURIComponent(admin.id)}/revoke`)
    expect(await arizeWith(admin.key).names.preflight()).toMatchObject({ ok: false, error: { kind: 'unauthorized' } })
    expect(await arizeWith('no-such-key').names.preflight()).toMatchObject({ ok: false, error: { kind: 'unauthorized' } })
  })
})

describe('bad days', () => {
  it.each([
    [{ kind: '429', retryAfter: 7 }, { kind: 'throttled', retryAfterMs: 7000 }],
    [{ kind: '429' }, { kind: 'throttled', retryAfterMs: null }],
    [{ kind: 'status', status: 503 }, { kind: 'unavailable', status: 503 }],
    [{ kind: 'empty' }, { kind: 'unavailable', status: 502 }],
    [{ kind: 'html' }, { kind: 'unavailable', status: 502 }],
    [{ kind: 'lost', applied: false }, { kind: 'unavailable', status: null }],
  ])('%j removes nobody and says so', async (fault, error) => {
    const { organization } = await build()
    const jo = await create('jo@acme.com')
    await target(arize, 'organization').give(jo.id, organization, predefined('MEMBER'))
    await control('faults', fault)
    expect(await target(arize, 'organization').take(jo.id, organization)).toMatchObject({ ok: false, error })
    expect((await readState()).organizations).toMatchObject([{ members: [{ email: 'jo@acme.com' }] }])
  })

  it('leaves the outcome unknown when the answer is lost after the call took effect', async () => {
    await control('faults', { kind: 'lost', match: { method: 'POST' } })
    const made = await arize.accounts.create({ email: 'jo@acme.com', name: 'Jo', role: 'MEMBER', inviteMode: 'NONE' })
    expect(made).toMatchObject({ ok: false, error: { kind: 'unavailable', status: null } })
    expect(await arize.accounts.find('jo@acme.com')).toMatchObject({ ok: true, value: { email: 'jo@acme.com' } })
  })
})
