// What the operating system says about a process, and figures out of samples. Linux only: elsewhere CPU and memory are null.
import { readdirSync, readFileSync } from 'node:fs'

const attempt = (read) => {
  try {
    return read()
  } catch {
    return null
  }
}

/** CPU time that all threads of a process have had, in milliseconds. Kept by the scheduler in nanoseconds. */
export const cpuMs = (pid) =>
  attempt(() =>
    readdirSync(`/proc/${pid}/task`)
      .map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'latin1').split(' ')[0]))
      .reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e6)

/** Resident memory of a process, in MiB. */
export const residentMb = (pid) =>
  attempt(() => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) / 1024)

/** Children of a process that run workerd. */
export const workerdsUnder = (pid) =>
  attempt(() =>
    readdirSync(`/proc/${pid}/task`)
      .flatMap((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1').trim().split(' '))
      .filter((child) => child !== '' && readFileSync(`/proc/${child}/comm`, 'latin1').trim() === 'workerd')
      .map(Number)) ?? []

/** The smallest sample that a share of all samples do not exceed. */
export const percentile = (samples, share) => {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? Number.NaN
}

export const median = (samples) => percentile(samples, 0.5)

export const sum = (samples) => samples.reduce((total, sample) => total + sample, 0)

/** The difference of two readings, or null without both. */
export const minus = (a, b) => (a === null || b === null || a === undefined || b === undefined ? null : a - b)
