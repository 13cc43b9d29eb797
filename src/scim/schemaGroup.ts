/**
 * The core Group of RFC 7643 sections 4.2 and 8.7.1, with errata 5368 (`displayName` is required) and 6011
 * (`members.display`). Data only.
 */
import { complex, reference, text } from './attribute'
import type { Attribute } from './attribute'

export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group'

export const groupAttributes: readonly Attribute[] = [
  text('displayName', 'The name of the group. Unique within the connection, compared without case.', {
    required: true, uniqueness: 'server',
  }),
  complex('members', 'The members. The list may change; a member itself may not.', [
    text('value', "The member's id.", { caseExact: true, mutability: 'immutable' }),
    reference('$ref', "The member's location.", ['User'], { mutability: 'immutable' }),
    text('type', 'The kind of the member: groups are not members of groups.', { mutability: 'immutable', canonicalValues: ['User'] }),
    // Only when it is asked for: a group of 100,000 would be read with all of its users.
    text('display', "The member's displayName, or else the userName.", { mutability: 'readOnly', returned: 'request' }),
  ], { multiValued: true }),
]
