/** Role objects: strict in requests (`{"type":"PREDEFINED","name":"MEMBER"}`; a bare string or another case is refused). */
import * as z from 'zod'
import type { Json } from './call'
import { idOf } from './ids'

const custom = z.strictObject({ type: z.literal('CUSTOM'), id: idOf('Role') })

const assignment = <const Names extends readonly [string, ...string[]]>(names: Names) =>
  z.discriminatedUnion('type', [z.strictObject({ type: z.literal('PREDEFINED'), name: z.enum(names) }), custom])

export const accountRole = assignment(['ADMIN', 'MEMBER', 'ANNOTATOR'])
export const memberRole = assignment(['ADMIN', 'MEMBER', 'READ_ONLY', 'ANNOTATOR'])

export const predefined = (name: string): Json => ({ type: 'PREDEFINED', name })
