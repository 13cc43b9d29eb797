// What the environment may say about serving, and the values that everybody knows. Those are believed on loopback only, and
// only because DEVELOPMENT is passed here (docs/security.md).
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** Something that whoever typed the command can mend: a sentence, no stack trace. */
export class UsageError extends Error {}

const readPort = (name, fallback) => {
  const text = process.env[name]
  if (text === undefined || text === '') return fallback
  const port = Number(text)
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port
  throw new UsageError(`${name}=${text} is not a port: write a number from 1 to 65535.`)
}

export const readPorts = () => {
  const ports = { port: readPort('PORT', 8787), arizePort: readPort('ARIZE_PORT', 8788) }
  if (ports.port === ports.arizePort) throw new UsageError(`PORT and ARIZE_PORT are both ${ports.port}: give one of them another port.`)
  return ports
}

export const tokens = { admin: 'dev-admin-token', scim: 'dev-scim-token', arize: 'dev-arize-key' }

/** The address behind the emulator's own service key. */
const EMULATOR_BOT = 'bridge@arize.invalid'

/** Arize's settings that the environment may give. */
const OVERRIDES = ['ARIZE_BASE_URL', 'ARIZE_API_KEY', 'ARIZE_OWN_USER', 'ARIZE_CALLS_PER_SECOND']

/** Those that it gives, by name. */
export const readOverrides = () =>
  Object.fromEntries(OVERRIDES.filter((name) => process.env[name]).map((name) => [name, process.env[name]]))

/** The bridge's bindings; without `overrides` its Arize is the emulator. */
export const bridgeBindings = ({ arizePort, masterKey, overrides }) => ({
  DEVELOPMENT: 'true',
  ADMIN_TOKEN: tokens.admin,
  SCIM_TOKEN: tokens.scim,
  ARIZE_BASE_URL: `http://127.0.0.1:${arizePort}`,
  ARIZE_API_KEY: tokens.arize,
  ARIZE_OWN_USER: EMULATOR_BOT,
  ARIZE_CALLS_PER_SECOND: '1000',
  MASTER_KEY: masterKey,
  ...overrides,
})

/**
 * The folder that holds both Durable Objects' databases and the master key that seals what is in them. `path` undefined: a
 * new temporary one, which `discard` removes; a folder that somebody named is kept.
 */
export const openState = (path) => {
  const folder = path === undefined ? mkdtempSync(join(tmpdir(), 'arize-bridge-')) : resolve(path)
  mkdirSync(folder, { recursive: true })
  return {
    folder,
    masterKey: readMasterKey(join(folder, 'master.key')),
    discard: () => {
      if (path === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

const readMasterKey = (file) => {
  try {
    writeFileSync(file, randomBytes(32).toString('base64'), { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  return readFileSync(file, 'utf8').trim()
}
