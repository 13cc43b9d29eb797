import type { DirectoryChange, GroupRef, PersonRef, Refresh } from '../change'

/**
 * What follows from each type of event of Okta's System Log, as one table (catalogue 2026.08.1; design section 10.5): a locked
 * account is no leaver, and an event has the names of its targets only, so that most ask for them again.
 */

export interface Target {
  readonly id: string
  /** User, UserGroup, AppInstance, AppUser and others. */
  readonly type: string
  readonly alternateId: string | null
  readonly displayName: string | null
}

type Rule =
  | 'inactive'
  | 'active'
  | 'askPerson'
  | 'member'
  | 'noMember'
  | 'groupNamed'
  | 'groupGone'
  | 'askGroup'
  | 'nothing'

const TYPES: Readonly<Record<Rule, readonly string[]>> = {
  inactive: ['user.lifecycle.suspend', 'user.lifecycle.deactivate', 'user.lifecycle.delete.initiated'],
  active: ['user.lifecycle.unsuspend', 'user.lifecycle.activate', 'user.lifecycle.reactivate'],
  askPerson: [
    'user.lifecycle.create',
    'user.lifecycle.delete.completed',
    'user.account.update_profile',
    'user.account.update_user_type',
    'user.account.update_primary_email',
    'user.account.update_secondary_email',
    'application.user_membership.add',
    'application.user_membership.remove',
    'application.user_membership.update',
    'application.user_membership.provision',
    'application.user_membership.deprovision',
    'application.user_membership.approve',
    'application.user_membership.revoke',
    'application.user_membership.restore',
    'application.provision.user.push',
    'application.provision.user.push_profile',
    'application.provision.user.activate',
    'application.provision.user.reactivate',
    'application.provision.user.deactivate',
    'application.provision.user.deprovision',
    'application.provision.user.sync',
    'application.provision.user.import_profile',
    'application.provision.user.delete',
    'application.provision.user.delete.schedule',
    'application.provision.user.remove_entitlements',
    'application.provision.user.remove_entitlements.schedule',
  ],
  member: ['group.user_membership.add'],
  noMember: ['group.user_membership.remove'],
  groupNamed: ['group.lifecycle.create', 'group.profile.update'],
  groupGone: ['group.lifecycle.delete'],
  askGroup: ['group.application_assignment.add', 'group.application_assignment.remove', 'group.application_assignment.update'],
  nothing: [
    'user.account.lock',
    'user.account.unlock',
    'user.account.unlock_by_admin',
    'user.account.update_password',
    'application.user_membership.change_password',
    'group.privilege.grant',
    'group.privilege.revoke',
  ],
}

const RULES: ReadonlyMap<string, Rule> = new Map(
  Object.entries(TYPES).flatMap(([rule, types]) => types.map((type): [string, Rule] => [type, rule as Rule])),
)

/** Only those of the application that the connection names have an effect. */
export const isAboutApplication = (type: string): boolean =>
  type.startsWith('application.') || type.startsWith('group.application_assignment.')

export const readGroup = ({ id, type, displayName }: Target): readonly GroupRef[] => (type === 'UserGroup' ? [{ id, displayName }] : [])

export interface Effect {
  readonly changes?: readonly DirectoryChange[]
  readonly refresh?: readonly Refresh[]
  readonly ignored?: string
}

interface Named {
  readonly persons: readonly PersonRef[]
  readonly groups: readonly GroupRef[]
}

const askFor = ({ persons, groups }: Named): readonly Refresh[] => [
  ...persons.map((who): Refresh => ({ kind: 'person', who })),
  ...groups.map((group): Refresh => ({ kind: 'group', group })),
]

/** What follows from an event that succeeded, and that is about our application if it is about one. */
export const effectOf = (type: string, named: Named): Effect => {
  const rule = RULES.get(type)
  if (rule === undefined) return { ignored: 'The event is of a type that is not known here.' }
  if (rule === 'nothing') return { ignored: "The event has no bearing on anybody's access." }
  const needsPerson = !['groupNamed', 'groupGone', 'askGroup'].includes(rule)
  const needsGroup = !['inactive', 'active', 'askPerson'].includes(rule)
  const lacks = (needsPerson && named.persons.length === 0) || (needsGroup && named.groups.length === 0)
  if (lacks) return { ignored: 'The event does not name whom or what it is about (target).' }
  const isAmbiguous = (needsPerson && named.persons.length > 1) || (needsGroup && named.groups.length > 1)
  // Who of several is meant is not for us to guess.
  if (isAmbiguous) return { refresh: askFor(named), ignored: 'The event names more than one of a kind (target).' }
  const [who] = named.persons
  const [group] = named.groups
  return { ...(who === undefined ? {} : ofPerson(rule, who)), ...(group === undefined ? {} : ofGroup(rule, group, who)) }
}

const ofPerson = (rule: Rule, who: PersonRef): Effect => {
  if (rule === 'askPerson') return { refresh: [{ kind: 'person', who }] }
  return rule === 'active' || rule === 'inactive' ? { changes: [{ kind: 'active', who, active: rule === 'active' }] } : {}
}

const ofGroup = (rule: Rule, group: GroupRef, who: PersonRef | undefined): Effect => {
  const { id, displayName } = group
  switch (rule) {
    case 'member':
    case 'noMember':
      return who === undefined ? {} : { changes: [{ kind: 'membership', group, who, member: rule === 'member' }] }
    case 'groupNamed':
      return {
        changes: displayName === null ? [] : [{ kind: 'group', group: { id, displayName } }],
        refresh: [{ kind: 'group', group }],
      }
    case 'groupGone':
      return { changes: [{ kind: 'groupGone', group }] }
    case 'askGroup':
      return { refresh: [{ kind: 'group', group }] }
    default:
      return {}
  }
}
