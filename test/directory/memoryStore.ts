import { createSql, type Bind, type Row, type Sql, type Store } from '../../src/directory/sql'
import { migrate } from '../../src/directory/migrations'

/**
 * A migrated store for tests of the synchronous part of the Directory: the storage of a fresh Durable Object inside
 * workerd, `node:sqlite` with a Durable Object's limits elsewhere. The clock only moves when the test moves it.
 */
export interface TestStore extends Store {
  /** Milliseconds since 1970, as `now()` tells them. */
  readonly clock: { at: number }
  /** The statements that ran since `forget()`, oldest first. */
  readonly statements: { readonly all: readonly string[]; forget(): void }
  /** Runs in one transaction, which a thrown error rolls back. */
  readonly transaction: (step: () => void) => void
}

export const START = Date.parse('2026-11-23T09:00:00.000Z')

/** No bound value may be larger (design section 11, "Size"). */
const MAX_VALUE_BYTES = 1_048_576

const watched = (sql: Sql, log: string[]): Sql => {
  const check = (query: string, values: readonly Bind[]): void => {
    log.push(query)
    if (/\bPRAGMA\b/i.test(query)) throw new Error('A Durable Object refuses PRAGMA.')
    if (values.length > 100) throw new Error(`${values.length} bound values: a Durable Object takes 100.`)
    for (const value of values) {
      if (typeof value === 'string' && new TextEncoder().encode(value).length > MAX_VALUE_BYTES) throw new Error('A bound value is above 1 MB.')
    }
  }
  return {
    rows: <T extends Row>(query: string, ...values: readonly Bind[]) => {
      check(query, values)
      return sql.rows<T>(query, ...values)
    },
    one: <T extends Row>(query: string, ...values: readonly Bind[]) => {
      check(query, values)
      return sql.one<T>(query, ...values)
    },
    write: (query, ...values) => {
      check(query, values)
      sql.write(query, ...values)
    },
    run: (query, ...values) => {
      check(query, values)
      return sql.run(query, ...values)
    },
  }
}

const storeOver = (sql: Sql, transaction: (step: () => void) => void): TestStore => {
  const clock = { at: START }
  const log: string[] = []
  let ids = 0
  const store = {
    sql: watched(sql, log),
    now: () => clock.at,
    newId: () => `00000000-0000-4000-8000-${(++ids).toString(16).padStart(12, '0')}`,
    clock,
    statements: {
      all: log,
      forget: () => {
        log.length = 0
      },
    },
    transaction,
  }
  migrate(store, transaction)
  log.length = 0
  return store
}

interface Statement {
  all(...values: readonly Bind[]): unknown[]
  run(...values: readonly Bind[]): { readonly changes: number | bigint }
}

interface Database {
  prepare(query: string): Statement
  exec(query: string): void
  close(): void
}

interface SqliteModule {
  readonly DatabaseSync: new (path: string, options: { limits: Readonly<Record<string, number>> }) => Database
}

/** What Cloudflare documents for SQLite in Durable Objects. */
const LIMITS = { length: 2_000_000, sqlLength: 100_000, exprDepth: 100, variableNumber: 100, functionArg: 32, column: 100, likePatternLength: 50 }

const sqlOf = (database: Database): Sql => {
  const prepared = new Map<string, Statement>()
  const prepare = (query: string): Statement => {
    const statement = prepared.get(query) ?? database.prepare(query)
    prepared.set(query, statement)
    return statement
  }
  const rows = <T extends Row>(query: string, ...values: readonly Bind[]): T[] => prepare(query).all(...values) as T[]
  return {
    rows,
    one: <T extends Row>(query: string, ...values: readonly Bind[]) => rows<T>(query, ...values)[0] ?? null,
    write: (query, ...values) => void prepare(query).run(...values),
    run: (query, ...values) => Number(prepare(query).run(...values).changes),
  }
}

const inNode = async (run: (store: TestStore) => void | Promise<void>): Promise<void> => {
  const name: string = 'node:sqlite'
  const { DatabaseSync } = (await import(/* @vite-ignore */ name)) as SqliteModule
  const database = new DatabaseSync(':memory:', { limits: LIMITS })
  let depth = 0
  const transaction = (step: () => void): void => {
    const savepoint = `s${depth++}`
    database.exec(`SAVEPOINT ${savepoint}`)
    try {
      step()
    } catch (error) {
      database.exec(`ROLLBACK TO ${savepoint}`)
      throw error
    } finally {
      database.exec(`RELEASE ${savepoint}`)
      depth--
    }
  }
  try {
    await run(storeOver(sqlOf(database), transaction))
  } finally {
    database.close()
  }
}

const inWorkerd = async (run: (store: TestStore) => void | Promise<void>): Promise<void> => {
  const { env, runInDurableObject } = await import('cloudflare:test')
  const stub = env.DIRECTORY.getByName(`store-${crypto.randomUUID()}`)
  await runInDurableObject(stub, async (_directory, { storage }) => {
    await run(storeOver(createSql(storage.sql), (step) => storage.transactionSync(step)))
  })
}

/** Gives `run` an empty, migrated store of its own. */
export const openStore = async (run: (store: TestStore) => void | Promise<void>): Promise<void> =>
  navigator.userAgent === 'Cloudflare-Workers' ? inWorkerd(run) : inNode(run)
