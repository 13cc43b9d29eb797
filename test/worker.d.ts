import type { Env } from '../src/config'

type BridgeBindings = Env

declare global {
  namespace Cloudflare {
    interface Env extends BridgeBindings {}
    interface GlobalProps {
      mainModule: typeof import('../src/index')
      durableNamespaces: 'Directory'
    }
  }

  interface ImportMeta {
    /** Vite's: the files that fit the patterns, by path, as their texts. */
    glob(patterns: readonly string[], options: { readonly query: '?raw'; readonly import: 'default'; readonly eager: true }): Readonly<Record<string, string>>
  }
}
