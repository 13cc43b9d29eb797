import type { BulkWrite } from '../scim/bulk'
import { dependsOnFailed, type BulkPlan, type BulkStep } from '../scim/bulkOrder'
import { referenceIn, resolveData } from '../scim/bulkReference'
import { bulkResponse, type BulkOutcome } from '../scim/bulkResponse'
import { unauthorized, unavailable, type ScimError } from '../scim/error'
import { readChange, readCreate, type View, type WriteCommand } from '../scim/write'
import { err, ok, type Result } from '../result'
import type { ScimFailure } from './requests'
import type { ScimReply } from './scimCommand'

/**
 * Carries out a bulk request, each operation as a request of its own would be: authenticated, checked, in one transaction, with
 * its own journal row and alarm.
 *
 * The object is given away between slices of operations, so that a leaver, a reconciliation or a reader never waits for a
 * thousand writes; RFC 7644 asks for no isolation of the whole. Its clock stands still while it works, so a slice is counted in
 * operations and characters. When it dies in the middle, the operations before are done, and the caller gets no answer of success.
 */

const SLICE_OPERATIONS = 20
const SLICE_CHARACTERS = 64 * 1024

export interface BulkEffects {
  /** Absolute, without a trailing slash. */
  readonly base: string
  /** One request of the same caller. */
  readonly execute: (command: WriteCommand | { readonly op: 'authenticate' }) => Result<ScimReply, ScimFailure>
  /** Lets whatever else waits for the object go first. */
  readonly yieldTurn: () => Promise<void>
}

/** A response holds no resources: they are not rendered. */
const NOTHING: View = { attributes: ['id'], excludedAttributes: [], ifNoneMatch: null }
/** Without the choice of attributes, for which a PATCH of a Group would be answered with 200 instead of 204. */
const NO_CHOICE: View = { attributes: [], excludedAttributes: [], ifNoneMatch: null }

/** The caller was let in when the request began. */
const errorOf = (failure: ScimFailure): ScimError => {
  switch (failure.kind) {
    case 'scim': return failure.error
    case 'auth': return unauthorized('The credential is no longer accepted.')
    case 'stale': return unavailable('The connections were changed during the request. Send the operation again.', 1)
  }
}

type Made = ReadonlyMap<string, string>

/** The write with ids for its references; 409 for one that was not created. */
const resolve = (write: BulkWrite, made: Made): Result<BulkWrite, ScimError> => {
  const missing: string[] = []
  const idOf = (bulkId: string): string => {
    const id = made.get(bulkId)
    if (id === undefined) missing.push(bulkId)
    return id ?? ''
  }
  const { id } = write.target
  const own = id === null ? null : referenceIn(id)
  const target = own === null ? write.target : { ...write.target, id: idOf(own) }
  const data = resolveData(write.method, write.data, idOf)
  const [first] = missing
  return first === undefined ? ok({ ...write, target, data }) : err(dependsOnFailed(first))
}

const readCommand = ({ method, target: { type, id }, version, data }: BulkWrite): Result<WriteCommand, ScimError> => {
  if (id === null || method === 'POST') return readCreate(type, data, NOTHING)
  const guarded = { type, id, ifMatch: version }
  if (method === 'DELETE') return ok({ op: 'delete', ...guarded })
  return readChange(method, guarded, data, method === 'PATCH' && type === 'Group' ? NO_CHOICE : NOTHING)
}

interface Tried {
  readonly target: BulkStep['target']
  readonly result: Result<ScimReply, ScimError>
}

const tryStep = ({ fault, write, target, hasReferences }: BulkStep, made: Made, execute: BulkEffects['execute']): Tried => {
  if (fault !== null) return { target, result: err(fault) }
  if (write === null) throw new Error('a step with neither write nor fault')
  const resolved = hasReferences ? resolve(write, made) : ok(write)
  if (!resolved.ok) return { target, result: resolved }
  const command = readCommand(resolved.value)
  if (!command.ok) return { target: resolved.value.target, result: command }
  const done = execute(command.value)
  return { target: resolved.value.target, result: done.ok ? done : err(errorOf(done.error)) }
}

const locationOf = ({ target, result }: Tried, base: string): string | null => {
  if (target === null) return null
  if (target.id === null) return result.ok ? result.value.location : null
  return referenceIn(target.id) === null ? `${base}/${target.type}s/${encodeURIComponent(target.id)}` : null
}

const idIn = (location: string): string => location.slice(location.lastIndexOf('/') + 1)

/** Answers 200 with the outcome of every operation that was tried; fails only when the caller is not let in at all. */
export const runBulk = async (
  { steps, failOnErrors }: BulkPlan, { base, execute, yieldTurn }: BulkEffects,
): Promise<Result<ScimReply, ScimFailure>> => {
  const caller = execute({ op: 'authenticate' })
  if (!caller.ok) return caller
  const made = new Map<string, string>()
  const outcomes: BulkOutcome[] = []
  const slice = { operations: 0, characters: 0 }
  let errors = 0
  for (const step of steps) {
    if (failOnErrors !== null && errors >= failOnErrors) break
    if (slice.operations >= SLICE_OPERATIONS || slice.characters >= SLICE_CHARACTERS) {
      await yieldTurn()
      Object.assign(slice, { operations: 0, characters: 0 })
    }
    const tried = tryStep(step, made, execute)
    const { result } = tried
    const location = locationOf(tried, base)
    if (!result.ok) errors += 1
    else if (step.method === 'POST' && step.bulkId !== null && location !== null) made.set(step.bulkId, idIn(location))
    slice.operations += 1
    slice.characters += step.size
    outcomes.push({
      index: step.index, method: step.method, bulkId: step.bulkId, location,
      result: result.ok ? ok({ status: result.value.status, etag: result.value.etag }) : result,
    })
  }
  return ok({ status: 200, body: JSON.stringify(bulkResponse(outcomes)), location: null, etag: null })
}
