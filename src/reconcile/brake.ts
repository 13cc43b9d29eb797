/**
 * The refusal to run plans that take too much away (design section 10.3). Judges numbers of people, and splits one plan
 * into what may go on and what waits. Does not count anybody and stores no hold: the Directory does.
 */
import type { Change, Plan } from './plan'
import { keysOf, withholdWhere } from './plan'

/** People who would lose or be lowered in a role, each counted once. */
export interface Burst {
  /** People among the due subjects. */
  readonly due: number
  /** Other people who were removed, lowered or held in the past hour. */
  readonly pastHour: number
  /** People who hold a role in the ledger, with those who lost their last one in the past hour. */
  readonly peopleWithRoles: number
}

export interface MoverLimits {
  readonly maxRemovalsPerHour: number
  /** Percent of the people with roles. */
  readonly maxRemovalsPercent: number
}

export interface LeaverLimits {
  readonly maxLeaversPerHour: number
  /** Percent of the people with roles. */
  readonly maxLeaversPercent: number
}

export type Verdict = { readonly trips: false } | { readonly trips: true; readonly sentence: string }

/** So many people may always lose a role before the limit in percent counts, or a small company could offboard nobody. */
export const PERCENT_FLOOR = 5

const TO_DO = 'Nothing is taken away until an administrator approves or refuses it; what is given goes on.'

const people = (count: number): string => (count === 1 ? '1 person' : `${count} people`)

interface Rule {
  readonly verb: string
  readonly perHour: number
  readonly perHourName: string
  readonly percent: number
  readonly percentName: string
}

const judge = ({ due, pastHour, peopleWithRoles }: Burst, rule: Rule): Verdict => {
  if (due === 0) return { trips: false }
  const affected = due + pastHour
  const already = pastHour === 0 ? '' : `, ${pastHour} of them changed or held in the past hour`
  const what = `${people(affected)} ${rule.verb}${already}`
  if (affected > rule.perHour) {
    return { trips: true, sentence: `${what}: more than the ${rule.perHour} an hour that brake.${rule.perHourName} allows. ${TO_DO}` }
  }
  if (affected > PERCENT_FLOOR && affected * 100 > rule.percent * peopleWithRoles) {
    const limit = `more than the ${rule.percent} percent of ${people(peopleWithRoles)} with roles that brake.${rule.percentName} allows`
    return { trips: true, sentence: `${what}: ${limit}. ${TO_DO}` }
  }
  return { trips: false }
}

/** Whether movers may lose what their plans take. A trip holds the whole burst, and time alone releases none of it. */
export const judgeMovers = ({ limits, ...burst }: Burst & { readonly limits: MoverLimits }): Verdict =>
  judge(burst, {
    verb: 'would lose a role or get a lower one',
    perHour: limits.maxRemovalsPerHour,
    perHourName: 'maxRemovalsPerHour',
    percent: limits.maxRemovalsPercent,
    percentName: 'maxRemovalsPercent',
  })

/** The same for people who were deactivated or deleted, with limits of their own. */
export const judgeLeavers = ({ limits, ...burst }: Burst & { readonly limits: LeaverLimits }): Verdict =>
  judge(burst, {
    verb: 'would lose every role because they left',
    perHour: limits.maxLeaversPerHour,
    perHourName: 'maxLeaversPerHour',
    percent: limits.maxLeaversPercent,
    percentName: 'maxLeaversPercent',
  })

/** A renamed group that no mapping selects any more: held whatever the number of people who would lose a role by it. */
export const judgeRenamedGroup = ({ due }: Pick<Burst, 'due'>): Verdict =>
  due === 0
    ? { trips: false }
    : {
        trips: true,
        sentence: `${people(due)} would lose a role or get a lower one because a group was renamed: map its new name, or approve it. ${TO_DO}`,
      }

/**
 * Splits a plan by a verdict. `cleared`: the brake did not trip for this person. Otherwise every change that lowers is
 * withheld (`brake`, with the verdict's sentence) unless `approved` names it and everything that goes with it: an
 * organization waits for each removal beneath it. What is given goes on, and the order stays valid.
 */
export const splitByBrake = (
  plan: Plan,
  { cleared, approved, sentence }: { readonly cleared: boolean; readonly approved: ReadonlySet<string>; readonly sentence: string },
): Plan => {
  if (cleared) return plan
  const unapproved = (change: Change): boolean => change.lowers && !keysOf(change).every((key) => approved.has(key))
  const waiting = new Set(
    plan.changes
      .filter((change) => change.op === 'delete' && change.resource.kind !== 'organization' && unapproved(change))
      .map(({ resource }) => resource.organizationId),
  )
  const held = (change: Change): boolean =>
    unapproved(change) || (change.op === 'delete' && change.resource.kind === 'organization' && waiting.has(change.resource.id))
  return withholdWhere(plan, held, 'brake', sentence)
}
