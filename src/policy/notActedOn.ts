/**
 * The parts of a policy that are checked and stored but that this version of the bridge does not carry out, in sentences: an
 * administrator who asked for them must be told. Judges nothing else of the policy.
 */
import type { Policy } from './document'

export const notActedOn = ({ mappings, offboarding, drift, organizations }: Policy): readonly string[] => {
  const ids = (list: readonly { readonly id: string }[]): string => list.slice(0, 5).map(({ id }) => `"${id}"`).join(', ')
  const authoritative = mappings.filter((mapping) => mapping.authoritative)
  const projects = mappings.filter(({ grants }) => grants.some((grant) => 'project' in grant && grant.project !== undefined))
  const asksForBlock = offboarding.onDeactivate === 'block' || offboarding.onDelete === 'block'
  return [
    ...(asksForBlock ? ['offboarding "block" is not carried out: accounts of people who left lose their roles and keys, and stay.'] : []),
    ...(drift.changedByHand === 'repair' ? ['drift.changedByHand "repair" is not carried out: Arize is not compared with the ledger yet.'] : []),
    ...(organizations.length > 0 ? ['Declared organizations and spaces are not created: make them in Arize.'] : []),
    ...(authoritative.length > 0 ? [`Mappings ${ids(authoritative)} say "authoritative", which changes nothing without a roster.`] : []),
    ...(projects.length > 0 ? [`Mappings ${ids(projects)} grant project roles, which are held and not given.`] : []),
  ]
}
