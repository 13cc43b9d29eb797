// Bundles each emulator of dev/ into dist/{name}/index.js, the one module that vitest.config.ts and the serving scripts load.
import { esbuild, forWorkerd } from './lib/tools.mjs'

await esbuild().build({
  ...forWorkerd,
  entryPoints: ['arize', 'okta', 'graph'].map((name) => ({ in: `dev/${name}/src/index.ts`, out: `${name}/index` })),
  outdir: 'dist',
})
