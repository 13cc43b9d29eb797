import { beforeAll, describe, expect, it } from 'vitest'
import { admin, call, connect, openTenant, own, USER_SCHEMA, type Answer } from '../http/bridge'

const TENANT = 'admin-journal'
const PREFIX = `/t/${TENANT}`

const journal = (query = ''): Promise<Answer> => admin('GET', `${PREFIX}/admin/api/journal${query}`)

const kindsOf = ({ body }: Answer): unknown => {
  const rows = own(body, 'journal')
  return Array.isArray(rows) ? rows.map((row: unknown) => own(row, 'kind')) : rows
}

beforeAll(async () => {
  await openTenant(TENANT)
  const { authorization } = await connect(PREFIX, 'Okta')
  for (const userName of ['ada@example.com', 'bob@example.com']) {
    await call('POST', `${PREFIX}/scim/v2/Users`, { authorization, body: { schemas: [USER_SCHEMA], userName } })
  }
  await call('GET', `${PREFIX}/scim/v2/Users`, { authorization: 'Bearer somebody-else' })
})

describe('GET journal', () => {
  it('tells newest first, and page by page', async () => {
    const first = await journal('?limit=2')
    expect(kindsOf(first)).toEqual(['auth.refused', 'scim.create'])
    const rest = await journal(`?limit=500&before=${String(own(first.body, 'next'))}`)
    expect(kindsOf(rest)).toEqual(expect.arrayContaining(['scim.create', 'token.created', 'connection.created']))
    expect(own(rest.body, 'next')).toBeNull()
  })

  it('by kind, with the reason of a refusal and nothing of the token', async () => {
    const answer = await journal('?kind=auth.refused')
    expect(own(answer.body, 'journal', 0)).toMatchObject({ kind: 'auth.refused', data: { reason: 'unknown_token' } })
    expect(answer.text).not.toContain('somebody-else')
  })

  it('by person', async () => {
    const answer = await journal('?person=ADA%40example.com')
    expect(own(answer.body, 'journal', 0)).toMatchObject({ subject: 'ada@example.com', kind: 'scim.create' })
    expect(answer.text).not.toContain('bob@example.com')
  })

  it.each(['?limit=0', '?limit=501', '?limit=x', '?before=0', '?before=1.5'])('%s is 400', async (query) => {
    expect((await journal(query)).status).toBe(400)
  })
})

it('the connection says when it was last heard of', async () => {
  const answer = await admin('GET', `${PREFIX}/admin/api/connections`)
  expect(own(answer.body, 'connections', 0, 'lastEventAt')).toEqual(expect.stringMatching(/^20\d\d-/))
})
