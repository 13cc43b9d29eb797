// Runs on whatever Node starts npm (18 or newer), with no dependency. Installs the locked packages when they are missing
// or differ from package-lock.json, so that `npm test` and `npm start` are the only command a fresh clone needs.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'

const packages = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {})
const have = packages('node_modules/.package-lock.json')
const stale = Object.entries(packages('package-lock.json')).some(
  ([path, p]) => path !== '' && !p.optional && !p.peer && have[path]?.version !== p.version,
)
if (stale) {
  console.log('[setup] npm ci')
  const args = ['ci', '--engine-strict=false', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error']
  const npm = process.env.npm_execpath // npm tells its scripts where it is: the same npm, also on Windows
  const done = npm
    ? spawnSync(process.execPath, [npm, ...args], { stdio: 'inherit' })
    : spawnSync('npm', args, { stdio: 'inherit', shell: process.platform === 'win32' })
  if (done.status !== 0) process.exit(done.status ?? 1)
}

// npm 10 removes node_modules/.bin/node again when it prunes the builds for other platforms: put it back.
const platform = process.platform === 'win32' ? 'win' : process.platform
const build = `${platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'}-${platform}-${process.arch}`
if (platform !== 'win' && existsSync(`node_modules/${build}/bin/node`) && !existsSync('node_modules/.bin/node')) {
  rmSync('node_modules/.bin/node', { force: true })
  symlinkSync(`../${build}/bin/node`, 'node_modules/.bin/node')
}
if (!existsSync('.dev.vars') && existsSync('.dev.vars.example')) copyFileSync('.dev.vars.example', '.dev.vars')

// `node` on PATH is now node_modules/.bin/node (npm puts .bin first); wrangler and vitest need 22.12 or newer.
const found = spawnSync('node', ['-p', 'process.versions.node'], { encoding: 'utf8' }).stdout.trim()
const [major, minor] = found.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 12)) {
  console.error(`[setup] the tools need Node >= 22.12; found ${found} and no bundled build for ${process.platform}-${process.arch}`)
  process.exit(1)
}
