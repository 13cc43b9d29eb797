/**
 * The account that the contract is tried on. In the suite it is one of the emulator, a new one each time; with
 * ARIZE_CONTRACT_API_KEY in the environment it is a real one, where everything made here is taken away again at the end.
 * ARIZE_CONTRACT_BASE_URL says where either of them is served.
 */
/** Well-formed ids that nothing has. */
export const UNKNOWN_USER = btoa('User:999999999:aBcDe')
export const UNKNOWN_ORGANIZATION = btoa('Organization:999999999:aBcD')
export const UNKNOWN_ROLE = btoa('Role:999999999:aBcDe')

export type Fields = { readonly [name: string]: unknown }

export type Answer = {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** {} when the body is no JSON object. */
  readonly body: Fields
}

type Environment = { readonly process?: { readonly env?: { readonly [name: string]: string | undefined } } }

const environment = (name: string): string | undefined => (globalThis as Environment).process?.env?.[name]

const EMULATOR = 'http://127.0.0.1:8788'
const realKey = environment('ARIZE_CONTRACT_API_KEY')

/** Faults, other people's keys and the state of things can only be had from the emulator. */
export const isEmulator = realKey === undefined
const baseUrl = environment('ARIZE_CONTRACT_BASE_URL') ?? (isEmulator ? EMULATOR : 'https://api.arize.com')

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

const parse = (text: string): Fields => {
  try {
    const json: unknown = JSON.parse(text)
    return isFields(json) ? json : {}
  } catch {
    return {}
  }
}

export const field = (fields: Fields, name: string): string => {
  const value = fields[name]
  if (typeof value !== 'string') throw new Error(`no text in '${name}' of ${JSON.stringify(fields)}`)
  return value
}

export const items = (fields: Fields, name: string): readonly Fields[] => {
  const value = fields[name]
  if (!Array.isArray(value)) throw new Error(`no list in '${name}' of ${JSON.stringify(fields)}`)
  return value.filter(isFields)
}

export const idOf = (answer: Answer): string => field(answer.body, 'id')
export const member = (name: string): Fields => ({ type: 'PREDEFINED', name })
export const custom = (id: string): Fields => ({ type: 'CUSTOM', id })

export class Account {
  readonly key: string
  /** In every name and address that this run makes. */
  readonly run = crypto.randomUUID().slice(0, 8)
  readonly #made: string[] = []
  #count = 0

  constructor(purpose: string, key?: string) {
    this.key = key ?? realKey ?? `dev-arize-key-contract-${purpose}-${this.run}`
  }

  /** The same account through another key. */
  as(key: string): Account {
    return new Account('', key)
  }

  /** `body`: text goes out as it is, anything else as JSON. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(baseUrl + path, {
      method,
      headers: { authorization: `Bearer ${this.key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const text = await response.text()
    const answer = { status: response.status, headers: response.headers, text, body: parse(text) }
    const [, version, collection, ...rest] = path.split('/')
    if (version === 'v2' && method === 'POST' && answer.status === 201 && rest.length === 0) {
      this.#made.push(`/v2/${collection}/${encodeURIComponent(idOf(answer))}`)
    }
    return answer
  }

  get(path: string): Promise<Answer> {
    return this.call('GET', path)
  }

  unique(word: string): string {
    this.#count += 1
    return `${word} ${this.run} ${this.#count}`
  }

  address(word = 'person'): string {
    this.#count += 1
    return `${word}-${this.run}-${this.#count}@contract.example.com`
  }

  /** The id of a new active user. */
  async user(role = 'MEMBER', email = this.address()): Promise<string> {
    return idOf(
      await this.call('POST', '/v2/users', { name: 'Contract Person', email, role: member(role), invite_mode: 'NONE' }),
    )
  }

  async organization(): Promise<string> {
    return idOf(await this.call('POST', '/v2/organizations', { name: this.unique('Organization') }))
  }

  async space(organization: string): Promise<string> {
    return idOf(
      await this.call('POST', '/v2/spaces', { name: this.unique('Space'), organization_id: organization, is_private: true }),
    )
  }

  async role(name = this.unique('Role')): Promise<string> {
    return idOf(await this.call('POST', '/v2/roles', { name, permissions: ['PROJECT_READ', 'DATASET_READ'] }))
  }

  join(place: string, user: string, role: Fields): Promise<Answer> {
    return this.call('POST', `${place}/users`, { user_id: user, role })
  }

  leave(place: string, user: string): Promise<Answer> {
    return this.call('DELETE', `${place}/users/${encodeURIComponent(user)}`)
  }

  /** Every page of a list. */
  async all(path: string, name: string): Promise<readonly Fields[]> {
    const found: Fields[] = []
    let cursor: string | undefined
    do {
      const page = await this.get(cursor === undefined ? path : `${path}&cursor=${encodeURIComponent(cursor)}`)
      found.push(...items(page.body, name))
      const { pagination } = page.body
      cursor = isFields(pagination) && pagination['has_more'] === true ? field(pagination, 'next_cursor') : undefined
    } while (cursor !== undefined)
    return found
  }

  /** Takes away what this run made, the newest first. */
  async cleanUp(): Promise<void> {
    for (const path of this.#made.toReversed()) await this.call('DELETE', path)
  }
}

export const organizationAt = (id: string): string => `/v2/organizations/${encodeURIComponent(id)}`
export const spaceAt = (id: string): string => `/v2/spaces/${encodeURIComponent(id)}`
export const userAt = (id: string): string => `/v2/users/${encodeURIComponent(id)}`
export const bindingAt = (id: string): string => `/v2/role-bindings/${encodeURIComponent(id)}`
