/** Writes a filter in one of the spellings that clients use: any case of names and words, spaces, brackets, escapes, URNs, unquoted strings. */
import { CORE, ENTERPRISE } from './attributes'
import type { Ask, Single, Wanted } from './filterModel'

/** Below 1, like Math.random, but the same for the same seed. */
export type Random = () => number

export const randomFrom = (seed: number): Random => {
  let state = seed | 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const oneOf = <T>(random: Random, items: readonly [T, ...T[]]): T => items[Math.floor(random() * items.length)] ?? items[0]

const anyCase = (random: Random, word: string): string => {
  const style = random()
  if (style < 0.5) return word
  return style < 0.7 ? word.toUpperCase() : style < 0.85 ? word.toLowerCase() : [...word].map((char) => (random() < 0.5 ? char.toUpperCase() : char)).join('')
}

const space = (random: Random): string => oneOf(random, [' ', ' ', ' ', '  ', '\t', ' \n '])
const maybeSpace = (random: Random): string => (random() < 0.2 ? space(random) : '')

/** A path of names in one of its spellings. Below a list or an object, names stand alone. */
export const spellName = (random: Random, path: readonly string[], resourceType: 'User' | 'Group' | null): string => {
  const [first = '', ...rest] = path
  const spelled = (): string => {
    if (first !== ENTERPRISE) return resourceType !== null && random() < 0.15 ? `${CORE[resourceType]}:${path.join('.')}` : path.join('.')
    if (rest.length === 0) return first
    return random() < 0.3 ? rest.join('.') : `${first}${oneOf(random, [':', ':', '.'])}${rest.join('.')}`
  }
  return anyCase(random, spelled())
}

const escape = (char: string): string => [...Array(char.length).keys()].map((at) => `\\u${char.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')

const quoted = (random: Random, text: string): string => {
  if (random() < 0.7) return JSON.stringify(text)
  return `"${[...text].map((char) => (random() < 0.4 ? escape(char) : char === '/' ? '\\/' : JSON.stringify(char).slice(1, -1))).join('')}"`
}

const RESERVED = ['and', 'or', 'not', 'pr', 'eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'true', 'false', 'null']
const isBare = (text: string): boolean => /^[A-Za-z@][\w@.+%-]*$/.test(text) && !RESERVED.includes(text.toLowerCase())

const literal = (random: Random, wanted: Wanted): string => {
  if (wanted === null || typeof wanted === 'boolean' || typeof wanted === 'number') return String(wanted)
  const text = typeof wanted === 'string' ? wanted : wanted.text
  const mayBeBare = typeof wanted === 'string' ? isBare(text) : !text.includes(',')
  return mayBeBare && random() < 0.2 ? text : quoted(random, text)
}

type Strength = 0 | 1 | 2

/** Brackets where the meaning asks for them, and sometimes where it does not. */
const enclose = (random: Random, text: string, isNeeded: boolean): string => {
  const once = (inner: string): string => `(${maybeSpace(random)}${inner}${maybeSpace(random)})`
  const needed = isNeeded ? once(text) : text
  return random() < 0.1 ? once(needed) : needed
}

export const spell = (random: Random, ask: Ask, resourceType: 'User' | 'Group' | null): string => {
  const single = (asked: Single, type: 'User' | 'Group' | null): string => {
    const words = asked.kind === 'present' ? [anyCase(random, 'pr')] : [anyCase(random, asked.operator), literal(random, asked.wanted)]
    return [spellName(random, asked.path, type), ...words].join(space(random))
  }
  const write = (inner: Ask, strength: Strength, type: 'User' | 'Group' | null): string => {
    switch (inner.kind) {
      case 'and':
      case 'or': {
        const own: Strength = inner.kind === 'and' ? 2 : 1
        const parts = inner.terms.map((term) => write(term, own, type))
        const text = parts.reduce((left, right) => `${left}${space(random)}${anyCase(random, inner.kind)}${space(random)}${right}`)
        return enclose(random, text, strength >= own)
      }
      case 'not': return enclose(random, `${anyCase(random, 'not')}${maybeSpace(random)}(${maybeSpace(random)}${write(inner.term, 0, type)}${maybeSpace(random)})`, false)
      case 'present':
      case 'compare': return enclose(random, single(inner, type), false)
      case 'within': {
        const path = `${spellName(random, inner.path, type)}[${maybeSpace(random)}${write(inner.inner, 0, null)}${maybeSpace(random)}]`
        return enclose(random, inner.behind === null ? path : `${path}.${single(inner.behind, null)}`, false)
      }
    }
  }
  return `${maybeSpace(random)}${write(ask, 0, resourceType)}${maybeSpace(random)}`
}
