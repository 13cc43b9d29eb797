/**
 * The well-known values of `npm start` and the tests, and where they may be believed: only with DEVELOPMENT=true and only
 * when the request itself came to a loopback host. Anywhere else a deployment that holds one of them is misconfigured.
 */
import { err, ok, type Result } from '../result'
import type { AuthFailure } from './failure'

const DEVELOPMENT_TOKENS = ['dev-scim-token', 'dev-admin-token', 'dev-arize-key'] as const

/** `dev-arize-key-2` and the like (separate accounts of the emulator) are development values too. */
export const isDevelopmentValue = (value: string): boolean =>
  DEVELOPMENT_TOKENS.some((token) => value === token || value.startsWith(`${token}-`))

/**
 * Whether a host name as `URL.hostname` gives it (IPv6 in brackets) is this machine: `localhost`, 127.0.0.0/8, `[::1]`.
 * Names that only usually resolve to loopback (`x.localhost`, `127.0.0.1.example.com`) are not.
 */
export const isLoopbackHost = (hostname: string): boolean => {
  const host = hostname.toLowerCase()
  if (host === 'localhost' || host === '[::1]') return true
  const octets = host.split('.')
  return octets.length === 4 && octets[0] === '127' && octets.every(isOctet)
}

const isOctet = (text: string): boolean => /^(?:0|[1-9][0-9]{0,2})$/.test(text) && Number(text) <= 255

export type DevelopmentPlace = { readonly development: boolean; readonly hostname: string }

/** Whether development values and http issuers are believed for a request to `hostname`. */
export const isDevelopmentPlace = (place: DevelopmentPlace): boolean =>
  place.development && isLoopbackHost(place.hostname)

/** Refuses a development value outside development, naming the variable that holds it. */
export const refuseDevelopmentValue = (
  variable: string,
  value: string,
  place: DevelopmentPlace,
): Result<void, AuthFailure> =>
  isDevelopmentValue(value) && !isDevelopmentPlace(place)
    ? err({
        kind: 'misconfigured',
        variable,
        sentence:
          `${variable} holds a development value, which is believed only with DEVELOPMENT=true ` +
          'and on a loopback address. Set a value of your own.',
      })
    : ok(undefined)
