/** What Arize's documentation leaves open, each with a switch, so that a client cannot come to rely on one reading of it. */
import * as z from 'zod'
import { first, run } from './sql'

const shape = z.strictObject({
  /** Titles of problems as in the OpenAPI document or as on the errors page. */
  errorTitles: z.enum(['openapi', 'page']),
  error_code: z.boolean(),
  request_id: z.boolean(),
  /** The operation's prose says 400; 422 has been declared beside it since May 2026. */
  annotatorStatus: z.literal([400, 422]),
  /** "Callers cannot delete themselves" comes without a status. */
  selfDeleteStatus: z.literal([400, 403]),
  /** Responses may grow fields: adds one nobody knows to every resource. */
  extraFields: z.boolean(),
})

export type Switches = z.infer<typeof shape>
export const switchesPatch = shape.partial()

export const DEFAULT_SWITCHES: Switches = {
  errorTitles: 'openapi',
  error_code: false,
  request_id: false,
  annotatorStatus: 400,
  selfDeleteStatus: 400,
  extraFields: false,
}

export const readSwitches = (sql: SqlStorage): Switches => {
  const stored = first<{ document: string }>(sql, 'SELECT document FROM switches')
  return stored === undefined ? DEFAULT_SWITCHES : shape.parse(JSON.parse(stored.document))
}

export const writeSwitches = (sql: SqlStorage, switches: Switches): void => {
  run(sql, 'DELETE FROM switches')
  run(sql, 'INSERT INTO switches (document) VALUES (?)', JSON.stringify(switches))
}
