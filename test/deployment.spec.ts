import { describe, expect, it } from 'vitest'

const FILES = Object.entries(import.meta.glob(['../wrangler.toml', '../.dev.vars.example'], { query: '?raw', import: 'default', eager: true }))

/** Without comments, which may speak of what must not be there. */
const settings = new Map(FILES.map(([path, text]) => [path.replace('../', ''), String(text).replaceAll(/^\s*#.*$/gm, '')]))

describe('what is deployed', () => {
  it.each(['wrangler.toml', '.dev.vars.example'])('says nothing of DEVELOPMENT in %s (design section 10.6)', (file) => {
    expect(settings.get(file)).toMatch(/ARIZE_BASE_URL\s*=/)
    expect(settings.get(file)).not.toContain('DEVELOPMENT')
  })

  it('has one address, no list of secrets that hides others, and no log of URLs, which have addresses of people in them', () => {
    const toml = settings.get('wrangler.toml')
    expect(toml).toMatch(/^preview_urls = false$/m)
    expect(toml).toMatch(/^invocation_logs = false$/m)
    expect(toml).not.toMatch(/^\[secrets\]/m)
  })
})
