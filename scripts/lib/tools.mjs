// The tools that wrangler brings along and the project does not name: esbuild and miniflare in wrangler's own versions, so
// that what is served here runs on the same workerd as `wrangler dev` and the tests.
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'

/** The repository, with a slash at the end. */
export const root = fileURLToPath(new URL('../../', import.meta.url))

const fromWrangler = createRequire(`${root}node_modules/wrangler/package.json`)

export const esbuild = () => fromWrangler('esbuild')
export const miniflare = () => fromWrangler('miniflare')
export const wranglerApi = () => fromWrangler('wrangler')
export const wranglerBin = `${root}node_modules/wrangler/bin/wrangler.js`

/** How esbuild makes a module for workerd. */
export const forWorkerd = {
  absWorkingDir: root,
  bundle: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['workerd', 'worker', 'browser'],
  target: 'es2024',
  external: ['cloudflare:*', 'node:*'],
  logLevel: 'warning',
}
