/**
 * Turns what zod says about a document into sentences for people, each with the place it is about, and a suggestion where
 * a word is nearly right. Decides nothing: whatever is refused was refused by the shape.
 */
import * as z from 'zod'
import { grantShapes, policyShape, type Problem } from './shape'
import { didYouMean, quote } from './suggest'

type Path = readonly PropertyKey[]

const GRANT_KEYS = ['organization', 'space', 'project', 'role', 'customRole', 'account', 'developer']
const GRANT_FORMS =
  'A grant is {organization, role}, {organization, space, role} or {organization, space, customRole}, ' +
  '{organization, space, project, customRole}, {account: true, role}, or {developer: true}.'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const own = (value: unknown, key: PropertyKey): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined

const valueAt = (document: unknown, path: Path): unknown => path.reduce<unknown>(own, document)

const unwrap = (schema: unknown): unknown =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault
    ? unwrap(schema.unwrap())
    : schema

/** The keys that the shape knows at a place. */
const keysAt = (path: Path): readonly string[] => {
  let schema: unknown = policyShape
  for (const step of path) {
    if (schema instanceof z.ZodArray) schema = unwrap(schema.element)
    else if (schema instanceof z.ZodObject) schema = unwrap(own(schema.shape, step))
    else return GRANT_KEYS
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : GRANT_KEYS
}

const TYPES: ReadonlyMap<string, string> = new Map([
  ['string', 'text'],
  ['number', 'a number'],
  ['int', 'a whole number'],
  ['boolean', 'true or false'],
  ['array', 'a list'],
  ['object', 'an object'],
])

const typeOf = (value: unknown): string => {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'boolean' ? String(value) : (TYPES.get(typeof value) ?? typeof value)
}

const sizeSentence = (issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string => {
  const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum
  const bound = issue.code === 'too_small' ? 'at least' : 'at most'
  if (issue.origin === 'string') {
    return issue.code === 'too_small' ? 'This must not be empty.' : `This may have at most ${limit} characters.`
  }
  if (issue.origin === 'array') {
    return issue.code === 'too_small' ? 'This list must not be empty.' : `This list may have at most ${limit} entries.`
  }
  return `This must be ${bound} ${limit}.`
}

const sentenceOf = (issue: z.core.$ZodIssue, value: unknown, key: PropertyKey | undefined): string => {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return key === undefined ? 'A policy is an object.' : `${quote(String(key))} is missing.`
      return `This must be ${TYPES.get(issue.expected) ?? issue.expected}, not ${typeOf(value)}.`
    case 'invalid_value': {
      const allowed = issue.values.map((allowed) => (typeof allowed === 'string' ? quote(allowed) : String(allowed)))
      const words = issue.values.filter((allowed) => typeof allowed === 'string')
      return `This must be ${allowed.join(' or ')}.${typeof value === 'string' ? didYouMean(value, words) : ''}`
    }
    case 'too_small':
    case 'too_big':
      return sizeSentence(issue)
    case 'invalid_format':
      return 'This must be an e-mail address.'
    default:
      return issue.message
  }
}

const problem = (sentence: string, ...path: readonly string[]): Problem => ({ path, sentence })

/** What is wrong with the combination of a grant's keys; null when they form one of the shapes, which is then named. */
const judgeGrantKeys = (grant: Readonly<Record<string, unknown>>): Problem | keyof typeof grantShapes => {
  const has = (key: string): boolean => Object.hasOwn(grant, key)
  const subjects = [has('organization') || has('space') || has('project'), has('account'), has('developer')]
  if (subjects.filter(Boolean).length !== 1) {
    return problem(
      subjects.some(Boolean)
        ? `A grant is about one thing: an organization, space or project, the account, or developer access. ${GRANT_FORMS}`
        : `This grant has no resource. ${GRANT_FORMS}`,
    )
  }
  if (has('role') && has('customRole')) return problem('Say "role" or "customRole", not both.', 'customRole')
  if (has('developer')) return 'developer'
  if (has('account')) {
    return has('customRole') ? problem('An account has no custom role: use "role".', 'customRole') : 'account'
  }
  if (!has('organization')) return problem('A space and a project belong to an organization: "organization" is missing.')
  if (has('project') && !has('space')) return problem('A project belongs to a space: "space" is missing.')
  if (!has('role') && !has('customRole')) return problem(`This grant has no role. ${GRANT_FORMS}`)
  if (has('project')) {
    return has('role') ? problem('Arize has only custom roles on projects: use "customRole".', 'role') : 'project'
  }
  if (has('space')) return has('role') ? 'space' : 'customSpace'
  return has('role') ? 'organization' : problem('Arize has no custom roles on organizations: use "role".', 'customRole')
}

const problemsOfGrant = (value: unknown, path: Path): readonly Problem[] => {
  if (!isObject(value)) return [{ path, sentence: `A grant is an object, not ${typeOf(value)}. ${GRANT_FORMS}` }]
  const unknown = Object.keys(value).filter((key) => !GRANT_KEYS.includes(key))
  if (unknown.length > 0) return unknown.map((key) => unknownKey(key, path, GRANT_KEYS))
  const judged = judgeGrantKeys(value)
  if (typeof judged !== 'string') return [{ path: [...path, ...judged.path], sentence: judged.sentence }]
  const parsed = grantShapes[judged].safeParse(value)
  return parsed.success ? [] : problemsOfIssues(parsed.error.issues, value, path)
}

const unknownKey = (key: string, path: Path, known: readonly string[]): Problem => ({
  path: [...path, key],
  sentence: `There is no key ${quote(key)} here.${didYouMean(key, known)}`,
})

/** The issues that zod found in `value`, which stands at `base` of the document. */
const problemsOfIssues = (issues: readonly z.core.$ZodIssue[], value: unknown, base: Path): readonly Problem[] =>
  issues.flatMap((issue): readonly Problem[] => {
    const path = [...base, ...issue.path]
    const found = valueAt(value, issue.path)
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, keysAt(path)))
    return [{ path, sentence: sentenceOf(issue, found, issue.path.at(-1)) }]
  })

/** `mappings`, an index, `grants`, an index. */
const GRANT_DEPTH = 4

/**
 * What zod says about a grant depends on how near the value came to each of the shapes, so a grant is judged here, once;
 * what a check said in its own words is kept.
 */
const isAboutGrant = (issue: z.core.$ZodIssue): boolean =>
  issue.code !== 'custom' && issue.path.length >= GRANT_DEPTH && issue.path[0] === 'mappings' && issue.path[2] === 'grants'

/** Every problem that the shape found in a document. */
export const problemsOf = (error: z.core.$ZodError, document: unknown): readonly Problem[] => {
  const judged = new Set<string>()
  return error.issues.flatMap((issue): readonly Problem[] => {
    if (!isAboutGrant(issue)) return problemsOfIssues([issue], document, [])
    const path = issue.path.slice(0, GRANT_DEPTH)
    if (judged.has(writePath(path))) return []
    judged.add(writePath(path))
    return problemsOfGrant(valueAt(document, path), path)
  })
}

const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/

/** `mappings[2].grants[0].role`; the document itself is the empty text. */
export const writePath = (path: Path): string => {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (PLAIN_KEY.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`
    else text += `[${quote(String(step))}]`
  }
  return text
}
