/**
 * Why somebody has what they have, and why they do not have the rest, in sentences for people. A sentence about a
 * conflict says what a human has to do about it. Names come from outside and are quoted; HTML is not this file's matter.
 */
import { isForAnnotators } from './annotator'
import { isNamed, type Because, type Conflict, type Entitlement, type Grant, type NamedEntitlement } from './entitlement'
import type { Role } from './role'
import { quote } from './suggest'

const MAX_LISTED = 5
const HEALS = 'It heals by itself once that is done.'
const ACCOUNT_PAGE = 'In Arize, Account Settings → Account Members,'

const name = (text: string): string => quote(text, 255)

const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

const list = (items: readonly string[]): string => {
  const distinct = [...new Set(items)]
  const shown = distinct.slice(0, MAX_LISTED)
  const rest = distinct.length - shown.length
  if (rest > 0) return `${shown.join(', ')} and ${rest} more`
  const last = shown.at(-1) ?? ''
  return shown.length < 2 ? last : `${shown.slice(0, -1).join(', ')} and ${last}`
}

const roleName = (role: Role): string => (role.type === 'PREDEFINED' ? role.name : `custom role ${name(role.name)}`)

const resourceName = (entitlement: NamedEntitlement): string => {
  const organization = `organization ${name(entitlement.organization)}`
  if (entitlement.kind === 'organization') return organization
  const space = `space ${name(entitlement.space)} in ${organization}`
  return entitlement.kind === 'space' ? space : `project ${name(entitlement.project)} of ${space}`
}

/** `organization "ML Platform"`, `space "Ranking" in organization "ML Platform"`; what is not named is of the account. */
export const explainResource = (entitlement: Entitlement): string =>
  isNamed(entitlement) ? resourceName(entitlement) : 'account'

/** `MEMBER of organization "ML Platform"`, `custom role "Reviewer" on space "Ranking" in organization "ML Platform"`. */
export const explainEntitlement = (entitlement: Entitlement): string => {
  if (entitlement.kind === 'account') return `account role ${entitlement.role}`
  if (entitlement.kind === 'developer') return 'developer access'
  const preposition = entitlement.role.type === 'PREDEFINED' ? 'of' : 'on'
  return `${roleName(entitlement.role)} ${preposition} ${resourceName(entitlement)}`
}

/** `group "A" is mapped by "x" and group "B" is mapped by "y"`. */
export const explainBecause = (because: readonly Because[]): string =>
  list(
    because.map(
      ({ group, mapping, entitlement }) =>
        `${entitlement ? 'entitlement' : 'group'} ${name(group)} is mapped by ${name(mapping)}`,
    ),
  )

/** `MEMBER of organization "ML Platform" because group "Arize ML Engineers" is mapped by "ml-engineers"`. */
export const explainGrant = (grant: Grant): string => {
  const isImplied = grant.because.length > 0 && grant.because.every(({ implied }) => implied)
  const why = isImplied ? 'a space of it needs it: ' : ''
  return `${explainEntitlement(grant)} because ${why}${explainBecause(grant.because)}`
}

/** `remove the person from groups "A" and "B" at the identity provider`. */
const leave = (because: readonly Because[]): string => {
  const groups = [...new Set(because.filter(({ entitlement }) => !entitlement).map(({ group }) => name(group)))]
  const values = [...new Set(because.filter(({ entitlement }) => entitlement).map(({ group }) => name(group)))]
  const steps = [
    ...(groups.length > 0 ? [`remove the person from ${groups.length > 1 ? 'groups' : 'group'} ${list(groups)}`] : []),
    ...(values.length > 0 ? [`take the ${values.length > 1 ? 'entitlements' : 'entitlement'} ${list(values)} away`] : []),
  ]
  return `${steps.join(' and ')} at the identity provider`
}

const mappingsOf = (because: readonly Because[]): string => {
  const ids = [...new Set(because.map(({ mapping }) => name(mapping)))]
  return `${ids.length > 1 ? 'mappings' : 'mapping'} ${list(ids)}`
}

/** What kind of thing a grant names that Arize does not have. */
export type MissingThing = 'organization' | 'space' | 'project' | 'customRole'

/** What there is to say of each kind of conflict. */
export type ConflictFacts =
  | {
      readonly code: 'annotator_rule'
      readonly entitlement: Entitlement
      readonly because: readonly Because[]
      readonly accountRole: string
    }
  /** Nothing is given and no account is created (`hold`): what asks for ANNOTATOR, and what asks for other roles. */
  | {
      readonly code: 'annotator_mixed'
      readonly entitlement: null
      readonly because: readonly Because[]
      readonly annotators: readonly Because[]
      readonly others: readonly Because[]
    }
  /** What the choice of the policy gives up. */
  | {
      readonly code: 'annotator_mixed'
      readonly entitlement: Entitlement
      readonly because: readonly Because[]
      readonly mixed: 'member' | 'annotator'
    }
  | {
      readonly code: 'account_role'
      readonly entitlement: Extract<Entitlement, { kind: 'account' }>
      readonly because: readonly Because[]
      readonly accountRole: string
    }
  | { readonly code: 'admin_not_allowed'; readonly entitlement: Entitlement; readonly because: readonly Because[] }
  | {
      readonly code: 'slot'
      readonly entitlement: NamedEntitlement
      readonly because: readonly Because[]
      readonly roles: readonly Role[]
    }
  | {
      readonly code: 'ambiguous_name'
      readonly entitlement: null
      readonly because: readonly Because[]
      /** What the name would give, reading by reading; empty when there are too many. */
      readonly readings: readonly (readonly Entitlement[])[]
    }
  | {
      readonly code: 'unresolved'
      readonly entitlement: NamedEntitlement
      readonly because: readonly Because[]
      readonly missing: MissingThing
    }
  | { readonly code: 'unsupported'; readonly entitlement: Entitlement; readonly because: readonly Because[] }

type FactsOf<Code extends ConflictFacts['code']> = Extract<ConflictFacts, { code: Code }>

const explainAnnotatorRule = ({ entitlement, because, accountRole }: FactsOf<'annotator_rule'>): string => {
  const isAnnotatorRole = isForAnnotators(entitlement)
  const rule = isAnnotatorRole
    ? `only an ANNOTATOR account can hold ANNOTATOR roles, and this account is ${quote(accountRole)}`
    : 'an ANNOTATOR account can hold only ANNOTATOR roles'
  return (
    `Arize refuses ${explainEntitlement(entitlement)}: ${rule}. An account's role cannot be changed through the API. ` +
    `${ACCOUNT_PAGE} change the account's role to ${isAnnotatorRole ? 'ANNOTATOR' : 'MEMBER'}, or ${leave(because)}. ${HEALS}`
  )
}

const explainMixed = (facts: FactsOf<'annotator_mixed'>): string => {
  if (facts.entitlement !== null) {
    return (
      `${explainEntitlement(facts.entitlement)} is not given: the person's groups ask for ANNOTATOR and for other roles, ` +
      `which one account cannot hold together, and "annotators.mixed" in the policy is "${facts.mixed}". ` +
      `To end this, ${leave(facts.because)}. ${HEALS}`
    )
  }
  const { annotators, others } = facts
  return (
    `No Arize account is created yet: ANNOTATOR is asked for (${explainBecause(annotators)}) and so are other roles ` +
    `(${explainBecause(others)}). One account cannot hold both, and its kind can never be changed through the API. ` +
    `Either ${leave(annotators)}, or ${leave(others)}, or set "annotators.mixed" in the policy, or create the account ` +
    `by hand in Arize, Account Settings → Account Members, with the role that is right. ${HEALS}`
  )
}

const explainAccountRole = ({ entitlement, because, accountRole }: FactsOf<'account_role'>): string =>
  `The policy asks for ${explainEntitlement(entitlement)}, but the person's Arize account is ${quote(accountRole)}, ` +
  `and an account's role cannot be changed through the API. ${ACCOUNT_PAGE} change it to ${entitlement.role}, ` +
  `or ${leave(because)}. ${HEALS}`

const explainAdmin = ({ entitlement, because }: FactsOf<'admin_not_allowed'>): string =>
  `${explainEntitlement(entitlement)} is not given: ${mappingsOf(because)} may not give ADMIN. ` +
  `If it should, set "allowAdmin": true on it in the policy; else ${leave(because)}. ${HEALS}`

const explainSlot = ({ entitlement, because, roles }: FactsOf<'slot'>): string =>
  `${list(roles.map(roleName))} are asked for on ${resourceName(entitlement)}, where Arize holds one role, and they ` +
  `cannot be compared. None of them is given, and what is held there stays. ${capitalize(explainBecause(because))}: ` +
  `leave one of them in the policy, or ${leave(because)} as far as needed. ${HEALS}`

const explainAmbiguous = ({ because, readings }: FactsOf<'ambiguous_name'>): string => {
  const group = name(because[0]?.group ?? '')
  const listed = readings.slice(0, MAX_LISTED).map((reading) => list(reading.map(explainEntitlement)))
  const ways = readings.length === 0 ? 'in too many ways' : `in more than one way (${listed.join('; or ')})`
  return (
    `The name of group ${group} can be read ${ways} by ${mappingsOf(because)}, so it gives nothing and takes nothing. ` +
    `Rename the group at the identity provider, or one of the organizations or spaces in Arize, so that one way is left, ` +
    `or use another pattern. ${HEALS}`
  )
}

const missingName = (entitlement: NamedEntitlement, missing: MissingThing): string => {
  if (missing === 'customRole') return `${roleName(entitlement.role)}`
  if (missing === 'organization') return `organization ${name(entitlement.organization)}`
  return resourceName(entitlement)
}

const explainUnresolved = ({ entitlement, because, missing }: FactsOf<'unresolved'>): string =>
  `Arize shows no ${missingName(entitlement, missing)}, so ${explainEntitlement(entitlement)} is held. Create it in Arize, ` +
  `correct its name in ${mappingsOf(because)} of the policy, or let the bridge's key see it. ${HEALS}`

const explainUnsupported = ({ entitlement, because }: FactsOf<'unsupported'>): string =>
  `The bridge does not give ${explainEntitlement(entitlement)} in this Arize account. Give it by hand in Arize, or take it ` +
  `out of ${mappingsOf(because)} of the policy.`

const sentenceOf = (facts: ConflictFacts): string => {
  switch (facts.code) {
    case 'annotator_rule':
      return explainAnnotatorRule(facts)
    case 'annotator_mixed':
      return explainMixed(facts)
    case 'account_role':
      return explainAccountRole(facts)
    case 'admin_not_allowed':
      return explainAdmin(facts)
    case 'slot':
      return explainSlot(facts)
    case 'ambiguous_name':
      return explainAmbiguous(facts)
    case 'unresolved':
      return explainUnresolved(facts)
    case 'unsupported':
      return explainUnsupported(facts)
  }
}

/** What is wrong, and what a human has to do about it. */
export const explainConflict = (facts: ConflictFacts): string => capitalize(sentenceOf(facts))

/** The conflict with its sentence. */
export const conflictOf = (facts: ConflictFacts): Conflict => ({
  code: facts.code,
  entitlement: facts.entitlement,
  because: facts.because,
  sentence: explainConflict(facts),
})
