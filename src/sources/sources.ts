import type * as z from 'zod'
import type { ConnectionKind, PullKind } from '../change'
import { err, ok, type Result } from '../result'
import { graph } from './graph'
import { okta } from './okta'
import type { Connector, Source, SourceTools } from './source'

/** Every connector there is. */

/** A connector with its own schemas in front: what is stored is checked each time it is read. */
interface AnyConnector {
  readonly settings: z.ZodType
  readonly secrets: z.ZodType
  readonly open: (settings: unknown, secrets: unknown, tools: SourceTools) => Result<Source, string>
}

const checked = <Settings, Secrets>({ settings, secrets, connect }: Connector<Settings, Secrets>): AnyConnector => ({
  settings, secrets,
  open: (givenSettings, givenSecrets, tools) => {
    const readSettings = settings.safeParse(givenSettings)
    if (!readSettings.success) return err('The settings of this connection are not complete: change them in its settings.')
    const readSecrets = secrets.safeParse(givenSecrets)
    if (!readSecrets.success) return err('The credentials of this connection are not complete: rotate them.')
    return ok(connect(readSettings.data, readSecrets.data, tools))
  },
})

const CONNECTORS: Readonly<Record<PullKind, AnyConnector>> = { okta: checked(okta), graph: checked(graph) }

/** Whether connections of the kind can be asked. */
export const isPull = (kind: ConnectionKind): kind is PullKind => Object.hasOwn(CONNECTORS, kind)

/** The kinds of connections that can be asked. */
export const PULL_KINDS: readonly string[] = Object.keys(CONNECTORS)

/** What an administrator says of a connection of this kind, and the secrets that go with it. */
export const schemasOf = (kind: PullKind): { readonly settings: z.ZodType; readonly secrets: z.ZodType } => CONNECTORS[kind]

/** The connector of a stored connection; or why it cannot be used, in a sentence. */
export const openSource = (kind: PullKind, settings: unknown, secrets: unknown, tools: SourceTools): Result<Source, string> =>
  CONNECTORS[kind].open(settings, secrets, tools)
