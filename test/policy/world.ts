import { parsePolicy, type Policy } from '../../src/policy/document'
import type { Entitlement } from '../../src/policy/entitlement'
import { compilePolicy, evaluate, type EvaluateInput, type Evaluation, type GroupFact } from '../../src/policy/evaluate'
import { roleKey } from '../../src/policy/role'

/** The policy of a document that must be valid. */
export const policyOf = (document: unknown): Policy => {
  const parsed = parsePolicy(document)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  return parsed.value
}

export const OKTA = { id: 'con-okta', name: 'Okta' }
export const ENTRA = { id: 'con-entra', name: 'Entra ID' }

export const group = (displayName: string, rest: Partial<GroupFact> = {}): GroupFact => ({
  id: `id-${displayName}`,
  displayName,
  externalId: null,
  connection: OKTA,
  ...rest,
})

export interface Setting {
  readonly groups?: readonly (string | GroupFact)[]
  readonly entitlements?: readonly string[]
  readonly organizations?: readonly string[]
  readonly spaces?: Readonly<Record<string, readonly string[]>>
  readonly account?: string | null
}

export const inputOf = (policy: Policy, setting: Setting): EvaluateInput => ({
  policy: compilePolicy(policy),
  groups: (setting.groups ?? []).map((one) => (typeof one === 'string' ? group(one) : one)),
  entitlements: (setting.entitlements ?? []).map((value) => ({ value, connection: OKTA })),
  organizationNames: setting.organizations ?? [],
  spaceNames: (organization) => {
    const spaces = setting.spaces ?? {}
    return Object.hasOwn(spaces, organization) ? (spaces[organization] ?? null) : null
  },
  account: setting.account === undefined || setting.account === null ? null : { role: setting.account },
})

export const evaluated = (mappings: readonly unknown[], setting: Setting, keys: object = {}): Evaluation =>
  evaluate(inputOf(policyOf({ mappings, ...keys }), setting))

/** `ML/Ranking: MEMBER`, `account: ADMIN`, `developer`. */
export const brief = (entitlement: Entitlement): string => {
  if (entitlement.kind === 'developer') return 'developer'
  if (entitlement.kind === 'account') return `account: ${entitlement.role}`
  const names = [entitlement.organization]
  if (entitlement.kind !== 'organization') names.push(entitlement.space)
  if (entitlement.kind === 'project') names.push(entitlement.project)
  return `${names.join('/')}: ${roleKey(entitlement.role)}`
}

export const grantsOf = (evaluation: Evaluation): readonly string[] => evaluation.grants.map(brief)

/** `annotator_rule ML: MEMBER`, or the code alone when the conflict is not about one entitlement. */
export const conflictsOf = (evaluation: Evaluation): readonly string[] =>
  evaluation.conflicts.map(({ code, entitlement }) => (entitlement === null ? code : `${code} ${brief(entitlement)}`))

/** The reasons of the grant that {@link brief} writes so: `mapping < group`, `!` for an implied one. */
export const becauseOf = (evaluation: Evaluation, text: string): readonly string[] | undefined =>
  evaluation.grants
    .find((grant) => brief(grant) === text)
    ?.because.map(({ mapping, group, implied }) => `${mapping} < ${group}${implied ? ' !' : ''}`)
