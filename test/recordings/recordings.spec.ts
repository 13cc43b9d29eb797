import { exports } from 'cloudflare:workers'
import { beforeAll, describe, expect, it } from 'vitest'
import { select } from './checks'
import { recordings } from './recording'
import type { Recording } from './recording'
import { replayStep } from './replay'
import type { Send } from './replay'

const ORIGIN = 'http://127.0.0.1'

const send: Send = (method, path, headers, body) =>
  exports.default.fetch(
    new Request(`${ORIGIN}/scim/v2${path}`, { method, headers, ...(body === undefined ? {} : { body }) }),
  )

const administer = async (method: string, path: string, body: unknown): Promise<unknown> => {
  const headers = { authorization: 'Bearer dev-admin-token', 'content-type': 'application/json' }
  const response = await exports.default.fetch(new Request(`${ORIGIN}/admin/api${path}`, { method, headers, body: JSON.stringify(body) }))
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 300)}`)
  return JSON.parse(text)
}

/** The token of a new connection: it sees only its own users and groups, so files do not disturb each other. */
const connect = async (name: string, { connection, policy }: Recording): Promise<string> => {
  const token = select(await administer('POST', '/connections', { kind: 'scim', name, source: 'recordings', ...connection }), 'token')
  if (typeof token !== 'string') throw new Error('the new connection has no token')
  // The tenant has other sources too: then each mapping has to say whom it is for.
  const mappings = policy?.mappings.map((mapping) => ({ ...mapping, connection: name }))
  if (mappings !== undefined) await administer('PUT', '/policy', { ...policy, mappings })
  return token
}

for (const [file, recording] of recordings) {
  describe(`${file}: ${recording.title}`, () => {
    const variables = new Map<string, string>()

    beforeAll(async () => {
      const token = await connect(file, recording)
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
