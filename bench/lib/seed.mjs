// A folder with 1,000 users in one group, made through SCIM, and larger ones made from it. To make 100,000 users through SCIM
// takes minutes; copies of the rows that SCIM has made, in the stopped server's database, take seconds.
import { cpSync, readdirSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { nameOf, openWorld } from './world.mjs'

const SEED = 'seed'
const SEED_USERS = 1000

/** Users are named by number from here on when they are copies, and by lower numbers when SCIM makes them. */
const FIRST_COPY = 1_000_000

/** @returns {Promise<{ name: string, users: { id: string, name: string }[], group: string, arizeUrl: string }>} */
export const seedFolder = async (stage, arizeUrl) => {
  const server = await stage.bridge(SEED, { arizeUrl })
  const world = openWorld(server, { firstName: 0 })
  const users = await world.createUsers(SEED_USERS)
  const group = await world.createGroup('Everybody', users.map(({ id }) => id))
  await world.settle()
  world.close()
  await server.stop()
  return { name: SEED, users, group, arizeUrl }
}

export const copyFolder = (stage, from, to) => cpSync(stage.folderOf(from), stage.folderOf(to), { recursive: true })

const databaseOf = (folder) => {
  const objects = join(folder, 'do', 'bridge-Directory')
  const file = readdirSync(objects).find((name) => /^[0-9a-f]{64}\.sqlite$/.test(name))
  if (file === undefined) throw new Error(`No Directory's database in ${objects}.`)
  return join(objects, file)
}

/** Inserts a row of any table as it is, but for its place in the order. */
const inserterOf = (database, table) => {
  const columns = database.prepare(`SELECT name FROM pragma_table_info(?)`).all(table).map(({ name }) => name).filter((name) => name !== 'seq')
  const statement = database.prepare(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`)
  return (row) => statement.run(...columns.map((column) => row[column]))
}

/** The same row of somebody else: whatever names the one names the other. */
const renamed = (row, names) =>
  Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'string' ? names.reduce((text, [from, to]) => text.replaceAll(from, to), value) : value,
    ]))

/**
 * Fills a folder up to `count` users, all in the group: each copy has a user's row with its subject and its journal rows, under
 * a name and an id of its own.
 */
export const growFolder = async (stage, folder, { users, group }, count) => {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(databaseOf(stage.folderOf(folder)))
  try {
    const templates = users.slice(0, 100).map(({ id, name }) => ({
      id, name,
      rows: [
        ['users', database.prepare(`SELECT * FROM users WHERE id = ?`).all(id)],
        ['subjects', database.prepare(`SELECT * FROM subjects WHERE address = ?`).all(`${name}@acme.example`)],
        ['journal', database.prepare(`SELECT * FROM journal WHERE subject = ?`).all(`${name}@acme.example`)],
      ],
    }))
    const insert = Object.fromEntries(['users', 'subjects', 'journal'].map((table) => [table, inserterOf(database, table)]))
    const join = database.prepare(`INSERT INTO group_members (group_seq, user_seq) SELECT g.seq, u.seq FROM groups g, users u WHERE g.id = ? AND u.id = ?`)
    const copies = []
    database.exec('BEGIN')
    for (let number = users.length; number < count; number += 1) {
      const template = templates[number % templates.length]
      const copy = { id: randomUUID(), name: nameOf(FIRST_COPY + number) }
      const names = [[template.id, copy.id], [template.name, copy.name]]
      for (const [table, rows] of template.rows) for (const row of rows) insert[table](renamed(row, names))
      join.run(group, copy.id)
      copies.push(copy)
    }
    database.prepare(`UPDATE counters SET value = value + ? WHERE name LIKE 'users:%' AND hour = 0`).run(copies.length)
    database.exec('COMMIT')
    return [...users, ...copies]
  } finally {
    database.close()
  }
}
