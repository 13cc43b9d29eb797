process.env.CLOUDFLARE_CF_FETCH_ENABLED ??= 'false'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

// Every binding is set here: a developer's .dev.vars must not change what the tests see. Whatever a test does not answer
// itself goes to the built Arize emulator, so that nothing can leave the machine.
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
          {
            name: 'arize',
            compatibilityDate: '2026-10-20',
            modules: [{ type: 'ESModule', path: './dist/arize/index.js' }],
            durableObjects: { ACCOUNT: { className: 'Account', useSQLite: true } },
          },
        ],
        outboundService: 'arize',
      },
    }),
  ],
  test: {
    include: ['test/**/*.spec.ts'],
    restoreMocks: true,
    isolate: false,
    maxWorkers: 2,
    reporters: ['default', './scripts/closingLine.mjs'],
  },
})
