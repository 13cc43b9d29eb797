/**
 * In which order the operations of a bulk request are carried out. An operation waits for the ones that create what it refers to,
 * and for earlier ones on its own resource; all others keep their places, so that what the client meant stays (RFC 7644 section
 * 3.7). What can be created in no order is refused. Carries nothing out.
 */
import type { BulkOperation, BulkRequest, BulkWrite } from './bulk'
import { referenceIn, resolveData } from './bulkReference'
import { conflict, invalidValue } from './error'
import type { ScimError } from './error'

/** An operation at its turn. */
export interface BulkStep extends BulkOperation {
  readonly hasReferences: boolean
  /** Characters of its data: how much work it is, roughly. */
  readonly size: number
}

export interface BulkPlan {
  readonly failOnErrors: number | null
  /** In the order in which they are carried out. */
  readonly steps: readonly BulkStep[]
}

/** The bulkIds that an operation refers to, in its path or data. */
const referencesOf = ({ method, target, data }: BulkWrite): ReadonlySet<string> => {
  const references = new Set<string>()
  const own = target.id === null ? null : referenceIn(target.id)
  if (own !== null) references.add(own)
  resolveData(method, data, (bulkId) => {
    references.add(bulkId)
    return ''
  })
  return references
}

const excerpt = (bulkId: string): string => (bulkId.length <= 100 ? bulkId : `${bulkId.slice(0, 100)}…`)

/** A reference in a sentence. */
const named = (bulkId: string): string => `"bulkId:${excerpt(bulkId)}"`

const listOf = (bulkIds: readonly string[]): string => {
  const some = bulkIds.slice(0, 10).map(named).join(', ')
  return bulkIds.length > 10 ? `${some} and ${bulkIds.length - 10} others` : some
}

const isUnknown = (bulkId: string): ScimError =>
  invalidValue(`${named(bulkId)} is the bulkId of no POST operation in this request.`)

const isTakenTwice = (bulkId: string): ScimError =>
  invalidValue(`"${excerpt(bulkId)}" is the bulkId of several operations in this request.`)

/** RFC 7644 section 3.7.1. What goes round can be closed by a PATCH, which needs no help from us. */
const goesRound = (bulkIds: readonly string[]): ScimError =>
  conflict(bulkIds.length === 1
    ? `${listOf(bulkIds)} refers to itself: create it without, then PATCH it.`
    : `${listOf(bulkIds)} refer to each other in a circle: create one of them without its reference, then PATCH it.`)

/** 409: what the operation refers to was not created, so it was not tried. */
export const dependsOnFailed = (bulkId: string): ScimError =>
  conflict(`The operation refers to ${named(bulkId)}, which was not created.`)

/**
 * The operations of each circle, by Tarjan's strongly connected components. Only a POST is referred to, so nothing else is in one.
 * As deep as a chain of references is long: {@link MAX_BULK_OPERATIONS} at most.
 */
const findCircles = (waitsFor: readonly ReadonlySet<number>[]): readonly (readonly number[])[] => {
  const circles: number[][] = []
  const found = new Map<number, number>()
  const open: number[] = []
  const isOpen = new Set<number>()
  /** The earliest operation, by discovery, that this one leads back to. */
  const visit = (node: number): number => {
    const order = found.size
    let earliest = order
    found.set(node, order)
    open.push(node)
    isOpen.add(node)
    for (const next of waitsFor[node] ?? []) {
      const known = found.get(next)
      if (known === undefined) earliest = Math.min(earliest, visit(next))
      else if (isOpen.has(next)) earliest = Math.min(earliest, known)
    }
    if (earliest < order) return earliest
    const circle = open.splice(open.indexOf(node))
    for (const each of circle) isOpen.delete(each)
    if (circle.length > 1 || waitsFor[node]?.has(node) === true) circles.push(circle.toSorted((a, b) => a - b))
    return earliest
  }
  for (const node of waitsFor.keys()) if (!found.has(node)) visit(node)
  return circles
}

/** The first that waits for nothing more, again and again. */
const inOrder = (waitsFor: readonly ReadonlySet<number>[]): readonly number[] => {
  const followers = waitsFor.map((): number[] => [])
  for (const [node, before] of waitsFor.entries()) for (const each of before) followers[each]?.push(node)
  const missing = waitsFor.map(({ size }) => size)
  const order: number[] = []
  while (order.length < waitsFor.length) {
    const next = missing.indexOf(0)
    if (next < 0) throw new Error('operations that wait for each other')
    order.push(next)
    missing[next] = -1
    for (const follower of followers[next] ?? []) missing[follower] = (missing[follower] ?? 0) - 1
  }
  return order
}

/** Which bulkId is which operation's, and which are several operations'. */
const indexBulkIds = (operations: readonly BulkOperation[]) => {
  const creators = new Map<string, number>()
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { index, bulkId, method } of operations) {
    if (bulkId === null) continue
    if (seen.has(bulkId)) repeated.add(bulkId)
    seen.add(bulkId)
    if (method === 'POST') creators.set(bulkId, index)
  }
  return { creators, repeated }
}

const sizeOf = ({ data }: BulkWrite): number => JSON.stringify(data).length

/** Earlier operations on the same resource, which a later one must not overtake. */
const waitForEarlier = (operations: readonly BulkOperation[], waitsFor: readonly Set<number>[]): void => {
  const last = new Map<string, number>()
  for (const { index, write } of operations) {
    if (write === null || write.target.id === null) continue
    const key = `${write.target.type} ${write.target.id}`
    const earlier = last.get(key)
    if (earlier !== undefined) waitsFor[index]?.add(earlier)
    last.set(key, index)
  }
}

/**
 * The steps of a bulk request, with what only all operations together show: 400 `invalidValue` for a bulkId that several have and
 * for a reference to none, 409 for a circle.
 */
export const planBulk = ({ failOnErrors, operations }: BulkRequest): BulkPlan => {
  const { creators, repeated } = indexBulkIds(operations)
  const faults = operations.map(({ fault, bulkId }) => fault ?? (bulkId !== null && repeated.has(bulkId) ? isTakenTwice(bulkId) : null))
  const references = operations.map(({ write }) => (write === null ? new Set<string>() : referencesOf(write)))
  const waitsFor = references.map((bulkIds) => new Set([...bulkIds].flatMap((bulkId) => creators.get(bulkId) ?? [])))
  for (const [index, bulkIds] of references.entries()) {
    const unknown = [...bulkIds].find((bulkId) => !creators.has(bulkId))
    if (unknown !== undefined) faults[index] ??= isUnknown(unknown)
  }
  for (const circle of findCircles(waitsFor)) {
    const error = goesRound(circle.flatMap((index) => operations[index]?.bulkId ?? []))
    for (const index of circle) {
      faults[index] ??= error
      waitsFor[index]?.clear()
    }
  }
  waitForEarlier(operations, waitsFor)
  const steps = inOrder(waitsFor).flatMap((index) => {
    const operation = operations[index]
    if (operation === undefined) return []
    const write = faults[index] === null ? operation.write : null
    const hasReferences = (references[index]?.size ?? 0) > 0
    return [{ ...operation, fault: faults[index] ?? null, write, hasReferences, size: write === null ? 0 : sizeOf(write) }]
  })
  return { failOnErrors, steps }
}
