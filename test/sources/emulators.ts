import { exportJWK, generateKeyPair, exportPKCS8, type JWK } from 'jose'

/** The emulators of Okta and of Microsoft Graph as tests see them: their control surfaces, and a world of its own for each caller. */

export interface Emulator {
  /** Where the provider's API is. */
  readonly origin: string
  /** The control surface; the answer's JSON. */
  readonly control: (method: string, path: string, body?: unknown) => Promise<unknown>
  /** `METHOD path status` of every call since the reset. */
  readonly calls: () => Promise<readonly string[]>
  readonly fault: (fault: Readonly<Record<string, unknown>>) => Promise<void>
}

interface Calls {
  readonly calls: readonly { readonly method: string; readonly path: string; readonly status: number }[]
}

const emulatorAt = (origin: string, prefix: string): Emulator => {
  const control: Emulator['control'] = async (method, path, body) => {
    const response = await fetch(`${origin}${prefix}/${path}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    const text = await response.text()
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
    return text === '' ? null : (JSON.parse(text) as unknown)
  }
  return {
    origin, control,
    calls: async () => ((await control('GET', 'calls')) as Calls).calls.map(({ method, path, status }) => `${method} ${path} ${status}`),
    fault: async (fault) => void (await control('POST', 'faults', fault)),
  }
}

const byte = (): number => (crypto.getRandomValues(new Uint8Array(1))[0] ?? 0) % 254

/** An org of its own: each loopback address is one. */
export const openOkta = async (): Promise<Emulator> => {
  const okta = emulatorAt(`http://127.${byte()}.${byte()}.${byte() + 1}:8790`, '/_emulator')
  await okta.control('POST', 'reset')
  return okta
}

export interface GraphEmulator extends Emulator {
  readonly tenantId: string
  readonly clientId: string
  readonly secret: string
}

/** A tenant of its own, with an app that may read. */
export const openGraph = async (): Promise<GraphEmulator> => {
  const tenantId = crypto.randomUUID()
  const clientId = crypto.randomUUID()
  const secret = 'a~client.Secret_of-many characters'.replaceAll(' ', '')
  const graph = emulatorAt('http://127.0.0.1:8791', `/_emulator/${tenantId}`)
  await graph.control('PUT', `clients/${clientId}`, { secrets: [secret] })
  return { ...graph, tenantId, clientId, secret }
}

export interface KeyPair {
  readonly pem: string
  readonly privateJwk: JWK
  readonly publicJwk: JWK
}

export const newKeyPair = async (alg: 'RS256' | 'ES256' = 'ES256'): Promise<KeyPair> => {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true })
  return { pem: await exportPKCS8(privateKey), privateJwk: await exportJWK(privateKey), publicJwk: await exportJWK(publicKey) }
}

/** What an answer looks like: its members' names and kinds, all the way down. A list looks like its first element. */
export const shapeOf = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.length === 0 ? [] : [shapeOf(value[0])]
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, shapeOf(each)]))
}

/** Every member of `part` is in `whole` and of its kind; `null` goes with anything. */
export const isPartOf = (part: unknown, whole: unknown): boolean => {
  if (part === 'null' || whole === 'null') return true
  if (Array.isArray(part) && Array.isArray(whole)) return part.length === 0 || whole.length === 0 || isPartOf(part[0], whole[0])
  if (typeof part !== 'object' || part === null || typeof whole !== 'object' || whole === null) return part === whole
  return Object.entries(part).every(([name, each]) => Object.hasOwn(whole, name) && isPartOf(each, (whole as Readonly<Record<string, unknown>>)[name]))
}
