/**
 * How names are compared: groups, organizations and spaces are the same name when they differ only by case, by
 * surrounding blanks or by Unicode composition. Says which existing names a written one means; does not look anything up
 * in Arize.
 */

/** Order by UTF-16 code unit: the same on every machine, whatever its locale. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const lower = (text: string): string => text.toLowerCase().replaceAll('ς', 'σ')

/**
 * Lower case, one UTF-16 unit for each: a position in the folded text is a position in the text. `İ` is the one
 * character whose lower case is longer than itself, so it stays; the final sigma depends on its neighbours, so it goes.
 */
export const foldCase = (text: string): string =>
  text.includes('İ') ? text.split('İ').map(lower).join('İ') : lower(text)

/** A name without what does not distinguish it, but still spelled as it was: composed and trimmed. */
export const tidyName = (name: string): string => name.normalize('NFC').trim()

/** Two names are the same when their folds are. */
export const foldName = (name: string): string => foldCase(tidyName(name))

/** The names that exist, ready to be asked what a written name means. */
export interface NameIndex {
  readonly exact: ReadonlySet<string>
  readonly byFold: () => ReadonlyMap<string, readonly string[]>
}

const groupByFold = (names: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>()
  for (const name of names) {
    const folded = foldName(name)
    const same = groups.get(folded)
    if (same) same.push(name)
    else groups.set(folded, [name])
  }
  return groups
}

const indexes = new WeakMap<readonly string[], NameIndex>()

/**
 * The index of a list of names. Remembered for as long as the list lives, so the list must not be changed afterwards;
 * whoever evaluates many people hands in the same list each time.
 */
export const indexNames = (names: readonly string[]): NameIndex => {
  const known = indexes.get(names)
  if (known) return known
  const exact = new Set(names)
  let groups: ReadonlyMap<string, readonly string[]> | null = null
  const index = { exact, byFold: () => (groups ??= groupByFold(exact)) }
  indexes.set(names, index)
  return index
}

/** Every existing name that is the same as `name`, as Arize spells it. */
export const sameNames = (index: NameIndex, name: string): readonly string[] => index.byFold().get(foldName(name)) ?? []

/** The one existing name that is meant: the exact one, else the only one that is the same; null when there is none. */
export const meantName = (index: NameIndex, name: string): string | null => {
  if (index.exact.has(name)) return name
  const same = sameNames(index, name)
  return same.length === 1 ? (same[0] ?? null) : null
}
