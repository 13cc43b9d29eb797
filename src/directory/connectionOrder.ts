import { err, type Result } from '../result'
import { startPull } from './connectionPull'
import { createConnection, refuse, type Connection, type NewConnection, type Refusal } from './connections'
import { keepSecrets, sealSecrets, type SecretSite } from './secrets'
import type { Store } from './sql'
import { createToken, type TokenPurpose } from './tokens'

/** A new connection with everything that belongs to it: its tokens, its sealed secrets, the first questions to its provider. */

export interface ConnectionOrder extends NewConnection {
  /** Made by the caller where what is to be pasted has it in its address. */
  readonly id?: string
  /** SHA-256 of the secrets that callers of the connection are to bring. */
  readonly tokens?: readonly { readonly id: string; readonly hash: string; readonly purpose: TokenPurpose }[]
  /** What the bridge has to read again, to be sealed. Absent: nothing. */
  readonly secrets?: unknown
}

/** The secrets of a connection as they are stored. 422 when there is no MASTER_KEY to seal them with. */
export const sealFor = async (site: SecretSite, id: string, secrets: unknown): Promise<Result<string, Refusal>> => {
  const sealed = await sealSecrets(site, id, secrets)
  return sealed.ok ? sealed : err(refuse(422, sealed.error.sentence))
}

export const placeOrder = (store: Store, order: ConnectionOrder, id: string, sealed: string | null, actor: string): Result<Connection, Refusal> => {
  const { id: _, tokens = [], secrets: __, ...wanted } = order
  const made = createConnection(store, wanted, actor, id)
  if (!made.ok) return made
  keepSecrets(store, id, sealed)
  for (const { hash, purpose, id: tokenId } of tokens) {
    const stored = createToken(store, id, { id: tokenId, hash, purpose, expiresAt: null }, actor)
    if (!stored.ok) return stored
  }
  startPull(store, made.value)
  return made
}
