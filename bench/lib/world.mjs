// The bridge and the bare Worker as the operations see them: who exists, and what has been acknowledged so that it can be
// looked for afterwards.
import { tokens } from '../../scripts/lib/settings.mjs'
import { connectTo, openClient } from './client.mjs'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

/** Fixed width, so that no name is the beginning of another: copies of a user are made by replacing it. */
export const nameOf = (number) => `person-${String(number).padStart(9, '0')}`

/** As Okta creates a user. */
export const userBody = (name) => ({
  schemas: [USER],
  userName: `${name}@acme.example`,
  name: { givenName: 'Ada', familyName: 'Example' },
  emails: [{ primary: true, value: `${name}@acme.example`, type: 'work' }],
  displayName: 'Ada Example',
  locale: 'en-US',
  externalId: `ext-${name}`,
  groups: [],
  active: true,
})

const operation = (op, path, value) => ({ schemas: [PATCH], Operations: [{ op, path, value }] })

export const requests = {
  createUser: (name) => ({ method: 'POST', path: '/scim/v2/Users', body: userBody(name) }),
  createGroup: (displayName, ids) => ({
    method: 'POST', path: '/scim/v2/Groups?excludedAttributes=members', body: { displayName, members: ids.map((value) => ({ value })) },
  }),
  findUser: (name) => ({ method: 'GET', path: `/scim/v2/Users?filter=${encodeURIComponent(`userName eq "${name}@acme.example"`)}` }),
  deactivate: (id) => ({ method: 'PATCH', path: `/scim/v2/Users/${id}`, body: { schemas: [PATCH], Operations: [{ op: 'replace', value: { active: false } }] } }),
  addMembers: (group, ids) => ({ method: 'PATCH', path: `/scim/v2/Groups/${group}`, body: operation('add', 'members', ids.map((value) => ({ value }))) }),
  removeMember: (group, id) => ({
    method: 'PATCH', path: `/scim/v2/Groups/${group}`, body: { schemas: [PATCH], Operations: [{ op: 'remove', path: `members[value eq "${id}"]` }] },
  }),
  page: (startIndex) => ({ method: 'GET', path: `/scim/v2/Users?startIndex=${startIndex}&count=100` }),
  groupWithoutMembers: (group) => ({ method: 'GET', path: `/scim/v2/Groups/${group}?excludedAttributes=members` }),
  wholeGroup: (group) => ({ method: 'GET', path: `/scim/v2/Groups/${group}` }),
  stateOfUser: (id) => ({ method: 'GET', path: `/scim/v2/Users/${id}?attributes=userName,active` }),
}

const succeeded = (what, { status, json }, expected) => {
  if (status === expected) return json
  throw new Error(`${what} answered ${status} instead of ${expected}: ${JSON.stringify(json)?.slice(0, 300)}`)
}

/** Connections of each concurrency are made once and kept. */
const connectionPool = (url) => {
  const made = new Map()
  return {
    of: (concurrency) => {
      if (!made.has(concurrency)) made.set(concurrency, connectTo(url, concurrency))
      return made.get(concurrency)
    },
    close: () => [...made.values()].flat().forEach((connection) => connection.close()),
  }
}

/** `firstName`: where new names start. `active`: the users that are there. */
export const openWorld = (server, { firstName, active = [], group = null }) => {
  const client = openClient(server.url, tokens.scim)
  const admin = openClient(server.url, tokens.admin, 1)
  const pool = connectionPool(server.url)
  const made = []
  let names = firstName
  const world = {
    server,
    token: tokens.scim,
    connections: pool.of,
    /** Users that no operation has deactivated yet. */
    active: [...active],
    /** The group of everybody, if there is one. */
    group,
    /** What the server has said that it did, by kind. */
    acknowledged: { created: [], deactivated: [], added: new Map(), removed: new Map() },
    newName: () => nameOf((names += 1)),
    createUsers: async (count) => {
      const wanted = Array.from({ length: count }, () => world.newName())
      const answers = await client.askAll(wanted.map(requests.createUser))
      const users = answers.map((answer, index) => ({ id: succeeded('Creating a user', answer, 201).id, name: wanted[index] }))
      world.active.push(...users)
      return users
    },
    createGroup: async (displayName, ids = []) => {
      const { path, method, body } = requests.createGroup(displayName, ids)
      const { id } = succeeded('Creating a group', await client.ask(method, path, body), 201)
      made.push(id)
      return id
    },
    /** Takes away the groups that `createGroup` made, so that nobody is in more groups than before. */
    deleteGroups: async () => {
      await client.askAll(made.splice(0).map((id) => ({ method: 'DELETE', path: `/scim/v2/Groups/${id}` })))
      await world.settle()
    },
    ask: client.ask,
    askAll: client.askAll,
    /** Lets the reconciler do at once what it would do 2 s after the last change, so that it is outside of what is measured. */
    settle: async () => succeeded('Settling', await admin.ask('POST', '/admin/api/settle', {}), 200),
    countUsers: async () => succeeded('Counting users', await client.ask('GET', '/scim/v2/Users?count=0'), 200).totalResults,
    close: () => {
      client.close()
      admin.close()
      pool.close()
    },
  }
  return world
}

/** The bare Worker with as many rows as the operations need to find. */
export const openYard = async (server, count = 1000) => {
  const client = openClient(server.url)
  const pool = connectionPool(server.url)
  let names = 0
  const newName = () => nameOf((names += 1))
  const post = async (path, of) => {
    const answers = await client.askAll(of.map((name) => ({ method: 'POST', path: `${path}/${name}`, body: userBody(name) })))
    for (const answer of answers) succeeded('The bare Worker', answer, 201)
  }
  const createUsers = async (wanted) => {
    const made = Array.from({ length: wanted }, newName)
    await post('/rows/users', made)
    return made
  }
  const known = await createUsers(count)
  await post('/entries', known)
  return {
    server,
    token: undefined,
    connections: pool.of,
    newName,
    known,
    createUsers,
    close: () => {
      client.close()
      pool.close()
    },
  }
}
