import { describe, expect, it } from 'vitest'
import document from '../docs/conformance.md?raw'
import { recordings } from './recordings/recording'

const range = (from: number, to: number): string[] => Array.from({ length: to - from + 1 }, (_, index) => String(from + index))

/** Every section that binds, or could bind, a service provider, by the heading of its table. */
const CLAUSES: Readonly<Record<string, readonly string[]>> = {
  'RFC 7643: core schema': [
    '2', '2.1', '2.2', '2.3', '2.3.1', '2.3.2', '2.3.3', '2.3.4', '2.3.5', '2.3.6', '2.3.7', '2.3.8', '2.4', '2.5',
    '3', '3.1', '3.2', '3.3', '4.1', '4.1.1', '4.1.2', '4.2', '4.3', '5', '6', '7',
    '8.1', '8.2', '8.3', '8.4', '8.5', '8.6', '8.7.1', '8.7.2', '9.1', '9.2', '9.3',
  ],
  'RFC 7644: protocol': [
    '2', '2.1', '2.2', '3', '3.1', '3.2', '3.3', '3.3.1', '3.4', '3.4.1', '3.4.2', '3.4.2.1', '3.4.2.2', '3.4.2.3', '3.4.2.4', '3.4.2.5',
    '3.4.3', '3.5', '3.5.1', '3.5.2', '3.5.2.1', '3.5.2.2', '3.5.2.3', '3.6', '3.7', '3.7.1', '3.7.2', '3.7.3', '3.7.4', '3.8', '3.9',
    '3.10', '3.11', '3.12', '3.13', '3.14', '4', '5', '6', '6.1', '6.2', '7', '7.1', '7.2', '7.3', '7.4', '7.5', '7.5.1', '7.5.2', '7.6',
    '7.7', '7.8',
  ],
  'RFC 9865: pages by cursor': ['1', '2', '2.1', '2.2', '2.3', '2.4', '3', '4', '5', '5.1', '5.2', '5.3'],
  'Decisions: where clients, suites and the RFCs disagree': range(1, 21),
  'Study D.1: PATCH': range(1, 25),
  'Study D.2: filters and queries': range(1, 20),
  'Study D.3: resources and errors': range(1, 25),
  'Study F: the traps': range(1, 25),
}

interface Row {
  readonly heading: string
  readonly cells: readonly string[]
}

/** Cells of every table, below the heading that they stand under. */
const rowsOf = (markdown: string): readonly Row[] => {
  let heading = ''
  return markdown.split('\n').flatMap((line) => {
    if (line.startsWith('## ')) heading = line.slice(3)
    if (!line.startsWith('| ') || /^\| (?:---|section|row|what) \|/.test(line)) return []
    return [{ heading, cells: line.split('|').slice(1, -1).map((cell) => cell.trim()) }]
  })
}

const rows = rowsOf(document)
const citationsOf = ({ cells }: Row): readonly string[] => [...(cells.at(-1) ?? '').matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '')
const steps = new Set([...recordings.values()].flatMap((recording) => recording.steps.map(({ id }) => id)))
const texts = import.meta.glob(['./**/*.spec.ts'], { query: '?raw', import: 'default', eager: true })

const isFile = (citation: string): boolean => citation.includes('.spec.ts')

const faultOf = (citation: string): string[] => {
  if (!isFile(citation)) return steps.has(citation) ? [] : [`no recording has the step ${citation}`]
  const [file = '', name = ''] = citation.split(' > ')
  const text = Object.hasOwn(texts, `./${file}`) ? texts[`./${file}`] : undefined
  if (text === undefined) return [`there is no test/${file}`]
  return text.includes(name) ? [] : [`test/${file} has no "${name}"`]
}

describe('docs/conformance.md', () => {
  it.each(Object.entries(CLAUSES))('%s: every clause, and no other', (heading, clauses) => {
    const named = rows.filter((row) => row.heading === heading).map(({ cells }) => cells[0])
    expect([...new Set(named)]).toEqual(clauses)
  })

  it('cites steps and cases that there are', () => {
    expect(rows.flatMap(citationsOf).flatMap(faultOf)).toEqual([])
  })

  it('shows every clause, but for those that are not ours', () => {
    const bare = rows.filter((row) => Object.hasOwn(CLAUSES, row.heading) && citationsOf(row).length === 0)
    expect(bare.filter(({ cells }) => !/^Not ours\b/.test(cells[1] ?? '')).map(({ heading, cells }) => `${heading} ${cells[0] ?? ''}`)).toEqual([])
    expect(rows.filter(({ cells }) => cells.some((cell, at) => cell === '' && at < 2)).map(({ cells }) => cells)).toEqual([])
  })

  it('gives a reason for what is not met', () => {
    const unmet = rows.filter(({ cells }) => /^Not (?:met|ours)/.test(cells[1] ?? ''))
    expect(unmet.filter(({ cells }) => (cells[1] ?? '').length < 30).map(({ cells }) => cells)).toEqual([])
    expect(unmet.length).toBeGreaterThan(10)
  })

  it('leaves no test of SCIM uncited', () => {
    const cited = new Set(rows.flatMap(citationsOf).filter(isFile).map((citation) => `./${citation.split(' > ')[0] ?? ''}`))
    const about = Object.entries(texts).flatMap(([file, text]) =>
      /^\.\/(?:scim\/|recordings\/|http\/badInput\/|directory\/scim)/.test(file) || (/^\.\/http\/(?!oauth|token|webhooks|polls|signed)/.test(file) && /scim/i.test(text)) ? [file] : [])
    expect(about.filter((file) => !cited.has(file))).toEqual([])
    expect(about.length).toBeGreaterThan(25)
  })

  it('would see a step, a file or a case that is not there', () => {
    expect(['E-99', 'scim/none.spec.ts', 'scim/patchUser.spec.ts > no such case', 'constructor', './scim/x.spec.ts'].flatMap(faultOf)).toHaveLength(5)
  })
})
