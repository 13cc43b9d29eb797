import type { DayGroup, Worker } from './exchange'

/** Who and what the day is about, and what Arize holds before it begins. */

const person = (key: string, givenName: string, familyName: string, externalId: string): Worker => ({
  key, givenName, familyName, externalId, email: `${key}@acme.example`,
})

export const ada = person('ada', 'Ada', 'Moreau', '00u1ada7Q2kD5pXvB5d7')
export const ben = person('ben', 'Ben', 'Ortiz', '00u1ben4T9sLw0ZcY5d7')
export const chloe = person('chloe', 'Chloe', 'Sato', '0a21f0f2-8d2a-4f8e-bf98-7363c4aed401')
export const lea = person('lea', 'Lea', 'Novak', '0a21f0f2-8d2a-4f8e-bf98-7363c4aed402')
export const max = person('max', 'Max', 'Weber', '0a21f0f2-8d2a-4f8e-bf98-7363c4aed403')
export const noor = person('noor', 'Noor', 'Haddad', '0a21f0f2-8d2a-4f8e-bf98-7363c4aed404')

const group = (key: string, name: string, externalId: string): DayGroup => ({ key, name, externalId })

export const engineers = group('engineers', 'Arize ML Engineers', '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900101')
export const searchTeam = group('searchTeam', 'Arize Search Team', '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900102')
export const fraudMembers = group('fraudMembers', 'arize-Fraud-member', '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900103')
export const fraudViewers = group('fraudViewers', 'arize-Fraud-viewer', '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900104')
export const labelers = group('labelers', 'Arize Labelers', '8aa1a0c0-c4c3-4bc0-b4a5-2ef676900105')

/** Arize's organizations and their spaces. The policy names them; the bridge finds their ids. */
export const organizations = [
  { name: 'ML Platform', spaces: ['Ranking', 'Search'] },
  { name: 'Fraud', spaces: ['Chargebacks'] },
  { name: 'Labeling', spaces: ['Gold Set'] },
] as const

/** Accounts that somebody made in Arize by hand, before there was a bridge. */
export const accounts = [
  {
    email: noor.email,
    name: `${noor.givenName} ${noor.familyName}`,
    role: 'ANNOTATOR',
    memberships: [{ organization: 'Labeling', role: 'ANNOTATOR' }],
  },
] as const
