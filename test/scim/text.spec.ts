import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldText } from '../../src/scim/text'

describe('foldText', () => {
  it.each([
    ['ASCII', 'Joy@Example.COM', 'joy@example.com'],
    ['composed and decomposed', 'Caf\u00C9', 'cafe\u0301'],
    ['several marks in another order', 'a\u0323\u0302', 'a\u0302\u0323'],
    ['full width', 'ＡＢＣ＠ｘ．ｙ', 'abc@x.y'],
    ['half width', 'ｶﾞ', 'ガ'],
    ['final sigma', 'ΟΔΟΣ', 'οδοσ'],
    ['final sigma in the middle', 'ΟΔΟΣ1', 'οδος1'],
    ['the Kelvin sign', '\u212A', 'k'],
    ['beyond the first plane', '\u{10400}😀', '\u{10428}😀'],
  ])('takes %s for the same', (_what, a, b) => expect(foldText(a)).toBe(foldText(b)))

  it.each([['ß', 'ss'], ['ı', 'i'], ['İ', 'i'], ['²', '2'], ['ﬁ', 'fi'], ['a b', 'ab'], ['a\u200Db', 'ab'], ['e\u0301', 'e']])(
    'tells %j from %j', (a, b) => expect(foldText(a)).not.toBe(foldText(b)))

  it('changes nothing the second time', () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constantFrom('İ', 'J\u030C', 'Ｋ\u0301', 'ﾊﾟ', 'Σς'))
    fc.assert(fc.property(fc.array(text).map((parts) => parts.join('')), (each) => {
      expect(foldText(foldText(each))).toBe(foldText(each))
    }))
  })
})
