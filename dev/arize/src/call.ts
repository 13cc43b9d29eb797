/** One call of the API, as a handler sees it: authenticated, with its body read, inside one synchronous transaction. */
import * as z from 'zod'
import { err, ok, type Result } from '../../../src/result'
import { type IdType, isId } from './ids'
import { badRequest, type Problem } from './problem'
import type { Switches } from './switches'

export type Caller = { readonly n: number; readonly id: string; readonly role: string; readonly isAdmin: boolean }

export type Call = {
  readonly sql: SqlStorage
  readonly caller: Caller
  readonly switches: Switches
  /** ISO 8601. */
  readonly now: string
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly body: string
  /** Set by the `shortPages` fault: a list gives no more than this and says that there is more. */
  readonly shortPage: number | undefined
}

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined }

export type Reply =
  | { readonly kind: 'json'; readonly status: 200 | 201; readonly body: Json }
  | { readonly kind: 'empty' }
  | Problem

export type Handler = (call: Call) => Reply
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
export type Route = readonly [method: Method, path: string, handler: Handler]

export const found = (body: Json): Reply => ({ kind: 'json', status: 200, body })
export const created = (body: Json): Reply => ({ kind: 'json', status: 201, body })
export const NO_CONTENT: Reply = { kind: 'empty' }

/** Reads a body strictly: an unknown field is refused (400), as is a field with a wrong type. */
export const readBody = <T extends z.ZodType>(call: Call, schema: T): Result<z.infer<T>, Problem> =>
  parseJson(call.body, schema)

export const parseJson = <T extends z.ZodType>(text: string, schema: T): Result<z.infer<T>, Problem> => {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return err(badRequest('The request body is not valid JSON.'))
  }
  const parsed = schema.safeParse(json)
  return parsed.success ? ok(parsed.data) : err(badRequest(sentence(parsed.error)))
}

const sentence = (error: z.ZodError): string => {
  const issue = error.issues[0]
  if (issue === undefined) return 'The request body is not valid.'
  const path = issue.path.map(String).join('.')
  const what = path === '' ? 'request body' : `'${path}' field`
  return `The ${what} is not valid: ${issue.message}.`
}

/** The id in the path, percent-decoded; its form is checked before anything is looked up. */
export const readParam = (call: Call, name: string, type: IdType): Result<string, Problem> => {
  const id = call.params[name] ?? ''
  return isId(type, id) ? ok(id) : err(badRequest(`'${id}' is not the identifier of a ${type}.`))
}

/** A filter that is an id: absent is fine, malformed is not. */
export const readIdFilter = (call: Call, name: string, type: IdType): Result<string | undefined, Problem> => {
  const id = call.query.get(name)
  if (id === null || id === '') return ok(undefined)
  return isId(type, id) ? ok(id) : err(badRequest(`The '${name}' parameter is not the identifier of a ${type}.`))
}

export const name255 = z.string().trim().min(1).max(255)
export const description1000 = z.string().max(1000)
export const hasField = (body: object): boolean => Object.keys(body).length > 0
export const AT_LEAST_ONE = { error: 'at least one field must be provided' }
