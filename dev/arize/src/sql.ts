/**
 * A few typed words over the Durable Object's SQLite, and the emulator's tables. `n` of every table comes from one counter:
 * it is the number inside the id and the order of creation, and it is never given twice, not even after a reset.
 */
export type Row = Record<string, SqlStorageValue>

export const rows = <T extends Row>(sql: SqlStorage, query: string, ...bindings: SqlStorageValue[]): T[] =>
  sql.exec<T>(query, ...bindings).toArray()

export const first = <T extends Row>(sql: SqlStorage, query: string, ...bindings: SqlStorageValue[]): T | undefined =>
  rows<T>(sql, query, ...bindings)[0]

export const run = (sql: SqlStorage, query: string, ...bindings: SqlStorageValue[]): void => {
  sql.exec(query, ...bindings)
}

export const nextNumber = (sql: SqlStorage): number =>
  sql.exec<{ n: number }>('UPDATE counter SET n = n + 1 RETURNING n').one().n

/** Deleting an organization or a space takes what hangs on it along by foreign key; a user row goes with a reset only. */
const TABLES = `
CREATE TABLE IF NOT EXISTS counter (n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS users (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
  role TEXT NOT NULL, status TEXT NOT NULL, is_developer INTEGER NOT NULL, is_bot INTEGER NOT NULL,
  created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS organizations (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, name_key TEXT NOT NULL,
  description TEXT NOT NULL, created_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS spaces (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, organization INTEGER NOT NULL REFERENCES organizations ON DELETE CASCADE,
  name TEXT NOT NULL, name_key TEXT NOT NULL, description TEXT NOT NULL, is_private INTEGER NOT NULL,
  created_at TEXT NOT NULL, UNIQUE (organization, name));
CREATE TABLE IF NOT EXISTS projects (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, space INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
  name TEXT NOT NULL, name_key TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (space, name));
CREATE TABLE IF NOT EXISTS roles (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL, permissions TEXT NOT NULL,
  is_predefined INTEGER NOT NULL, is_deleted INTEGER NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS roles_name ON roles (name) WHERE is_deleted = 0;
CREATE TABLE IF NOT EXISTS organization_members (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, organization INTEGER NOT NULL REFERENCES organizations ON DELETE CASCADE,
  user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, role TEXT NOT NULL, UNIQUE (organization, user));
CREATE INDEX IF NOT EXISTS organization_members_user ON organization_members (user);
CREATE TABLE IF NOT EXISTS space_members (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, space INTEGER NOT NULL REFERENCES spaces ON DELETE CASCADE,
  user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, role TEXT, UNIQUE (space, user));
CREATE INDEX IF NOT EXISTS space_members_user ON space_members (user);
CREATE TABLE IF NOT EXISTS bindings (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, role INTEGER NOT NULL REFERENCES roles ON DELETE CASCADE,
  user INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, space INTEGER REFERENCES spaces ON DELETE CASCADE,
  project INTEGER REFERENCES projects ON DELETE CASCADE, created_at TEXT NOT NULL, updated_at TEXT NOT NULL,
  UNIQUE (user, space), UNIQUE (user, project), CHECK ((space IS NULL) <> (project IS NULL)));
CREATE INDEX IF NOT EXISTS bindings_space ON bindings (space);
CREATE INDEX IF NOT EXISTS bindings_project ON bindings (project);
CREATE INDEX IF NOT EXISTS bindings_role ON bindings (role);
CREATE TABLE IF NOT EXISTS keys (
  n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, secret TEXT NOT NULL UNIQUE, name TEXT NOT NULL, key_type TEXT NOT NULL,
  owner INTEGER NOT NULL REFERENCES users ON DELETE CASCADE, created_by INTEGER NOT NULL REFERENCES users ON DELETE CASCADE,
  is_revoked INTEGER NOT NULL, created_at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS keys_owner ON keys (owner);
CREATE INDEX IF NOT EXISTS keys_created_by ON keys (created_by);
CREATE TABLE IF NOT EXISTS calls (
  n INTEGER PRIMARY KEY, method TEXT NOT NULL, path TEXT NOT NULL, status INTEGER NOT NULL, time TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS faults (n INTEGER PRIMARY KEY, fault TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS switches (document TEXT NOT NULL);
INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
`

export const createTables = (sql: SqlStorage): void => {
  run(sql, TABLES)
}
