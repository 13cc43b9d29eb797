/** Text in columns for a terminal: nothing is wider than 100 columns. Pure. */

export const WIDTH = 100

export interface Paint {
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
}

const code = (open: number, close: number) => (text: string): string => `\u001B[${open}m${text}\u001B[${close}m`

export const colours: Paint = { bold: code(1, 22), dim: code(2, 22), good: code(32, 39), bad: code(31, 39) }

const same = (text: string): string => text
export const plain: Paint = { bold: same, dim: same, good: same, bad: same }

/** Breaks at spaces; a word that is too long is cut. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ').flatMap((whole) => chop(whole, width))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (longer.length <= width) line = longer
    else {
      lines.push(line)
      line = word
    }
  }
  return [...lines, line]
}

const chop = (word: string, width: number): string[] =>
  word.length <= width ? [word] : [word.slice(0, width), ...chop(word.slice(width), width)]

/** A paragraph behind a margin. */
export const indent = (text: string, margin: number): string[] =>
  wrap(text, WIDTH - margin).map((line) => ' '.repeat(margin) + line)

/** One cell: its entries stand below each other, each wrapped. */
export type Cell = readonly string[]

const GAP = 2

/** Lines of one row; the widths and gaps have to fit into {@link WIDTH}. */
export const row = (cells: readonly Cell[], widths: readonly number[]): string[] => {
  const columns = cells.map((cell, index) => cell.flatMap((entry) => wrap(entry, widths[index] ?? WIDTH)))
  const height = Math.max(...columns.map(({ length }) => length))
  return Array.from({ length: height }, (_, line) =>
    columns.map((column, index) => (column[line] ?? '').padEnd(widths[index] ?? 0)).join(' '.repeat(GAP)).trimEnd())
}

/** A title in a rule over the whole width. */
export const rule = (left: string, right: string): string => {
  const line = '─'.repeat(Math.max(2, WIDTH - left.length - right.length - 7))
  return `── ${left} ${line} ${right} ─`
}
