/** Every call since the last reset, oldest first, as it was received. */
import type { Json } from './call'
import { rows, run } from './sql'

type CallRow = { method: string; path: string; status: number; time: string }

export const recordCall = (sql: SqlStorage, { method, path, status, time }: CallRow): void => {
  run(sql, 'INSERT INTO calls (method, path, status, time) VALUES (?, ?, ?, ?)', method, path, status, time)
}

export const listCalls = (sql: SqlStorage): Json => ({
  calls: rows<CallRow>(sql, 'SELECT method, path, status, time FROM calls ORDER BY n').map((row) => ({ ...row })),
})
