/**
 * The enterprise extension of RFC 7643 sections 4.3 and 8.7.1, with erratum 8472 (`manager.value` is case exact). Data only.
 */
import { complex, reference, text } from './attribute'
import type { Attribute } from './attribute'

export const ENTERPRISE_SCHEMA = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'

export const enterpriseAttributes: readonly Attribute[] = [
  text('employeeNumber', 'The number that the employer gave to the user.'),
  text('costCenter', 'The cost center.'),
  text('organization', 'The organization.'),
  text('division', 'The division.'),
  text('department', 'The department.'),
  complex('manager', "The user's manager. Need not be a user of this server.", [
    text('value', "The manager's id.", { caseExact: true }),
    // Entra sends addresses of another host here (E-16), so what a client says about these two is dropped.
    reference('$ref', "The manager's location.", ['User'], { mutability: 'readOnly' }),
    text('displayName', "The manager's name.", { mutability: 'readOnly' }),
  ]),
]
