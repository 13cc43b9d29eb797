import * as z from 'zod'
import type { Documents } from '../../lib/documents'

/** What an org consists of. */

export const STATUSES = ['STAGED', 'PROVISIONED', 'ACTIVE', 'RECOVERY', 'PASSWORD_EXPIRED', 'LOCKED_OUT', 'SUSPENDED', 'DEPROVISIONED'] as const

export interface Person {
  readonly login: string
  readonly email: string
  readonly firstName: string
  readonly lastName: string
  readonly status: string
  readonly created: string
  readonly lastUpdated: string
}

export interface Group {
  readonly name: string
  readonly members: readonly string[]
  readonly lastUpdated: string
}

export interface App {
  readonly users: readonly string[]
}

export const clientSchema = z.strictObject({
  keys: z.array(z.looseObject({ kty: z.string() })).min(1),
  scopes: z.array(z.string()).default(['okta.users.read', 'okta.groups.read']),
  dpop: z.boolean().default(false),
})

export type Client = z.infer<typeof clientSchema>

export const switchesSchema = z.strictObject({
  pageSize: z.int().min(1).max(1000).optional(),
  rateLimit: z.int().min(1).max(1_000_000).optional(),
  tokenSeconds: z.int().min(1).max(86_400).optional(),
  apiToken: z.string().min(1).optional(),
  apiNonce: z.boolean().optional(),
})

export interface Switches {
  readonly pageSize: number
  readonly rateLimit: number
  readonly tokenSeconds: number
  readonly apiToken: string
  readonly apiNonce: boolean
}

const DEFAULT: Switches = { pageSize: 200, rateLimit: 600, tokenSeconds: 3600, apiToken: 'dev-okta-token', apiNonce: false }

export const switchesOf = (documents: Documents): Switches => ({ ...DEFAULT, ...documents.get<Partial<Switches>>('switches', '') })

/** A token that the org gave to a service app. `thumbprint`: of the key that it is bound to. */
export interface Token {
  readonly scopes: readonly string[]
  readonly thumbprint: string | null
  readonly expiresAt: number
}

export const isSeen = (documents: Documents, jti: string): boolean => {
  if (documents.get('jti', jti) !== undefined) return true
  documents.put('jti', jti, true)
  return false
}
