/**
 * The authenticated caller of the admin API. A value of this type exists only after a proof was checked.
 * `actor` goes into the journal: the id of a token or of a caller, never a secret.
 */

export type AdministratorRole = 'administrator' | 'operator' | 'viewer'

/** A person or a script that runs the bridge. */
export type AdministratorPrincipal = {
  readonly kind: 'administrator'
  readonly role: AdministratorRole
  readonly actor: string
}
