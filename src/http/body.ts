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

/** A request or response. */
type Message = Pick<Request, 'headers' | 'body'>

const declaredLength = ({ headers }: Message): number => Number(headers.get('content-length') ?? 0)

/** Hands the body over in pieces; what comes after the limit is not read, whatever Content-Length promised. `take` says whether to go on. */
const readPieces = async (message: Message, maxBytes: number, take: (piece: Uint8Array) => boolean): Promise<'read' | 'stopped' | 'too_large'> => {
  if (declaredLength(message) > maxBytes) return 'too_large'
  if (message.body === null) return 'read'
  const reader = message.body.getReader()
  let size = 0
  for (;;) {
    const chunk = await reader.read()
    if (chunk.done) return 'read'
    size += chunk.value.byteLength
    const isTooLarge = size > maxBytes
    if (!isTooLarge && take(chunk.value)) continue
    await reader.cancel()
    return isTooLarge ? 'too_large' : 'stopped'
  }
}

/** The empty text for no body. */
export const readText = async (message: Message, maxBytes: number): Promise<Result<string, BodyFault>> => {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  let text = ''
  const decode = (piece?: Uint8Array): boolean => {
    try {
      text += piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true })
      return true
    } catch {
      return false
    }
  }
  const end = await readPieces(message, maxBytes, decode)
  if (end === 'too_large') return err(end)
  return end === 'read' && decode() ? ok(text) : err('not_utf8')
}

/** No bytes for no body. */
export const readBytes = async (message: Message, maxBytes: number): Promise<Result<Uint8Array, 'too_large'>> => {
  const pieces: Uint8Array[] = []
  const end = await readPieces(message, maxBytes, (piece) => pieces.push(piece) > 0)
  if (end === 'too_large') return err(end)
  const bytes = new Uint8Array(pieces.reduce((size, piece) => size + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  return ok(bytes)
}

/** In a call, strings take one byte a character if all of them are Latin-1, else two. */
const callBytesOfText = (text: string): number => 8 + text.length * (/[\u0100-\uffff]/.test(text) ? 2 : 1)

/** What V8 makes of a JSON value in a call, or a little more. */
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
export const sizeOf = (bytes: number): string => (bytes < 1024 * 1024 ? `${bytes / 1024} KB` : `${bytes / 1024 / 1024} MB`)
