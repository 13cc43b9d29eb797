import type { Env } from '../src/config'

declare global {
  namespace Cloudflare {
    interface Env extends BridgeBindings {}
    interface GlobalProps {
      mainModule: typeof import('../src/index')
      durableNamespaces: 'Directory'
    }
  }
}

type BridgeBindings = Env
