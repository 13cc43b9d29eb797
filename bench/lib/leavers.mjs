// How long a leaver keeps access while a thousand joiners wait, at Arize's pace and by alarms alone: nothing settles here.
import { median } from './measure.mjs'
import { join, prepare } from './settling.mjs'
import { figure, printTable } from './table.mjs'
import { openWorld, requests } from './world.mjs'

const POLL_MS = 50
const BOUND_MS = 60_000

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** Resolves to how long it took, or to null at the bound. */
const waitUntil = async (isTrue, boundMs) => {
  const startedAt = performance.now()
  while (performance.now() - startedAt < boundMs) {
    if (await isTrue()) return performance.now() - startedAt
    await sleep(POLL_MS)
  }
  return null
}

export const leaverTable = async (stage, { queued, leavers, grants, callsPerSecond }) => {
  const arizeServer = await stage.arize('arize beside leavers')
  const arizeUrl = arizeServer.url
  const fast = await stage.bridge('leavers', { arizeUrl })
  const first = await prepare({ bridge: fast, arizeServer, grants })
  const { arize, groups } = first
  const leaving = await join(first, leavers)
  await first.world.settle()
  first.world.close()
  await fast.stop()

  const slow = await stage.bridge('leavers', { arizeUrl, ARIZE_CALLS_PER_SECOND: String(callsPerSecond) })
  const world = openWorld(slow, { firstName: leavers })
  const callsBefore = (await arize.calls()).length
  await join({ world, groups }, queued)
  const madeCalls = async () => (await arize.calls()).length - callsBefore
  const firstCallMs = await waitUntil(async () => (await madeCalls()) > 0, BOUND_MS)
  const isBusy = (await waitUntil(async () => (await madeCalls()) >= 4 * callsPerSecond, BOUND_MS)) !== null
  if (firstCallMs === null || !isBusy) throw new Error('The joiners are not being worked on.')
  const accountsBefore = (await arize.holdings()).size

  const lines = []
  for (const { id, name } of leaving) {
    const held = (await arize.holdings()).get(`${name}@acme.example`)
    const { status } = await world.ask('PATCH', requests.deactivate(id).path, requests.deactivate(id).body)
    if (status !== 200) throw new Error(`Deactivating answered ${status}.`)
    const tookMs = await waitUntil(async () => (await arize.holdings()).get(`${name}@acme.example`) === '', BOUND_MS)
    lines.push({ held: held?.split(', ').length ?? 0, tookMs })
    await sleep(1000)
  }
  const accountsAfter = (await arize.holdings()).size
  const calls = await madeCalls()
  world.close()
  arize.close()
  await slow.stop()
  await arizeServer.stop()

  const took = lines.map(({ tookMs }) => tookMs)
  printTable(
    `Leavers while ${queued} joiners wait, ${callsPerSecond} calls a second, by alarms alone`,
    ['leaver', 'roles held', 'ms of own calls at this pace', 'ms until Arize shows none'],
    lines.map(({ held, tookMs }, index) => [
      String(index + 1), String(held), figure((held * 1000) / callsPerSecond, 0), tookMs === null ? `not within ${BOUND_MS}` : figure(tookMs, 0),
    ]))
  const isAllGone = took.every((ms) => ms !== null)
  console.log(`\nmedian ${isAllGone ? figure(median(took), 0) : '–'} ms, longest ${isAllGone ? figure(Math.max(...took), 0) : '–'} ms (looked at every ${POLL_MS} ms)`)
  console.log(
    `joiners with an account: ${accountsBefore - leavers} of ${queued} before the first leaver, ${accountsAfter - leavers} after the last; ` +
    `${calls} calls in all, the first one ${figure(firstCallMs / 1000, 1)} s after the last SCIM answer`)
}
