import { describe, expect, it } from 'vitest'
import { operators } from './checks'
import { parseRecording, recordings } from './recording'
import type { Recording, Step } from './recording'
import readme from './README.md?raw'

const range = (prefix: string, from: number, to: number, digits = 2): string[] =>
  Array.from({ length: to - from + 1 }, (_, index) => `${prefix}${String(from + index).padStart(digits, '0')}`)

/** Every transcript of the traffic study that is SCIM traffic of Okta or Entra; T, H, G, EG, S and U are other protocols. */
const TRANSCRIPTS = [
  ...range('O-', 1, 16),
  ...range('O-', 20, 29),
  ...range('A.5.1-', 1, 12, 1),
  ...range('A.5.2-', 1, 6, 1),
  ...range('A.5.3-', 1, 2, 1),
  ...range('A.6-', 1, 8, 1),
  ...range('E-', 1, 20),
  ...range('E-', 30, 38),
  ...range('E-', 50, 52),
  ...range('V-', 1, 2),
  // The validator's test 6 and the like send what V-01 and V-02 show; each row of its table is a step of its own.
  ...range('B.5-', 1, 25, 1),
  ...range('B.5-P', 1, 7, 1),
  ...range('B.6-', 1, 8, 1),
  ...range('B.7-', 1, 32, 1),
]

/** Every section of the RFCs with an example of what is sent or answered. */
const EXAMPLES = [
  ...['8.1', '8.2', '8.3', '8.4', '8.5', '8.6', '8.7.1', '8.7.2'].map((section) => `RFC7643-${section}`),
  ...[
    '3.3', '3.4.1', '3.4.2', '3.4.2.1', '3.4.2.2', '3.4.2.3', '3.4.2.4', '3.4.3', '3.5.1', '3.5.2.1', '3.5.2.2', '3.5.2.3', '3.6',
    '3.7.1', '3.7.2', '3.7.3', '3.9', '3.10', '3.12', '3.14', '4',
  ].map((section) => `RFC7644-${section}`),
  ...['2', '2.1', '2.2', '2.3', '2.4', '3', '4', '5'].map((section) => `RFC9865-${section}`),
]

/** Rule 16 (429 with whole seconds) is asked of every answer by the engine: no recorded request provokes it. */
const RULES_OF_STEPS = Array.from({ length: 18 }, (_, index) => index + 1).filter((rule) => rule !== 16)

const steps: readonly (Step & { readonly file: string })[] = [...recordings].flatMap(([file, { steps: own }]) =>
  own.map((step) => ({ ...step, file })),
)

const templatesIn = (value: unknown): string[] =>
  [...JSON.stringify(value ?? null).matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name ?? '')

/** Templates that a step uses before anything has captured them. */
const unknownTemplates = (recording: Recording): string[] => {
  const known = new Set(['token', 'basicToken'])
  return recording.steps.flatMap((step) => {
    const counted = step.repeat === undefined ? [] : ['n']
    const isUnknown = (name: string): boolean => !known.has(name) && !counted.includes(name)
    const sent = templatesIn([recording.headers, step.request]).filter(isUnknown)
    for (const name of Object.keys(step.capture ?? {})) known.add(name)
    return [...sent, ...templatesIn([step.expect, step.capture]).filter(isUnknown)].map((name) => `${step.id}: ${name}`)
  })
}

describe('the recordings', () => {
  it('number each step once', () => {
    const ids = steps.map(({ id }) => id)
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([])
  })

  it('hold every transcript of the study, and every example of the RFCs', () => {
    const held = new Set(steps.map(({ id }) => id))
    expect([...TRANSCRIPTS, ...EXAMPLES].filter((id) => !held.has(id))).toEqual([])
  })

  it('look at what they are answered: one status, and a body wherever there is one', () => {
    const isSilent = ({ expect: { status, body } }: Step): boolean =>
      status.some((one) => one < 300 && one !== 204) && (body ?? []).length === 0
    const numbered = steps.filter(({ id }) => !id.includes('/') && !/^(B\.6-\D|A\.5\.1-0)/.test(id))
    expect(numbered.filter(isSilent).map(({ id }) => id)).toEqual([])
    expect(steps.filter(({ expect: { status } }) => status.length > 1).map(({ id }) => id)).toEqual([])
  })

  it('name no transcript that the study does not have', () => {
    const known = new Set(TRANSCRIPTS)
    const numbered = steps.map(({ id }) => id.split('/')[0] ?? '').filter((id) => /^([OEV]-|A\.5\.[123]-[1-9]|A\.6-|B\.[57]-)/.test(id))
    expect(numbered.filter((id) => !known.has(id))).toEqual([])
  })

  it('show each rule of the study, and README.md says where', () => {
    expect(RULES_OF_STEPS.filter((rule) => !steps.some(({ rules }) => rules?.includes(rule)))).toEqual([])
    for (const rule of RULES_OF_STEPS) {
      const line = readme.split('\n').find((text) => text.startsWith(`| ${rule} |`)) ?? ''
      const shown = steps.filter(({ rules }) => rules?.includes(rule)).map(({ file, id }) => `\`${file}#${id}\``)
      expect({ rule, cited: [...line.matchAll(/`[^`]+`/g)].map(([name]) => name) }).toEqual({ rule, cited: shown })
    }
  })

  it('use known operators only', () => {
    const used = steps.flatMap(({ id, expect: { body } }) => (body ?? []).map(({ op }) => ({ id, op })))
    expect(used.filter(({ op }) => !operators.has(op))).toEqual([])
    expect(used.length).toBeGreaterThan(500)
  })

  it('compile as regular expressions where headers are expected', () => {
    const patterns = steps.flatMap(({ expect: { headers } }) => Object.values(headers ?? {}))
    expect(() => patterns.map((pattern) => new RegExp(pattern ?? ''))).not.toThrow()
  })

  it.each([...recordings])('%s uses no template before it is captured', (_, recording) => {
    expect(unknownTemplates(recording)).toEqual([])
  })

  it.each([...recordings])('%s sends JSON-shaped steps to SCIM paths', (_, recording) => {
    const odd = recording.steps.filter(
      ({ request: { method, path } }) =>
        !/^(\/|\?aadOptscim062020\/)(Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig|serviceConfiguration|Bulk|Me|Devices|Roles|Entitlements|\.search|(?=\?))(\/|\?|$)/.test(path) ||
        !['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].includes(method) ||
        /[ #]/.test(path),
    )
    expect(odd.map(({ id }) => id)).toEqual([])
  })
})

describe('parseRecording', () => {
  const step = { id: 'X-01', name: 'x', request: { method: 'GET', path: '/Users' }, expect: { status: [200] } }
  const recording = { title: 't', source: 's', headers: { accept: 'application/scim+json' }, steps: [step] }

  it('takes a recording', () => expect(parseRecording('x.json', recording)).toBe(recording))

  it.each([
    ['nothing', null],
    ['no steps', { ...recording, steps: undefined }],
    ['an unknown key', { ...recording, notes: 'x' }],
    ['a step without a status', { ...recording, steps: [{ ...step, expect: { status: [] } }] }],
    ['a misspelled expectation', { ...recording, steps: [{ ...step, expect: { status: [200], bodies: [] } }] }],
    ['a check without operator', { ...recording, steps: [{ ...step, expect: { status: [200], body: [{ path: 'id' }] } }] }],
    ['two bodies', { ...recording, steps: [{ ...step, request: { ...step.request, body: {}, rawBody: '' } }] }],
    ['a header that is a number', { ...recording, steps: [{ ...step, request: { ...step.request, headers: { a: 1 } } }] }],
  ])('refuses %s', (_, document) => {
    expect(() => parseRecording('x.json', document)).toThrow('x.json: not a')
  })
})
