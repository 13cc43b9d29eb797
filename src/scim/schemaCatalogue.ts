/**
 * Role and Entitlement as Okta discovers them (identity-providers A.6): what may be put into `roles` and `entitlements` of a
 * User. Data only, all of it read-only: the policy is changed elsewhere.
 */
import { text } from './attribute'
import type { Attribute } from './attribute'

export const ROLE_SCHEMA = 'urn:okta:scim:schemas:core:1.0:Role'
export const ENTITLEMENT_SCHEMA = 'urn:okta:scim:schemas:core:1.0:Entitlement'

const READ_ONLY = { mutability: 'readOnly' } as const

const displayName = text('displayName', 'The name, which is a value of `entitlements` or `roles` too.', READ_ONLY)
const description = text('description', 'What it gives at Arize, in words.', READ_ONLY)

export const roleAttributes: readonly Attribute[] = [displayName, description]

export const entitlementAttributes: readonly Attribute[] = [
  displayName,
  text('type', 'The name of the resource type.', { ...READ_ONLY, canonicalValues: ['Entitlement'] }),
  description,
]
