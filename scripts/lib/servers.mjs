// One Miniflare with both Workers, each behind a socket of its own: nothing stands between a client and the production
// bundle, and the bridge calls the emulator over loopback as it would call Arize. The only file that uses names that
// Miniflare and wrangler call unsafe or unstable.
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { miniflare, root, wranglerApi } from './tools.mjs'
import { UsageError } from './settings.mjs'

const HOST = '127.0.0.1'
const READY_TIMEOUT_MS = 30_000

/** @returns {Promise<void>} rejects with a sentence when somebody else listens there. */
const refuseTakenPort = (variable, port) =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (error) => {
      const why = error.code === 'EADDRINUSE' ? 'is taken' : `cannot be used (${error.code})`
      reject(new UsageError(`Port ${port} ${why}: set ${variable} to another one, such as ${variable}=${port + 1000}.`))
    })
    probe.listen(port, HOST, () => probe.close(() => resolve()))
  })

/** One bundle behind a socket of its own. `config` and `bundle` are paths in the repository. */
export const workerOf = (name, config, bundle, port, bindings) => {
  if (!existsSync(root + bundle)) throw new Error(`${bundle} was not built.`)
  // Naming a file for variables, even one that is not there, keeps a developer's .dev.vars out.
  const { workerOptions } = wranglerApi().unstable_getMiniflareWorkerOptions(root + config, undefined, { envFiles: ['no variables'] })
  const folder = dirname(root + bundle)
  return {
    ...workerOptions,
    name,
    rootPath: folder,
    modulesRoot: folder,
    modules: [{ type: 'ESModule', path: 'index.js' }],
    bindings: { ...workerOptions.bindings, ...bindings },
    unsafeDirectSockets: [{ host: HOST, port }],
  }
}

/** Miniflare would end the process at the first signal without waiting for workerd: its listeners are taken off again. */
const withoutSignalListeners = (make) => {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  const before = new Map(signals.map((signal) => [signal, process.listeners(signal)]))
  const made = make()
  for (const signal of signals) {
    for (const listener of process.listeners(signal)) {
      if (!before.get(signal).includes(listener)) process.off(signal, listener)
    }
  }
  return made
}

const isAnswering = async (url) => {
  try {
    const response = await fetch(url)
    await response.arrayBuffer()
    return true
  } catch {
    return false
  }
}

const waitUntilAnswering = async (url) => {
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!(await isAnswering(url))) {
    if (Date.now() > deadline) throw new Error(`${url} does not answer.`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/**
 * Serves these Workers in one workerd until `stop`. Whatever they and the runtime say goes to `tell`, never to standard output.
 * `probes` are addresses that answer once all is up.
 * @param {{ workers: object[], probes: string[], folder: string, tell: (line: string) => void }} options
 */
export const startWorkers = async ({ workers, probes, folder, tell }) => {
  const { convertV4MiniflareOptions, Log, LogLevel, Miniflare } = miniflare()
  class QuietLog extends Log {
    log(line) {
      tell(line)
    }
  }
  const options = convertV4MiniflareOptions({
    host: HOST,
    port: 0,
    cf: false,
    log: new QuietLog(LogLevel.WARN),
    logRequests: false,
    handleStructuredLogs: ({ message }) => tell(message),
    telemetry: { enabled: false },
    resourcePersistencePath: folder,
    workers,
  })
  const server = withoutSignalListeners(() => new Miniflare(options))
  try {
    await server.ready
    await Promise.all(probes.map(waitUntilAnswering))
    return { stop: () => server.dispose() }
  } catch (error) {
    await server.dispose().catch(() => undefined)
    throw error
  }
}

/**
 * Serves both bundles until `stop`.
 * @param {{ port: number, arizePort: number, folder: string, bindings: Record<string, string>, tell: (line: string) => void }} options
 */
export const startServers = async ({ port, arizePort, folder, bindings, tell }) => {
  await refuseTakenPort('PORT', port)
  await refuseTakenPort('ARIZE_PORT', arizePort)
  const urls = { bridge: `http://${HOST}:${port}`, arize: `http://${HOST}:${arizePort}` }
  const workers = [
    workerOf('bridge', 'wrangler.toml', 'dist/bridge/index.js', port, bindings),
    workerOf('arize', 'dev/arize/wrangler.toml', 'dist/arize/index.js', arizePort, {}),
  ]
  const { stop } = await startWorkers({ workers, probes: [`${urls.bridge}/healthz`, `${urls.arize}/_emulator/state`], folder, tell })
  return { ...urls, stop }
}
