// Figures as text of fixed width.

/** Digits that mean something: three. Null, undefined and NaN are a dash. */
export const figure = (value, digits) => {
  if (value === null || value === undefined || Number.isNaN(value)) return '–'
  if (digits !== undefined) return value.toFixed(digits)
  const size = Math.abs(value)
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2)
}

/** Columns as wide as their widest cell; the first one is flush left. */
export const printTable = (title, heads, rows) => {
  const widths = heads.map((head, column) => Math.max(...[head, ...rows.map((row) => row[column])].map((cell) => cell.length)))
  const line = (cells) => cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join('  ')
  console.log(`\n${title}\n`)
  console.log(line(heads))
  console.log(widths.map((width) => '-'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(row))
}

/** `--name`, `--name=value` of the command line. */
export const readOption = (name) => {
  const found = process.argv.slice(2).find((argument) => argument === `--${name}` || argument.startsWith(`--${name}=`))
  if (found === undefined) return null
  return found.includes('=') ? found.slice(found.indexOf('=') + 1) : ''
}
