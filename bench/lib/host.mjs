// The second process: holds the servers, so that the client's work is not theirs. Each server is a workerd of its own, whose
// CPU and memory can be told from the others'. Ends with its parent.
import { createServer } from 'node:net'
import { startWorkers, workerOf } from '../../scripts/lib/servers.mjs'
import { workerdsUnder } from './measure.mjs'

const KINDS = {
  bridge: { config: 'wrangler.toml', bundle: 'dist/bridge/index.js', probe: '/healthz' },
  arize: { config: 'dev/arize/wrangler.toml', bundle: 'dist/arize/index.js', probe: '/_emulator/state' },
  bare: { config: 'bench/bare/wrangler.toml', bundle: 'dist/bare/index.js', probe: '/entries' },
}

const freePort = () =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })

const servers = new Map()

const commands = {
  async start({ name, kind, folder, bindings }) {
    const { config, bundle, probe } = KINDS[kind]
    const port = await freePort()
    const url = `http://127.0.0.1:${port}`
    const before = workerdsUnder(process.pid)
    const server = await startWorkers({
      workers: [workerOf(kind, config, bundle, port, bindings)],
      probes: [url + probe],
      folder,
      tell: (line) => console.error(`[${name}] ${line}`),
    })
    servers.set(name, server)
    const pid = workerdsUnder(process.pid).find((child) => !before.includes(child)) ?? null
    return { url, pid }
  },
  async stop({ name }) {
    await servers.get(name)?.stop()
    servers.delete(name)
  },
}

const end = async () => {
  await Promise.all([...servers.values()].map(({ stop }) => stop()))
  process.exit(0)
}

process.on('disconnect', () => void end())
// The parent says when: a signal to the whole group must not take the servers away from under it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => undefined)

// One after the other: a workerd is told by being new.
let queue = Promise.resolve()
process.on('message', ({ id, command, options }) => {
  queue = queue.then(async () => {
    try {
      process.send({ id, value: (await commands[command](options)) ?? null })
    } catch (error) {
      process.send({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })
})
