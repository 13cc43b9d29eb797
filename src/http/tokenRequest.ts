import { err, ok, type Result } from '../result'

/** A request to the token endpoint as the proof that it holds (RFC 6749 section 2.3, RFC 7523 section 2.2, RFC 8693). */

export type Presented =
  | { readonly kind: 'secret'; readonly clientId: string; readonly secret: string }
  | {
      readonly kind: 'assertion'
      /** Null where the request does not say: then who signed says it. */
      readonly clientId: string | null
      readonly assertion: string
      /** Whether the client may have signed it itself. */
      readonly mayBeOwn: boolean
      readonly isExchange: boolean
    }

/** RFC 6749 section 5.2. */
export interface TokenError {
  readonly status: 400 | 401
  readonly error: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_grant'
  readonly description: string
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const SUBJECT_TYPES: ReadonlySet<string> = new Set([
  'urn:ietf:params:oauth:token-type:id_token', 'urn:ietf:params:oauth:token-type:jwt', ACCESS_TOKEN,
])

const fault = (error: TokenError['error'], description: string): Result<never, TokenError> =>
  err({ status: error === 'invalid_client' ? 401 : 400, error, description })

type Pair = { readonly clientId: string; readonly secret: string }

/** Both are form-encoded inside Basic (RFC 6749 section 2.3.1); clients that do not know that send them as they are. */
const decodeForm = (text: string): string => {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

const readBasic = (authorization: string): readonly Pair[] | null => {
  const encoded = /^basic[ \t]+([A-Za-z0-9+/]+={0,2})[ \t]*$/i.exec(authorization)?.[1]
  if (encoded === undefined || authorization.length > 8192) return null
  try {
    const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0))
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    const colon = text.indexOf(':')
    if (colon < 0) return null
    const raw = { clientId: text.slice(0, colon), secret: text.slice(colon + 1) }
    return [{ clientId: decodeForm(raw.clientId), secret: decodeForm(raw.secret) }, raw]
  } catch {
    return null
  }
}

const isSame = (a: Pair, b: Pair): boolean => a.clientId === b.clientId && a.secret === b.secret

/** The secret in the header, the body, or both: Entra offers to send it twice, and then the two must be equal (T-03). */
const readSecret = (form: (name: string) => string | null, authorization: string | null): Result<Presented, TokenError> => {
  const id = form('client_id')
  const secret = form('client_secret')
  const inBody = id !== null && secret !== null ? { clientId: id, secret } : null
  if (authorization === null) {
    return inBody === null ? fault('invalid_client', 'The request has no client credentials.') : ok({ kind: 'secret', ...inBody })
  }
  const spellings = readBasic(authorization)
  const [inHeader] = spellings ?? []
  if (spellings === null || inHeader === undefined) return fault('invalid_client', 'The Authorization header is not HTTP Basic with a client id and secret.')
  if (inBody !== null) {
    const same = spellings.find((spelling) => isSame(spelling, inBody))
    return same === undefined ? fault('invalid_request', 'The client credentials in the header and in the body differ.') : ok({ kind: 'secret', ...inBody })
  }
  if (id !== null && !spellings.some(({ clientId }) => clientId === id)) return fault('invalid_request', 'The client id in the header and in the body differ.')
  return ok({ kind: 'secret', ...inHeader })
}

const readExchange = (form: (name: string) => string | null): Result<Presented, TokenError> => {
  const assertion = form('subject_token')
  if (assertion === null || !SUBJECT_TYPES.has(form('subject_token_type') ?? '')) {
    return fault('invalid_request', 'A token exchange needs subject_token, and a JWT as subject_token_type.')
  }
  if ((form('requested_token_type') ?? ACCESS_TOKEN) !== ACCESS_TOKEN) return fault('invalid_request', 'Only access tokens are issued.')
  return ok({ kind: 'assertion', clientId: form('client_id'), assertion, mayBeOwn: false, isExchange: true })
}

/** Unknown parameters are ignored (RFC 6749 section 3.2); one that is given twice is refused, and an empty one is not given. */
export const readTokenRequest = (params: URLSearchParams, authorization: string | null): Result<Presented, TokenError> => {
  const names = [...params.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index && KNOWN.has(name))
  if (twice !== undefined) return fault('invalid_request', `The parameter ${twice} is given twice.`)
  const form = (name: string): string | null => {
    const value = params.get(name)
    return value === null || value === '' ? null : value
  }
  const grant = form('grant_type')
  if (grant === null) return fault('invalid_request', 'grant_type is missing.')
  if (grant === EXCHANGE) return readExchange(form)
  if (grant !== 'client_credentials') return fault('unsupported_grant_type', 'Only client_credentials and token exchange are supported.')
  const assertion = form('client_assertion')
  if (assertion === null) return readSecret(form, authorization)
  if (form('client_assertion_type') !== ASSERTION_TYPE) return fault('invalid_request', `client_assertion_type must be ${ASSERTION_TYPE}.`)
  if (authorization !== null || form('client_secret') !== null) return fault('invalid_request', 'A client proves itself in one way at a time.')
  return ok({ kind: 'assertion', clientId: form('client_id'), assertion, mayBeOwn: true, isExchange: false })
}

const KNOWN: ReadonlySet<string> = new Set([
  'grant_type', 'client_id', 'client_secret', 'client_assertion', 'client_assertion_type', 'subject_token', 'subject_token_type',
  'requested_token_type', 'scope',
])
