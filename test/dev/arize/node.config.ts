import { defineConfig } from 'vitest/config'

/**
 * The contract from plain Node, with nothing between it and the network. On a real account:
 * `ARIZE_CONTRACT_API_KEY=… vitest run --config test/dev/arize/node.config.ts contract`; on an emulator that is being
 * served: the same with ARIZE_CONTRACT_BASE_URL alone.
 */
export default defineConfig({
  root: new URL('../../..', import.meta.url).pathname,
  test: { include: ['test/dev/arize/*.spec.ts'], testTimeout: 60_000, hookTimeout: 120_000 },
})
