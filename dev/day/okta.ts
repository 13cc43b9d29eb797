import { GROUP, idOf, PATCH_OP, USER, type DayGroup, type Exchange, type Worker } from './exchange'

/** What Okta's SCIM client sends, shape by shape as in the recordings under test/recordings/okta. */

const okta = (exchange: Omit<Exchange, 'client'>): Exchange => ({ client: 'Okta', ...exchange })

const lookUp = (resource: 'Users' | 'Groups', attribute: string, value: string): Exchange =>
  okta({ method: 'GET', path: `/${resource}?filter=${encodeURIComponent(`${attribute} eq "${value}"`)}&startIndex=1&count=100`, status: 200 })

const patchGroup = (group: DayGroup, ...Operations: readonly unknown[]): Exchange =>
  okta({ method: 'PATCH', path: `/Groups/${idOf(group)}`, body: { schemas: [PATCH_OP], Operations }, status: 204 })

/** Okta repeats the name with every change of members. */
const repeatName = (group: DayGroup): Exchange =>
  patchGroup(group, { op: 'replace', value: { id: idOf(group), displayName: group.name } })

const memberOf = (person: Worker) => ({ value: idOf(person), display: person.email })

/** Looks for the userName, then creates. The password comes along even where passwords are not synchronized. */
export const createUser = (person: Worker): readonly Exchange[] => [
  lookUp('Users', 'userName', person.email),
  okta({
    method: 'POST',
    path: '/Users',
    body: {
      schemas: [USER],
      userName: person.email,
      name: { givenName: person.givenName, familyName: person.familyName },
      emails: [{ primary: true, value: person.email, type: 'work' }],
      displayName: `${person.givenName} ${person.familyName}`,
      locale: 'en-US',
      externalId: person.externalId,
      groups: [],
      password: 'sent-but-never-kept',
      active: true,
    },
    status: 201,
    keep: person.key,
  }),
]

/** Group Push of a group that is not linked yet: created empty, its members follow. */
export const pushGroup = (group: DayGroup, members: readonly Worker[]): readonly Exchange[] => [
  lookUp('Groups', 'displayName', group.name),
  okta({
    method: 'POST',
    path: '/Groups',
    body: { schemas: [GROUP], displayName: group.name, members: [] },
    status: 201,
    keep: group.key,
  }),
  pushMembers(group, members),
]

/** A group that is there already is found by its name and linked. */
export const linkGroup = (group: DayGroup): Exchange => ({ ...lookUp('Groups', 'displayName', group.name), keepFound: group.key })

/** The whole list of members at once. */
export const pushMembers = (group: DayGroup, members: readonly Worker[]): Exchange =>
  patchGroup(group, { op: 'replace', path: 'members', value: members.map(memberOf) })

export const addMember = (group: DayGroup, person: Worker): readonly Exchange[] => [
  repeatName(group),
  patchGroup(group, { op: 'add', path: 'members', value: [memberOf(person)] }),
]

export const removeMember = (group: DayGroup, person: Worker): readonly Exchange[] => [
  repeatName(group),
  patchGroup(group, { op: 'remove', path: `members[value eq "${idOf(person)}"]` }),
]
