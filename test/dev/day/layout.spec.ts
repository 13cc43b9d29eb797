import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { colours, indent, plain, row, rule, WIDTH, wrap } from '../../../dev/day/layout'

describe('wrap', () => {
  it.each([
    ['', 5, ['']],
    ['one two three', 7, ['one two', 'three']],
    ['one two three', 100, ['one two three']],
    ['a toolongword b', 4, ['a', 'tool', 'ongw', 'ord', 'b']],
  ])('%j in %i columns', (text, width, lines) => {
    expect(wrap(text, width)).toEqual(lines)
  })

  it('loses nothing and is never too wide', () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[a-z"/]{1,30}$/), { maxLength: 30 }), fc.integer({ min: 1, max: 40 }), (words, width) => {
        const lines = wrap(words.join(' '), width)
        expect(lines.every(({ length }) => length <= width)).toBe(true)
        expect(lines.join('').replaceAll(' ', '')).toBe(words.join(''))
      }),
    )
  })
})

describe('row', () => {
  it('puts entries below each other and pads all columns but the last', () => {
    expect(row([['Ada'], ['one', 'two'], ['a b c']], [5, 4, 3])).toEqual(['Ada    one   a b', '       two   c'])
  })
})

describe('rule and indent', () => {
  it('a rule is as wide as everything', () => {
    expect(rule('1. Title', 'Okta')).toHaveLength(WIDTH)
    expect(rule('x'.repeat(200), 'Okta')).toContain('──')
  })

  it('a paragraph keeps its margin', () => {
    const lines = indent('word '.repeat(60).trim(), 4)
    expect(lines.length).toBeGreaterThan(2)
    expect(lines.every((line) => line.startsWith('    word') && line.length <= WIDTH)).toBe(true)
  })
})

describe('paint', () => {
  it('plain text is left alone, colours are taken back', () => {
    expect(plain.bad('x')).toBe('x')
    expect(colours.bad('x')).toBe('\u001B[31mx\u001B[39m')
  })
})
