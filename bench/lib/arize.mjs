// The emulator as a benchmark needs it: organizations to fill, what everybody holds there, and the calls it got, by kind.
import { tokens } from '../../scripts/lib/settings.mjs'
import { openClient } from './client.mjs'

/** What a call is for. The first pattern that matches says it. */
const KINDS = [
  ['look-ups', /^GET \/v2\/users\?/],
  ['accounts read', /^GET \/v2\/users\/[^/]+$/],
  ['accounts made', /^POST \/v2\/users$/],
  ['roles given', /^POST \/v2\/organizations\/[^/]+\/users$/],
  ['roles taken', /^DELETE \/v2\/organizations\/[^/]+\/users\/[^/]+$/],
  ['keys listed', /^GET \/v2\/api-keys\?/],
  ['keys revoked', /^PUT \/v2\/api-keys\/[^/]+\/revoke$/],
  ['names listed', /^GET \/v2\/(?:organizations|spaces|roles)(?:\?|$)/],
]

const kindOf = ({ method, path }) => KINDS.find(([, pattern]) => pattern.test(`${method} ${path}`))?.[0] ?? 'others'

/** How many calls of each kind, and how many were refused. */
export const countKinds = (calls) => {
  const counts = new Map()
  for (const call of calls) {
    counts.set(kindOf(call), (counts.get(kindOf(call)) ?? 0) + 1)
    if (call.status >= 400) counts.set('refused', (counts.get('refused') ?? 0) + 1)
  }
  return counts
}

export const openArize = ({ url }) => {
  const client = openClient(url, tokens.arize, 4)
  const get = async (path) => (await client.ask('GET', path)).json
  return {
    createOrganization: async (name) => {
      const { status, json } = await client.ask('POST', '/v2/organizations', { name })
      if (status !== 201) throw new Error(`Making organization ${name} answered ${status}: ${JSON.stringify(json)}`)
    },
    makeKey: async (owner) => {
      const { status } = await client.ask('POST', '/_emulator/keys', { owner })
      if (status !== 200) throw new Error(`Making a key answered ${status}.`)
    },
    /** All calls since the start, oldest first. */
    calls: async () => (await get('/_emulator/calls')).calls,
    /** Address → `organization role`, sorted; with `live keys` behind whoever has any. */
    holdings: async () => {
      const { users, organizations, keys } = await get('/_emulator/state')
      const held = new Map(users.map(({ email }) => [email, []]))
      for (const { name, members } of organizations) for (const { email, role } of members) held.get(email)?.push(`${name} ${role}`)
      for (const { owner, revoked } of keys) if (!revoked && held.has(owner)) held.get(owner).push('live key')
      return new Map([...held].map(([email, list]) => [email, list.toSorted().join(', ')]))
    },
    close: () => client.close(),
  }
}
