import { createPolicyCache } from '../../src/directory/policies'
import { executeScim } from '../../src/directory/scim'
import type { ScimCommand, ScimContext, ScimReply, View } from '../../src/directory/scimCommand'
import type { GroupFact } from '../../src/policy/mapping'
import type { AddressRule } from '../../src/scim/address'
import type { ScimError } from '../../src/scim/error'
import { readPatch } from '../../src/scim/patch'
import { readListQuery } from '../../src/scim/query'
import { readGroup, readUser } from '../../src/scim/resource'
import { PROVISIONING_SCHEMA, type ResourceType } from '../../src/scim/schema'
import type { Result } from '../../src/result'
import { openStore, type TestStore } from './memoryStore'

/** A SCIM client of one connection, without HTTP: bodies are read as the HTTP layer reads them. */

export type Json = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly body: Json
  readonly etag: string | null
  readonly location: string | null
}

export interface Choice {
  readonly attributes?: readonly string[]
  readonly excludedAttributes?: readonly string[]
  readonly ifNoneMatch?: string
  readonly ifMatch?: string
}

export interface Client {
  readonly execute: (command: ScimCommand) => Result<ScimReply, ScimError>
  readonly post: (type: ResourceType, body: unknown) => Answer
  readonly get: (type: ResourceType, id: string, choice?: Choice) => Answer
  readonly list: (type: ResourceType, query?: Readonly<Record<string, string>>) => Answer
  readonly put: (type: ResourceType, id: string, body: unknown, choice?: Choice) => Answer
  readonly patch: (type: ResourceType, id: string, operations: readonly Json[], choice?: Choice) => Answer
  readonly remove: (type: ResourceType, id: string, choice?: Choice) => Answer
}

export interface ScimWorld {
  readonly store: TestStore
  readonly okta: Client
  readonly entra: Client
  /** What the policy says of renamed groups. */
  readonly policy: { unmaps: (before: GroupFact, after: GroupFact) => boolean }
  /** Every row of every table that a request can touch. */
  readonly dump: () => Json
}

export const BASE = 'https://bridge.example/scim/v2'

const viewOf = ({ attributes = [], excludedAttributes = [], ifNoneMatch = null }: Partial<View>): View => ({ attributes, excludedAttributes, ifNoneMatch })

const answerOf = (reply: Result<ScimReply, ScimError>): Answer => {
  if (!reply.ok) return { status: reply.error.status, body: { ...reply.error }, etag: null, location: null }
  const { status, body, etag, location } = reply.value
  return { status, etag, location, body: body === null ? {} : (JSON.parse(body) as Json) }
}

const clientOf = (context: ScimContext): Client => {
  const execute = (command: ScimCommand): Result<ScimReply, ScimError> => executeScim(context, structuredClone(command))
  const run = (command: Result<ScimCommand, ScimError>): Answer => answerOf(command.ok ? execute(command.value) : command)
  const ifMatchOf = ({ ifMatch = null }: { readonly ifMatch?: string | null }): string | null => ifMatch
  return {
    execute,
    post: (type, body) => {
      if (type === 'User') {
        const user = readUser(body)
        return run(user.ok ? { ok: true, value: { op: 'createUser', user: user.value } } : user)
      }
      const group = readGroup(body)
      return run(group.ok ? { ok: true, value: { op: 'createGroup', group: group.value.group, members: group.value.members ?? [] } } : group)
    },
    get: (type, id, choice = {}) => run({ ok: true, value: { op: 'get', type, id, view: viewOf(choice) } }),
    list: (type, query = {}) => {
      const read = readListQuery(new URLSearchParams(query))
      return run(read.ok ? { ok: true, value: { op: 'list', type, query: read.value } } : read)
    },
    put: (type, id, body, choice = {}) => run({ ok: true, value: { op: 'replace', type, id, body, ifMatch: ifMatchOf(choice), view: viewOf(choice) } }),
    patch: (type, id, operations, choice = {}) => {
      const read = readPatch({ Operations: operations })
      return run(read.ok ? { ok: true, value: { op: 'patch', type, id, operations: read.value, ifMatch: ifMatchOf(choice), view: viewOf(choice) } } : read)
    },
    remove: (type, id, choice = {}) => run({ ok: true, value: { op: 'delete', type, id, ifMatch: ifMatchOf(choice) } }),
  }
}

const TABLES = ['users', 'groups', 'members', 'subjects', 'journal', 'counters']

/**
 * Two connections over one store. Requests run without a transaction around them, so that a refusal that had written something
 * would be seen.
 */
export const openScim = (
  run: (world: ScimWorld) => void | Promise<void>, { rule = 'email', base = BASE, hasCatalogue = false }: { rule?: AddressRule; base?: string; hasCatalogue?: boolean } = {},
): Promise<void> =>
  openStore(async (store) => {
    const policy: ScimWorld['policy'] = { unmaps: () => false }
    const inForce = createPolicyCache(store)
    const client = (id: string): Client =>
      clientOf({
        store, base, actor: `token of ${id}`,
        connection: { id, name: `Connection ${id}`, address: rule, hasCatalogue },
        unmaps: (before, after) => policy.unmaps(before, after),
        policy: inForce,
      })
    await run({
      store, policy, okta: client('okta'), entra: client('entra'),
      dump: () => Object.fromEntries(TABLES.map((table) => [table, store.sql.rows(`SELECT * FROM ${table} ORDER BY 1, 2`)])),
    })
  })

/** The body of an answer without our extension, which changes while the user does not. */
export const withoutProvisioning = ({ body }: Pick<Answer, 'body'>): Json =>
  Object.fromEntries(Object.entries(body).flatMap(([name, value]) => {
    if (name === PROVISIONING_SCHEMA) return []
    return [[name, name === 'schemas' && Array.isArray(value) ? value.filter((schema) => schema !== PROVISIONING_SCHEMA) : value]]
  }))

export const idOf = ({ body }: Answer): string => {
  if (typeof body.id !== 'string') throw new Error(`no id in ${JSON.stringify(body)}`)
  return body.id
}

/** A user as Okta creates it (O-05). */
export const person = (name: string, more: Json = {}): Json => ({
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  userName: `${name}@example.com`,
  name: { givenName: name, familyName: 'Test' },
  emails: [{ primary: true, value: `${name}@example.com`, type: 'work' }],
  displayName: `${name} Test`,
  externalId: `00u-${name}`,
  active: true,
  ...more,
})

interface JournalLine {
  readonly kind: string
  readonly subject: string | null
  readonly connection: string | null
  readonly actor: string | null
  readonly data: Json
}

/** The rows about SCIM requests, oldest first. */
export const journalled = ({ store }: Pick<ScimWorld, 'store'>): JournalLine[] =>
  store.sql
    .rows<{ kind: string; subject: string | null; connection: string | null; actor: string | null; data: string }>(
      `SELECT kind, subject, connection_id AS connection, actor, data FROM journal WHERE kind LIKE 'scim.%' ORDER BY seq`)
    .map((row) => ({ ...row, data: JSON.parse(row.data) as Json }))

/** Forgets marks and journal, so that only what follows shows. */
export const forget = ({ store }: Pick<ScimWorld, 'store'>): void => {
  store.sql.run(`UPDATE subjects SET due = NULL, marked = NULL, changed = NULL, wait_until = NULL, cause = NULL, generation = 0, state = 'in_step'`)
  store.sql.run(`DELETE FROM journal`)
  store.statements.forget()
}

interface Mark {
  readonly address: string
  readonly dueInMs: number
  readonly cause: string | null
}

/** Which subjects are due, and in how many milliseconds. */
export const dueSubjects = ({ store }: Pick<ScimWorld, 'store'>): Mark[] =>
  store.sql
    .rows<{ address: string; due: number; cause: string | null }>(`SELECT address, due, cause FROM subjects WHERE due IS NOT NULL ORDER BY address`)
    .map(({ address, due, cause }) => ({ address, dueInMs: due - store.now(), cause }))

/** Ids of the members of an answer that has the whole group. */
export const membersOf = ({ body }: Answer): string[] =>
  Array.isArray(body.members) ? body.members.flatMap((member: unknown) => {
    const value = typeof member === 'object' && member !== null && 'value' in member ? member.value : null
    return typeof value === 'string' ? [value] : []
  }) : []
