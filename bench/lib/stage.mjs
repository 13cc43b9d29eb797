// A benchmark's stage: fresh bundles, a temporary folder and the process that holds the servers, all gone at every end.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRequire } from 'node:module'
import { buildBridge, buildEmulator } from '../../scripts/lib/build.mjs'
import { bridgeBindings, openState } from '../../scripts/lib/settings.mjs'
import { root } from '../../scripts/lib/tools.mjs'
import { buildBare } from './build.mjs'

const openHost = () => {
  const child = fork(new URL('host.mjs', import.meta.url), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const waiting = new Map()
  let ids = 0
  child.on('message', ({ id, value, error }) => {
    const { resolve, reject } = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) resolve(value)
    else reject(new Error(error))
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  void exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error('The process that holds the servers has ended.'))
  })
  return {
    tell: (command, options) =>
      new Promise((resolve, reject) => {
        const id = (ids += 1)
        waiting.set(id, { resolve, reject })
        child.send({ id, command, options })
      }),
    close: async () => {
      if (child.connected) child.disconnect()
      await exited
    },
  }
}

/** The machine and the versions, in one line. */
const describeMachine = () => {
  const require = createRequire(`${root}node_modules/wrangler/package.json`)
  const { version } = require(createRequire(require.resolve('miniflare')).resolve('workerd/package.json'))
  const [cpu] = cpus()
  return `${cpus().length} × ${cpu?.model.trim() ?? 'CPU'}, ${process.platform} ${process.arch}, Node ${process.versions.node}, workerd ${version}, load ${loadavg()[0].toFixed(1)} at the start`
}

/**
 * Runs a benchmark. `main` is given `folderOf(name)`, `bridge`, `arize` and `bare`, which start a server on such a folder and
 * answer `{ url, pid, stop }`.
 */
export const runOnStage = async (main) => {
  const startedAt = performance.now()
  const folder = mkdtempSync(join(tmpdir(), 'arize-bench-'))
  const host = openHost()
  const clear = async () => {
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void clear().then(() => process.exit(1)))
  try {
    buildBridge({ ifChanged: true })
    await buildEmulator()
    await buildBare()
    const folderOf = (name) => join(folder, name)
    const start = async (name, kind, bindings) => {
      const { masterKey } = openState(folderOf(name))
      const id = `${kind} on ${name}`
      const { url, pid } = await host.tell('start', { name: id, kind, folder: folderOf(name), bindings: bindings(masterKey) })
      return { url, pid, stop: () => host.tell('stop', { name: id }) }
    }
    console.log(describeMachine())
    await main({
      folderOf,
      bridge: (name, { arizeUrl, ...overrides }) =>
        start(name, 'bridge', (masterKey) => bridgeBindings({ masterKey, overrides: { ARIZE_BASE_URL: arizeUrl, ...overrides } })),
      arize: (name) => start(name, 'arize', () => ({})),
      bare: (name) => start(name, 'bare', () => ({})),
    })
    console.log(`\nTook ${Math.round((performance.now() - startedAt) / 1000)} s.`)
  } catch (error) {
    console.error(error)
    process.exitCode = 1
  } finally {
    await clear()
  }
}
