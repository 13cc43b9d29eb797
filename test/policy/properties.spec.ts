import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { entitlementFitsAccount } from '../../src/policy/annotator'
import { parsePolicy, type Policy } from '../../src/policy/document'
import { slotOf, type Grant } from '../../src/policy/entitlement'
import { compilePolicy, evaluate, type Evaluation, type GroupFact } from '../../src/policy/evaluate'
import { mappingsOfGroup } from '../../src/policy/mapping'
import { foldName } from '../../src/policy/name'
import { isLowering } from '../../src/policy/role'
import { brief, ENTRA, group, inputOf, OKTA, type Setting } from './world'

const ORGANIZATIONS = ['ML', 'ml', 'Risk', 'Risk-Ops', '__proto__']
const GROUPS = ['A', 'B', 'C', 'constructor', 'arize-risk-member', 'arize-risk-ops-viewer', 'arize-ML-admin', 'arize-Risk-annotator', 'risk/a-b/x', 'unmapped']

const organization = fc.constantFrom('ML', 'mL', 'Risk', 'RISK', 'Nowhere')
const space = fc.constantFrom('S', 's', 'T')
const role = fc.constantFrom('ADMIN', 'MEMBER', 'read-only', 'ANNOTATOR')
const customRole = fc.constantFrom('Reviewer', 'ANNOTATOR')

const grant = fc.oneof(
  fc.record({ organization, role }),
  fc.record({ organization, space, role }),
  fc.record({ organization, space, customRole }),
  fc.record({ organization, space, project: fc.constantFrom('P', 'Q'), customRole }),
  fc.record({ account: fc.constant(true), role: fc.constantFrom('ADMIN', 'MEMBER', 'ANNOTATOR') }),
  fc.constant({ developer: true }),
)

const selector = fc.oneof(
  fc.record({ group: fc.constantFrom('A', 'a ', 'B', 'C', 'constructor', 'arize-risk-member') }),
  fc.record({ groupId: fc.constantFrom('1', '2') }),
  fc.record({ entitlement: fc.constantFrom('x', 'y') }),
)

const rest = fc.record(
  { connection: fc.constantFrom('con-okta', 'ENTRA ID'), allowAdmin: fc.boolean() },
  { requiredKeys: [] },
)

const literal = fc
  .tuple(selector, rest, fc.array(grant, { minLength: 1, maxLength: 3 }))
  .map(([by, more, grants]) => ({ ...by, ...more, grants }))

const pattern = fc
  .tuple(
    fc.constantFrom(
      { group: 'arize-{o}-{r}', grants: [{ organization: '{o}', role: '{r}' }] },
      { group: '{o}/{s}/{r}', grants: [{ organization: '{o}', space: '{s}', customRole: '{r}' }] },
      { group: '{any}-{r}', grants: [{ organization: 'Risk', space: '{any}', role: '{r}' }] },
    ),
    rest,
  )
  .map(([shape, more]) => ({ ...shape, ...more }))

/** Documents that parsePolicy takes: what it refuses by itself is not evaluated. */
const policy: fc.Arbitrary<Policy> = fc
  .record({
    mappings: fc
      .array(fc.oneof({ arbitrary: literal, weight: 4 }, { arbitrary: pattern, weight: 1 }), { maxLength: 8 })
      .map((mappings) => mappings.map((mapping, index) => ({ id: `m${index}`, ...mapping }))),
    annotators: fc.record({ mixed: fc.constantFrom('hold', 'member', 'annotator') }),
    accounts: fc.record({ allowAdmin: fc.boolean() }),
    spaces: fc.record({ organizationRole: fc.constantFrom('READ_ONLY', 'MEMBER') }),
  })
  .map((document) => parsePolicy(document))
  .filter((parsed) => parsed.ok)
  .map((parsed) => parsed.value)

const groupFact = fc
  .tuple(fc.constantFrom(...GROUPS), fc.constantFrom(null, '1', '2'), fc.constantFrom(OKTA, ENTRA))
  .map(([name, externalId, connection]) => group(name, { externalId, connection }))

interface Facts extends Setting {
  readonly groups: readonly GroupFact[]
  readonly entitlements: readonly string[]
  readonly organizations: readonly string[]
}

const setting: fc.Arbitrary<Facts> = fc.record({
  groups: fc.array(groupFact, { maxLength: 6 }),
  entitlements: fc.subarray(['x', 'y', 'z']),
  organizations: fc.subarray(ORGANIZATIONS),
  spaces: fc.record({ ML: fc.constant(['S']), Risk: fc.subarray(['S', 's', 'a-b']) }, { requiredKeys: [] }),
  account: fc.constantFrom(null, 'ADMIN', 'MEMBER', 'ANNOTATOR', 'annotator', 'Member - UI Only'),
})

const run = (document: Policy, facts: Setting): Evaluation => evaluate(inputOf(document, facts))

const always = (check: (document: Policy, facts: Facts) => void): void => {
  fc.assert(fc.property(policy, setting, check), { numRuns: 400 })
}

/** The grant of the same slot; a name that Arize does not have may be spelled as another mapping spells it. */
const roleOn = (evaluation: Evaluation, grant: Grant): Grant | undefined =>
  evaluation.grants.find((other) => slotOf(other) === slotOf(grant)) ??
  evaluation.grants.find((other) => foldName(slotOf(other)) === foldName(slotOf(grant)))

const isImplied = (grant: Grant): boolean => grant.because.every(({ implied }) => implied === true)

describe('every evaluation', () => {
  it('is the same in whatever order groups, entitlements, mappings and organizations come', () => {
    always((document, facts) => {
      const turned = {
        ...facts,
        groups: facts.groups.toReversed(),
        entitlements: facts.entitlements.toReversed(),
        organizations: facts.organizations.toReversed(),
      }
      const backwards = { ...document, mappings: document.mappings.toReversed() }
      expect(run(backwards, turned)).toEqual(run(document, facts))
    })
  })

  it('gives at most one grant for each slot, and none where it says that none is given', () => {
    always((document, facts) => {
      const { grants, conflicts } = run(document, facts)
      const slots = grants.map(slotOf)
      expect(new Set(slots).size).toBe(slots.length)
      for (const { code, entitlement } of conflicts) {
        if (code === 'slot' && entitlement !== null) expect(slots).not.toContain(slotOf(entitlement))
      }
    })
  })

  it('gives nothing that breaks the annotator rule for the account there is or will be', () => {
    always((document, facts) => {
      const { grants, accountRole } = run(document, facts)
      const account = facts.account ?? accountRole
      expect(account === null ? grants : []).toEqual([])
      for (const one of grants) expect(`${brief(one)} ${entitlementFitsAccount(account ?? '', one)}`).toBe(`${brief(one)} true`)
    })
  })

  it('names existing mappings and groups that the person has, for each grant and conflict', () => {
    always((document, facts) => {
      const ids = new Set(document.mappings.map(({ id }) => id))
      const names = new Set([...facts.groups.map(({ displayName }) => displayName), ...facts.entitlements])
      const { grants, conflicts } = run(document, facts)
      for (const { because } of [...grants, ...conflicts]) {
        expect(because.length).toBeGreaterThan(0)
        expect(because.every(({ mapping, group }) => ids.has(mapping) && names.has(group))).toBe(true)
      }
    })
  })

  it('never lowers a role when a group is added, unless that makes a conflict', () => {
    fc.assert(
      fc.property(policy, setting, groupFact, (document, facts, added) => {
        const before = run(document, facts)
        const after = run(document, { ...facts, groups: [...facts.groups, added] })
        const isNew = (sentence: string): boolean => !before.conflicts.some((conflict) => conflict.sentence === sentence)
        if (after.conflicts.some(({ sentence }) => isNew(sentence))) return
        for (const had of before.grants) {
          if (isImplied(had) || had.kind === 'developer' || had.kind === 'account') continue
          const has = roleOn(after, had)
          if (has?.kind !== had.kind) throw new Error(`${brief(had)} was lost`)
          if (had.role.type === 'PREDEFINED') expect(isLowering(had.role, has.role)).toBe(false)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('gives ADMIN only through mappings that name their group, or may', () => {
    always((document, facts) => {
      const mayGive = new Map(document.mappings.map((mapping) => [mapping.id, mapping.allowAdmin || mapping.group?.includes('{') !== true]))
      for (const one of run(document, facts).grants) {
        const isAdmin = brief(one).endsWith(': ADMIN')
        if (isAdmin) expect(one.because.every(({ mapping }) => mayGive.get(mapping))).toBe(true)
      }
    })
  })

  it('calls a group unmapped only when it gives nothing', () => {
    always((document, facts) => {
      for (const one of facts.groups) {
        const alone = run(document, { ...facts, groups: [one], entitlements: [] })
        const isUnmapped = alone.unmappedGroups.includes(one.displayName)
        expect(isUnmapped).toBe(alone.grants.length + alone.conflicts.length === 0)
        if (!isUnmapped) expect(mappingsOfGroup(compilePolicy(document), one)).not.toEqual([])
      }
    })
  })
})

describe('any text at all', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.constantFrom('__proto__', 'constructor', 'toString', '', '{', '{o}', '-'.repeat(2_000), '\uD800', 'arize-\uDFFF-member', 'İ-ß-ς'),
    fc.array(fc.constantFrom('arize', '-', '/', 'risk', 'member', 'İ', '\u0301'), { maxLength: 12 }).map((parts) => parts.join('')),
  )

  it('may be the name of a group, an entitlement, an account role or an organization', () => {
    fc.assert(
      fc.property(policy, fc.array(text, { maxLength: 5 }), text, (document, names, account) => {
        const facts = { groups: names, entitlements: names, organizations: names, spaces: Object.fromEntries(names.map((name) => [name, names])), account }
        const evaluation = run(document, facts)
        expect(evaluation.unmappedGroups.every((name) => names.includes(name))).toBe(true)
      }),
      { numRuns: 400 },
    )
  })
})
