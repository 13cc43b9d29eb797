import { DurableObject } from 'cloudflare:workers'
import { Hono } from 'hono'
import { TABLES } from './tables'

/**
 * The yardstick: Hono, one Durable Object call, SQLite, and nothing else. `/entries` is one durable INSERT or one SELECT;
 * `/rows/…` writes or reads the rows that the SCIM request of the same name writes or reads, without looking at anything.
 */

interface Env {
  readonly ROWS: DurableObjectNamespace<Rows>
}

/** The one group that single members are added to. */
const GROUP = 'group'

const CONNECTION = 'development'

/** Where the row of a user would be: users are named by number. */
const numberOf = (key: string): number => Number(/\d+/.exec(key)?.[0] ?? 0)

const addressOf = (key: string): string => `${key}@bare.example`

export class Rows extends DurableObject<Env> {
  private readonly sql = this.ctx.storage.sql

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    for (const statement of TABLES) this.sql.exec(statement)
    this.sql.exec(`INSERT OR IGNORE INTO groups (id, modified, version, data, fold) VALUES (?, '', 1, '{}', '{}')`, GROUP)
  }

  insert(name: string, data: string): string {
    this.sql.exec(`INSERT INTO entries (id, name, data) VALUES (?, ?, ?)`, crypto.randomUUID(), name, data)
    return data
  }

  select(name: string): string | null {
    return this.sql.exec<{ data: string }>(`SELECT data FROM entries WHERE name = ?`, name).toArray()[0]?.data ?? null
  }

  countEntries(): number {
    return this.sql.exec<{ n: number }>(`SELECT count(*) AS n FROM entries`).one().n
  }

  page(count: number): string {
    const rows = this.sql.exec<{ data: string }>(`SELECT data FROM users WHERE connection_id = ? ORDER BY seq LIMIT ?`, CONNECTION, count)
    return `[${rows.toArray().map(({ data }) => data).join(',')}]`
  }

  createUser(key: string, data: string): string {
    const time = new Date().toISOString()
    const address = addressOf(key)
    this.ctx.storage.transactionSync(() => {
      this.sql.exec(
        `INSERT INTO users (id, connection_id, user_name, user_name_fold, external_id, active, email, created, modified, version, data, fold)
         VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?, 1, ?, ?)`,
        key, CONNECTION, address, address, key, address, time, time, data, data)
      this.sql.exec(`INSERT INTO user_emails (address, user_seq) VALUES (?, last_insert_rowid())`, address)
      this.sql.exec(
        `INSERT INTO counters (name, hour, value) VALUES ('users', 0, 1) ON CONFLICT (name, hour) DO UPDATE SET value = value + 1`)
      this.journal('scim.create', address, { type: 'User', id: key })
      this.mark([address])
    })
    return data
  }

  addMembers(group: string, keys: readonly string[]): void {
    this.ctx.storage.transactionSync(() => {
      const { seq } = this.sql
        .exec<{ seq: number }>(
          `INSERT INTO groups (id, modified, version, data, fold) VALUES (?, ?, 1, '{}', '{}')
           ON CONFLICT (id) DO UPDATE SET modified = excluded.modified, version = version + 1, data = excluded.data, fold = excluded.fold
           RETURNING seq`,
          group, new Date().toISOString())
        .one()
      this.sql.exec(`INSERT INTO group_members (group_seq, user_seq) SELECT ?, value FROM json_each(?)`, seq, JSON.stringify(keys.map(numberOf)))
      this.mark(keys.map(addressOf))
      this.journal('scim.patch', null, { type: 'Group', id: group, added: { ids: keys.slice(0, 100), count: keys.length } })
    })
  }

  deactivateUser(key: string): string {
    const address = addressOf(key)
    return this.ctx.storage.transactionSync(() => {
      const row = this.sql
        .exec<{ data: string }>(
          `UPDATE users SET active = 0, modified = ?, version = version + 1, data = data, fold = fold WHERE id = ? RETURNING data`,
          new Date().toISOString(), key)
        .one()
      this.journal('scim.patch', address, { type: 'User', id: key, attributes: ['active'] })
      this.mark([address])
      this.sql.exec(`UPDATE subjects SET leaver = 'deactivated', priority = 0 WHERE address = ?`, address)
      this.journal('identity.left', address, { how: 'deactivated' })
      return row.data
    })
  }

  private mark(addresses: readonly string[]): void {
    this.sql.exec(
      `INSERT INTO subjects (address, due, generation) SELECT value, ?, 1 FROM json_each(?) WHERE true
       ON CONFLICT (address) DO UPDATE SET generation = generation + 1, due = excluded.due, scanned = NULL, state = 'due'`,
      Date.now() + 2000, JSON.stringify(addresses))
  }

  private journal(kind: string, subject: string | null, data: unknown): void {
    this.sql.exec(
      `INSERT INTO journal (at, kind, subject, connection_id, actor, data) VALUES (?, ?, ?, ?, 'bare', ?)`,
      Date.now(), kind, subject, CONNECTION, JSON.stringify(data))
  }
}

interface MembersBody {
  readonly Operations: readonly { readonly value: readonly { readonly value: string }[] }[]
}

const rowsOf = (env: Env): DurableObjectStub<Rows> => env.ROWS.getByName('default')

const app = new Hono<{ Bindings: Env }>()

app.get('/entries', async (c) => c.json({ count: await rowsOf(c.env).countEntries() }))
app.post('/entries/:name', async (c) => c.body(await rowsOf(c.env).insert(c.req.param('name'), JSON.stringify(await c.req.json())), 201))
app.get('/entries/:name', async (c) => {
  const data = await rowsOf(c.env).select(c.req.param('name'))
  return data === null ? c.body(null, 404) : c.body(data)
})
app.get('/rows/users', async (c) => c.body(await rowsOf(c.env).page(100)))
app.post('/rows/users/:key', async (c) => c.body(await rowsOf(c.env).createUser(c.req.param('key'), JSON.stringify(await c.req.json())), 201))
app.patch('/rows/users/:key', async (c) => {
  await c.req.json()
  return c.body(await rowsOf(c.env).deactivateUser(c.req.param('key')))
})
app.patch('/rows/groups/:group', async (c) => {
  const { Operations } = await c.req.json<MembersBody>()
  await rowsOf(c.env).addMembers(c.req.param('group'), Operations.flatMap(({ value }) => value.map((member) => member.value)))
  return c.body(null, 204)
})

export default app
