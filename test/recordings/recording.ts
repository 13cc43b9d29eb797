/**
 * What a recording of SCIM traffic looks like, and all of them. The format is explained in README.md.
 * A recording is data: nothing here sends anything or knows what the answer should be.
 */
import authentication from './okta/A.3-authentication.json'
import specSuite from './okta/A.5.1-spec-suite.json'
import crudSuite from './okta/A.5.2-crud-suite.json'
import entitlementsSuite from './okta/A.5.3-entitlements-suite.json'
import discoveryAndScalars from './okta/A.6-discovery-and-scalars.json'
import connectCreateImport from './okta/O-01-O-08-connect-create-import.json'
import updateAndLeave from './okta/O-09-O-16-update-and-leave.json'
import groupPushByPatch from './okta/O-20-O-25-group-push-by-patch.json'
import groupPushByPut from './okta/O-26-O-29-group-push-by-put.json'
import validatorGroups from './entra/B.5-validator-groups.json'
import validatorPreview from './entra/B.5-validator-preview.json'
import pagination from './entra/B.6-pagination.json'
import postmanFilters from './entra/B.7-postman-filters.json'
import postmanWrites from './entra/B.7-postman-writes.json'
import connectAndMatch from './entra/E-01-E-04-connect-and-match.json'
import createAndUpdate from './entra/E-05-E-10-create-and-update.json'
import disableRestoreDelete from './entra/E-11-E-14-disable-restore-delete.json'
import manager from './entra/E-15-E-18-manager.json'
import removeAndNull from './entra/E-19-E-20-remove-and-null.json'
import groupCreateAndAdd from './entra/E-30-E-33-group-create-and-add.json'
import groupRemove from './entra/E-34-E-35-group-remove.json'
import renameClearDelete from './entra/E-36-E-38-rename-clear-delete.json'
import flag from './entra/E-50-E-52-flag.json'
import validatorReplace from './entra/V-01-validator-create-and-replace.json'
import validatorAdd from './entra/V-02-validator-add-and-leave.json'
import rfcResources from './rfc/7643-8-resources.json'
import rfcDiscovery from './rfc/7643-8-discovery.json'
import rfcWrites from './rfc/7644-3-resources.json'
import rfcQueries from './rfc/7644-3.4.2-queries.json'
import rfcSearch from './rfc/7644-3.4.3-search.json'
import rfcPatch from './rfc/7644-3.5.2-patch.json'
import rfcBulk from './rfc/7644-3.7-bulk.json'
import rfcErrors from './rfc/7644-3.12-errors.json'
import rfcCursors from './rfc/9865-cursors.json'

/** One statement about a body: what `path` selects is put to the operator `op`, against `value` where it takes one. */
export type Check = { readonly path: string; readonly op: string; readonly value?: unknown }

/** Header values may be templates; `null` takes a header of the recording away (request) or forbids it (answer). */
export type HeaderValues = Readonly<Record<string, string | null>>

export type Step = {
  /** Transcript id (`E-33`), with `/…` for its further steps (`E-33/2`); unique over all recordings. */
  readonly id: string
  readonly name: string
  /** Where our answer is not the one of the source, and why. */
  readonly note?: string
  /** Numbers of the rules of the traffic study, section 0.1, that this step shows. */
  readonly rules?: readonly number[]
  /** Sends the request this many times, `{{n}}` counting from 1; the checks hold each time. */
  readonly repeat?: number
  readonly request: {
    readonly method: string
    /** Below the SCIM base, in wire form: only templates are percent-encoded by the engine. */
    readonly path: string
    readonly headers?: HeaderValues
    readonly body?: unknown
    /** Sent byte for byte, for bodies that are not JSON. */
    readonly rawBody?: string
  }
  readonly expect: {
    readonly status: readonly number[]
    /** Regular expressions. */
    readonly headers?: HeaderValues
    readonly body?: readonly Check[]
  }
  /** Name of a template → path in the answer. */
  readonly capture?: Readonly<Record<string, string>>
}

type Fields = Readonly<Record<string, unknown>>

export type Recording = {
  readonly title: string
  readonly source: string
  readonly note?: string
  /** Settings of the connection that the recording needs. */
  readonly connection?: { readonly entitlements: boolean }
  /** The policy that is to be in force, its mappings being for the recording's own connection. */
  readonly policy?: { readonly mappings: readonly Fields[] }
  readonly headers: Readonly<Record<string, string>>
  readonly steps: readonly Step[]
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

const isTexts = (value: unknown): value is Record<string, string> => isFields(value) && Object.values(value).every(isText)

const areHeaders = (value: unknown): value is HeaderValues =>
  isFields(value) && Object.values(value).every((item) => item === null || typeof item === 'string')

const areNumbers = (value: unknown): value is number[] => Array.isArray(value) && value.every(Number.isInteger)

const isOptional = (value: unknown, holds: (value: unknown) => boolean): boolean => value === undefined || holds(value)

const hasOnly = (value: Fields, keys: readonly string[]): boolean => Object.keys(value).every((key) => keys.includes(key))

const isCheck = (value: unknown): value is Check =>
  isFields(value) && typeof value.path === 'string' && isText(value.op) && hasOnly(value, ['path', 'op', 'value'])

const isRequest = (value: unknown): value is Step['request'] =>
  isFields(value) &&
  isText(value.method) &&
  isText(value.path) &&
  isOptional(value.headers, areHeaders) &&
  isOptional(value.rawBody, (raw) => typeof raw === 'string') &&
  !('body' in value && 'rawBody' in value) &&
  hasOnly(value, ['method', 'path', 'headers', 'body', 'rawBody'])

const isExpectation = (value: unknown): value is Step['expect'] =>
  isFields(value) &&
  areNumbers(value.status) &&
  value.status.length > 0 &&
  isOptional(value.headers, areHeaders) &&
  isOptional(value.body, (checks) => Array.isArray(checks) && checks.every(isCheck)) &&
  hasOnly(value, ['status', 'headers', 'body'])

const isStep = (value: unknown): value is Step =>
  isFields(value) &&
  isText(value.id) &&
  isText(value.name) &&
  isOptional(value.note, isText) &&
  isOptional(value.rules, areNumbers) &&
  isOptional(value.repeat, (times) => Number.isInteger(times) && Number(times) > 0) &&
  isRequest(value.request) &&
  isExpectation(value.expect) &&
  isOptional(value.capture, isTexts) &&
  hasOnly(value, ['id', 'name', 'note', 'rules', 'repeat', 'request', 'expect', 'capture'])

const isRecording = (value: unknown): value is Recording =>
  isFields(value) &&
  isText(value.title) &&
  isText(value.source) &&
  isOptional(value.note, isText) &&
  isOptional(value.connection, (given) => isFields(given) && typeof given.entitlements === 'boolean' && hasOnly(given, ['entitlements'])) &&
  isOptional(value.policy, (given) => isFields(given) && Array.isArray(given.mappings) && given.mappings.every(isFields)) &&
  isTexts(value.headers) &&
  Array.isArray(value.steps) &&
  value.steps.every(isStep) &&
  hasOnly(value, ['title', 'source', 'note', 'connection', 'policy', 'headers', 'steps'])

/** Throws, naming file and step, when the document is not a recording: a misspelled key would be a check never made. */
export const parseRecording = (file: string, document: unknown): Recording => {
  if (isRecording(document)) return document
  const steps = isFields(document) && Array.isArray(document.steps) ? document.steps : []
  const bad = steps.find((step) => !isStep(step))
  throw new Error(`${file}: ${bad === undefined ? 'not a recording' : `not a step: ${JSON.stringify(bad).slice(0, 200)}`}`)
}

const documents: Readonly<Record<string, unknown>> = {
  'okta/A.3-authentication.json': authentication,
  'okta/A.5.1-spec-suite.json': specSuite,
  'okta/A.5.2-crud-suite.json': crudSuite,
  'okta/A.5.3-entitlements-suite.json': entitlementsSuite,
  'okta/A.6-discovery-and-scalars.json': discoveryAndScalars,
  'okta/O-01-O-08-connect-create-import.json': connectCreateImport,
  'okta/O-09-O-16-update-and-leave.json': updateAndLeave,
  'okta/O-20-O-25-group-push-by-patch.json': groupPushByPatch,
  'okta/O-26-O-29-group-push-by-put.json': groupPushByPut,
  'entra/B.5-validator-groups.json': validatorGroups,
  'entra/B.5-validator-preview.json': validatorPreview,
  'entra/B.6-pagination.json': pagination,
  'entra/B.7-postman-filters.json': postmanFilters,
  'entra/B.7-postman-writes.json': postmanWrites,
  'entra/E-01-E-04-connect-and-match.json': connectAndMatch,
  'entra/E-05-E-10-create-and-update.json': createAndUpdate,
  'entra/E-11-E-14-disable-restore-delete.json': disableRestoreDelete,
  'entra/E-15-E-18-manager.json': manager,
  'entra/E-19-E-20-remove-and-null.json': removeAndNull,
  'entra/E-30-E-33-group-create-and-add.json': groupCreateAndAdd,
  'entra/E-34-E-35-group-remove.json': groupRemove,
  'entra/E-36-E-38-rename-clear-delete.json': renameClearDelete,
  'entra/E-50-E-52-flag.json': flag,
  'entra/V-01-validator-create-and-replace.json': validatorReplace,
  'entra/V-02-validator-add-and-leave.json': validatorAdd,
  'rfc/7643-8-resources.json': rfcResources,
  'rfc/7643-8-discovery.json': rfcDiscovery,
  'rfc/7644-3-resources.json': rfcWrites,
  'rfc/7644-3.4.2-queries.json': rfcQueries,
  'rfc/7644-3.4.3-search.json': rfcSearch,
  'rfc/7644-3.5.2-patch.json': rfcPatch,
  'rfc/7644-3.7-bulk.json': rfcBulk,
  'rfc/7644-3.12-errors.json': rfcErrors,
  'rfc/9865-cursors.json': rfcCursors,
}

/** Every recording by its file name below this folder. */
export const recordings: ReadonlyMap<string, Recording> = new Map(
  Object.entries(documents).map(([file, document]) => [file, parseRecording(file, document)]),
)
