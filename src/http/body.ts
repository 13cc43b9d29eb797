import { err, ok, type Result } from '../result'

/** Request bodies as text, bounded while they are read. */

export const MAX_BODY_BYTES = 1024 * 1024
/** For PUT and PATCH of a Group, which may name all of its members (design section 10.6). */
export const MAX_GROUP_BODY_BYTES = 16 * 1024 * 1024

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

/** The media type of a body without its parameters, in lower case; null when none is named. */
export const mediaTypeOf = (request: Request): string | null => {
  const value = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? ''
  return value === '' ? null : value
}

/** The limit as people read it. */
export const sizeOf = (bytes: number): string => `${bytes / 1024 / 1024} MB`
