import * as z from 'zod'
import { clientKeysSchema, type ClientKeys } from '../auth/clientAssertion'
import { trustedIssuerSchema, type TrustedIssuer } from '../auth/trustedIssuer'
import type { ConnectionKind, EventKind } from '../change'
import type { ProblemAt } from '../http/problem'
import { writePath } from '../policy/refusal'
import { err, ok, type Result } from '../result'
import { isPull, schemasOf } from '../sources/sources'
import { pollSecrets } from '../webhooks/poll'
import { webhookOf } from '../webhooks/sources'
import { problemsIn } from './validate'

/** What an administrator may say of a connection, by its kind. */

const KINDS = {
  'scim': 'scim', 'okta-event-hook': 'okta-event-hook', 'universal-logout': 'universal-logout', 'security-events': 'security-events',
  'event-grid': 'event-grid', 'okta': 'okta', 'graph': 'graph',
} as const satisfies { readonly [K in ConnectionKind]: K }

const text = z.string().trim().min(1).max(100)

/** As it stands in a form and, unescaped, in HTTP Basic. */
const clientId = z.string().regex(/^[A-Za-z0-9._~-]{1,200}$/, 'This may have letters, digits and . _ ~ - alone, at most 200.')

/** Judged by {@link readIssuers}: what an issuer may be depends on where the request came in. */
const issuers = z.array(z.custom<TrustedIssuer>()).max(20)

const oauth = z.strictObject({
  /** The id of the connection when absent. */
  clientId: clientId.optional(),
  federation: issuers.default([]),
  keys: clientKeysSchema.nullable().default(null),
})

export interface WantedOauth {
  readonly clientId?: string | undefined
  readonly federation: readonly TrustedIssuer[]
  readonly keys: ClientKeys | null
}

/** A new connection as its own schema leaves it. */
export interface Wanted {
  readonly kind: ConnectionKind
  readonly name: string
  /** The provider behind it; connections of one provider name the same. A new provider when absent. */
  readonly source?: string | undefined
  readonly address?: 'email' | 'userName' | undefined
  readonly issuers?: readonly TrustedIssuer[] | undefined
  /** Whether Okta may discover Roles and Entitlements. */
  readonly entitlements?: boolean | undefined
  readonly oauth?: WantedOauth | undefined
  readonly settings?: unknown
  readonly secrets?: unknown
}

const named = { name: text, source: text.optional() }

const scim = z.strictObject({
  kind: z.literal('scim'),
  ...named,
  address: z.enum(['email', 'userName']).default('email'),
  issuers: issuers.default([]),
  entitlements: z.boolean().default(false),
  oauth: oauth.optional(),
})

/** A source whose streams are polled is asked with a credential of its own. */
const secretsOfEvents = (kind: EventKind): { readonly secrets?: z.ZodType } => (kind === 'security-events' ? { secrets: pollSecrets.optional() } : {})

const newConnection = (kind: ConnectionKind): z.ZodType<Wanted> => {
  if (kind === 'scim') return scim
  if (isPull(kind)) {
    const { settings, secrets } = schemasOf(kind)
    return z.strictObject({ kind: z.literal(kind), ...named, settings: settings.prefault({}), secrets: secrets.prefault({}) })
  }
  return z.strictObject({ kind: z.literal(kind), ...named, settings: settingsOf(kind).prefault({}), ...secretsOfEvents(kind) })
}

/** What else than SCIM clients have. */
const settingsOf = (kind: Exclude<ConnectionKind, 'scim'>): z.ZodType => (isPull(kind) ? schemasOf(kind).settings : (webhookOf(kind)?.settings ?? z.never()))

/** The part of the body that says how the rest is to be read. */
export const anyConnection = z.looseObject({ kind: z.enum(KINDS) })

type Read<T> = Result<T, readonly ProblemAt[]>

const parseWith = <T>(schema: z.ZodType<T>, value: unknown, base: readonly PropertyKey[] = []): Read<T> => {
  const parsed = schema.safeParse(value)
  return parsed.success ? ok(parsed.data) : err(problemsIn(parsed.error, base))
}

const readIssuers = (list: readonly TrustedIssuer[], development: boolean, base: readonly PropertyKey[]): Read<readonly TrustedIssuer[]> =>
  parseWith(z.array(trustedIssuerSchema({ development })), list, base)

/** What a bridge that is not being developed fetches from. */
const ADDRESSES: ReadonlySet<string> = new Set(['issuer', 'jwksUri', 'pollUrl', 'audience', 'orgUrl', 'loginUrl', 'graphUrl'])

const httpIn = (value: unknown, path: readonly PropertyKey[]): readonly ProblemAt[] => {
  if (typeof value === 'string') {
    return ADDRESSES.has(String(path.at(-1))) && /^http:/i.test(value)
      ? [{ path: writePath(path), sentence: 'This may use http only with DEVELOPMENT=true, and on a loopback address.' }]
      : []
  }
  return typeof value === 'object' && value !== null ? Object.entries(value).flatMap(([key, inner]) => httpIn(inner, [...path, key])) : []
}

const withoutHttp = <T extends { readonly settings?: unknown; readonly oauth?: WantedOauth | null | undefined }>(value: T, development: boolean): Read<T> => {
  const problems = development ? [] : [...httpIn(value.settings, ['settings']), ...httpIn(value.oauth?.keys, ['oauth', 'keys'])]
  return problems.length === 0 ? ok(value) : err(problems)
}

const readCallers = <T extends { readonly issuers?: readonly TrustedIssuer[] | undefined; readonly oauth?: WantedOauth | null | undefined }>(
  value: T, development: boolean,
): Read<T> => {
  const own = readIssuers(value.issuers ?? [], development, ['issuers'])
  if (!own.ok) return own
  const federation = readIssuers(value.oauth?.federation ?? [], development, ['oauth', 'federation'])
  return federation.ok ? ok(value) : federation
}

/** A body of `POST connections` of which {@link anyConnection} has told the kind. */
export const readNewConnection = (body: z.infer<typeof anyConnection>, development: boolean): Read<Wanted> => {
  const wanted = parseWith(newConnection(body.kind), body)
  if (!wanted.ok) return wanted
  const callers = readCallers(wanted.value, development)
  return callers.ok ? withoutHttp(wanted.value, development) : callers
}

export interface WantedChange {
  readonly name?: string | undefined
  readonly entitlements?: boolean | undefined
  readonly issuers?: readonly TrustedIssuer[] | undefined
  /** Null: it is no client of the token endpoint any more. */
  readonly oauth?: WantedOauth | null | undefined
  readonly settings?: unknown
}

const changeOf = (kind: ConnectionKind): z.ZodType<WantedChange> =>
  kind === 'scim'
    ? z.strictObject({ name: text.optional(), entitlements: z.boolean().optional(), issuers: issuers.optional(), oauth: oauth.nullable().optional() })
    : z.strictObject({ name: text.optional(), settings: settingsOf(kind).optional() })

/** A body of `PATCH connections/{id}`. What is absent stays; what is there replaces all of what was. */
export const readConnectionChange = (kind: ConnectionKind, body: unknown, development: boolean): Read<WantedChange> => {
  const wanted = parseWith(changeOf(kind), body)
  if (!wanted.ok) return wanted
  const callers = readCallers(wanted.value, development)
  return callers.ok ? withoutHttp(wanted.value, development) : callers
}

/** The secrets with which the bridge asks a provider, in the form of the kind; of a kind that asks nobody none. */
export const readSecrets = (kind: ConnectionKind, secrets: unknown): Read<Readonly<Record<string, unknown>>> => {
  const schema = isPull(kind) ? schemasOf(kind).secrets : kind === 'security-events' ? pollSecrets : null
  if (schema === null) return err([{ path: 'secrets', sentence: 'Connections of this kind ask nobody, and have no secrets of a provider.' }])
  const parsed = parseWith(schema, secrets ?? {}, ['secrets'])
  return parsed.ok ? ok({ ...(typeof parsed.value === 'object' ? parsed.value : {}) }) : parsed
}
