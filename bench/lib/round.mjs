// One round of one operation at one server: the requests are made beforehand, and the server's CPU time is read around them.
import { requestBytes, sendAll } from './client.mjs'
import { cpuMs, minus, sum } from './measure.mjs'

/**
 * @returns {Promise<{ calls: number, wallMs: number, latenciesMs: number[], cpuMs: number | null, answers: object[] }>}
 */
export const playRound = async ({ server, token, connections }, wanted, concurrency) => {
  const bytes = wanted.map((request) => requestBytes({ token, ...request }))
  const before = cpuMs(server.pid)
  const { wallMs, latenciesMs, answers } = await sendAll(connections(concurrency), bytes)
  return { calls: wanted.length, wallMs, latenciesMs, cpuMs: minus(cpuMs(server.pid), before), answers }
}

/** A round at the bare Worker, which must never refuse anything: an error would pass for speed. */
export const playBare = async (yard, wanted, concurrency) => {
  const round = await playRound(yard, wanted, concurrency)
  const refused = round.answers.find(({ status }) => status < 200 || status > 299)
  if (refused !== undefined) throw new Error(`The bare Worker answered ${refused.status}: ${refused.body.toString().slice(0, 200)}`)
  return round
}

/** Rounds of one operation at one server as one. */
export const joinRounds = (rounds) => {
  const calls = sum(rounds.map((round) => round.calls))
  const cpu = rounds.map((round) => round.cpuMs)
  return {
    calls,
    rate: (calls * 1000) / sum(rounds.map((round) => round.wallMs)),
    latenciesMs: rounds.flatMap((round) => round.latenciesMs),
    cpuPerCallMs: cpu.includes(null) ? null : sum(cpu) / calls,
  }
}

export const rateOf = ({ calls, wallMs }) => (calls * 1000) / wallMs
