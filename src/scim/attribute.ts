/**
 * What an attribute is (RFC 7643 section 7), and the helpers that the schema files are written with. A resource type is
 * itself a complex attribute, so that one recursion serves resources, extensions and elements. Holds no definition.
 */
import { isObject } from './json'

export type AttributeType = 'string' | 'boolean' | 'dateTime' | 'reference' | 'binary' | 'complex'

export interface Attribute {
  readonly name: string
  readonly type: AttributeType
  readonly multiValued: boolean
  readonly description: string
  readonly required: boolean
  readonly caseExact: boolean
  readonly mutability: 'readOnly' | 'readWrite' | 'immutable' | 'writeOnly'
  readonly returned: 'always' | 'never' | 'default' | 'request'
  readonly uniqueness: 'none' | 'server' | 'global'
  /** Suggestions only: other values are accepted all the same (scim-decisions 12). */
  readonly canonicalValues?: readonly string[]
  readonly referenceTypes?: readonly string[]
  /** False for what is made for each answer: a filter on it is refused, since nothing could look it up. */
  readonly isFilterable?: false
  /** By lower-cased name, in the order of the schema. Empty unless complex. */
  readonly children: ReadonlyMap<string, Attribute>
}

/** From the resource (or the element) down to the attribute meant. Empty means the resource itself. */
export type AttributePath = readonly Attribute[]

type Options = Partial<Omit<Attribute, 'name' | 'type' | 'description' | 'children'>>

const NO_CHILDREN: ReadonlyMap<string, Attribute> = new Map()

export const indexByName = (attributes: readonly Attribute[]): ReadonlyMap<string, Attribute> =>
  new Map(attributes.map((attribute) => [attribute.name.toLowerCase(), attribute]))

const define = (
  name: string, type: AttributeType, description: string, options: Options, children: ReadonlyMap<string, Attribute>,
): Attribute => ({
  name, type, description, children,
  multiValued: false,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...options,
})

export const text = (name: string, description: string, options: Options = {}): Attribute =>
  define(name, 'string', description, options, NO_CHILDREN)

export const flag = (name: string, description: string, options: Options = {}): Attribute =>
  define(name, 'boolean', description, options, NO_CHILDREN)

export const time = (name: string, description: string, options: Options = {}): Attribute =>
  define(name, 'dateTime', description, { caseExact: true, ...options }, NO_CHILDREN)

/** Binary values are base64 and case exact (RFC 7643 section 2.3.6). */
export const binary = (name: string, description: string, options: Options = {}): Attribute =>
  define(name, 'binary', description, { caseExact: true, ...options }, NO_CHILDREN)

/** References are case exact (RFC 7643 section 2.3.7). */
export const reference = (
  name: string, description: string, referenceTypes: readonly string[], options: Options = {},
): Attribute => define(name, 'reference', description, { caseExact: true, referenceTypes, ...options }, NO_CHILDREN)

export const complex = (
  name: string, description: string, subAttributes: readonly Attribute[], options: Options = {},
): Attribute => define(name, 'complex', description, options, indexByName(subAttributes))

/** The four sub-attributes of RFC 7643 section 2.4 around a `value`. */
export const values = (
  name: string, description: string, value: Attribute, types: readonly string[] = [], options: Options = {},
): Attribute =>
  complex(name, description, [
    value,
    text('display', 'A name for people to read.'),
    text('type', 'A label for the function of the value.', types.length > 0 ? { canonicalValues: types } : {}),
    flag('primary', 'Whether this is the preferred value. At most one is.'),
  ], { multiValued: true, ...options })

/** The attribute that a list of values is compared by when only the list is named (`emails eq "x"`). */
export const defaultChild = (attribute: Attribute): Attribute | undefined => attribute.children.get('value')

/** What an object has at a path of single attributes; undefined when it has nothing there. */
export const valueAt = (object: unknown, path: AttributePath): unknown =>
  path.reduce<unknown>((node, { name }) => (isObject(node) && Object.hasOwn(node, name) ? node[name] : undefined), object)
