import { GROUP, idOf, PATCH_OP, USER, type DayGroup, type Exchange, type Worker } from './exchange'

/** What Entra's provisioning service sends without `aadOptscim062020`, as in the recordings under test/recordings/entra. */

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const MICROSOFT_GROUP = 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'

const entra = (exchange: Omit<Exchange, 'client'>): Exchange => ({ client: 'Entra', ...exchange })

/** Spaces as `+`, which is how its filters arrive. */
const filterOf = (attribute: string, value: string): string =>
  `filter=${encodeURIComponent(`${attribute} eq "${value}"`).replaceAll('%20', '+')}`

export const createUser = (person: Worker): readonly Exchange[] => [
  entra({ method: 'GET', path: `/Users?${filterOf('userName', person.email)}`, status: 200 }),
  entra({
    method: 'POST',
    path: '/Users',
    body: {
      schemas: [USER, ENTERPRISE],
      externalId: person.externalId,
      userName: person.email,
      active: true,
      emails: [{ primary: true, type: 'work', value: person.email }],
      meta: { resourceType: 'User' },
      name: {
        formatted: `${person.givenName} ${person.familyName}`,
        familyName: person.familyName,
        givenName: person.givenName,
      },
      roles: [],
    },
    status: 201,
    keep: person.key,
  }),
]

const matchGroup = ({ name }: DayGroup): string => `/Groups?excludedAttributes=members&${filterOf('displayName', name)}`

export const createGroup = (group: DayGroup): readonly Exchange[] => [
  entra({ method: 'GET', path: matchGroup(group), status: 200 }),
  entra({
    method: 'POST',
    path: '/Groups',
    body: {
      schemas: [GROUP, MICROSOFT_GROUP],
      externalId: group.externalId,
      displayName: group.name,
      meta: { resourceType: 'Group' },
    },
    status: 201,
    keep: group.key,
  }),
]

export const addMember = (group: DayGroup, person: Worker): Exchange =>
  entra({
    method: 'PATCH',
    path: `/Groups/${idOf(group)}`,
    body: { schemas: [PATCH_OP], Operations: [{ op: 'Add', path: 'members', value: [{ $ref: null, value: idOf(person) }] }] },
    status: 204,
  })

/** The default job spells booleans as text. */
export const setActive = (person: Worker, isActive: boolean): Exchange =>
  entra({
    method: 'PATCH',
    path: `/Users/${idOf(person)}`,
    body: { schemas: [PATCH_OP], Operations: [{ op: 'Replace', path: 'active', value: isActive ? 'True' : 'False' }] },
    status: 200,
  })
