// The three bundles that serving needs. dist/bridge is what `wrangler deploy` would upload, made by wrangler itself;
// dist/arize is the emulator; dist/day is the replayed day as a module for Node.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { esbuild, root, wranglerBin } from './tools.mjs'

/** Everything that can change the bridge's bundle. */
const BRIDGE_INPUTS = ['src', 'wrangler.toml', 'tsconfig.json', 'package-lock.json']

const filesUnder = (path) =>
  statSync(root + path).isDirectory()
    ? readdirSync(root + path).toSorted().flatMap((name) => filesUnder(join(path, name)))
    : [path]

const fingerprint = (paths) => {
  const hash = createHash('sha256')
  for (const file of paths.flatMap(filesUnder)) hash.update(file).update('\0').update(readFileSync(root + file)).update('\0')
  return hash.digest('hex')
}

/**
 * The production bundle of the bridge, into dist/bridge/index.js. With `ifChanged`, nothing is done for sources that it was
 * made from already, and wrangler is heard only when it fails.
 */
export const buildBridge = ({ ifChanged = false } = {}) => {
  const stamp = `${root}dist/bridge/.sources`
  const sources = fingerprint(BRIDGE_INPUTS)
  if (ifChanged && existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) return
  rmSync(stamp, { force: true })
  const built = spawnSync(process.execPath, [wranglerBin, 'deploy', '--dry-run', '--minify', '--outdir', 'dist/bridge'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ifChanged ? 'pipe' : 'inherit',
  })
  if (built.status !== 0) throw new Error(`The bridge could not be built.\n${built.stdout ?? ''}${built.stderr ?? ''}`)
  mkdirSync(`${root}dist/bridge`, { recursive: true })
  writeFileSync(stamp, sources)
}

/** The Arize emulator, into dist/arize/index.js. */
export const buildEmulator = async () => {
  await import('../buildEmulator.mjs')
  await endEsbuild()
}

/** The replayed day, into dist/day/index.js. Answers its exports. */
export const loadDay = async () => {
  await esbuild().build({
    absWorkingDir: root,
    entryPoints: ['dev/day/index.ts'],
    outfile: 'dist/day/index.js',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
  })
  await endEsbuild()
  return import(`${root}dist/day/index.js`)
}

/** esbuild keeps a process of its own for the next build: there is none. */
const endEsbuild = () => esbuild().stop()
