// `npm start`: what `npm run serve` serves, on a fresh state folder, with a sample account at Arize, a sample policy and a
// short day of Okta's and Entra's traffic. The day checks itself: this ends with 1 when a scene does not end as it must.
// Then it stays up. REPLAY=0 leaves Arize and the policy empty.
import { buildBridge, buildEmulator, loadDay } from './lib/build.mjs'
import { runUntilStopped } from './lib/lifetime.mjs'
import { startServers } from './lib/servers.mjs'
import { bridgeBindings, openState, readOverrides, readPorts, tokens, UsageError } from './lib/settings.mjs'

/** The day changes people's roles: it is for the emulator only, whatever a shell has set for other programs. */
const overridesFor = (isReplaying) => {
  const overrides = readOverrides()
  const names = Object.keys(overrides)
  if (!isReplaying) return overrides
  if (names.length > 0) console.log(`Not used, since the day is for the emulator: ${names.join(', ')} of the environment.`)
  return {}
}

const replay = async (servers) => {
  const { colours, openWorld, plain, playDay } = await loadDay()
  const paint = process.stdout.isTTY && !process.env.NO_COLOR ? colours : plain
  const world = openWorld({
    scimBaseUrl: `${servers.bridge}/scim/v2`,
    adminApiUrl: `${servers.bridge}/admin/api`,
    arizeUrl: servers.arize,
    tokens,
  })
  const day = await playDay({ world, paint, print: (line) => console.log(line) })
  if (day.ok) return
  throw new UsageError(`\n${paint.bad('The day did not end as it should.')}\n${day.error.map((line) => `- ${line}`).join('\n')}`)
}

const tellWhere = ({ bridge, arize }) => {
  const lines = [
    ['SCIM base URL', `${bridge}/scim/v2`, `Authorization: Bearer ${tokens.scim}`],
    ['Admin API', `${bridge}/admin/api/people`, `Authorization: Bearer ${tokens.admin}`],
    ['Arize emulator', `${arize}/_emulator/state`, ''],
    ['', `${arize}/v2/organizations`, `Authorization: Bearer ${tokens.arize}`],
  ]
  console.log('')
  for (const [what, url, how] of lines) console.log(`${what.padEnd(16)}${url.padEnd(44)}${how}`.trimEnd())
  console.log('')
  console.log(`The bridge runs at ${bridge} until Ctrl-C.`)
}

await runUntilStopped(async ({ onEnd }) => {
  const isReplaying = process.env.REPLAY !== '0'
  const ports = readPorts()
  buildBridge({ ifChanged: true })
  await buildEmulator()
  const state = openState(undefined)
  onEnd(state.discard)
  const servers = await startServers({
    ...ports,
    folder: state.folder,
    bindings: bridgeBindings({ ...ports, masterKey: state.masterKey, overrides: overridesFor(isReplaying) }),
    tell: (line) => console.error(line),
  })
  onEnd(servers.stop)
  if (isReplaying) await replay(servers)
  tellWhere(servers)
})
