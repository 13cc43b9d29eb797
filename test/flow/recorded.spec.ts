import { describe, expect, it } from 'vitest'
import { recordings } from '../recordings/recording'
import { replayStep, type Send } from '../recordings/replay'
import { ORIGIN, openBridge, type Bridge } from './bridge'
import { exports } from 'cloudflare:workers'

/**
 * Recorded traffic of Okta and Entra ends as roles in Arize: after every recording, whoever is active, has an address and is
 * in a group has the role of that group, and nobody else has any.
 */

interface Listed {
  readonly Resources: readonly {
    readonly id: string
    readonly active?: boolean
    readonly userName?: string
    readonly emails?: readonly { readonly value?: string; readonly type?: string; readonly primary?: boolean }[]
    readonly members?: readonly { readonly value: string }[]
  }[]
}

/** Every name that a recording gives a group: all of them mean the same role here, so that a rename takes nothing away. */
const groupNames = [...recordings.values()].flatMap(({ steps }) =>
  steps.flatMap(({ request }) =>
    request.path.startsWith('/Groups') && request.body !== undefined
      ? [...JSON.stringify(request.body).matchAll(/"(?:displayName|displayName","value)":"((?:[^"\\]|\\.)*)"/g)].map(([, name]) => JSON.parse(`"${name ?? ''}"`) as string)
      : [],
  ),
)

const POLICY = {
  mappings: [...new Map(groupNames.filter((name) => !name.includes('{{')).map((name) => [name.toLowerCase(), name])).values()].map((group, index) => ({
    id: `m${index}`, group: group.replaceAll('{', '{{').replaceAll('}', '}}'), grants: [{ organization: 'ML', role: 'MEMBER' }],
  })),
}

const isAddress = (text: string | undefined): text is string => text !== undefined && /^[^@\s]+@[^@\s]+$/.test(text)

const expectedRoles = async (bridge: Bridge): Promise<readonly string[]> => {
  const { Resources: users } = JSON.parse((await bridge.scim('GET', '/Users?count=200')).text) as Listed
  const { Resources: groups } = JSON.parse((await bridge.scim('GET', '/Groups?count=200')).text) as Listed
  const members = new Set(groups.flatMap(({ members: list = [] }) => list.map(({ value }) => value)))
  return users
    .filter(({ id, active }) => active !== false && members.has(id))
    .flatMap(({ emails = [], userName }) => {
      const address = (emails.find(({ primary }) => primary === true) ?? emails.find(({ type }) => type === 'work') ?? (emails.length === 1 ? emails[0] : undefined))?.value
      const named = address ?? userName
      return isAddress(named) ? [`${named.toLowerCase()} ML MEMBER`] : []
    })
    .toSorted()
}

/** Roles that were compared, over all recordings: a comparison of nothing with nothing proves nothing. */
let given = 0

describe.each([...recordings])('%s', (_file, recording) => {
  it('ends as roles in Arize', async () => {
    const bridge = await openBridge()
    await bridge.addOrganization('ML')
    await bridge.policy(POLICY)
    const send: Send = (method, path, headers, body) =>
      exports.default.fetch(new Request(`${ORIGIN}/t/${bridge.tenant}/scim/v2${path}`, { method, headers, ...(body === undefined ? {} : { body }) }))
    const variables = new Map([['token', bridge.token], ['basicToken', btoa(`okta:${bridge.token}`)]])
    for (const step of recording.steps) {
      const { captured } = await replayStep(step, recording.headers, variables, send)
      for (const [name, value] of captured) variables.set(name, value)
      if (step.request.method === 'GET') continue
      await bridge.settle()
      const expected = await expectedRoles(bridge)
      expect(await bridge.roles(), step.id).toEqual(expected)
      given += expected.length
    }
    expect((await bridge.calls()).filter((call) => / [45]\d\d$/.test(call))).toEqual([])
  })
})

it('compared roles, and not only their absence', () => {
  expect(given).toBeGreaterThan(40)
})
