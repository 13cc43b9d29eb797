/**
 * Points in time as SCIM clients write them: with as many fraction digits as they like, with an offset or none, years from 0001 (B.7). Turns them
 * into the millisecond texts that the tables hold. Does not ask what time it is.
 */

export interface Instant {
  /** `YYYY-MM-DDTHH:mm:ss.sssZ`, rounded down: the form of `created` and `modified`, whose order is the order of time. */
  readonly text: string
  /** Whether digits below the millisecond were cut off. */
  readonly isRounded: boolean
}

const DATE_TIME = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,20}))?)?(Z|[+-]\d\d:?\d\d)?)?$/i

const LAST = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** NaN for an offset that no place on earth has: XML Schema ends them at fourteen hours. */
const offsetMinutes = (offset: string): number => {
  if (offset === '' || offset.toUpperCase() === 'Z') return 0
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(-2))]
  const total = hours * 60 + minutes
  if (minutes > 59 || total > 14 * 60) return Number.NaN
  return offset.startsWith('-') ? -total : total
}

/** Null for anything that is not a date or a date with a time. Without an offset the time is taken as UTC. */
export const readInstant = (text: string): Instant | null => {
  const match = DATE_TIME.exec(text.trim())
  if (match === null) return null
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map((part) => Number(part ?? 0))
  const offset = offsetMinutes(match[8] ?? '')
  if (month < 1 || month > 12 || day < 1 || day > 31 || minute > 59 || second > 60 || Number.isNaN(offset)) return null
  // 24:00:00 is the end of the day, and nothing comes after it.
  if (hour > 24 || (hour === 24 && (minute > 0 || second > 0 || /[1-9]/.test(match[7] ?? '')))) return null
  const fraction = (match[7] ?? '').padEnd(3, '0')
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  if (date.getUTCMonth() !== month - 1) return null
  date.setUTCHours(hour, minute - offset, second, Number(fraction.slice(0, 3)))
  const isRounded = /[1-9]/.test(fraction.slice(3))
  if (date.getTime() > LAST) return { text: new Date(LAST).toISOString(), isRounded: true }
  return date.getUTCFullYear() < 0 ? { text: '', isRounded: true } : { text: date.toISOString(), isRounded }
}
