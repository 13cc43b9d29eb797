/**
 * The core User of RFC 7643 sections 4.1 and 8.7.1, with its verified errata. Data only. `password` is accepted and
 * dropped: it is never stored, returned or published (the Microsoft validator fails on published `returned: never`, B.5).
 */
import { binary, complex, flag, reference, text, values } from './attribute'
import type { Attribute } from './attribute'

export const USER_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:User'

const EMAIL_TYPES = ['work', 'home', 'other']
const PHONE_TYPES = ['work', 'home', 'mobile', 'fax', 'pager', 'other']
const IM_TYPES = ['aim', 'gtalk', 'icq', 'xmpp', 'msn', 'skype', 'qq', 'yahoo']

export const userAttributes: readonly Attribute[] = [
  text('userName', 'The name by which the provider knows the user. Compared without case, kept as it was sent.', {
    required: true, uniqueness: 'server',
  }),
  complex('name', "The parts of the user's name.", [
    text('formatted', 'The full name, for display.'),
    text('familyName', 'The family name.'),
    text('givenName', 'The given name.'),
    text('middleName', 'The middle names.'),
    text('honorificPrefix', 'The title before the name.'),
    text('honorificSuffix', 'The suffix after the name.'),
  ]),
  text('displayName', 'The name to show to people.'),
  text('nickName', 'The casual name.'),
  reference('profileUrl', "The address of the user's page.", ['external']),
  text('title', 'The job title.'),
  text('userType', 'The relation to the organization, such as Employee or Contractor.'),
  text('preferredLanguage', 'The preferred written or spoken language.'),
  text('locale', 'The locale for numbers, dates and currency.'),
  text('timezone', 'The time zone, as in the IANA database.'),
  flag('active', 'Whether the user may work. False takes every role away.'),
  text('password', 'Accepted and dropped.', { mutability: 'writeOnly', returned: 'never' }),
  values('emails', 'The e-mail addresses.', text('value', 'The address.'), EMAIL_TYPES),
  values('phoneNumbers', 'The phone numbers, kept as they were sent.', text('value', 'The number.'), PHONE_TYPES),
  values('ims', 'The instant messaging addresses.', text('value', 'The address.'), IM_TYPES),
  values('photos', 'Addresses of photos.', reference('value', 'The address.', ['external']), ['photo', 'thumbnail']),
  complex('addresses', 'The postal addresses.', [
    text('formatted', 'The whole address, for display.'),
    text('streetAddress', 'Street and number.'),
    text('locality', 'City.'),
    text('region', 'State or region.'),
    text('postalCode', 'Postal code.'),
    text('country', 'Country.'),
    text('type', 'A label for the function of the address.', { canonicalValues: ['work', 'home', 'other'] }),
    flag('primary', 'Whether this is the preferred address. At most one is.'),
  ], { multiValued: true }),
  complex('groups', 'The groups that the user is a member of. Changed through the Group only.', [
    text('value', "The group's id.", { caseExact: true, mutability: 'readOnly' }),
    reference('$ref', "The group's location.", ['Group'], { mutability: 'readOnly' }),
    text('display', "The group's name.", { mutability: 'readOnly' }),
    text('type', 'How the user is a member.', { mutability: 'readOnly', canonicalValues: ['direct', 'indirect'] }),
  ], { multiValued: true, mutability: 'readOnly' }),
  values('entitlements', 'Things that the user has.', text('value', 'The entitlement.')),
  values('roles', 'Roles of the user at the provider.', text('value', 'The role.')),
  values('x509Certificates', 'Certificates of the user.', binary('value', 'The certificate, DER in base64.')),
]
