import { zValidator } from '@hono/zod-validator'
import type * as z from 'zod'
import { problem, type ProblemAt } from '../http/problem'
import { writePath } from '../policy/refusal'

/** Bodies and queries of the admin API against their schemas, and what is wrong with them in sentences. */

const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'text'], ['number', 'a number'], ['int', 'a whole number'], ['boolean', 'true or false'], ['array', 'a list'],
  ['object', 'an object'],
])

const sentenceOf = (issue: z.core.$ZodIssue): string => {
  switch (issue.code) {
    case 'invalid_type':
      // zod keeps no input in its issues; its message alone tells what is missing from what is wrong.
      return issue.message.endsWith('received undefined')
        ? 'This is missing.'
        : `This must be ${TYPES.get(issue.expected) ?? issue.expected}.`
    case 'invalid_value':
      return `This must be ${issue.values.map((value) => `"${String(value)}"`).join(' or ')}.`
    case 'invalid_union':
      return 'This has none of the forms that it may have.'
    case 'too_small':
      return issue.origin === 'string' ? 'This must not be empty.' : `This must be at least ${issue.minimum}.`
    case 'too_big':
      return issue.origin === 'string' ? `This may have at most ${issue.maximum} characters.`
        : issue.origin === 'array' ? `This list may have at most ${issue.maximum} entries.`
          : `This must be at most ${issue.maximum}.`
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'This must be a time such as 2027-01-31T12:00:00Z.'
        : `This is not well-formed (${issue.format}).`
    default:
      return issue.message
  }
}

const write = ({ path, sentence }: ProblemAt): string => (path === '' ? sentence : `${path}: ${sentence}`)

/** The answer to a request that is wrong in itself. */
export const refuseInput = (errors: readonly ProblemAt[]): Response => {
  const [first] = errors
  return problem(400, first === undefined ? 'The request is wrong.' : write(first), { errors })
}

/** What a schema found, at most 100 places, each with its sentence. `base` is where the judged value stands in the body. */
export const problemsIn = ({ issues }: z.core.$ZodError, base: readonly PropertyKey[] = []): readonly ProblemAt[] =>
  issues.slice(0, 100).flatMap((issue) => {
    const { issue: told, path } = innermost(issue, [...base, ...issue.path])
    return told.code === 'unrecognized_keys'
      ? told.keys.map((key) => ({ path: writePath([...path, key]), sentence: `There is no key "${key}" here.` }))
      : [{ path: writePath(path), sentence: sentenceOf(told) }]
  })

/** Of a value with several forms the first stands for all of them: what is wrong with it, and where. */
const innermost = (issue: z.core.$ZodIssue, path: readonly PropertyKey[]): { readonly issue: z.core.$ZodIssue; readonly path: readonly PropertyKey[] } => {
  const inner = issue.code === 'invalid_union' ? issue.errors[0]?.[0] : undefined
  return inner === undefined ? { issue, path } : innermost(inner, [...path, ...inner.path])
}

const refuseIssues = (error: z.core.$ZodError): Response => refuseInput(problemsIn(error))

export const body = <S extends z.ZodType>(schema: S) =>
  zValidator('json', schema, (result) => (result.success ? undefined : refuseIssues(result.error)))

export const query = <S extends z.ZodType>(schema: S) =>
  zValidator('query', schema, (result) => (result.success ? undefined : refuseIssues(result.error)))
