import type { Store } from './sql'

/** The folded addresses of a user's row, each once. */
const emailsOf = (user: string, from = ''): string =>
  `SELECT DISTINCT json_extract(e.value, '$.value'), ${user}.seq FROM ${from} json_each(${user}.fold, '$.emails') e
   WHERE json_extract(e.value, '$.value') IS NOT NULL`

const LEAVE_EMAILS = `DELETE FROM user_emails WHERE user_seq = OLD.seq
  AND address IN (SELECT json_extract(e.value, '$.value') FROM json_each(OLD.fold, '$.emails') e)`

/**
 * The Directory's tables, as numbered steps that are only ever appended to. Times are milliseconds since 1970 but for
 * `created` and `modified` of SCIM resources, which are the ISO 8601 texts that SCIM filters compare.
 */
export const MIGRATIONS: readonly (readonly string[])[] = [
  [
    // Single values of the tenant: MetaValues in meta.ts says which.
    `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE counters (name TEXT NOT NULL, hour INTEGER NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name, hour)) WITHOUT ROWID`,

    `CREATE TABLE connections (
       id TEXT PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, source TEXT NOT NULL, state TEXT NOT NULL,
       config TEXT NOT NULL, secrets TEXT, revision INTEGER NOT NULL, created INTEGER NOT NULL,
       last_event INTEGER, last_error TEXT)`,
    `CREATE UNIQUE INDEX connections_name ON connections (name)`,
    `CREATE TABLE tokens (
       hash TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, connection_id TEXT NOT NULL REFERENCES connections (id) ON DELETE CASCADE,
       created INTEGER NOT NULL, expires INTEGER, last_used INTEGER) WITHOUT ROWID`,
    `CREATE INDEX tokens_connection ON tokens (connection_id)`,

    // email: the subject's address, folded; hold: why this user does not count for its subject.
    `CREATE TABLE users (
       seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, connection_id TEXT NOT NULL,
       user_name TEXT NOT NULL, user_name_fold TEXT NOT NULL, external_id TEXT, active INTEGER NOT NULL, email TEXT, hold TEXT,
       created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, fold TEXT NOT NULL)`,
    `CREATE UNIQUE INDEX users_user_name ON users (connection_id, user_name_fold)`,
    `CREATE INDEX users_external_id ON users (connection_id, external_id)`,
    `CREATE INDEX users_email ON users (email)`,
    `CREATE INDEX users_connection ON users (connection_id, seq)`,
    `CREATE TABLE groups (
       seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, connection_id TEXT NOT NULL,
       display_name TEXT NOT NULL, display_name_fold TEXT NOT NULL, external_id TEXT,
       created TEXT NOT NULL, modified TEXT NOT NULL, version INTEGER NOT NULL, data TEXT NOT NULL, fold TEXT NOT NULL)`,
    `CREATE UNIQUE INDEX groups_display_name ON groups (connection_id, display_name_fold)`,
    `CREATE INDEX groups_external_id ON groups (connection_id, external_id)`,
    `CREATE INDEX groups_connection ON groups (connection_id, seq)`,
    `CREATE TABLE members (
       group_id TEXT NOT NULL, member_id TEXT NOT NULL, type TEXT NOT NULL, PRIMARY KEY (group_id, member_id)) WITHOUT ROWID`,
    `CREATE INDEX members_member ON members (member_id)`,

    // The reconciler's queue and what it last found out, one row per address.
    `CREATE TABLE subjects (
       seq INTEGER PRIMARY KEY AUTOINCREMENT, address TEXT NOT NULL UNIQUE,
       holder TEXT, leaver TEXT, renamed_to TEXT, renamed_user TEXT, identity_hold TEXT,
       arize_id TEXT, arize_role TEXT, arize_read INTEGER, arize_created INTEGER NOT NULL DEFAULT 0, create_intended INTEGER,
       keys_due INTEGER NOT NULL DEFAULT 0,
       due INTEGER, priority INTEGER NOT NULL DEFAULT 1, marked INTEGER, changed INTEGER, wait_until INTEGER, cause TEXT,
       generation INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
       state TEXT NOT NULL DEFAULT 'due', last_error TEXT, policy_version INTEGER NOT NULL DEFAULT 0,
       grants TEXT NOT NULL DEFAULT '[]', conflicts TEXT NOT NULL DEFAULT '[]', withheld TEXT NOT NULL DEFAULT '[]', awaits_names INTEGER NOT NULL DEFAULT 0,
       scanned INTEGER, lowers INTEGER NOT NULL DEFAULT 0, hold_id TEXT, held_at INTEGER, held TEXT, approved TEXT,
       removed INTEGER, removed_as TEXT)`,
    `CREATE INDEX subjects_due ON subjects (priority, due) WHERE due IS NOT NULL`,
    `CREATE INDEX subjects_unscanned ON subjects (seq) WHERE scanned IS NULL AND due IS NOT NULL`,
    `CREATE INDEX subjects_lowers ON subjects (seq) WHERE lowers = 1`,
    `CREATE INDEX subjects_awaiting ON subjects (seq) WHERE awaits_names = 1`,
    `CREATE INDEX subjects_state ON subjects (state)`,
    `CREATE INDEX subjects_removed ON subjects (removed_as, removed) WHERE removed IS NOT NULL`,
    `CREATE INDEX subjects_hold ON subjects (hold_id) WHERE hold_id IS NOT NULL`,
    `CREATE INDEX subjects_renamed ON subjects (renamed_to) WHERE renamed_to IS NOT NULL`,
    `CREATE TABLE ledger (
       address TEXT NOT NULL, slot TEXT NOT NULL, kind TEXT NOT NULL, resource_id TEXT NOT NULL, resource_name TEXT NOT NULL,
       organization_id TEXT NOT NULL, role TEXT, intended TEXT, intended_at INTEGER, confirmed_at INTEGER,
       because TEXT NOT NULL, former_role TEXT, PRIMARY KEY (address, slot)) WITHOUT ROWID`,
    `CREATE INDEX ledger_organization ON ledger (organization_id, kind, role)`,
    `CREATE INDEX ledger_resource ON ledger (resource_id)`,
    `CREATE TABLE holds (
       id TEXT PRIMARY KEY, kind TEXT NOT NULL, state TEXT NOT NULL, sentence TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 0,
       created INTEGER NOT NULL, decided INTEGER, actor TEXT, reason TEXT)`,
    `CREATE TABLE overrides (
       id TEXT PRIMARY KEY, address TEXT NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, until INTEGER, data TEXT,
       created INTEGER NOT NULL, actor TEXT NOT NULL)`,
    `CREATE INDEX overrides_address ON overrides (address)`,

    `CREATE TABLE policies (version INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL, created INTEGER NOT NULL, actor TEXT NOT NULL)`,
    `CREATE TABLE journal (
       seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, kind TEXT NOT NULL, subject TEXT, connection_id TEXT,
       actor TEXT, data TEXT NOT NULL)`,
    `CREATE INDEX journal_subject ON journal (subject, seq) WHERE subject IS NOT NULL`,
    `CREATE INDEX journal_kind ON journal (kind, at)`,
    `CREATE TABLE deliveries (
       connection_id TEXT NOT NULL, event_id TEXT NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (connection_id, event_id)) WITHOUT ROWID`,
    `CREATE INDEX deliveries_at ON deliveries (at)`,
    `CREATE TABLE resources (
       kind TEXT NOT NULL, parent_id TEXT NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (kind, parent_id, id)) WITHOUT ROWID`,
    `CREATE TABLE timers (kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, cursor TEXT, PRIMARY KEY (kind, key)) WITHOUT ROWID`,
    `CREATE INDEX timers_at ON timers (at)`,
    `CREATE TABLE outbox (id TEXT PRIMARY KEY, kind TEXT NOT NULL, data TEXT NOT NULL, created INTEGER NOT NULL, attempts INTEGER NOT NULL, at INTEGER NOT NULL)`,
    // Filled in the default tenant's object only.
    `CREATE TABLE tenants (name TEXT PRIMARY KEY, arize TEXT NOT NULL, created INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    // When another connection of the source said that the person is inactive (ms): the user's own connection still says active.
    `ALTER TABLE users ADD COLUMN stopped INTEGER`,
    `UPDATE subjects SET holder = json_array(holder) WHERE holder IS NOT NULL`,
    `CREATE INDEX users_stopped ON users (email) WHERE stopped IS NOT NULL`,
    // Rises on rotate, pause and delete: tokens that were issued before die with it.
    `ALTER TABLE connections ADD COLUMN generation INTEGER NOT NULL DEFAULT 1`,
    `CREATE TABLE statements (
       connection_id TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, gives INTEGER NOT NULL, PRIMARY KEY (connection_id, key)) WITHOUT ROWID`,
    `CREATE INDEX statements_at ON statements (at)`,
    // Whom to ask a provider about: connection_id is the pull connection.
    `CREATE TABLE refreshes (
       connection_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, name TEXT, due INTEGER NOT NULL,
       marked INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, cursor TEXT, last_error TEXT, PRIMARY KEY (connection_id, kind, id)) WITHOUT ROWID`,
    `CREATE INDEX refreshes_due ON refreshes (due)`,
    // Pages of a pull under way, applied when it is complete.
    `CREATE TABLE pulled (
       connection_id TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, parent TEXT NOT NULL, data TEXT, PRIMARY KEY (connection_id, kind, parent, id)) WITHOUT ROWID`,
    `CREATE TABLE pulls (
       connection_id TEXT PRIMARY KEY, phase TEXT NOT NULL, cursor TEXT, delta TEXT, started INTEGER, finished INTEGER,
       attempts INTEGER NOT NULL DEFAULT 0, last_error TEXT, subscriptions TEXT NOT NULL DEFAULT '[]') WITHOUT ROWID`,
  ],
  [
    // Who is in which group, by number: with its index a row takes 20 bytes instead of 180, so that 1,000 of them change few pages.
    `CREATE TABLE group_members (group_seq INTEGER NOT NULL, user_seq INTEGER NOT NULL, PRIMARY KEY (group_seq, user_seq)) WITHOUT ROWID`,
    `INSERT INTO group_members (group_seq, user_seq)
       SELECT g.seq, u.seq FROM members m JOIN groups g ON g.id = m.group_id JOIN users u ON u.id = m.member_id ORDER BY 1, 2`,
    `CREATE INDEX group_members_user ON group_members (user_seq)`,
    `DROP TABLE members`,
    // The same by id, to be read only.
    `CREATE VIEW members (group_id, member_id, type) AS
       SELECT g.id, u.id, 'User' FROM group_members gm JOIN groups g ON g.seq = gm.group_seq JOIN users u ON u.seq = gm.user_seq`,
    // With the id, so that members are named without reading users.
    `DROP INDEX users_connection`,
    `CREATE INDEX users_connection ON users (connection_id, seq, id)`,
  ],
  [
    // What a secret opens: the connection's own endpoint, or the token endpoint for the connection's client.
    `ALTER TABLE tokens ADD COLUMN purpose TEXT NOT NULL DEFAULT 'bearer'`,
  ],
  [
    // Whoever is due is in subjects_due: a mark on somebody who is due already leaves this index alone. Whoever asks it must say so.
    `DROP INDEX subjects_state`,
    `CREATE INDEX subjects_state ON subjects (state, due) WHERE state <> 'due'`,
  ],
  [
    // When a stream of security events is polled again (ms).
    `CREATE TABLE polls (
       connection_id TEXT PRIMARY KEY REFERENCES connections (id) ON DELETE CASCADE, due INTEGER NOT NULL, attempts INTEGER NOT NULL) WITHOUT ROWID`,
  ],
  [
    // Until when (ms) nothing is asked of the provider, whatever is due: it asked for patience, or somebody has to mend something in this revision.
    `ALTER TABLE pulls ADD COLUMN resting_until INTEGER`,
    `ALTER TABLE pulls ADD COLUMN resting_revision INTEGER`,
  ],
  [
    // Who has which e-mail address, folded: filters ask for it. Kept by triggers, so that whoever writes users need not think of it.
    `CREATE TABLE user_emails (address TEXT NOT NULL, user_seq INTEGER NOT NULL, PRIMARY KEY (address, user_seq)) WITHOUT ROWID`,
    `INSERT INTO user_emails ${emailsOf('u', 'users u,')}`,
    `CREATE TRIGGER user_emails_come AFTER INSERT ON users BEGIN INSERT INTO user_emails ${emailsOf('NEW')}; END`,
    `CREATE TRIGGER user_emails_go AFTER DELETE ON users BEGIN ${LEAVE_EMAILS}; END`,
    `CREATE TRIGGER user_emails_change AFTER UPDATE OF fold ON users
       WHEN json_extract(OLD.fold, '$.emails') IS NOT json_extract(NEW.fold, '$.emails') BEGIN
       ${LEAVE_EMAILS}; INSERT INTO user_emails ${emailsOf('NEW')}; END`,
  ],
  [
    // Whoever is said to have left is asked about before everybody else.
    `ALTER TABLE refreshes ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0`,
  ],
]

/** Brings the tables up to date. Runs in the constructor, inside one transaction per step. */
export const migrate = (store: Pick<Store, 'sql' | 'now'>, transaction: (step: () => void) => void, steps = MIGRATIONS): void => {
  const { sql, now } = store
  sql.run(`CREATE TABLE IF NOT EXISTS _migrations (id INTEGER PRIMARY KEY, at INTEGER NOT NULL)`)
  const done = sql.one<{ id: number | null }>(`SELECT max(id) AS id FROM _migrations`)?.id ?? 0
  steps.slice(done).forEach((statements, index) => {
    transaction(() => {
      for (const statement of statements) sql.run(statement)
      sql.run(`INSERT INTO _migrations (id, at) VALUES (?, ?)`, done + index + 1, now())
    })
  })
}
