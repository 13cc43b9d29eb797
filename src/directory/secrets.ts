import { secretContext } from '../auth/secretBox'
import type { Config } from '../config'
import { err, ok, type Result } from '../result'
import { openSecretBox, type Unready } from './site'
import type { Store } from './sql'

/** Secrets of connections that must be read again (IdP keys, client secrets, clientState): sealed under MASTER_KEY before they are stored. */

export interface SecretSite {
  readonly store: Pick<Store, 'sql'>
  readonly settings: Result<Config, Unready>
  /** The tenant: a sealed text is of no use in another one. */
  readonly name: string
}

/** Seals a text for one use: it opens nowhere else. Fails when MASTER_KEY is missing, and says so. */
export const sealText = async ({ settings, name }: Omit<SecretSite, 'store'>, text: string, use: string): Promise<Result<string, Unready>> => {
  const box = await openSecretBox(settings)
  return box.ok ? ok(await box.value.seal(text, secretContext(name, use))) : box
}

export const openText = async ({ settings, name }: SecretSite, sealed: string, use: string): Promise<Result<string, Unready>> => {
  const box = await openSecretBox(settings)
  if (!box.ok) return box
  const opened = await box.value.open(sealed, secretContext(name, use))
  return opened.ok ? ok(opened.value) : err({ variable: 'MASTER_KEY', sentence: opened.error.sentence })
}

const useOf = (connectionId: string): string => `connection:${connectionId}`

/** The sealed form of a connection's secrets, for {@link keepSecrets}. */
export const sealSecrets = (site: Omit<SecretSite, 'store'>, connectionId: string, secrets: unknown): Promise<Result<string, Unready>> =>
  sealText(site, JSON.stringify(secrets), useOf(connectionId))

export const keepSecrets = ({ sql }: Pick<Store, 'sql'>, connectionId: string, sealed: string | null): void => {
  sql.run(`UPDATE connections SET secrets = ? WHERE id = ?`, sealed, connectionId)
}

/** The secrets of a connection as they were sealed; null when it has none. */
export const openSecrets = async (site: SecretSite, connectionId: string): Promise<Result<unknown, Unready>> => {
  const sealed = site.store.sql.one<{ secrets: string | null }>(`SELECT secrets FROM connections WHERE id = ?`, connectionId)?.secrets ?? null
  if (sealed === null) return ok(null)
  const opened = await openText(site, sealed, useOf(connectionId))
  return opened.ok ? ok(JSON.parse(opened.value) as unknown) : opened
}
