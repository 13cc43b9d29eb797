import { secretContext, type SecretBox } from '../auth/secretBox'
import type { Config } from '../config'
import { err, ok, type Result } from '../result'
import { openSecretBox, type Unready } from './site'
import type { Store } from './sql'

/** Secrets of connections that must be read again (IdP keys, client secrets, clientState): sealed under MASTER_KEY before they are stored. */

const contextOf = (tenant: string, connectionId: string): ReturnType<typeof secretContext> => secretContext(tenant, `connection:${connectionId}`)

export interface SecretSite {
  readonly store: Pick<Store, 'sql'>
  readonly settings: Result<Config, Unready>
  /** The tenant: a sealed text is of no use in another one. */
  readonly name: string
}

/** The sealed form of a connection's secrets, for {@link keepSecrets}. Fails when MASTER_KEY is missing, and says so. */
export const sealSecrets = async ({ settings, name }: SecretSite, connectionId: string, secrets: unknown): Promise<Result<string, Unready>> => {
  const box = await openSecretBox(settings)
  return box.ok ? ok(await box.value.seal(JSON.stringify(secrets), contextOf(name, connectionId))) : box
}

export const keepSecrets = ({ sql }: Pick<Store, 'sql'>, connectionId: string, sealed: string | null): void => {
  sql.run(`UPDATE connections SET secrets = ? WHERE id = ?`, sealed, connectionId)
}

/** The secrets of a connection as they were sealed; null when it has none. */
export const openSecrets = async ({ store, settings, name }: SecretSite, connectionId: string): Promise<Result<unknown, Unready>> => {
  const sealed = store.sql.one<{ secrets: string | null }>(`SELECT secrets FROM connections WHERE id = ?`, connectionId)?.secrets ?? null
  if (sealed === null) return ok(null)
  const box = await openSecretBox(settings)
  if (!box.ok) return box
  const opened = await openText(box.value, sealed, contextOf(name, connectionId))
  return opened.ok ? ok(JSON.parse(opened.value) as unknown) : opened
}

const openText = async (box: SecretBox, sealed: string, context: ReturnType<typeof secretContext>): Promise<Result<string, Unready>> => {
  const opened = await box.open(sealed, context)
  return opened.ok ? ok(opened.value) : err({ variable: 'MASTER_KEY', sentence: opened.error.sentence })
}
