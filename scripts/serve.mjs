// `npm run serve`: the production bundle of the bridge and the Arize emulator on loopback, without watching and without a
// replay. PORT, ARIZE_PORT, STATE (a folder that is kept), ARIZE_BASE_URL and ARIZE_API_KEY are read from the environment.
// Standard output is one line, `ready http://127.0.0.1:PORT`; the Workers' logs go to standard error.
import { buildBridge, buildEmulator } from './lib/build.mjs'
import { runUntilStopped } from './lib/lifetime.mjs'
import { startServers } from './lib/servers.mjs'
import { bridgeBindings, openState, readOverrides, readPorts } from './lib/settings.mjs'

await runUntilStopped(async ({ onEnd }) => {
  const ports = readPorts()
  buildBridge({ ifChanged: true })
  await buildEmulator()
  const state = openState(process.env.STATE || undefined)
  onEnd(state.discard)
  const servers = await startServers({
    ...ports,
    folder: state.folder,
    bindings: bridgeBindings({ ...ports, masterKey: state.masterKey, overrides: readOverrides() }),
    tell: (line) => console.error(line),
  })
  onEnd(servers.stop)
  console.log(`ready ${servers.bridge}`)
})
