process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** An emulator of `dev/`, as scripts/buildEmulator.mjs bundles it. What it calls itself goes over loopback too. */
const emulator = (name: string, binding: string, className: string) => ({
  name,
  compatibilityDate: '2026-10-20',
  modules: [{ type: 'ESModule' as const, path: `./dist/${name}/index.js` }],
  durableObjects: { [binding]: { className, useSQLite: true } },
  outboundService: 'loopback',
})

// All there is of a network: an emulator behind each port, the bridge itself behind its own. The rest goes to the Arize emulator.
const LOOPBACK = `export default {
  fetch: (request, env) => (({ 8787: env.BRIDGE, 8790: env.OKTA, 8791: env.GRAPH })[new URL(request.url).port] ?? env.ARIZE).fetch(request),
}`

// Every binding is set here: a developer's .dev.vars must not change what the tests see. Whatever a test does not answer
// itself goes to the built emulators, so that nothing can leave the machine.
export default defineConfig({
  plugins: [
    cloudflareTest({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        bindings: {
          DEVELOPMENT: 'true',
          ADMIN_TOKEN: 'dev-admin-token',
          SCIM_TOKEN: 'dev-scim-token',
          ARIZE_BASE_URL: 'http://127.0.0.1:8788',
          ARIZE_API_KEY: 'dev-arize-key',
          ARIZE_OWN_USER: 'bridge@arize.invalid',
          ARIZE_CALLS_PER_SECOND: '1000',
          MASTER_KEY: 'MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=',
        },
        workers: [
          emulator('arize', 'ACCOUNT', 'Account'),
          emulator('okta', 'ORG', 'Org'),
          emulator('graph', 'TENANT', 'Tenant'),
          {
            name: 'loopback',
            compatibilityDate: '2026-10-20',
            modules: [{ type: 'ESModule', path: 'loopback.js', contents: LOOPBACK }],
            serviceBindings: { ARIZE: 'arize', OKTA: 'okta', GRAPH: 'graph', BRIDGE: 'vitest-plugin-runner-' },
          },
        ],
        outboundService: 'loopback',
      },
    }),
  ],
  test: {
    include: ['test/**/*.spec.ts'],
    restoreMocks: true,
    // A bound for what hangs, not for what is slow: a busy machine must not fail a test.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    isolate: false,
    maxWorkers: 2,
    reporters: ['default', './scripts/closingLine.mjs'],
  },
})
