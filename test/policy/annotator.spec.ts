import { describe, expect, it } from 'vitest'
import { ANNOTATOR_MATRIX, entitlementFitsAccount, fitsAccount } from '../../src/policy/annotator'
import type { Entitlement } from '../../src/policy/entitlement'
import type { Role } from '../../src/policy/role'

const role = (name: string): Role =>
  name === 'ADMIN' || name === 'MEMBER' || name === 'READ_ONLY' || name === 'ANNOTATOR'
    ? { type: 'PREDEFINED', name }
    : { type: 'CUSTOM', name }

const ROWS: readonly (readonly [string, string, boolean])[] = [
  ['ADMIN', 'ADMIN', true],
  ['ADMIN', 'MEMBER', true],
  ['ADMIN', 'READ_ONLY', true],
  ['ADMIN', 'ANNOTATOR', false],
  ['ADMIN', 'Reviewer', true],
  ['MEMBER', 'ADMIN', true],
  ['MEMBER', 'MEMBER', true],
  ['MEMBER', 'READ_ONLY', true],
  ['MEMBER', 'ANNOTATOR', false],
  ['MEMBER', 'Reviewer', true],
  ['ANNOTATOR', 'ADMIN', false],
  ['ANNOTATOR', 'MEMBER', false],
  ['ANNOTATOR', 'READ_ONLY', false],
  ['ANNOTATOR', 'ANNOTATOR', true],
  ['ANNOTATOR', 'Reviewer', false],
]

describe('the annotator rule', () => {
  it.each(ROWS)('an account %s holding %s: %s', (account, name, expected) => {
    expect(fitsAccount(account, role(name))).toBe(expected)
    const inside: Entitlement = { kind: 'space', organization: 'O', space: 'S', role: role(name) }
    expect(entitlementFitsAccount(account, inside)).toBe(expected)
    expect(entitlementFitsAccount(account, { kind: 'organization', organization: 'O', role: role(name) })).toBe(expected)
  })

  it('has a row for every pair of its table', () => {
    const cells = Object.values(ANNOTATOR_MATRIX).flatMap((row) => Object.keys(row))
    expect(ROWS).toHaveLength(cells.length)
  })

  it.each(['annotator', 'Annotator', 'ANNOTATOR '])('takes %j for an annotator, as other dialects of Arize write it', (name) => {
    expect(fitsAccount(name, role('ANNOTATOR'))).toBe(true)
  })

  it.each(['Member - UI Only', '', '__proto__', 'ANNOTATORS', 'custom:ANNOTATOR'])('takes %j for no annotator', (name) => {
    expect(fitsAccount(name, role('ANNOTATOR'))).toBe(false)
    expect(fitsAccount(name, role('MEMBER'))).toBe(true)
  })

  it('keeps projects and developer access from annotators, whatever a custom role is called', () => {
    for (const held of [role('ANNOTATOR'), { type: 'CUSTOM', name: 'ANNOTATOR' } as const]) {
      const project: Entitlement = { kind: 'project', organization: 'O', space: 'S', project: 'P', role: held }
      expect(entitlementFitsAccount('ANNOTATOR', project)).toBe(false)
    }
    expect(entitlementFitsAccount('MEMBER', { kind: 'project', organization: 'O', space: 'S', project: 'P', role: role('R') })).toBe(true)
    expect(fitsAccount('ANNOTATOR', { type: 'CUSTOM', name: 'ANNOTATOR' })).toBe(false)
    expect(entitlementFitsAccount('ANNOTATOR', { kind: 'developer' })).toBe(false)
    expect(entitlementFitsAccount('MEMBER', { kind: 'developer' })).toBe(true)
  })
})
