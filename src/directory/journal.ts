import type { Store } from './sql'

/**
 * What can be told in the journal. One row per request or decision: rows name at most 100 ids and count the rest. Rows
 * about one person carry `subject`, so that "why does she have that role?" is one index scan.
 */
export type JournalKind =
  | 'scim.create' | 'scim.replace' | 'scim.patch' | 'scim.delete'
  | 'auth.refused'
  | 'identity.renamed' | 'identity.held' | 'identity.released' | 'identity.left' | 'identity.returned'
  | 'identity.stopped' | 'identity.resumed'
  | 'event.taken' | 'event.refused'
  | 'pull.completed' | 'pull.refused' | 'pull.failed' | 'pull.subscribed'
  | 'arize.adopted' | 'arize.created' | 'arize.gave' | 'arize.took' | 'arize.keys_revoked' | 'arize.resource_gone' | 'arize.account_gone'
  | 'subject.conflict' | 'subject.held' | 'subject.stuck' | 'subject.retry' | 'subject.alert'
  | 'brake.held' | 'brake.approved' | 'brake.refused' | 'brake.ended'
  | 'policy.changed'
  | 'connection.created' | 'connection.changed' | 'connection.paused' | 'connection.resumed' | 'connection.rotated' | 'connection.resync'
  | 'connection.removing' | 'connection.deleted' | 'token.created' | 'token.deleted'
  | 'tenant.created' | 'tenant.paused' | 'tenant.halted' | 'tenant.resumed'

export interface JournalEntry {
  readonly kind: JournalKind
  readonly subject?: string | null
  readonly connectionId?: string | null
  readonly actor?: string | null
  /** Ids, counts and sentences. Never a secret; personal data only where the person is what the row is about. */
  readonly data?: Readonly<Record<string, unknown>>
}

export const writeJournal = ({ sql, now }: Pick<Store, 'sql' | 'now'>, entry: JournalEntry): void => {
  sql.write(
    `INSERT INTO journal (at, kind, subject, connection_id, actor, data) VALUES (?, ?, ?, ?, ?, ?)`,
    now(), entry.kind, entry.subject ?? null, entry.connectionId ?? null, entry.actor ?? null, JSON.stringify(entry.data ?? {}),
  )
}

/** At most 100 ids, and how many there are in all. */
export const someIds = (ids: readonly string[]): { readonly ids: readonly string[]; readonly count: number } => ({
  ids: ids.slice(0, 100),
  count: ids.length,
})

export interface JournalRow {
  readonly seq: number
  readonly at: string
  readonly kind: string
  readonly actor: string | null
  readonly connectionId: string | null
  readonly data: unknown
}

const TRIM_SLICE = 5_000

/** Forgets the oldest rows that are older than `before` (ms), a slice at a time. Returns whether there may be more. */
export const trimJournal = ({ sql }: Pick<Store, 'sql'>, before: number): boolean =>
  sql.run(
    `DELETE FROM journal WHERE seq <= (SELECT max(seq) FROM (SELECT seq, at FROM journal ORDER BY seq LIMIT ${TRIM_SLICE}) WHERE at < ?)`,
    before) === TRIM_SLICE

export interface JournalQuery {
  readonly kind: string | null
  /** The address of a person. */
  readonly subject: string | null
  /** Rows older than this one; null for the newest. */
  readonly before: number | null
  /** 1 to 500. */
  readonly limit: number
}

/** Newest first. */
export const readJournal = ({ sql }: Pick<Store, 'sql'>, { kind, subject, before, limit }: JournalQuery): (JournalRow & { readonly subject: string | null })[] =>
  sql
    .rows<{ seq: number; at: number; kind: string; subject: string | null; actor: string | null; connection_id: string | null; data: string }>(
      `SELECT seq, at, kind, subject, actor, connection_id, data FROM journal
       WHERE seq < ? ${subject === null ? '' : 'AND subject = ?'} ${kind === null ? '' : 'AND kind = ?'} ORDER BY seq DESC LIMIT ?`,
      before ?? Number.MAX_SAFE_INTEGER, ...(subject === null ? [] : [subject]), ...(kind === null ? [] : [kind]), limit)
    .map((row) => ({
      seq: row.seq, at: new Date(row.at).toISOString(), kind: row.kind, subject: row.subject, actor: row.actor,
      connectionId: row.connection_id, data: JSON.parse(row.data) as unknown,
    }))

/** The newest rows about one person, newest first. */
export const journalOf = (store: Pick<Store, 'sql'>, subject: string, limit = 100): JournalRow[] =>
  readJournal(store, { kind: null, subject, before: null, limit }).map(({ subject: _same, ...row }) => row)
