import * as z from 'zod'

/**
 * An id as Arize gives it: base64 of `Type:<number>:<salt>`, to be treated as opaque (API page, section 4.5). It has to be
 * text that can stand in a path.
 */
export const idSchema = z.string().min(1).max(500)

/**
 * Whether two ids name one thing. Arize's own examples answer `AccountOrganization:1` about `Organization:1:aBcD`: such a
 * difference in dress is no contradiction, another number, kind or salt is.
 */
export const isSameId = (a: string, b: string): boolean => {
  if (a === b) return true
  const [x, y] = [decode(a), decode(b)]
  if (x === null || y === null || x.number !== y.number) return false
  return (x.type.endsWith(y.type) || y.type.endsWith(x.type)) && (x.salt === null || y.salt === null || x.salt === y.salt)
}

const decode = (id: string): { readonly type: string; readonly number: string; readonly salt: string | null } | null => {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(id)) return null
  try {
    const match = /^([A-Za-z]+):(\d+)(?::(.+))?$/.exec(atob(id.replaceAll('-', '+').replaceAll('_', '/')))
    const [, type, number, salt] = match ?? []
    return type === undefined || number === undefined ? null : { type, number, salt: salt ?? null }
  } catch {
    return null
  }
}
