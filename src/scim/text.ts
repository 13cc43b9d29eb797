/**
 * How strings are compared: folding for attributes that are not case exact, and an order that SQLite shares. Nothing here is
 * about addresses, whose folding is stricter (address.ts).
 */

/** The one folding of names and attribute values: of the literal, of `fold`, and of the `…_fold` columns. */
export const foldText = (text: string): string => text.toLowerCase()

/** The order of SQLite's BINARY collation, which is by code point; JavaScript's own is by UTF-16 unit. */
export const compareText = (a: string, b: string): number => {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index += 1) {
    if (a.charCodeAt(index) !== b.charCodeAt(index)) return byCodePoint(a.charCodeAt(index), b.charCodeAt(index))
  }
  return a.length - b.length
}

/** Surrogates stand for code points above every other unit. */
const byCodePoint = (a: number, b: number): number => {
  const isHighA = a >= 0xd800 && a <= 0xdfff
  const isHighB = b >= 0xd800 && b <= 0xdfff
  return isHighA === isHighB ? a - b : isHighA ? 1 : -1
}
