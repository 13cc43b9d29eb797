import { err, ok, type Result } from '../result'

/** A setting without which Arize cannot be called. The sentence is for whoever deploys the bridge and holds no secret. */
export interface ConfigurationError {
  readonly variable: 'ARIZE_BASE_URL' | 'ARIZE_API_KEY'
  readonly sentence: string
}

/**
 * The origin that a base URL names: `https://api.arize.com`, a region's (`https://api.eu-west-1a.arize.com`) or a
 * self-hosted one. Never a default: a missing region would send a European account's people to the United States.
 * `http` is for the emulator: loopback, and only in development (design 10.6).
 */
export const parseOrigin = (baseUrl: string, development: boolean): Result<string, ConfigurationError> => {
  if (baseUrl.trim() === '') return refuse('is empty. Set it to the origin of your region, such as https://api.arize.com.')
  if (!URL.canParse(baseUrl)) return refuse('is not a URL. It looks like https://api.arize.com.')
  const url = new URL(baseUrl)
  if (url.username !== '' || url.password !== '') return refuse('holds a user name or password, which do not belong in it.')
  if (!/^\/*$/.test(url.pathname) || url.search !== '' || url.hash !== '') {
    return refuse('has more than a host and a port. Leave out the path (such as /v2), query and fragment.')
  }
  if (url.protocol === 'https:') return ok(url.origin)
  if (url.protocol === 'http:' && development && isLoopback(url.hostname)) return ok(url.origin)
  return refuse('is not https. (http is taken for loopback, in development only.)')
}

const refuse = (sentence: string) => err({ variable: 'ARIZE_BASE_URL', sentence: `ARIZE_BASE_URL ${sentence}` } as const)

/** An API key as a header can carry it: printable ASCII without spaces. Surrounding white space is a paste's. */
export const parseApiKey = (apiKey: string): Result<string, ConfigurationError> => {
  const key = apiKey.trim()
  if (key === '') return err({ variable: 'ARIZE_API_KEY', sentence: 'ARIZE_API_KEY is empty.' })
  if (/^[\x21-\x7e]+$/.test(key)) return ok(key)
  return err({ variable: 'ARIZE_API_KEY', sentence: 'ARIZE_API_KEY holds a character that no key has, such as a space.' })
}

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
