/** What a small emulator remembers: JSON documents by kind and id, in the order of their first arrival. */
export class Documents {
  readonly #sql: SqlStorage

  constructor(sql: SqlStorage) {
    this.#sql = sql
    sql.exec('CREATE TABLE IF NOT EXISTS documents (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, data TEXT NOT NULL, UNIQUE (kind, id))')
  }

  get<T>(kind: string, id: string): T | undefined {
    const row = this.#sql.exec<{ data: string }>('SELECT data FROM documents WHERE kind = ? AND id = ?', kind, id).toArray()[0]
    return row === undefined ? undefined : (JSON.parse(row.data) as T)
  }

  /** Keeps its place when it was there. */
  put(kind: string, id: string, data: unknown): void {
    this.#sql.exec(
      'INSERT INTO documents (kind, id, data) VALUES (?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data', kind, id, JSON.stringify(data))
  }

  /** Comes last, as what changed last. */
  append(kind: string, id: string, data: unknown): number {
    this.delete(kind, id)
    return this.#sql.exec<{ n: number }>('INSERT INTO documents (kind, id, data) VALUES (?, ?, ?) RETURNING n', kind, id, JSON.stringify(data)).one().n
  }

  delete(kind: string, id: string): boolean {
    return this.#sql.exec('DELETE FROM documents WHERE kind = ? AND id = ?', kind, id).rowsWritten > 0
  }

  list<T>(kind: string, { after = 0, limit = 1_000_000 }: { readonly after?: number; readonly limit?: number } = {}): { readonly n: number; readonly id: string; readonly data: T }[] {
    return this.#sql
      .exec<{ n: number; id: string; data: string }>('SELECT n, id, data FROM documents WHERE kind = ? AND n > ? ORDER BY n LIMIT ?', kind, after, limit)
      .toArray()
      .map(({ n, id, data }) => ({ n, id, data: JSON.parse(data) as T }))
  }

  clear(kind?: string): void {
    if (kind === undefined) this.#sql.exec('DELETE FROM documents')
    else this.#sql.exec('DELETE FROM documents WHERE kind = ?', kind)
  }

  /** Rises for ever, also past a reset. */
  last(): number {
    return this.#sql.exec<{ seq: number | null }>(`SELECT max(seq) AS seq FROM sqlite_sequence WHERE name = 'documents'`).one().seq ?? 0
  }
}
