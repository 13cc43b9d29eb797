import type { Filter } from '../../src/scim/filter'

const printTerm = (filter: Filter): string =>
  filter.kind === 'and' || filter.kind === 'or' ? `(${printFilter(filter)})` : printFilter(filter)

/** The filter as RFC 7644 writes it; reading it again gives the same tree. */
export const printFilter = (filter: Filter): string => {
  switch (filter.kind) {
    case 'and':
    case 'or': return filter.terms.map(printTerm).join(` ${filter.kind} `)
    case 'not': return `not (${printFilter(filter.term)})`
    case 'compare': return `${filter.name} ${filter.operator} ${JSON.stringify(filter.value)}`
    case 'present': return `${filter.name} pr`
    case 'some': return `${filter.name}[${printFilter(filter.filter)}]`
  }
}
