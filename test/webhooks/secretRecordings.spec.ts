/**
 * The recordings of senders that prove themselves by a secret, replayed against the port. A step sends `body` (as JSON) or `text`
 * (as it is) at `now` to one of the file's connections; `expect` is the whole answer and the whole of the events.
 */
import { describe, expect, it } from 'vitest'
import type { WebhookTools } from '../../src/webhooks/source'
import { WEBHOOKS } from '../../src/webhooks/sources'
import graph from '../recordings/events/G-02-G-06-graph.json'
import okta from '../recordings/events/H-01-H-04-okta-event-hook.json'
import { answerOf, eventsOf, type RecordedStep } from './signedWorld'

interface Step extends RecordedStep {
  readonly text?: string
  readonly expect: {
    readonly status: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: unknown
    readonly text?: string
    readonly secret?: string | null
    readonly events: readonly unknown[]
  }
}

interface Recording {
  readonly title: string
  readonly kind: string
  readonly connections: Readonly<Record<string, unknown>>
  readonly steps: readonly Step[]
}

const recordings: readonly Recording[] = [okta, graph]

/** No sender of these kinds is ever asked for anything. */
const toolsAt = (seconds: number): WebhookTools => {
  const refuse = () => Promise.reject(new Error('nothing is fetched for a secret'))
  return { now: () => seconds * 1000, jwks: { key: refuse }, discover: refuse, development: false }
}

const receiveStep = async (kind: string, settings: unknown, step: Step) => {
  const webhook = WEBHOOKS.find((one) => one.kind === kind)
  if (webhook === undefined) throw new Error(`no webhook of the kind ${kind}`)
  const body = new TextEncoder().encode(step.text ?? (step.body === undefined ? '' : JSON.stringify(step.body)))
  const url = new URL(step.url ?? `https://bridge.example.com/webhooks/${webhook.path}/c1`)
  const request = { method: step.method ?? 'POST', url, headers: new Headers(step.headers), body }
  const received = await webhook.receive(request, { id: 'c1', settings }, toolsAt(step.now))
  if (!received.ok) throw new Error(`unfit settings: ${received.error.paths.join()}`)
  return received.value
}

for (const { title, kind, connections, steps } of recordings) {
  describe(title, () => {
    it.each(steps.map((step) => [step.id, step.name, step] as const))('%s %s', async (_id, _name, step) => {
      const received = await receiveStep(kind, connections[step.connection], step)
      const { status, headers, body, text, secret = null, events } = step.expect
      expect(eventsOf(received)).toEqual(events)
      const answer = answerOf(received)
      expect(answer.status).toBe(status)
      expect(answer.headers).toEqual(headers)
      expect(text === undefined && answer.body !== undefined ? JSON.parse(answer.body) : answer.body).toEqual(text ?? body)
      if (received.kind === 'delivery') expect({ secret: received.secret, caller: received.caller }).toEqual({ secret, caller: null })
    })
  })
}

describe('the recordings', () => {
  it('hold every transcript of Okta event hooks and of what Graph sends', () => {
    const held = recordings.flatMap(({ steps }) => steps.map(({ id }) => id)).filter((id) => !/\/\d/.test(id))
    expect(held.toSorted()).toEqual([
      'G-02', 'G-03', 'G-04', 'G-05/a', 'G-05/b', 'G-05/c', 'G-05/d', 'G-06',
      'H-01', 'H-02', 'H-03', 'H-04/a', 'H-04/b', 'H-04/c', 'H-04/d', 'H-04/e', 'H-04/f', 'H-04/g',
    ])
  })
})
