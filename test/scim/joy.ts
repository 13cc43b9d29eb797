import { ENTERPRISE_SCHEMA } from '../../src/scim/schema'

/** Users for PATCH: one with something of everything, and one with nothing. */

export const work = { value: 'w@x.org', type: 'work', primary: true }
export const home = { value: 'h@x.org', type: 'home' }

export const joy = {
  userName: 'joy', externalId: 'e1', active: true, displayName: 'Joy Young', title: 'Engineer',
  name: { givenName: 'Joy', familyName: 'Young', formatted: 'Joy Young' },
  emails: [work, home],
  [ENTERPRISE_SCHEMA]: { department: 'R&D', manager: { value: 'm1' } },
}

export const bare = { userName: 'bare', active: true }

/** One operation of a PATCH. */
export const op = (kind: string, path: string | undefined, value?: unknown) => ({
  op: kind, ...(path === undefined ? {} : { path }), ...(value === undefined ? {} : { value }),
})
