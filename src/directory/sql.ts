import type { SqlStorage, SqlStorageValue } from '@cloudflare/workers-types'

export type Bind = string | number | null
export type Row = Record<string, SqlStorageValue>

/**
 * For the number of rows of a statement that runs often. SQLite compiles a statement anew each time that a plain parameter of
 * LIMIT is bound, since its value may change the plan; of a sum it takes no notice.
 */
export const LIMIT = 'LIMIT (? + 0)'

/**
 * The ways in which this folder speaks SQL. Values are always bound, never written into the text. A value above 1 MB
 * must be cut by the caller (Cloudflare refuses rows above 2 MB, local runs do not).
 */
export interface Sql {
  /** Every row. For bounded results only. */
  rows<T extends Row>(query: string, ...values: readonly Bind[]): T[]
  /** The first row, or null. */
  one<T extends Row>(query: string, ...values: readonly Bind[]): T | null
  /** Runs a statement. */
  write(query: string, ...values: readonly Bind[]): void
  /**
   * As `write`. Returns the number of table rows that were inserted, changed or deleted, index entries not counted; to ask for it
   * is a statement of its own.
   */
  run(query: string, ...values: readonly Bind[]): number
}

export const createSql = (storage: Pick<SqlStorage, 'exec'>): Sql => ({
  rows: <T extends Row>(query: string, ...values: readonly Bind[]) => storage.exec<T>(query, ...values).toArray(),
  one: <T extends Row>(query: string, ...values: readonly Bind[]) => storage.exec<T>(query, ...values).toArray()[0] ?? null,
  write: (query, ...values) => void storage.exec(query, ...values),
  run: (query, ...values) => {
    storage.exec(query, ...values)
    return storage.exec<{ n: number }>('SELECT changes() AS n').one().n
  },
})

/** What every function of this folder that reads or writes needs. `now` is milliseconds since 1970. */
export interface Store {
  readonly sql: Sql
  readonly now: () => number
  readonly newId: () => string
}
