import { describe, expect, it } from 'vitest'
import { ben } from '../../../dev/day/cast'
import { openWorld, plain, playDay } from '../../../dev/day/index'
import { WIDTH } from '../../../dev/day/layout'
import { scenes } from '../../../dev/day/scenes'
import { openBridge, type Bridge } from '../../flow/bridge'

/** The day of `npm start`, against the whole bridge and the emulator. */

const play = async (bridge: Bridge, played = scenes) => {
  const lines: string[] = []
  const day = await playDay({ world: bridge, paint: plain, print: (line) => lines.push(line), scenes: played })
  return { day, lines }
}

describe('the day', () => {
  it('ends as every scene says, and shows it in 100 columns', async () => {
    const bridge = await openBridge()
    const { day, lines } = await play(bridge)
    expect(day).toEqual({ ok: true, value: { calls: expect.any(Number) } })
    expect(lines.filter((line) => line.length > WIDTH)).toEqual([])
    const text = lines.join('\n')
    for (const { title } of scenes) expect(text).toContain(title)
    expect(text).toContain('group "arize-Fraud-viewer" (mapping by-name)')
    expect(await bridge.roles()).toEqual([
      'ada@acme.example Fraud READ_ONLY',
      'ada@acme.example ML Platform MEMBER',
      'ada@acme.example ML Platform/Ranking ADMIN',
      'ada@acme.example ML Platform/Search MEMBER',
      'ben@acme.example Fraud READ_ONLY',
      'chloe@acme.example ML Platform MEMBER',
      'chloe@acme.example ML Platform/Ranking ADMIN',
      'lea@acme.example Labeling ANNOTATOR',
      'lea@acme.example Labeling/Gold Set ANNOTATOR',
      'noor@acme.example Labeling ANNOTATOR',
    ])
    expect((await bridge.state()).keys.filter(({ owner }) => owner === 'chloe@acme.example').map(({ revoked }) => revoked)).toEqual([true])
  })

  it('fails, and says how, when a scene ends otherwise', async () => {
    const [team, ...rest] = scenes
    if (team === undefined) throw new Error('no scenes')
    const people = [{ who: ben, ending: { account: 'ADMIN', roles: ['Fraud ADMIN'], state: 'held', liveKeys: 1 } as const }]
    const { day, lines } = await play(await openBridge(), [{ ...team, people, writes: 4 }, ...rest])
    expect(day).toEqual({
      ok: false,
      error: [
        'ben@acme.example: the account should be ADMIN and is MEMBER.',
        'ben@acme.example: roles should be Fraud ADMIN and is Fraud MEMBER.',
        'ben@acme.example: the state should be held and is in_step.',
        'ben@acme.example: the number of live keys should be 1 and is 0.',
        'calls that changed something at Arize should be 4 and are 5.',
      ].map((sentence) => `Scene 1, The team that is there: ${sentence}`),
    })
    expect(lines.join('\n')).not.toContain('A joiner')
  })

  it('fails when a provider does not get the answer that it needs', async () => {
    const [team] = scenes
    if (team === undefined) throw new Error('no scenes')
    const { day } = await play(await openBridge(), [{ ...team, traffic: [...team.traffic, ...team.traffic.slice(1, 2)] }])
    expect(day).toMatchObject({ ok: false, error: [expect.stringContaining('POST /Users answered 409 instead of 201')] })
  })

  it('fails when it is played twice in one Arize account', async () => {
    const bridge = await openBridge()
    expect((await play(bridge, [])).day.ok).toBe(true)
    expect((await play(bridge, [])).day).toMatchObject({ ok: false, error: [expect.stringContaining('Making organization ML Platform answered 409')] })
  })
})

describe('the world of the day', () => {
  it('calls each service at its address, with its token', async () => {
    const seen: string[] = []
    const world = openWorld({
      scimBaseUrl: 'http://127.0.0.1:1/scim/v2',
      adminApiUrl: 'http://127.0.0.1:1/admin/api',
      arizeUrl: 'http://127.0.0.1:2',
      tokens: { scim: 's', admin: 'a', arize: 'z' },
      fetch: async (url, init) => {
        const headers = new Headers(init.headers)
        seen.push([init.method, url, headers.get('authorization'), headers.get('content-type'), init.body ?? ''].join(' '))
        return new Response('{}')
      },
    })
    await world.scim('PATCH', '/Users/1', '{"a":1}', { 'content-type': 'application/scim+json' })
    await world.admin('PUT', 'policy', { mappings: [] })
    expect(await world.arize('GET', '/_emulator/state')).toEqual({ status: 200, text: '{}' })
    expect(seen).toEqual([
      'PATCH http://127.0.0.1:1/scim/v2/Users/1 Bearer s application/scim+json {"a":1}',
      'PUT http://127.0.0.1:1/admin/api/policy Bearer a application/json {"mappings":[]}',
      'GET http://127.0.0.1:2/_emulator/state Bearer z  ',
    ])
  })
})
