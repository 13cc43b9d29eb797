/**
 * The attributes of RFC 7643 as a plain table, for the models: written down a second time on purpose, so that a slip in the
 * registry of src/scim does not become the truth.
 */
export const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
export const CORE = { User: 'urn:ietf:params:scim:schemas:core:2.0:User', Group: 'urn:ietf:params:scim:schemas:core:2.0:Group' } as const

/** `text` is compared without case, `exact` with. */
export type Leaf = 'text' | 'exact' | 'binary' | 'time' | 'flag'

/** An attribute without parts, an object, or a list of either. */
export type Shape = Leaf | Parts | readonly [Leaf] | readonly [Parts]

export interface Parts {
  readonly [name: string]: Shape
}

const values = (value: Leaf): readonly [Parts] => [{ value, display: 'text', type: 'text', primary: 'flag' }]

const common: Parts = {
  schemas: ['text'], id: 'exact', externalId: 'exact',
  meta: { resourceType: 'exact', created: 'time', lastModified: 'time', version: 'exact', location: 'exact' },
}

export const ATTRIBUTES: Readonly<Record<'User' | 'Group', Parts>> = {
  User: {
    ...common,
    userName: 'text', displayName: 'text', nickName: 'text', profileUrl: 'exact', title: 'text', userType: 'text',
    preferredLanguage: 'text', locale: 'text', timezone: 'text', active: 'flag',
    name: { formatted: 'text', familyName: 'text', givenName: 'text', middleName: 'text', honorificPrefix: 'text', honorificSuffix: 'text' },
    emails: values('text'), phoneNumbers: values('text'), ims: values('text'), photos: values('exact'),
    entitlements: values('text'), roles: values('text'), x509Certificates: values('binary'),
    addresses: [{
      formatted: 'text', streetAddress: 'text', locality: 'text', region: 'text', postalCode: 'text', country: 'text', type: 'text', primary: 'flag',
    }],
    groups: [{ value: 'exact', $ref: 'exact', display: 'text', type: 'text' }],
    [ENTERPRISE]: {
      employeeNumber: 'text', costCenter: 'text', organization: 'text', division: 'text', department: 'text',
      manager: { value: 'exact', $ref: 'exact', displayName: 'text' },
    },
  },
  Group: { ...common, displayName: 'text', members: [{ value: 'exact', $ref: 'exact', type: 'text', display: 'text' }] },
}

export const isLeaf = (shape: Shape): shape is Leaf => typeof shape === 'string'

/** What the values of a list are; anything else as it is. */
export const valueShape = (shape: Shape): Leaf | Parts => (isLeaf(shape) ? shape : isList(shape) ? shape[0] : shape)

export const isList = (shape: Shape): shape is readonly [Leaf] | readonly [Parts] => Array.isArray(shape)

/** The attribute at the end of a path of names; undefined when there is none. */
export const shapeAt = (shape: Shape, path: readonly string[]): Shape | undefined =>
  path.reduce<Shape | undefined>((found, name) => {
    const value = found === undefined ? 'text' : valueShape(found)
    return isLeaf(value) || !Object.hasOwn(value, name) ? undefined : value[name]
  }, shape)

/** Every path of a shape, the paths to objects and lists included. */
export const pathsOf = (shape: Shape): readonly (readonly string[])[] => {
  const value = valueShape(shape)
  if (isLeaf(value)) return []
  return Object.entries(value).flatMap(([name, child]) => [[name], ...pathsOf(child).map((path) => [name, ...path])])
}

export const partOf = (node: unknown, name: string): unknown =>
  typeof node === 'object' && node !== null && Object.hasOwn(node, name) ? Object.getOwnPropertyDescriptor(node, name)?.value : undefined
