import type * as z from 'zod'
import type { AuthFailure } from '../auth/failure'
import type { JwksCache } from '../auth/jwks'
import type { EventKind, SourceEvent } from '../change'
import type { Result } from '../result'

/**
 * The port that every sender of events comes through: bytes and headers in, verified events out. A source is one file that
 * exports one of these, one line in sources.ts, and one connection kind in change.ts.
 */

export interface WebhookRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  /** Bounded by `maxBytes` already; empty without a body. */
  readonly body: Uint8Array
}

/** The connection that the address names, with what its administrator set. */
export interface WebhookConnection<Settings> {
  readonly id: string
  readonly settings: Settings
}

export interface WebhookTools {
  /** Milliseconds since the epoch. */
  readonly now: () => number
  readonly jwks: JwksCache
  /** The `jwks_uri` of a configured issuer by its discovery document (OpenID Connect or SSF). Never of an issuer that a token names. */
  readonly discover: (issuer: string, document: 'openid-configuration' | 'ssf-configuration') => Promise<Result<string, AuthFailure>>
  /** DEVELOPMENT=true and a request to a loopback host: only then are http issuers believed. */
  readonly development: boolean
}

export interface WebhookAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What became of a delivery that was stored. */
export interface Outcome {
  /** Events that were new. */
  readonly taken: number
  readonly duplicates: number
  /** Events about somebody whom no connection of the source knows. */
  readonly unknown: number
}

export type Received =
  /** A handshake, which leaves nothing behind. */
  | { readonly kind: 'answer'; readonly answer: WebhookAnswer }
  /** Not believed. Journalled with the sentence, which holds nothing that the sender made up; the directory is unchanged. */
  | { readonly kind: 'refused'; readonly answer: WebhookAnswer; readonly reason: string; readonly sentence: string }
  /** Nobody can tell now (keys out of reach): the sender's own rules say when it tries again. */
  | { readonly kind: 'unavailable'; readonly answer: WebhookAnswer; readonly sentence: string }
  | {
      readonly kind: 'delivery'
      readonly events: readonly SourceEvent[]
      /**
       * The static secret that came with the request, where the kind has one: the Directory knows its hash. Null: proven by
       * `caller`; when that is null too, each event by its own `secretHash`.
       */
      readonly secret: string | null
      /** Who signed, for the journal; null where a secret proves the sender. */
      readonly caller: string | null
      /** The answer once the events are stored. */
      readonly answer: (outcome: Outcome) => WebhookAnswer
      /** The answer when the Directory does not accept the secret, or the connection is paused. */
      readonly refuse: () => WebhookAnswer
    }

export interface Webhook<Settings> {
  readonly kind: EventKind
  /** The segment of the address: `/webhooks/{path}/{connection}`. */
  readonly path: string
  readonly methods: readonly string[]
  /** Largest body in bytes; a larger one is 413 before anything is read. */
  readonly maxBytes: number
  /** The answer to a larger body, where the sender has a format of its own for errors. */
  readonly tooLarge?: ((sentence: string) => WebhookAnswer) | undefined
  /** What an administrator says when the connection is made. */
  readonly settings: z.ZodType<Settings>
  /** Whether the connection has static secrets (tokens), which are made with it and shown once. */
  readonly hasSecret: boolean
  readonly receive: (request: WebhookRequest, connection: WebhookConnection<Settings>, tools: WebhookTools) => Promise<Received>
}
