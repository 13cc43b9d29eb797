import { describe, expect, it } from 'vitest'
import { gone, id, list, problem, user, wireTo, type Asked } from './wire'

const OWNER = id('User', 1)
const apiKey = (number: number, more: Record<string, unknown> = {}) => ({
  id: id('ApiKey', number),
  name: 'notebook',
  key_type: 'USER',
  status: 'ACTIVE',
  redacted_key: 'ak-…',
  created_at: '2026-01-01T00:00:00Z',
  created_by_user_id: OWNER,
  ...more,
})

/** An account's keys: lists the live ones of whoever is asked for, revokes by id. */
const keyring = (keys: readonly Record<string, unknown>[], refuse: (asked: Asked) => Response | null = () => null) => {
  const revoked: string[] = []
  const wire = wireTo((asked) => {
    const refusal = refuse(asked)
    if (refusal !== null) return refusal
    if (asked.method === 'GET') return list('api_keys', keys.filter((key) => !revoked.includes(String(key['id']))))
    revoked.push(decodeURIComponent(asked.path.split('/')[3] ?? ''))
    return gone()
  })
  return { ...wire, revoked }
}

describe('revokeKeys', () => {
  it('revokes the live USER keys of the user, on every page', async () => {
    const wire = wireTo(({ method, query }) => {
      if (method === 'PUT') return gone()
      return query.get('cursor') === null ? list('api_keys', [apiKey(1)], 'more') : list('api_keys', [apiKey(2)])
    })
    expect(await wire.arize.accounts.revokeKeys(OWNER)).toEqual({ ok: true, value: [id('ApiKey', 1), id('ApiKey', 2)] })
    expect(wire.asked.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)).toEqual([
      'GET /v2/api-keys',
      'GET /v2/api-keys',
      `PUT /v2/api-keys/${id('ApiKey', 1)}/revoke`,
      `PUT /v2/api-keys/${id('ApiKey', 2)}/revoke`,
    ])
    expect(wire.asked[0]?.query.get('key_type')).toBe('USER')
    expect(wire.asked[1]?.query.get('user_id')).toBe(OWNER)
  })

  it('leaves every key that is not certainly a live one of the user, should filters be ignored', async () => {
    const { arize, revoked } = keyring([
      apiKey(1, { created_by_user_id: id('User', 2) }),
      apiKey(2, { key_type: 'SERVICE' }),
      apiKey(3, { status: 'REVOKED' }),
      apiKey(4, { key_type: undefined }),
      apiKey(5),
    ])
    expect(await arize.accounts.revokeKeys(OWNER)).toEqual({ ok: true, value: [id('ApiKey', 5)] })
    expect(revoked).toEqual([id('ApiKey', 5)])
  })

  it('is done at once when there is none', async () => {
    const { arize, asked } = keyring([])
    expect(await arize.accounts.revokeKeys(OWNER)).toEqual({ ok: true, value: [] })
    expect(asked).toHaveLength(1)
  })

  it('revokes what it can and fails for a key that does not say whose it is', async () => {
    const { arize, revoked } = keyring([apiKey(1, { created_by_user_id: null }), apiKey(2)])
    expect(await arize.accounts.revokeKeys(OWNER)).toMatchObject({ ok: false, error: { kind: 'unavailable' } })
    expect(revoked).toEqual([id('ApiKey', 2)])
  })

  it('tries the others although one is refused', async () => {
    const { arize, revoked } = keyring([apiKey(1), apiKey(2)], ({ method, path }) =>
      method === 'PUT' && path.includes(encodeURIComponent(id('ApiKey', 1))) ? problem(500) : null,
    )
    expect(await arize.accounts.revokeKeys(OWNER)).toMatchObject({ ok: false, error: { kind: 'unavailable', status: 500 } })
    expect(revoked).toEqual([id('ApiKey', 2)])
  })

  it.each([
    [429, 'throttled'],
    [401, 'unauthorized'],
  ])('stops at %i', async (status, kind) => {
    const { arize, asked } = keyring([apiKey(1), apiKey(2)], ({ method }) => (method === 'PUT' ? problem(status) : null))
    expect(await arize.accounts.revokeKeys(OWNER)).toMatchObject({ ok: false, error: { kind } })
    expect(asked).toHaveLength(2)
  })

  it('believes a 404 of a key only when the list agrees that it is gone', async () => {
    const hidden = keyring([apiKey(1)], ({ method }) => (method === 'PUT' ? problem(404) : null))
    expect(await hidden.arize.accounts.revokeKeys(OWNER)).toMatchObject({ ok: false, error: { kind: 'not_found' } })
    const wire = wireTo(({ method }, index) =>
      method === 'PUT' ? problem(404) : list('api_keys', index === 0 ? [apiKey(1)] : []),
    )
    expect(await wire.arize.accounts.revokeKeys(OWNER)).toEqual({ ok: true, value: [] })
  })
})

describe('preflight', () => {
  const two = [user(1, 'a@acme.com'), user(2, 'b@acme.com')]

  it('asks for the keys of two people, as only an administrator may', async () => {
    const wire = wireTo(({ path }) => (path === '/v2/users' ? list('users', two) : list('api_keys', [])))
    expect(await wire.arize.names.preflight()).toEqual({ ok: true, value: undefined })
    expect(wire.asked.every(({ method }) => method === 'GET')).toBe(true)
    expect(wire.asked.slice(1).map(({ query }) => query.get('user_id'))).toEqual([id('User', 1), id('User', 2)])
  })

  it('is not passed by seeing one\'s own keys', async () => {
    const wire = wireTo(({ path, query }) => {
      if (path === '/v2/users') return list('users', two)
      return query.get('user_id') === id('User', 1) ? list('api_keys', []) : problem(403)
    })
    expect(await wire.arize.names.preflight()).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })

  it('passes although somebody was removed meanwhile', async () => {
    const wire = wireTo(({ path }, index) => {
      if (path === '/v2/users') return list('users', two)
      return index === 1 ? problem(404) : list('api_keys', [])
    })
    expect(await wire.arize.names.preflight()).toMatchObject({ ok: true })
  })

  it.each<[string, readonly unknown[]]>([
    ['nobody is seen', []],
    ['everybody is hidden', two],
  ])('fails when %s', async (_name, users) => {
    const wire = wireTo(({ path }) => (path === '/v2/users' ? list('users', users) : problem(404)))
    expect(await wire.arize.names.preflight()).toMatchObject({ ok: false, error: { kind: 'forbidden' } })
  })

  it.each([
    [401, 'unauthorized'],
    [403, 'forbidden'],
    [429, 'throttled'],
    [502, 'unavailable'],
  ])('is what the first call is, when that is %i', async (status, kind) => {
    const wire = wireTo(() => problem(status))
    expect(await wire.arize.names.preflight()).toMatchObject({ ok: false, error: { kind } })
  })
})
