/**
 * The authenticated caller of this service. A value of these types exists only after a proof was checked.
 * `actor` goes into the journal: the id of a token or of a caller, never a secret.
 */

/** An identity provider, speaking through one of a tenant's connections. */
export type ConnectionPrincipal = {
  readonly kind: 'connection'
  readonly connectionId: string
  readonly tenant: string
  readonly by: 'token' | 'jwt'
  readonly actor: string
}

export type AdministratorRole = 'administrator' | 'operator' | 'viewer'

/** A person or a script that runs the bridge. */
export type AdministratorPrincipal = {
  readonly kind: 'administrator'
  readonly role: AdministratorRole
  readonly actor: string
}

export type Principal = ConnectionPrincipal | AdministratorPrincipal
