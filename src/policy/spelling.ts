/**
 * One spelling for each name, so that two spellings of one organization or space do not become two slots: Arize's where
 * the name exists, else one of those that were written. Changes names only, and drops nothing.
 */
import { isNamed, type Entitlement, type NamedEntitlement } from './entitlement'
import { foldName, indexNames, meantName, type NameIndex } from './name'

/** What exists in Arize, as far as it is known. */
export interface ExistingNames {
  readonly organizations: NameIndex
  /** The spaces of an existing organization, in Arize's spelling; null when they are not known yet. */
  readonly spaces: (organization: string) => NameIndex | null
}

/** Asks for the spaces of each organization once. */
export const existingNames = (
  organizationNames: readonly string[],
  spaceNames: (organization: string) => readonly string[] | null,
): ExistingNames => {
  const read = new Map<string, NameIndex | null>()
  return {
    organizations: indexNames(organizationNames),
    spaces: (organization) => {
      const known = read.get(organization)
      if (known !== undefined) return known
      const names = spaceNames(organization)
      const index = names === null ? null : indexNames(names)
      read.set(organization, index)
      return index
    },
  }
}

interface Written {
  readonly name: string
  /** What the name is a name in: nothing for an organization, the organization for a space. */
  readonly scope: string
  readonly existing: NameIndex | null
}

const meant = ({ name, existing }: Written): string | null => (existing === null ? null : meantName(existing, name))

const keyOf = ({ name, scope }: Written): string => JSON.stringify([scope, foldName(name)])

/** How to spell each written name; of several spellings of a name that does not exist, the first in order. */
const spellingOf = (written: readonly Written[]): ((one: Written) => string) => {
  const chosen = new Map<string, string>()
  for (const one of written) {
    if (meant(one) !== null) continue
    const key = keyOf(one)
    const other = chosen.get(key)
    if (other === undefined || one.name < other) chosen.set(key, one.name)
  }
  return (one) => meant(one) ?? chosen.get(keyOf(one)) ?? one.name
}

interface About {
  readonly entitlement: Entitlement
}

const respell = <T extends About>(
  all: readonly T[],
  writtenIn: (entitlement: NamedEntitlement) => Written | null,
  write: (entitlement: NamedEntitlement, name: string) => NamedEntitlement,
): readonly T[] => {
  const written = all.map(({ entitlement }) => (isNamed(entitlement) ? writtenIn(entitlement) : null))
  const spell = spellingOf(written.filter((one) => one !== null))
  return all.map((one, index) => {
    const name = written[index]
    if (!name || !isNamed(one.entitlement)) return one
    const spelled = spell(name)
    return spelled === name.name ? one : { ...one, entitlement: write(one.entitlement, spelled) }
  })
}

/** The same things in the same order, each name in its one spelling. */
export const spellAlike = <T extends About>(all: readonly T[], names: ExistingNames): readonly T[] => {
  const organizationsAlike = respell(
    all,
    ({ organization }) => ({ name: organization, scope: '', existing: names.organizations }),
    (entitlement, organization) => ({ ...entitlement, organization }),
  )
  return respell(
    organizationsAlike,
    (entitlement) => {
      if (entitlement.kind === 'organization') return null
      const { organization, space } = entitlement
      const exists = names.organizations.exact.has(organization)
      return { name: space, scope: organization, existing: exists ? names.spaces(organization) : null }
    },
    (entitlement, space) => (entitlement.kind === 'organization' ? entitlement : { ...entitlement, space }),
  )
}
