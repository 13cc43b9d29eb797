/**
 * The shape of a policy document: its keys, their types, limits and defaults. What one value alone cannot show (names
 * used twice, placeholders that nothing fills, roles that exclude each other) is in rules.ts. Unknown keys are refused.
 */
import * as z from 'zod'
import { ACCOUNT_ROLES, parseRole, type AccountRole } from './role'
import { nearest } from './suggest'

export const MAX_NAME = 255
export const MAX_MAPPINGS = 2_000
const MAX_GRANTS = 100

const ROLES = ['ADMIN', 'MEMBER', 'READ_ONLY', 'ANNOTATOR', 'read-only', 'readOnly', 'viewer']
const ROLE_NAMES = 'ADMIN, MEMBER, READ_ONLY and ANNOTATOR'
const WHOLE_PLACEHOLDER = /^\{[A-Za-z][A-Za-z0-9_]{0,31}\}$/

const isAccountRole = (role: string | null): role is AccountRole =>
  (ACCOUNT_ROLES as readonly (string | null)[]).includes(role)

const name = (description: string) => z.string().trim().min(1).max(MAX_NAME).meta({ description })

const didYouMeanRole = (text: string): string => {
  const near = nearest(text, ROLES)
  const role = near === null ? null : parseRole(near)
  return role === null ? '' : ` Did you mean ${role}?`
}

/** A role in any spelling becomes Arize's; one placeholder, as a whole, stays for the pattern to fill. */
const role = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME)
  .transform((text, context): string => {
    const known = parseRole(text)
    if (known !== null) return known
    if (WHOLE_PLACEHOLDER.test(text)) return text
    context.addIssue({
      code: 'custom',
      message: text.includes('{')
        ? `A role is one of ${ROLE_NAMES}, or one placeholder and nothing else, such as "{role}".`
        : `Arize has no predefined role of this name: there are ${ROLE_NAMES}.${didYouMeanRole(text)}`,
    })
    return z.NEVER
  })
  .meta({ description: 'ADMIN, MEMBER, READ_ONLY or ANNOTATOR in any spelling, or a placeholder of the group pattern.' })

const accountRole = z
  .string()
  .trim()
  .min(1)
  .max(MAX_NAME)
  .transform((text, context): AccountRole => {
    const known = parseRole(text)
    if (isAccountRole(known)) return known
    context.addIssue({
      code: 'custom',
      message:
        known === null
          ? `An account's role is one of ADMIN, MEMBER and ANNOTATOR, written out.${didYouMeanRole(text)}`
          : `An account cannot be ${known}: it is ADMIN, MEMBER or ANNOTATOR.`,
    })
    return z.NEVER
  })
  .meta({ description: 'ADMIN, MEMBER or ANNOTATOR.' })

/** ADMIN must be asked for by name, and ANNOTATOR is implied where the space role is ANNOTATOR. */
const impliedRole = z
  .string()
  .trim()
  .transform((text, context): 'MEMBER' | 'READ_ONLY' => {
    const known = parseRole(text)
    if (known === 'MEMBER' || known === 'READ_ONLY') return known
    context.addIssue({ code: 'custom', message: 'The role that a space implies is READ_ONLY or MEMBER.' })
    return z.NEVER
  })
  .meta({ description: 'READ_ONLY or MEMBER.' })

const organization = name('Name of an Arize organization; may hold placeholders of the group pattern.')
const space = name('Name of a space in that organization; may hold placeholders of the group pattern.')
const project = name('Name of a project in that space; may hold placeholders of the group pattern.')
const customRole = name("A custom role's name in Arize; may hold placeholders of the group pattern.")

/** The ways to write a grant, by the keys that make them. refusal.ts picks one of them by name to say what is wrong. */
export const grantShapes = {
  organization: z.strictObject({ organization, role }),
  space: z.strictObject({ organization, space, role }),
  customSpace: z.strictObject({ organization, space, customRole }),
  project: z.strictObject({ organization, space, project, customRole }),
  account: z.strictObject({ account: z.literal(true), role: accountRole }),
  developer: z.strictObject({ developer: z.literal(true) }),
}

const grant = z.union([
  grantShapes.organization,
  grantShapes.space,
  grantShapes.customSpace,
  grantShapes.project,
  grantShapes.account,
  grantShapes.developer,
])

export const mappingShape = z.strictObject({
  id: name('What reasons and the journal call this mapping. Used once.'),
  group: name('Display name of the group, any case, or a pattern such as "arize-{organization}-{role}".').optional(),
  groupId: name("The group's externalId at the identity provider: survives a rename.").optional(),
  entitlement: name("A value of the user's entitlements or roles. Offered to providers that discover them, at /Roles or /Entitlements.").optional(),
  connection: name('Id or name of the connection that must have told of the group.').optional(),
  authoritative: z.boolean().default(false).meta({ description: 'Overwrite a higher role that the bridge did not give.' }),
  allowAdmin: z.boolean().default(false).meta({ description: 'Let a pattern, or an account grant, give ADMIN.' }),
  grants: z.array(grant).min(1).max(MAX_GRANTS),
})

const count = (least: number, most: number) => z.number().int().min(least).max(most)
const percent = z.number().min(0).max(100)

/** ASCII letters fold, as everywhere an address is compared (design 10.1); nothing else does. */
const foldAddress = (address: string): string => address.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())

const address = z
  .string()
  .trim()
  .max(320)
  .regex(/^[^\s@]+@[^\s@]+$/)
  .overwrite(foldAddress)

const declaredOrganization = z.strictObject({
  name: name('Created when no organization has this name; never deleted.'),
  description: z.string().trim().max(1_000).optional(),
  spaces: z
    .array(z.strictObject({ name: name('Created when missing; never deleted.'), private: z.boolean().default(true) }))
    .max(1_000)
    .default([]),
})

/** The document without the rules that span several of its values. */
export const policyShape = z.strictObject({
  mappings: z.array(mappingShape).max(MAX_MAPPINGS),
  annotators: z
    .strictObject({ mixed: z.enum(['hold', 'member', 'annotator']).default('hold') })
    .prefault({})
    .meta({ description: 'Somebody without an account who is in groups of both kinds.' }),
  accounts: z
    .strictObject({
      create: z.boolean().default(true),
      inviteMode: z.enum(['NONE', 'EMAIL_LINK']).default('NONE'),
      allowAdmin: z.boolean().default(false),
      annotatorWaitSeconds: count(0, 3_600).default(15),
    })
    .prefault({})
    .meta({ description: 'How Arize accounts are created.' }),
  spaces: z
    .strictObject({ organizationRole: impliedRole.prefault('READ_ONLY') })
    .prefault({})
    .meta({ description: 'The organization role that comes with a space when no mapping gives one.' }),
  offboarding: z
    .strictObject({
      onDeactivate: z.enum(['remove', 'block']).default('remove'),
      onDelete: z.enum(['remove', 'block']).default('remove'),
      graceDays: count(1, 3_650).default(30),
      revokeApiKeys: z.boolean().default(true),
      foreignRoles: z.enum(['report']).default('report'),
    })
    .prefault({})
    .meta({ description: 'What happens when somebody leaves. "block" deletes the Arize user for ever after graceDays.' }),
  brake: z
    .strictObject({
      maxRemovalsPerHour: count(0, 1_000_000).default(10),
      maxRemovalsPercent: percent.default(10),
      maxLeaversPerHour: count(0, 1_000_000).default(50),
      maxLeaversPercent: percent.default(20),
    })
    .prefault({})
    .meta({ description: 'Removals above these limits wait for approval.' }),
  drift: z.strictObject({ changedByHand: z.enum(['report', 'repair']).default('report') }).prefault({}),
  signals: z.strictObject({ sessionRevoked: z.enum(['refresh', 'revokeApiKeys']).default('refresh') }).prefault({}),
  journal: z.strictObject({ retentionDays: count(1, 36_500).default(400) }).prefault({}),
  protected: z.array(address).max(1_000).default([]).meta({ description: 'Addresses that nothing is taken from.' }),
  organizations: z.array(declaredOrganization).max(1_000).default([]),
})

/** A policy with every default filled, roles as Arize spells them, names trimmed and addresses folded. */
export type Policy = z.output<typeof policyShape>
export type RoleMapping = Policy['mappings'][number]
export type MappingGrant = RoleMapping['grants'][number]

/** Something wrong at one place of the document. */
export interface Problem {
  readonly path: readonly PropertyKey[]
  readonly sentence: string
}
