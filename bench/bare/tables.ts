/**
 * Tables of the yardstick. `entries` is for one INSERT or one SELECT. The others have the columns and the indexes of the
 * Directory's tables of the same name, so that a write to them costs SQLite what it costs there; nothing checks or reads them.
 */
export const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS entries (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE, data TEXT NOT NULL)`,

  `CREATE TABLE IF NOT EXISTS counters (name TEXT NOT NULL, hour INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name, hour)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS users (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, connection_id TEXT NOT NULL,
     user_name TEXT NOT NULL, user_name_fold TEXT NOT NULL, external_id TEXT, active INTEGER NOT NULL, email TEXT, hold TEXT,
     created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, fold TEXT NOT NULL)`,
  `CREATE UNIQUE INDEX IF NOT EXISTS users_user_name ON users (connection_id, user_name_fold)`,
  `CREATE INDEX IF NOT EXISTS users_external_id ON users (connection_id, external_id)`,
  `CREATE INDEX IF NOT EXISTS users_email ON users (email)`,
  `CREATE INDEX IF NOT EXISTS users_connection ON users (connection_id, seq, id)`,
  `CREATE TABLE IF NOT EXISTS user_emails (address TEXT NOT NULL, user_seq INTEGER NOT NULL, PRIMARY KEY (address, user_seq)) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS groups (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, modified TEXT NOT NULL, version INTEGER NOT NULL,
     data TEXT NOT NULL, fold TEXT NOT NULL)`,
  `CREATE TABLE IF NOT EXISTS group_members (
     group_seq INTEGER NOT NULL, user_seq INTEGER NOT NULL, PRIMARY KEY (group_seq, user_seq)) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS group_members_user ON group_members (user_seq)`,
  `CREATE TABLE IF NOT EXISTS subjects (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE, holder TEXT, leaver TEXT,
     due INTEGER, priority INTEGER NOT NULL DEFAULT 1, generation INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL DEFAULT 'due',
     scanned INTEGER, grants TEXT NOT NULL DEFAULT '[]', conflicts TEXT NOT NULL DEFAULT '[]', withheld TEXT NOT NULL DEFAULT '[]')`,
  `CREATE INDEX IF NOT EXISTS subjects_due ON subjects (priority, due) WHERE due IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS subjects_unscanned ON subjects (seq) WHERE scanned IS NULL AND due IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS subjects_state ON subjects (state, due) WHERE state <> 'due'`,
  `CREATE TABLE IF NOT EXISTS journal (
     seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT, connection_id TEXT,
     actor TEXT, data TEXT NOT NULL)`,
  `CREATE INDEX IF NOT EXISTS journal_subject ON journal (subject, seq) WHERE subject IS NOT NULL`,
  `CREATE INDEX IF NOT EXISTS journal_kind ON journal (kind, at)`,
]
