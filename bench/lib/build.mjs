// The bare Worker, into dist/bare/index.js.
import { esbuild, root } from '../../scripts/lib/tools.mjs'

export const buildBare = async () => {
  await esbuild().build({
    absWorkingDir: root,
    entryPoints: ['bench/bare/index.ts'],
    outfile: 'dist/bare/index.js',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser'],
    target: 'es2024',
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'warning',
  })
  await esbuild().stop()
}
