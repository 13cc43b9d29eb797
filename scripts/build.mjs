// `npm run build`: the bridge as `wrangler deploy` would upload it (a dry run, nothing leaves the machine) into dist/bridge,
// and the Arize emulator into dist/arize.
import { buildBridge, buildEmulator } from './lib/build.mjs'

buildBridge()
await buildEmulator()
