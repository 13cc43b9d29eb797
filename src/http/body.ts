import { err, ok, type Result } from '../result'

/** Request bodies as text, bounded while they are read. */

export const MAX_BODY_BYTES = 1024 * 1024
/** For PUT and PATCH of a Group, which may name all of its members (design section 10.6). */
export const MAX_GROUP_BODY_BYTES = 16 * 1024 * 1024

/** A Durable Object call carries 32 MiB; the rest of the command has room beside this. */
const MAX_CALL_BYTES = 32_000_000

/** No character of JSON takes more bytes than this in a call: `-0,` takes nine. */
const MAX_BYTES_A_CHARACTER = 3

export type BodyFault = 'too_large' | 'not_utf8'

const declaredLength = (request: Request): number => Number(request.headers.get('content-length') ?? 0)

/** The empty text for no body. What comes after the limit is not read, whatever Content-Length promised. */
export const readText = async (request: Request, maxBytes: number): Promise<Result<string, BodyFault>> => {
  if (declaredLength(request) > maxBytes) return err('too_large')
  if (request.body === null) return ok('')
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  const reader = request.body.getReader()
  let text = ''
  let size = 0
  for (;;) {
    const chunk = await reader.read()
    if (!chunk.done) size += chunk.value.byteLength
    if (size > maxBytes) {
      await reader.cancel()
      return err('too_large')
    }
    try {
      text += chunk.done ? decoder.decode() : decoder.decode(chunk.value, { stream: true })
    } catch {
      await reader.cancel()
      return err('not_utf8')
    }
    if (chunk.done) return ok(text)
  }
}

/** In a call, strings take one byte a character if all of them are Latin-1, else two. */
const callBytesOfText = (text: string): number => 8 + text.length * (/[\u0100-\uffff]/.test(text) ? 2 : 1)

/** At least what V8 makes of a JSON value in a call. */
const callBytesOf = (value: unknown): number => {
  if (typeof value === 'string') return callBytesOfText(value)
  if (typeof value !== 'object' || value === null) return 9
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + callBytesOf(item), 16)
  return Object.entries(value).reduce((sum, [name, item]) => sum + callBytesOfText(name) + callBytesOf(item), 8)
}

/** Whether the value that was read from a text fits into a call: it may be larger there than its text. */
export const fitsCall = (value: unknown, textLength: number): boolean =>
  textLength * MAX_BYTES_A_CHARACTER <= MAX_CALL_BYTES || callBytesOf(value) <= MAX_CALL_BYTES

/** The coding of a body other than none; null for none. */
export const codingOf = (request: Request): string | null => {
  const value = request.headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  return value === '' || value === 'identity' ? null : value
}

/** The media type of a body without its parameters, in lower case; null when none is named. */
export const mediaTypeOf = (request: Request): string | null => {
  const value = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  return value === '' ? null : value
}

/** The limit as people read it. */
export const sizeOf = (bytes: number): string => `${bytes / 1024 / 1024} MB`
