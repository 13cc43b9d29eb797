import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { foldCase, foldName, indexNames, meantName, sameNames } from '../../src/policy/name'

describe('foldCase', () => {
  it('keeps the length of every character, so that positions stay positions', () => {
    const longer: string[] = []
    for (let code = 0; code <= 0x10ffff; code += 1) {
      const character = String.fromCodePoint(code)
      if (foldCase(character).length !== character.length) longer.push(character)
    }
    expect(longer).toEqual([])
  })

  it('folds a text as it folds its pieces', () => {
    const piece = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 1 }), fc.constantFrom('Σ', 'ς', 'İ', 'A', 'i', ' '))
    fc.assert(
      fc.property(fc.string({ unit: piece }), fc.string({ unit: piece }), (a, b) => {
        expect(foldCase(a + b)).toBe(foldCase(a) + foldCase(b))
      }),
    )
  })
})

describe('foldName', () => {
  it.each([
    ['ML Platform', '  ml platform '],
    ['Caf\u00e9', 'CAFE\u0301'],
    ['ΟΔΟΣ', 'οδος'],
    ['ΟΔΟΣ', 'οδοσ'],
  ])('%j is the same name as %j', (a, b) => expect(foldName(a)).toBe(foldName(b)))

  it.each([
    ['ML Platform', 'ML-Platform'],
    ['ML', 'MLL'],
    ['İ', 'i'],
  ])('%j is another name than %j', (a, b) => expect(foldName(a)).not.toBe(foldName(b)))
})

describe('what a written name means', () => {
  const index = indexNames(['ML', 'Risk', 'RISK', ' Ops ', '__proto__'])
  it.each([
    ['ML', 'ML'],
    ['ml', 'ML'],
    ['Risk', 'Risk'],
    ['risk', null],
    ['ops', ' Ops '],
    ['__PROTO__', '__proto__'],
    ['constructor', null],
    ['', null],
  ])('%j means %j', (name, expected) => expect(meantName(index, name)).toBe(expected))

  it('lists every existing name that is the same', () => {
    expect(sameNames(index, 'risk')).toEqual(['Risk', 'RISK'])
    expect(sameNames(index, 'toString')).toEqual([])
  })
})
