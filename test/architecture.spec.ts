import { describe, expect, it } from 'vitest'

/** Design sections 4 and 11: what each folder of `src` may import beside itself, `result` and `change`. Others: anything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  scim: [], policy: [], auth: [],
  reconcile: ['policy'],
  arize: ['policy', 'reconcile'],
  sources: ['auth'], webhooks: ['auth'],
  directory: ['scim', 'policy', 'reconcile', 'arize', 'sources', 'auth', 'config'],
  http: ['scim', 'policy', 'reconcile', 'auth', 'sources', 'webhooks', 'config', 'directory'],
  admin: ['scim', 'policy', 'reconcile', 'auth', 'sources', 'webhooks', 'config', 'directory', 'http'],
  cli: ['admin'],
}
const TYPES_ONLY: readonly string[] = ['http directory', 'admin directory', 'cli admin']
const PURE: readonly string[] = ['scim', 'policy']
const IMPURE = /\bfetch\(|Date\.now|new Date\(\)|Math\.random|\bcrypto\.|'hono['/]|'cloudflare:|\basync\b/

const texts = Object.entries(import.meta.glob(['../src/**/*.{ts,tsx}', '../dev/**/*.ts'], { query: '?raw', import: 'default', eager: true }))
const files = texts.map(([path, text]) => ({ path: path.replace('../', ''), text }))
const sources = files.flatMap(({ path, text }) => {
  const [root, folder, ...rest] = path.split('/')
  return root === 'src' && folder !== undefined && rest.length > 0 ? [{ path, folder, text }] : []
})

/** The folder, or the file at the top, that a relative import leads to, and whether it is for types alone. */
const importsOf = ({ path, text }: { readonly path: string; readonly text: string }) =>
  [...text.matchAll(/(?:^|\n)(import|export)\s([^'"`;]*?)from '(\.[^']*)'|\bimport\(?\s*'(\.[^']*)'/g)].map((match) => ({
    to: new URL(match[3] ?? match[4] ?? '', `file:///${path}`).pathname.split('/')[2] ?? '',
    isOfTypes: /^type\s/.test(match[2] ?? '') || (/^\{[^}]*\}/.test(match[2] ?? '') && !/[{,]\s*(?!type\s)[\w$]/.test(match[2] ?? '')),
  }))

const faultsOf = (file: (typeof sources)[number]): readonly string[] =>
  importsOf(file).flatMap(({ to, isOfTypes }) => {
    if (to === file.folder || to === 'result' || to === 'change') return []
    if (MAY_IMPORT[file.folder]?.includes(to) !== true) return [`${file.path} imports ${to}`]
    return TYPES_ONLY.includes(`${file.folder} ${to}`) && !isOfTypes ? [`${file.path} imports more than types of ${to}`] : []
  })

describe('the architecture', () => {
  it('has only folders that the design names', () => {
    expect([...new Set(sources.map(({ folder }) => folder))].filter((folder) => !Object.hasOwn(MAY_IMPORT, folder))).toEqual([])
    expect(sources.length).toBeGreaterThan(100)
  })

  it('has imports that point one way', () => {
    expect(sources.flatMap(faultsOf)).toEqual([])
  })

  it('sees an import that does not', () => {
    const wrong = { path: 'src/http/x.ts', folder: 'http', text: `import { a, type B } from '../directory/directory'\nimport c from '../arize/client'\nimport type { D } from '../directory/x'\n` }
    expect(faultsOf(wrong)).toEqual(['src/http/x.ts imports more than types of directory', 'src/http/x.ts imports arize'])
  })

  it('has pure folders without a clock, chance, the network or a framework', () => {
    expect(sources.filter(({ folder, text }) => PURE.includes(folder) && IMPURE.test(text.replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, ''))).map(({ path }) => path)).toEqual([])
  })

  it('has files of pure folders that open by saying what they do and will not do', () => {
    const opens = /^\/\*\*(?:[^*]|\*(?!\/))*\*\//
    expect(sources.filter(({ folder, text }) => [...PURE, 'auth'].includes(folder) && !opens.test(text)).map(({ path }) => path)).toEqual([])
  })

  it('has no file over 400 lines', () => {
    expect(files.filter(({ text }) => text.trimEnd().split('\n').length > 400).map(({ path }) => path)).toEqual([])
  })
})
