import { runBulk, type BulkEffects } from '../../src/directory/scimBulk'
import { readBulkCommand } from '../../src/http/bulk'
import { err } from '../../src/result'
import { BASE, person, type Client, type Json } from './scimClient'

/** Bulk requests of one connection, without HTTP. */

export interface Outcome extends Json {
  readonly location?: string
  readonly method?: string
  readonly bulkId?: string
  readonly version?: string
  readonly status: string
  readonly response?: { readonly status: string; readonly scimType?: string; readonly detail: string }
}

export interface BulkOptions {
  readonly operations: readonly unknown[]
  readonly failOnErrors?: number
  /** Stands in for what the object does between slices. */
  readonly yieldTurn?: () => Promise<void>
  readonly execute?: BulkEffects['execute']
}

export const executeAs = (client: Client): BulkEffects['execute'] => (command) => {
  const done = client.execute(command)
  return done.ok ? done : err({ kind: 'scim', error: done.error })
}

/** The outcomes in the order of the response. */
export const bulk = async (
  client: Client, { operations, failOnErrors, yieldTurn = () => Promise.resolve(), execute = executeAs(client) }: BulkOptions,
): Promise<readonly Outcome[]> => {
  const command = readBulkCommand({ Operations: operations, failOnErrors })
  if (!command.ok) throw new Error(command.error.detail)
  const done = await runBulk(structuredClone(command.value), { base: BASE, execute, yieldTurn })
  if (!done.ok) throw new Error(done.error.kind)
  return (JSON.parse(done.value.body ?? '') as { readonly Operations: readonly Outcome[] }).Operations
}

export const statuses = (outcomes: readonly Outcome[]): readonly string[] => outcomes.map(({ status }) => status)

/** Of a created resource. */
export const idAt = (outcomes: readonly Outcome[], index: number): string => {
  const location = outcomes[index]?.location
  if (location === undefined) throw new Error(`no location in ${JSON.stringify(outcomes[index])}`)
  return location.slice(location.lastIndexOf('/') + 1)
}

export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

export const create = (name: string, more: Json = {}): Json => ({ method: 'POST', path: '/Users', bulkId: name, data: person(name, more) })

export const createGroup = (name: string, ...members: readonly string[]): Json => ({
  method: 'POST', path: '/Groups', bulkId: name, data: { displayName: name, members: members.map((value) => ({ value })) },
})

export const patch = (path: string, ...operations: readonly Json[]): Json => ({ method: 'PATCH', path, data: { Operations: operations } })

export const managerOf = (client: Client, id: string): unknown => {
  const extension = client.get('User', id).body[ENTERPRISE]
  return typeof extension === 'object' && extension !== null && 'manager' in extension ? extension.manager : undefined
}
