import { describe, expect, it } from 'vitest'
import { recordings } from '../recordings/recording'
import { replayStep } from '../recordings/replay'
import type { Variables } from '../recordings/replay'
import { QUIRKS } from '../../src/scim/quirks'
import { createModelServer } from './modelServer'

/** Whom to believe is decided before this folder is asked; headers, order, search, bulk requests and policies are not of it. */
const BEYOND = /authentication|entitlements|^rfc\/(?!7643-8-|7644-3\.5\.2-)/

describe.each([...recordings].filter(([file]) => !BEYOND.test(file)))('%s, on the pure functions alone', (_file, recording) => {
  it('is answered as the client needs it', async () => {
    const send = createModelServer()
    let variables: Variables = new Map([['token', 'anything'], ['basicToken', 'YW55dGhpbmc=']])
    const faults: string[] = []
    for (const step of recording.steps.filter(({ expect: { status } }) => !status.includes(401))) {
      const outcome = await replayStep(step, recording.headers, variables, send)
      variables = new Map([...variables, ...outcome.captured])
      faults.push(...outcome.faults.map((fault) => `${step.id}: ${fault}`))
    }
    expect(faults).toEqual([])
  })
})

describe('the list of quirks', () => {
  it.each(QUIRKS.map((quirk) => [quirk.what, quirk] as const))('%s: cites steps that there are', (_what, { recording, steps }) => {
    expect(recordings.get(recording)?.steps.map(({ id }) => id)).toEqual(expect.arrayContaining([...steps]))
  })
})
