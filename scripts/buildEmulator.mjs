// Bundles each emulator of dev/ into dist/{name}/index.js, the one module that vitest.config.ts and the serving scripts load.
// esbuild is the copy that wrangler brings along: it is asked for from there, since the project itself does not name it.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

const root = new URL('..', import.meta.url)
const wrangler = createRequire(new URL('node_modules/wrangler/package.json', root))
const { build } = wrangler('esbuild')

await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['arize', 'okta', 'graph'].map((name) => ({ in: `dev/${name}/src/index.ts`, out: `${name}/index` })),
  outdir: 'dist',
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  target: 'es2024',
  external: ['cloudflare:*', 'node:*'],
  logLevel: 'warning',
})
