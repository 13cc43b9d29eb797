import { own, scimErrorFaults, type Answer } from '../bridge'

/**
 * What an answer has to be to be valid SCIM, written from RFC 7643, RFC 7644 and RFC 9865 and from nothing of ours: types, what must be
 * there, what must not be, and headers that agree with the body.
 */

const CORE = 'urn:ietf:params:scim:schemas:core:2.0:'
const MESSAGES = 'urn:ietf:params:scim:api:messages:2.0:'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const PROVISIONING = 'urn:arize:params:scim:schemas:extension:provisioning:2.0:User'

type Shape = 'text' | 'echo' | 'flag' | 'time' | 'count' | ObjectShape | ListShape
interface ObjectShape {
  readonly object: Readonly<Record<string, Shape>>
  readonly needs: readonly string[]
}
interface ListShape {
  readonly list: Shape
  readonly mayBeEmpty: boolean
}

const object = (shapes: Readonly<Record<string, Shape>>, ...needs: readonly string[]): ObjectShape => ({ object: shapes, needs })
const list = (of: Shape, mayBeEmpty = false): ListShape => ({ list: of, mayBeEmpty })
const texts = (...names: readonly string[]): Readonly<Record<string, Shape>> => Object.fromEntries(names.map((name) => [name, 'text']))

const VALUES = list(object({ ...texts('value', 'display', 'type'), primary: 'flag' }))
const META = object({ ...texts('resourceType', 'version', 'location'), created: 'time', lastModified: 'time' })
const COMMON = { schemas: list('text'), id: 'text', externalId: 'text', meta: META } as const

const USER = object({
  ...COMMON,
  ...texts('userName', 'displayName', 'nickName', 'profileUrl', 'title', 'userType', 'preferredLanguage', 'locale', 'timezone'),
  name: object(texts('formatted', 'familyName', 'givenName', 'middleName', 'honorificPrefix', 'honorificSuffix')),
  active: 'flag',
  emails: VALUES, phoneNumbers: VALUES, ims: VALUES, photos: VALUES, entitlements: VALUES, roles: VALUES, x509Certificates: VALUES,
  addresses: list(object({ ...texts('formatted', 'streetAddress', 'locality', 'region', 'postalCode', 'country', 'type'), primary: 'flag' })),
  groups: list(object(texts('value', '$ref', 'display', 'type'))),
  [ENTERPRISE]: object({ ...texts('employeeNumber', 'costCenter', 'organization', 'division', 'department'), manager: object(texts('value', '$ref', 'displayName')) }),
  [PROVISIONING]: object({
    ...texts('state', 'arizeUserId', 'accountRole', 'lastError'), conflicts: list('text'), grants: list(object(texts('type', 'resource', 'role', 'reason'))),
  }),
}, 'schemas', 'id')

const GROUP = object({ ...COMMON, displayName: 'text', members: list(object(texts('value', '$ref', 'type', 'display')), true) }, 'schemas', 'id')

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const faultsOfObject = (value: unknown, shape: ObjectShape, at: string): readonly string[] => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${at} is no object`]
  const names = Object.keys(value)
  return [
    ...(names.length === 0 ? [`${at} is empty`] : []),
    ...shape.needs.filter((name) => !names.includes(name)).map((name) => `${at}.${name} is missing`),
    ...names.flatMap((name) => {
      const inner = Object.hasOwn(shape.object, name) ? shape.object[name] : undefined
      return inner === undefined ? [`${at}.${name} is unknown`] : faultsOf(own(value, name), inner, `${at}.${name}`)
    }),
  ]
}

const faultsOfList = (value: unknown, shape: ListShape, at: string): readonly string[] => {
  if (!Array.isArray(value)) return [`${at} is no list`]
  const primaries = value.filter((item: unknown) => own(item, 'primary') === true)
  return [
    ...(value.length === 0 && !shape.mayBeEmpty ? [`${at} is empty`] : []),
    ...(primaries.length > 1 ? [`${at} has ${primaries.length} primaries`] : []),
    ...value.flatMap((item: unknown, index) => faultsOf(item, shape.list, `${at}[${index}]`)),
  ]
}

const IS = {
  text: (value: unknown): boolean => typeof value === 'string' && value !== '' && value.isWellFormed() && !value.includes('\u0000'),
  /** What a client chose for itself. */
  echo: (value: unknown): boolean => typeof value === 'string' && value.isWellFormed(),
  flag: (value: unknown): boolean => typeof value === 'boolean',
  time: (value: unknown): boolean => typeof value === 'string' && TIME.test(value) && !Number.isNaN(Date.parse(value)),
  count: (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0,
} as const

const faultsOf = (value: unknown, shape: Shape, at: string): readonly string[] => {
  if (typeof shape === 'string') return IS[shape](value) ? [] : [`${at} is no ${shape}: ${JSON.stringify(value)?.slice(0, 100)}`]
  return 'list' in shape ? faultsOfList(value, shape, at) : faultsOfObject(value, shape, at)
}

const faultIf = (isFault: boolean, text: string): readonly string[] => (isFault ? [text] : [])

const without = (body: unknown, name: string): unknown => Object.fromEntries(Object.entries(body ?? {}).filter(([each]) => each !== name))

export interface Asked {
  /** `http://host/…/scim/v2`. */
  readonly base: string
  /** Whether the request chose attributes: then only what is always returned must be there. */
  readonly isProjected: boolean
}

/** A resource of either type, which it says itself. */
export const resourceFaults = (resource: unknown, { base, isProjected }: Asked): readonly string[] => {
  const schemas: unknown = own(resource, 'schemas')
  if (!Array.isArray(schemas)) return ['no schemas']
  const type = schemas.includes(`${CORE}Group`) ? 'Group' : 'User'
  const extensions = Object.keys(resource ?? {}).filter((name) => name.startsWith('urn:'))
  const wanted = [`${CORE}${type}`, ...extensions]
  const meta = own(resource, 'meta')
  const location = `${base}/${type}s/${String(own(resource, 'id'))}`
  const required = type === 'User' ? ['userName', 'active', 'meta'] : ['displayName', 'meta']
  const isWhole = meta !== undefined && !isProjected
  return [
    ...faultsOf(resource, type === 'User' ? USER : GROUP, type),
    ...faultIf(new Set(schemas).size !== schemas.length, 'a schema twice'),
    ...faultIf(wanted.some((name) => !schemas.includes(name)), `schemas ${schemas.join()} lack ${wanted.join()}`),
    ...faultIf(!isProjected && schemas.length !== wanted.length, `schemas ${schemas.join()} are not ${wanted.join()}`),
    ...(isProjected ? [] : required.filter((name) => own(resource, name) === undefined).map((name) => `${name} is missing`)),
    ...faultIf(isWhole && own(meta, 'resourceType') !== type, 'resourceType'),
    ...faultIf(isWhole && own(meta, 'location') !== location, `location ${String(own(meta, 'location'))}`),
    ...faultIf(isWhole && !/^W\/"\d+"$/.test(String(own(meta, 'version'))), `version ${String(own(meta, 'version'))}`),
    ...faultIf(isWhole && String(own(meta, 'created')) > String(own(meta, 'lastModified')), 'created after lastModified'),
  ]
}

const LIST_SHAPES = { schemas: list('text'), totalResults: 'count', startIndex: 'count', itemsPerPage: 'count', nextCursor: 'text', previousCursor: 'text' } as const

const listFaults = (body: unknown, asked: Asked): readonly string[] => {
  const resources = own(body, 'Resources')
  if (!Array.isArray(resources)) return ['no Resources']
  const total = Number(own(body, 'totalResults'))
  return [
    ...faultsOf(without(body, 'Resources'), object(LIST_SHAPES, 'schemas', 'totalResults', 'itemsPerPage'), 'list'),
    ...faultIf(own(body, 'itemsPerPage') !== resources.length, 'itemsPerPage'),
    ...faultIf(resources.length > total, `${resources.length} of ${total}`),
    ...resources.flatMap((resource: unknown) => resourceFaults(resource, asked)),
    ...faultIf(new Set(resources.map((resource: unknown) => own(resource, 'id'))).size !== resources.length, 'a resource twice'),
  ]
}

const SCIM_TYPES: readonly unknown[] = [
  undefined, 'invalidFilter', 'tooMany', 'uniqueness', 'mutability', 'invalidSyntax', 'invalidPath', 'noTarget', 'invalidValue', 'invalidVers', 'sensitive',
  'invalidCursor', 'expiredCursor', 'invalidCount',
]

const errorFaults = (body: unknown): readonly string[] => [
  ...faultsOf(body, object({ schemas: list('text'), ...texts('status', 'scimType', 'detail') }, 'schemas', 'status', 'detail'), 'error'),
  ...faultIf(!SCIM_TYPES.includes(own(body, 'scimType')), `scimType ${String(own(body, 'scimType'))}`),
  ...faultIf(own(body, 'scimType') !== undefined && !['400', '409'].includes(String(own(body, 'status'))), 'a scimType where there is none'),
]

const bulkFaults = (body: unknown, { base }: Asked): readonly string[] => {
  const operations = own(body, 'Operations')
  if (!Array.isArray(operations)) return ['no Operations']
  return operations.flatMap((operation: unknown, index): readonly string[] => {
    const status = Number(own(operation, 'status'))
    const location = own(operation, 'location')
    return [
      ...faultsOf(without(operation, 'response'), object({ ...texts('location', 'version', 'status'), method: 'echo', bulkId: 'echo' }, 'status'), `Operations[${index}]`),
      ...faultIf(![200, 201, 204].includes(status) && !(status >= 400 && status < 500), `Operations[${index}].status ${status}`),
      ...faultIf(typeof location === 'string' && !location.startsWith(`${base}/`), `Operations[${index}].location`),
      ...faultIf(status === 201 && location === undefined, `Operations[${index}] is nowhere`),
      ...(status >= 400 ? errorFaults(own(operation, 'response')) : []),
    ]
  })
}

const headerFaults = ({ status, headers, body }: Answer): readonly string[] => {
  const meta = own(body, 'meta')
  if (meta === undefined) return faultIf(status === 201, '201 without meta')
  const version = own(meta, 'version')
  const location = own(meta, 'location')
  return [
    ...faultIf(version !== undefined && headers.get('etag') !== version, `ETag ${headers.get('etag')}`),
    ...faultIf(status === 201 && location !== undefined && headers.get('location') !== location, `Location ${headers.get('location')}`),
  ]
}

/** What is wrong with an answer to a request for Users, Groups, a search or bulk operations. */
export const answerFaults = (answer: Answer, asked: Asked): readonly string[] => {
  const { status, headers, body, text } = answer
  if (status >= 400) return [...scimErrorFaults(answer), ...errorFaults(body)]
  if (status === 204 || status === 304) return [...faultIf(text !== '', 'a body'), ...faultIf(headers.has('content-type'), 'a content-type')]
  const schema: unknown = own(body, 'schemas', 0)
  return [
    ...faultIf(status !== 200 && status !== 201, `status ${status}`),
    ...faultIf(headers.get('content-type') !== 'application/scim+json', 'content-type'),
    ...faultIf(headers.get('cache-control') !== 'no-store', 'may be cached'),
    ...(schema === `${MESSAGES}ListResponse` ? listFaults(body, asked)
      : schema === `${MESSAGES}BulkResponse` ? bulkFaults(body, asked)
        : [...resourceFaults(body, asked), ...(asked.isProjected ? [] : headerFaults(answer))]),
  ]
}
