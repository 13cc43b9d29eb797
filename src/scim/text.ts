/**
 * How strings are compared: folding for attributes that are not case exact, and an order that SQLite shares. Nothing here is
 * about addresses, whose folding is stricter (address.ts).
 */

const NOT_ASCII = /[\u0080-\uffff]/

/** Full-width and half-width forms, and the ideographic space. */
const WIDTHS = /[\u3000\uff01-\uffee]/g

/**
 * The one folding of names and attribute values: of the literal, of `fold`, and of the `…_fold` columns. By the mappings of
 * PRECIS for user names, which RFC 7644 section 5 demands of userName (RFC 8265 section 3.3: width, case, NFC), so that one
 * name typed on two systems is one name. The final sigma is a spelling of sigma. Folding twice changes nothing.
 */
export const foldText = (text: string): string => {
  if (!NOT_ASCII.test(text)) return text.toLowerCase()
  const narrow = text.replace(WIDTHS, (char) => char.normalize('NFKC'))
  return narrow.toLowerCase().replaceAll('ς', 'σ').normalize('NFC')
}

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
