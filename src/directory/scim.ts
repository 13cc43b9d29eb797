import type { ScimError } from '../scim/error'
import { etagOf, matchesEtag } from '../scim/etag'
import { patchGroup, patchUser } from '../scim/patch'
import type { Projection } from '../scim/query'
import { replaceGroup, replaceUser, type Member } from '../scim/resource'
import type { ResourceType } from '../scim/schema'
import { err, ok, type Result } from '../result'
import { changeGroup, createGroup, deleteGroup, findGroup, type StoredGroup } from './groups'
import { foldMembers } from './members'
import { checkVersion, noSuch, type Stored } from './resources'
import type { ScimCommand, ScimContext, ScimReply } from './scimCommand'
import { answerCatalogue, discoverFor } from './scimEntitlements'
import { listResources } from './scimList'
import { fitAnswer, groupText, userTexts } from './scimView'
import { changeUser, createUser, deleteUser, findUser, type CurrentUser, type StoredUser } from './users'

/**
 * Carries out one SCIM command, synchronously, inside the caller's transaction. What is wrong is found before anything is
 * written; a command that changes nothing writes nothing.
 */

type Reply = Result<ScimReply, ScimError>

type Command<Op extends ScimCommand['op']> = Extract<ScimCommand, { readonly op: Op }>

const NO_CONTENT: ScimReply = { status: 204, body: null, location: null, etag: null }

const WHOLE: Projection = { attributes: [], excludedAttributes: [] }

const reply = (
  { base }: ScimContext, status: 200 | 201, type: ResourceType, { id, version }: Stored, text: string,
): Reply => {
  const body = fitAnswer(text)
  return body.ok ? ok({ status, body: body.value, location: `${base}/${type}s/${id}`, etag: etagOf(version) }) : body
}

const replyUser = (context: ScimContext, status: 200 | 201, user: CurrentUser, view: Projection = WHOLE): Reply => {
  const [text = ''] = userTexts(context, [{ id: user.id, read: () => user.user }], view)
  return reply(context, status, 'User', user, text)
}

const replyGroup = (context: ScimContext, status: 200 | 201, group: StoredGroup, view: Projection): Reply =>
  reply(context, status, 'Group', group, groupText(context, group.id, group.group, view))

/** What was written is never lost to an answer that is too large: then it is answered without its members. */
const replyWrittenGroup = (context: ScimContext, status: 200 | 201, group: StoredGroup, view: Projection = WHOLE): Reply => {
  const whole = replyGroup(context, status, group, view)
  if (whole.ok) return whole
  return replyGroup(context, status, group, { ...view, excludedAttributes: [...view.excludedAttributes, 'members'] })
}

const adding = (members: readonly Member[]): ReturnType<typeof foldMembers> => foldMembers([{ op: 'add', members }])

interface Wanted {
  readonly id: string
  readonly ifMatch: string | null
}

/** The stored user that a command is about: 404, then 412. */
const userOf = (context: ScimContext, { id, ifMatch }: Wanted): Result<StoredUser, ScimError> => {
  const user = findUser(context, id)
  return user === null ? err(noSuch('User', id)) : checkVersion('User', user, ifMatch)
}

const groupOf = (context: ScimContext, { id, ifMatch }: Wanted): Result<StoredGroup, ScimError> => {
  const group = findGroup(context, id)
  return group === null ? err(noSuch('Group', id)) : checkVersion('Group', group, ifMatch)
}

const get = (context: ScimContext, { type, id, view }: Command<'get'>): Reply => {
  const stored = type === 'User' ? userOf(context, { id, ifMatch: null }) : groupOf(context, { id, ifMatch: null })
  if (!stored.ok) return stored
  if (view.ifNoneMatch !== null && matchesEtag(view.ifNoneMatch, stored.value.version)) {
    return ok({ status: 304, body: null, location: null, etag: etagOf(stored.value.version) })
  }
  return 'user' in stored.value ? replyUser(context, 200, stored.value, view) : replyGroup(context, 200, stored.value, view)
}

const replace = (context: ScimContext, command: Command<'replace'>): Reply => {
  if (command.type === 'User') {
    const stored = userOf(context, command)
    if (!stored.ok) return stored
    const next = replaceUser(stored.value.user, command.body)
    if (!next.ok) return next
    const user = next.value.changed ? changeUser(context, stored.value, next.value.user, 'scim.replace') : stored
    return user.ok ? replyUser(context, 200, user.value, command.view) : user
  }
  const stored = groupOf(context, command)
  if (!stored.ok) return stored
  const next = replaceGroup(stored.value.group, command.body)
  if (!next.ok) return next
  const { group, changed, members } = next.value
  const edit = members === undefined ? null : foldMembers([{ op: 'replace', members }])
  const written = changeGroup(context, stored.value, { group, changed, edit }, 'scim.replace')
  return written.ok ? replyWrittenGroup(context, 200, written.value, command.view) : written
}

/** Users are answered with 200 and the resource, Groups with 204 unless the client chose attributes (scim-decisions 9). */
const patch = (context: ScimContext, command: Command<'patch'>): Reply => {
  const { operations, view } = command
  if (command.type === 'User') {
    const stored = userOf(context, command)
    if (!stored.ok) return stored
    const next = patchUser(stored.value.user, operations)
    if (!next.ok) return next
    const user = next.value.changed ? changeUser(context, stored.value, next.value.user, 'scim.patch') : stored
    return user.ok ? replyUser(context, 200, user.value, view) : user
  }
  const stored = groupOf(context, command)
  if (!stored.ok) return stored
  const next = patchGroup(stored.value.group, operations)
  if (!next.ok) return next
  const { group, changed, members } = next.value
  const edit = members.length === 0 ? null : foldMembers(members)
  const written = changeGroup(context, stored.value, { group, changed, edit }, 'scim.patch')
  if (!written.ok) return written
  if (view.attributes.length > 0 || view.excludedAttributes.length > 0) return replyWrittenGroup(context, 200, written.value, view)
  return ok({ ...NO_CONTENT, etag: etagOf(written.value.version) })
}

const remove = (context: ScimContext, command: Command<'delete'>): Reply => {
  if (command.type === 'User') {
    const user = userOf(context, command)
    if (!user.ok) return user
    deleteUser(context, user.value)
  } else {
    const group = groupOf(context, command)
    if (!group.ok) return group
    deleteGroup(context, group.value)
  }
  return ok(NO_CONTENT)
}

/** One SCIM request of an authenticated caller. Errors are SCIM's own; nothing is written when there is one. */
export const executeScim = (context: ScimContext, command: ScimCommand): Reply => {
  switch (command.op) {
    case 'refuse': return err(command.error)
    case 'authenticate': return ok(NO_CONTENT)
    case 'discover': return discoverFor(context, command.request)
    case 'catalogue': return answerCatalogue(context, command.type, command.request)
    case 'createUser': {
      const user = createUser(context, command.user)
      return user.ok ? replyUser(context, 201, user.value, command.view) : user
    }
    case 'createGroup': {
      const group = createGroup(context, command.group, adding(command.members))
      return group.ok ? replyWrittenGroup(context, 201, group.value, command.view) : group
    }
    case 'get': return get(context, command)
    case 'list': {
      const list = listResources(context, command.type, command.query)
      return list.ok ? ok({ status: 200, body: list.value, location: null, etag: null }) : list
    }
    case 'replace': return replace(context, command)
    case 'patch': return patch(context, command)
    case 'delete': return remove(context, command)
  }
}
