/**
 * "Did you mean": the word of a list that is nearest to a mistyped one, and how text of unknown origin is quoted in a
 * sentence. Knows nothing of policies.
 */
const MAX_COMPARED = 40
const MAX_QUOTED = 80

/** A text in double quotes, control characters escaped, long ones cut. */
export const quote = (text: string, most: number = MAX_QUOTED): string =>
  JSON.stringify(text.length > most ? `${text.slice(0, most)}…` : text)

const squeeze = (text: string): string => text.slice(0, MAX_COMPARED).toLowerCase().replaceAll(/[-_ ]/g, '')

/** Levenshtein distance. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(substitution, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}

const farness = (text: string, candidate: string): number => {
  const a = squeeze(text)
  const b = squeeze(candidate)
  if (a === b) return 0
  if (Math.min(a.length, b.length) >= 4 && (a.startsWith(b) || b.startsWith(a))) return 1
  return distance(a, b)
}

/** The candidate that `text` was probably meant to be, or null when none is near: about one letter in three may differ. */
export const nearest = (text: string, candidates: readonly string[]): string | null => {
  let best: string | null = null
  let least = Number.POSITIVE_INFINITY
  for (const candidate of candidates) {
    const far = farness(text, candidate)
    if (far < least && far <= Math.max(1, Math.floor(squeeze(candidate).length / 3))) {
      best = candidate
      least = far
    }
  }
  return best
}

/** ` Did you mean "…"?` with its leading blank, or nothing. */
export const didYouMean = (text: string, candidates: readonly string[]): string => {
  const near = nearest(text, candidates)
  return near === null ? '' : ` Did you mean ${quote(near)}?`
}
