/**
 * Our extension of User: what became of the person at Arize. Data only, all of it read-only: what clients write to it is dropped, and it
 * is part of neither `meta.version` nor `meta.lastModified` (scim-decisions 21). Not stored with the user.
 */
import { complex, text } from './attribute'
import type { Attribute } from './attribute'

export const PROVISIONING_SCHEMA = 'urn:arize:params:scim:schemas:extension:provisioning:2.0:User'

const READ_ONLY = { mutability: 'readOnly' } as const
const MADE = { ...READ_ONLY, isFilterable: false } as const

export const provisioningAttributes: readonly Attribute[] = [
  text('state', 'Whether Arize agrees with the directory: in_step, due (it soon will), held (somebody has to decide) or stuck (Arize refused).', {
    ...READ_ONLY, canonicalValues: ['in_step', 'due', 'held', 'stuck'],
  }),
  text('arizeUserId', "The id of the person's Arize user.", { ...READ_ONLY, caseExact: true }),
  text('accountRole', "The role of the person's Arize account, which nothing but a human in Arize can change.", READ_ONLY),
  complex('grants', 'What the person should hold at Arize, as of the last time that it was worked out.', [
    text('type', 'The kind of resource.', { ...READ_ONLY, canonicalValues: ['account', 'organization', 'space', 'project', 'developer'] }),
    text('resource', 'The resource, by name.', READ_ONLY),
    text('role', 'The role on it.', READ_ONLY),
    text('reason', 'Why, in a sentence.', READ_ONLY),
  ], { ...MADE, multiValued: true }),
  text('conflicts', 'What the person does not get, and what a human has to do about it, in sentences.', { ...MADE, multiValued: true }),
  text('lastError', 'What went wrong the last time, or why the person is held or stuck, in a sentence.', MADE),
]
