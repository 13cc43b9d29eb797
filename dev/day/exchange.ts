/** One SCIM request of the day as data, and the answer that its sender needs. */

export type Client = 'Okta' | 'Entra'

export interface Exchange {
  readonly client: Client
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Below the SCIM base URL. `{{ada}}` stands for the id that was kept under that name. */
  readonly path: string
  /** Placeholders are filled here too. */
  readonly body?: unknown
  readonly status: number
  /** Under which name the `id` of the answer is kept. */
  readonly keep?: string
  /** Of a list: the `id` of its one resource is kept. */
  readonly keepFound?: string
}

export interface Worker {
  /** What the day calls the person: the name under which the SCIM id is kept. */
  readonly key: string
  readonly givenName: string
  readonly familyName: string
  readonly email: string
  /** The provider's own id. */
  readonly externalId: string
}

export interface DayGroup {
  readonly key: string
  readonly name: string
  readonly externalId: string
}

export const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
export const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
export const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

export const idOf = ({ key }: { readonly key: string }): string => `{{${key}}}`

/** Null when a placeholder has no id yet. */
export const fillIds = (text: string, ids: ReadonlyMap<string, string>): string | null => {
  const missing = [...text.matchAll(/\{\{(\w+)\}\}/g)].some(([, key]) => !ids.has(key ?? ''))
  return missing ? null : text.replaceAll(/\{\{(\w+)\}\}/g, (_, key: string) => ids.get(key) ?? '')
}
