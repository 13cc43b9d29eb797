/**
 * The bulk requests of RFC 7644 sections 3.7.1 to 3.7.3, as they are printed there but for what only the RFC's server can know:
 * `{b}`, `{d}` and `{e}` stand for its ids, and every version is our first.
 */

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const BULK_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:BulkRequest'
export const BULK_RESPONSE = 'urn:ietf:params:scim:api:messages:2.0:BulkResponse'

/** Section 3.7.1: two groups, each a member of the other. */
export const CIRCULAR = {
  schemas: [BULK_REQUEST],
  Operations: [
    {
      method: 'POST', path: '/Groups', bulkId: 'qwerty',
      data: { schemas: [GROUP], displayName: 'Group A', members: [{ type: 'Group', value: 'bulkId:ytrewq' }] },
    },
    {
      method: 'POST', path: '/Groups', bulkId: 'ytrewq',
      data: { schemas: [GROUP], displayName: 'Group B', members: [{ type: 'Group', value: 'bulkId:qwerty' }] },
    },
  ],
}

/** Section 3.7.2: a user, and a group that it is in. */
export const TEMPORARY_IDS = {
  schemas: [BULK_REQUEST],
  Operations: [
    { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [USER], userName: 'Alice' } },
    {
      method: 'POST', path: '/Groups', bulkId: 'ytrewq',
      data: { schemas: [GROUP], displayName: 'Tour Guides', members: [{ type: 'User', value: 'bulkId:qwerty' }] },
    },
  ],
}

/** Section 3.7.2: a user, and one whose manager it is. */
export const IN_AN_EXTENSION = {
  schemas: [BULK_REQUEST],
  Operations: [
    { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [USER], userName: 'Alice' } },
    {
      method: 'POST', path: '/Users', bulkId: 'ytrewq',
      data: {
        schemas: [USER, ENTERPRISE], userName: 'Bob',
        [ENTERPRISE]: { employeeNumber: '11250', manager: { value: 'bulkId:qwerty' } },
      },
    },
  ],
}

/** Section 3.7.3: one of each method. The data of its PATCH is the list of operations itself. */
export const ONE_OF_EACH = {
  schemas: [BULK_REQUEST],
  failOnErrors: 1,
  Operations: [
    { method: 'POST', path: '/Users', bulkId: 'qwerty', data: { schemas: [USER], userName: 'Alice' } },
    { method: 'PUT', path: '/Users/{b}', version: 'W/"1"', data: { schemas: [USER], id: '{b}', userName: 'Bob' } },
    {
      method: 'PATCH', path: '/Users/{d}', version: 'W/"1"',
      data: [{ op: 'remove', path: 'nickName' }, { op: 'add', path: 'userName', value: 'Dave' }],
    },
    { method: 'DELETE', path: '/Users/{e}', version: 'W/"1"' },
  ],
}
