/**
 * Keys: which account a key belongs to is written in the key itself, whether it is good is that account's answer. The
 * service key's own spelling names its account; every other key carries the account's name.
 */
import type { Caller } from './call'
import { makeId } from './ids'
import { first, nextNumber, run } from './sql'

export const DEFAULT_ACCOUNT = 'dev-arize-key'
const SERVICE_KEY = /^dev-arize-key(?:-[A-Za-z0-9._-]{1,150})?$/
const GENERATED_KEY = /^ak-([A-Za-z0-9_=-]{1,250})\.[0-9a-f]{32}$/

export const isAccount = (name: string): boolean => SERVICE_KEY.test(name)

export const bearerOf = (authorization: string | null): string | undefined =>
  /^bearer +([^\s]+)$/i.exec(authorization?.trim() ?? '')?.[1]

/** undefined: no key of this emulator, whatever the account. */
export const accountOfKey = (key: string): string | undefined => {
  if (isAccount(key)) return key
  const packed = GENERATED_KEY.exec(key)?.[1]
  if (packed === undefined) return undefined
  try {
    const account = atob(packed.replaceAll('-', '+').replaceAll('_', '/'))
    return isAccount(account) ? account : undefined
  } catch {
    return undefined
  }
}

const makeSecret = (account: string): string => {
  const packed = btoa(account).replaceAll('+', '-').replaceAll('/', '_')
  return `ak-${packed}.${crypto.randomUUID().replaceAll('-', '')}`
}

export const authenticate = (sql: SqlStorage, authorization: string | null): Caller | undefined => {
  const key = bearerOf(authorization)
  if (key === undefined) return undefined
  const owner = first<{ n: number; id: string; role: string }>(
    sql,
    `SELECT u.n, u.id, u.role FROM keys k JOIN users u ON u.n = k.owner
     WHERE k.secret = ? AND k.is_revoked = 0 AND u.status <> 'INACTIVE'`,
    key,
  )
  return owner === undefined ? undefined : { ...owner, isAdmin: owner.role === 'ADMIN' }
}

export type KeyType = 'USER' | 'SERVICE'
type NewKey = { readonly type: KeyType; readonly name: string; readonly owner: number; readonly createdBy: number }

const insertKey = (sql: SqlStorage, key: NewKey, secret: string, now: string): string => {
  const n = nextNumber(sql)
  const id = makeId('ApiKey', n)
  run(
    sql,
    `INSERT INTO keys (n, id, secret, name, key_type, owner, created_by, is_revoked, created_at)
     VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?)`,
    n, id, secret, key.name, key.type, key.owner, key.createdBy, now,
  )
  return id
}

export const mintKey = (sql: SqlStorage, account: string, key: NewKey, now: string): { id: string; key: string } => {
  const secret = makeSecret(account)
  return { id: insertKey(sql, key, secret, now), key: secret }
}

/** A service key acts as a bot: a user that no list shows and no call reaches. */
export const insertBot = (sql: SqlStorage, email: string, role: string, now: string): number => {
  const n = nextNumber(sql)
  run(
    sql,
    `INSERT INTO users (n, id, email, email_key, name, role, status, is_developer, is_bot, created_at)
     VALUES (?, ?, ?, ?, ?, ?, 'ACTIVE', 1, 1, ?)`,
    n, makeId('User', n), email, email.toLowerCase(), email, role, now,
  )
  return n
}

/** The bot behind the account's service key: the "own user" of whoever holds it. */
const OWN_BOT = 'bridge@arize.invalid'

export const ensureServiceKey = (sql: SqlStorage, account: string, now: string): void => {
  if (first(sql, 'SELECT n FROM keys WHERE secret = ?', account) !== undefined) return
  const bot = insertBot(sql, OWN_BOT, 'ADMIN', now)
  insertKey(sql, { type: 'SERVICE', name: account, owner: bot, createdBy: bot }, account, now)
}
