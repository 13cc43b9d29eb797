// The bare Worker, into dist/bare/index.js.
import { esbuild, forWorkerd } from '../../scripts/lib/tools.mjs'

export const buildBare = async () => {
  await esbuild().build({ ...forWorkerd, entryPoints: ['bench/bare/index.ts'], outfile: 'dist/bare/index.js', minify: true })
  await esbuild().stop()
}
