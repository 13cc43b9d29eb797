import { tooMany, type ScimError } from '../scim/error'
import type { JsonObject } from '../scim/json'
import { isRequested, isWanted, project } from '../scim/project'
import type { Projection } from '../scim/query'
import { listResponse, renderGroup, renderUser } from '../scim/render'
import type { Member } from '../scim/resource'
import { PROVISIONING_SCHEMA } from '../scim/schema'
import { err, ok, type Result } from '../result'
import { namedMembers } from './memberNames'
import { groupsOfUsers, memberIds } from './members'
import { provisioningOf } from './scimProvisioning'
import type { Store } from './sql'

/**
 * Stored resources as JSON text. Members are read and written a chunk at a time, so that a group of 100,000 is never a list of
 * objects, and only when the answer holds them.
 */

/** A Durable Object call carries 32 MiB. */
const MAX_ANSWER_BYTES = 30_000_000

/** What rendering needs: where the resources are, and where their members are read. */
export interface Renderer {
  readonly store: Pick<Store, 'sql'>
  readonly base: string
}

const textOf = (resource: JsonObject, { attributes, excludedAttributes }: Projection): string =>
  JSON.stringify(project(resource, attributes, excludedAttributes))

export interface PageItem {
  readonly id: string
  /** The stored JSON. */
  readonly read: () => JsonObject
}

/** The texts of one page, up to the one that makes it too large for fitAnswer. */
const textsOf = (items: readonly PageItem[], render: (item: PageItem) => string): string[] => {
  const texts: string[] = []
  let length = 0
  for (const item of items) {
    const text = render(item)
    texts.push(text)
    length += text.length
    if (length > MAX_ANSWER_BYTES) break
  }
  return texts
}

/** Users of one page: their groups, and what became of them, are read by one statement each when the answer holds them. */
export const userTexts = ({ store, base }: Renderer, users: readonly PageItem[], view: Projection): string[] => {
  const isShown = (name: string): boolean => isWanted('User', name, view.attributes, view.excludedAttributes)
  const groups = isShown('groups') ? groupsOfUsers(store, users.map(({ id }) => id)) : null
  const extensions = isShown(PROVISIONING_SCHEMA) ? provisioningOf(store, users) : null
  return textsOf(users, ({ id, read }) => {
    const references = (groups?.get(id) ?? []).map((group) => ({ value: group.id, display: group.displayName }))
    const provisioning = extensions?.get(id)
    return textOf(renderUser(read(), { base, groups: references, ...(provisioning === undefined ? {} : { provisioning }) }), view)
  })
}

/** The members of a group in chunks, with their names where they are asked for. */
function* membersOf({ store }: Renderer, id: string, { attributes }: Projection): Generator<readonly Member[]> {
  if (isRequested('Group', 'members', 'display', attributes)) yield* namedMembers(store, id)
  else for (const ids of memberIds(store, id)) yield ids.map((value) => ({ value, type: 'User' }))
}

/** The members of one group as the inside of a JSON list; null when the projection leaves nothing of them. */
const membersText = (renderer: Renderer, id: string, { schemas, meta }: JsonObject, view: Projection): string | null => {
  const render = (members: readonly Member[]): unknown =>
    project(renderGroup({ schemas, id, meta }, { base: renderer.base, members }), view.attributes, view.excludedAttributes).members
  const parts: string[] = []
  let isEmpty = true
  let length = 0
  for (const chunk of membersOf(renderer, id, view)) {
    isEmpty = false
    const members = render(chunk)
    if (members === undefined) continue
    const part = JSON.stringify(members).slice(1, -1)
    parts.push(part)
    length += part.length
    // What is too large already need not be read to its end: fitAnswer refuses it.
    if (length > MAX_ANSWER_BYTES) break
  }
  return isEmpty || parts.length > 0 ? parts.join(',') : null
}

export const groupText = (renderer: Renderer, id: string, data: JsonObject, view: Projection): string => {
  const text = textOf(renderGroup(data, { base: renderer.base }), view)
  if (!isWanted('Group', 'members', view.attributes, view.excludedAttributes)) return text
  const members = membersText(renderer, id, data, view)
  return members === null ? text : `${text.slice(0, -1)},"members":[${members}]}`
}

export const groupTexts = (renderer: Renderer, groups: readonly PageItem[], view: Projection): string[] =>
  textsOf(groups, ({ id, read }) => groupText(renderer, id, read(), view))

/** The list message around resources that are texts already. */
export const listText = (totalResults: number, startIndex: number, texts: readonly string[]): string => {
  const { Resources: _resources, ...message } = listResponse({ totalResults, startIndex, resources: texts.map(() => ({})) })
  return `${JSON.stringify(message).slice(0, -1)},"Resources":[${texts.join(',')}]}`
}

const isWide = (text: string): boolean => /[\u0100-\uffff]/.test(text)

/**
 * The text in a form that fits a Durable Object call: V8 sends one byte a character if all are Latin-1, else two, so a large
 * answer has the others escaped. 400 `tooMany` when it does not fit all the same.
 */
export const fitAnswer = (text: string): Result<string, ScimError> => {
  const isLarge = text.length > MAX_ANSWER_BYTES / 4
  const narrow = isLarge && isWide(text)
    ? text.replace(/[\u0100-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : text
  return narrow.length <= MAX_ANSWER_BYTES
    ? ok(narrow)
    : err(tooMany('The answer would be larger than 30 MB. Ask for fewer resources, or without members (excludedAttributes=members).'))
}
