import { describeFacts, type Facts, type Reason } from './facts'
import { indent, row, rule, type Paint } from './layout'
import type { Scene } from './scenes'

/** The scenes as a terminal shows them. Pure. */

export interface Before {
  readonly groups: readonly string[]
  readonly facts: Facts
}

export interface Shown {
  readonly name: string
  readonly email: string
  readonly before: Before
  readonly after: Before
  readonly reasons: readonly Reason[]
}

/** Groups that came are marked with a plus, groups that went with a minus. */
const groupsOf = ({ before, after }: Shown): readonly string[] => {
  const lines = [
    ...before.groups.filter((name) => !after.groups.includes(name)).map((name) => `- ${name}`),
    ...after.groups.map((name) => (before.groups.includes(name) ? `  ${name}` : `+ ${name}`)),
  ]
  return lines.length === 0 ? ['  none'] : lines
}

const WIDTHS = [18, 20, 27, 27]
const MARGIN = '  '

const indented = (lines: readonly string[]): string[] => lines.map((line) => (line === '' ? '' : MARGIN + line))

export const showOpening = (number: number, scene: Scene, paint: Paint): string[] => {
  const clients = [...new Set(scene.traffic.map(({ client }) => client))].join(' and ')
  return ['', paint.bold(rule(`${number}. ${scene.title}`, clients)), ...indent(scene.story, MARGIN.length), '']
}

export const showPeople = (people: readonly Shown[], paint: Paint): string[] => [
  ...indented(row([['person'], ['  groups'], ['at Arize before'], ['at Arize after']], WIDTHS)).map(paint.dim),
  ...people.flatMap((person) =>
    indented(row([[person.name, person.email], groupsOf(person), describeFacts(person.before.facts), describeFacts(person.after.facts)], WIDTHS))),
  '',
]

const REASON_WIDTHS = [18, 27, 49]
const SENTENCE_WIDTHS = [18, 78]

const showReason = (name: string, { what, why }: Reason): string[] =>
  what === null ? row([[name], [why]], SENTENCE_WIDTHS) : row([[name], [what], [why]], REASON_WIDTHS)

export const showReasons = (people: readonly Shown[], paint: Paint): string[] => {
  const explained = people.filter(({ reasons }) => reasons.length > 0)
  if (explained.length === 0) return []
  return [
    paint.dim(`${MARGIN}because`),
    ...indented(explained.flatMap(({ name, reasons }) => reasons.flatMap((reason, index) => showReason(index === 0 ? name : '', reason)))),
    '',
  ]
}

const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/** How many calls it took, and which of them changed something. */
export const showCalls = (requests: number, reads: number, writes: readonly string[], paint: Paint): string[] => {
  const sums = `${count(requests, 'SCIM request')} in; at Arize ${count(reads, 'read')} and ${count(writes.length, 'change')}`
  return [...indent(writes.length === 0 ? `${sums}.` : `${sums}:`, MARGIN.length), ...writes.flatMap((call) => indent(call, 4))].map(paint.dim)
}
