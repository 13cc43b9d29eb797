import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { select } from './checks'
import { recordings } from './recording'
import { replayStep } from './replay'
import type { Send } from './replay'

const ORIGIN = 'http://127.0.0.1'

const send: Send = (method, path, headers, body) =>
  exports.default.fetch(
    new Request(`${ORIGIN}/scim/v2${path}`, { method, headers, ...(body === undefined ? {} : { body }) }),
  )

/** The token of a new connection: it sees only its own users and groups, so files do not disturb each other. */
const connect = async (name: string): Promise<string> => {
  const request = new Request(`${ORIGIN}/admin/api/connections`, {
    method: 'POST',
    headers: { authorization: 'Bearer dev-admin-token', 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'scim', name, source: 'recordings' }),
  })
  const response = await exports.default.fetch(request)
  const text = await response.text()
  if (response.status !== 201) throw new Error(`no connection: ${response.status} ${text.slice(0, 300)}`)
  const token = select(JSON.parse(text), 'token')
  if (typeof token !== 'string') throw new Error('the new connection has no token')
  return token
}

for (const [file, recording] of recordings) {
  describe(`${file}: ${recording.title}`, () => {
    const variables = new Map<string, string>()

    beforeAll(async () => {
      const token = await connect(file)
      variables.set('token', token)
      variables.set('basicToken', btoa(`okta:${token}`))
    })

    for (const step of recording.steps) {
      it(`${step.id} ${step.name}`, async () => {
        const { faults, captured } = await replayStep(step, recording.headers, variables, send)
        for (const [name, value] of captured) variables.set(name, value)
        expect(faults).toEqual([])
      })
    }
  })
}
