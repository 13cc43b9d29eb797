/**
 * The policy document: reads one, or says everything that is wrong with it and where. Stores nothing, and does not look
 * whether the organizations, spaces and custom roles that it names exist in Arize: such grants are held until they do.
 */
import { err, ok, type Result } from '../result'
import { problemsOf, writePath } from './refusal'
import { connectionRuleProblems, documentProblems, type KnownConnection } from './rules'
import { MAX_MAPPINGS, policyShape, type Policy, type Problem } from './shape'

export type { MappingGrant, Policy, RoleMapping } from './shape'
export type { KnownConnection } from './rules'

/** Bytes of the document as JSON in UTF-8. */
export const MAX_POLICY_BYTES = 1_000_000
/** More problems than this are not listed. */
export const MAX_PROBLEMS = 100

/** What is wrong at one place: `path` as in `mappings[2].grants[0].role`, empty for the document itself. */
export interface PolicyError {
  readonly path: string
  readonly sentence: string
}

/** The document with every rule that it alone can break. {@link parsePolicy} says the same in sentences. */
export const policySchema = policyShape.check((context) => {
  for (const { path, sentence } of documentProblems(context.value)) {
    context.issues.push({ code: 'custom', path: [...path], message: sentence, input: context.value })
  }
})

const refuse = (problems: readonly Problem[]): Result<Policy, readonly PolicyError[]> =>
  err(problems.slice(0, MAX_PROBLEMS).map(({ path, sentence }) => ({ path: writePath(path), sentence })))

const hasTooManyMappings = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  'mappings' in value &&
  Array.isArray(value.mappings) &&
  value.mappings.length > MAX_MAPPINGS

/**
 * Reads a policy from parsed JSON: defaults filled, roles as Arize spells them. With `context`, mappings must also name
 * connections that exist, and must name one as soon as there are two sources. Never throws, whatever the value.
 */
export const parsePolicy = (
  value: unknown,
  context?: { readonly connections: readonly KnownConnection[] },
): Result<Policy, readonly PolicyError[]> => {
  if (hasTooManyMappings(value)) {
    return refuse([{ path: ['mappings'], sentence: `This list may have at most ${MAX_MAPPINGS} entries.` }])
  }
  const parsed = policySchema.safeParse(value)
  if (!parsed.success) return refuse(problemsOf(parsed.error, value))
  if (new TextEncoder().encode(JSON.stringify(value)).length > MAX_POLICY_BYTES) {
    return refuse([{ path: [], sentence: `A policy may have at most ${MAX_POLICY_BYTES} bytes.` }])
  }
  const problems = connectionRuleProblems(parsed.data, context?.connections ?? [])
  const isWithoutContext = context === undefined
  return isWithoutContext || problems.length === 0 ? ok(parsed.data) : refuse(problems)
}

/** The policy of a new tenant: nobody gets anything. */
export const EMPTY_POLICY: Policy = policySchema.parse({ mappings: [] })
