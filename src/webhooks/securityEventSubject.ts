import type { GroupRef, PersonRef, Refresh } from '../change'
import { err, ok, type Result } from '../result'
import { isMembers, memberOf, textOf, type Members } from './fields'

/**
 * Whom a security event is about: the subject identifiers of RFC 9493, Shared Signals 1.0 and RFC 9967, and the spellings of
 * transmitters that are older than these.
 */

export type Subject =
  | { readonly kind: 'person'; readonly who: PersonRef }
  | { readonly kind: 'group'; readonly group: GroupRef }
  /** Known, but no person or group here, with the reason in a sentence. */
  | { readonly kind: 'nobody'; readonly sentence: string }

/** Issuers whose `sub` is the id that the provider uses of a person elsewhere. */
type SubjectIssuers = readonly string[]

/** The subject, or what is malformed in it. */
type Reading = Result<Subject, string>

type Reader = (identifier: Members, issuers: SubjectIssuers) => Reading

/** The subject that stands at the top of the token (`sub_id`), or, as Okta and Google send it, in the event (`subject`). */
export const readSubject = (topLevel: unknown, payload: Members, issuers: SubjectIssuers): Reading => {
  const identifier = topLevel === undefined ? memberOf(payload, 'subject') : topLevel
  if (!isMembers(identifier)) return err('The event has no subject (sub_id) that is an object.')
  const format = formatOf(identifier)
  // Drafts had no format of their own for a subject of several parts.
  if (format === 'complex' || (format === undefined && Object.hasOwn(identifier, 'user'))) {
    return readComplex(identifier, issuers)
  }
  return format === 'aliases' ? readAliases(identifier, issuers) : readSimple(identifier, issuers)
}

/** What to ask the provider again about a subject. */
export const refreshOf = (subject: Subject): readonly Refresh[] => {
  switch (subject.kind) {
    case 'person':
      return [{ kind: 'person', who: subject.who }]
    case 'group':
      return [{ kind: 'group', group: subject.group }]
    case 'nobody':
      return []
  }
}

/** Google still says `subject_type`, and dashes for underscores (`iss-sub`). */
const formatOf = (identifier: Members): string | undefined =>
  textOf(identifier, 'format') ?? textOf(identifier, 'subject_type')?.replaceAll('-', '_')

export const personOf = (id: string | null, userName: string | null): Subject => ({ kind: 'person', who: { id, userName } })
export const groupOf = (id: string): Subject => ({ kind: 'group', group: { id, displayName: null } })

const person = (id: string | null, userName: string | null): Reading => ok(personOf(id, userName))
const nobody = (sentence: string): Reading => ok({ kind: 'nobody', sentence })

const lacks = (format: string, member: string): Reading => err(`The subject of the format ${format} has no usable ${member}.`)

const ofForeignIssuer = nobody('The subject (iss) is of an issuer whose ids this connection does not take for its own.')
export const NEITHER_USER_NOR_GROUP = 'The subject is a SCIM resource that is neither a User nor a Group.'
const noPerson = nobody('The subject is no person: a telephone number, device, session, token or the like.')

const FORMATS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [
    'email',
    (identifier) => {
      const email = textOf(identifier, 'email')
      return email === undefined ? lacks('email', 'email') : person(null, email)
    },
  ],
  [
    'iss_sub',
    (identifier, issuers) => {
      const issuer = textOf(identifier, 'iss', 2048)
      const id = textOf(identifier, 'sub')
      if (issuer === undefined || id === undefined) return lacks('iss_sub', 'iss and sub')
      return issuers.includes(issuer) ? person(id, null) : ofForeignIssuer
    },
  ],
  [
    'opaque',
    (identifier) => {
      const id = textOf(identifier, 'id')
      return id === undefined ? lacks('opaque', 'id') : person(id, null)
    },
  ],
  [
    'account',
    (identifier) => {
      const address = /^acct:(.+@.+)$/i.exec(textOf(identifier, 'uri') ?? '')?.[1]
      const userName = address === undefined ? undefined : decodePart(address)
      return userName === undefined ? lacks('account', 'uri (acct:)') : person(null, userName)
    },
  ],
  [
    // Of Google: what an ID token of the person would say.
    'id_token_claims',
    (identifier, issuers) => {
      const id = textOf(identifier, 'sub')
      const userName = textOf(identifier, 'email') ?? null
      if (id === undefined && userName === null) return lacks('id_token_claims', 'sub or email')
      return issuers.includes(textOf(identifier, 'iss', 2048) ?? '') ? person(id ?? null, userName) : ofForeignIssuer
    },
  ],
  [
    'scim',
    (identifier) => {
      const resource = readScimResource(identifier)
      if (!resource.ok) return resource
      const { type, id } = resource.value
      if (type === null) return nobody(NEITHER_USER_NOR_GROUP)
      return type === 'User' ? person(id, null) : ok(groupOf(id))
    },
  ],
  ...['phone', 'phone_number', 'did', 'uri', 'jwt_id', 'saml_assertion_id', 'ip_addresses', 'oauth_token'].map(
    (format): [string, Reader] => [format, () => noPerson],
  ),
])

const readSimple: Reader = (identifier, issuers) => {
  const format = formatOf(identifier)
  if (format === undefined) return err('The subject has no format.')
  return FORMATS.get(format)?.(identifier, issuers) ?? nobody('The subject is of a format that is not known here.')
}

/** Shared Signals 1.0 section 3.2: of the parts (user, device, session, tenant …) the user alone is anybody here. */
const readComplex: Reader = (identifier, issuers) => {
  const user = memberOf(identifier, 'user')
  if (user === undefined) return noPerson
  return isMembers(user) ? readSimple(user, issuers) : err('The user of the complex subject is no object.')
}

const MAX_ALIASES = 20

/** RFC 9493 section 3.2.7: several names of one subject, of which each format that is usable adds what it knows. */
const readAliases: Reader = (identifier, issuers) => {
  const identifiers = memberOf(identifier, 'identifiers')
  if (!Array.isArray(identifiers) || identifiers.length === 0 || identifiers.length > MAX_ALIASES) {
    return err('The aliases of the subject are no list of identifiers.')
  }
  const named: PersonRef[] = []
  for (const alias of identifiers as readonly unknown[]) {
    if (!isMembers(alias) || formatOf(alias) === 'aliases') return err('An alias of the subject is no identifier.')
    const subject = readSimple(alias, issuers)
    if (!subject.ok) return subject
    if (subject.value.kind === 'person') named.push(subject.value.who)
  }
  const id = named.find((who) => who.id !== null)?.id ?? null
  const userName = named.find((who) => who.userName !== null)?.userName ?? null
  return id === null && userName === null ? noPerson : person(id, userName)
}

const decodePart = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text)
  } catch {
    return undefined
  }
}

/** A resource of a SCIM publisher, by the publisher's own id; `type` is null for others than User and Group. */
export interface ScimResource {
  readonly type: 'User' | 'Group' | null
  readonly id: string
}

const TYPE_OF_ENDPOINT: ReadonlyMap<string, ScimResource['type']> = new Map([['Users', 'User'], ['Groups', 'Group']])

/**
 * RFC 9967 section 2.1: `uri` is relative to the base of the publisher. Nothing is ever fetched from it; one with a host, a query
 * or dots is refused, so that nobody else makes that mistake.
 */
export const readScimResource = (identifier: Members): Result<ScimResource, string> => {
  const parts = /^\/?([A-Za-z]{1,64})\/([^/?#\\]{1,512})$/.exec(textOf(identifier, 'uri', 1024) ?? '')
  const id = decodePart(parts?.[2] ?? '')
  if (parts === null || id === undefined || id === '.' || id === '..' || /[\p{Cc}/\\]/u.test(id)) {
    return err('The subject of the format scim has no usable uri: it must be relative, as /Users/{id}.')
  }
  return ok({ type: TYPE_OF_ENDPOINT.get(parts[1] ?? '') ?? null, id })
}
