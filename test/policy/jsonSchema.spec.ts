import { describe, expect, it } from 'vitest'
import published from '../../policy.schema.json'
import { policyJsonSchema } from '../../src/policy/jsonSchema'

describe('policy.schema.json', () => {
  it('is what scripts/policySchema.mjs writes now', () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(policyJsonSchema())))
  })

  it('needs nothing but mappings, refuses unknown keys, and wants one selector', () => {
    expect(published.required).toEqual(['mappings'])
    expect(published.additionalProperties).toBe(false)
    const mapping = published.properties.mappings.items
    expect(mapping.required).toEqual(['id', 'grants'])
    expect(mapping.oneOf).toEqual([{ required: ['group'] }, { required: ['groupId'] }, { required: ['entitlement'] }])
    expect(published.properties.offboarding.properties.graceDays).toMatchObject({ default: 30, minimum: 1 })
  })
})
