import { describe, expect, it } from 'vitest'
import { explainFailure, explainReason, invalid } from '../../src/auth/failure'

describe('explainFailure', () => {
  it('says what happened in a sentence', () => {
    expect(explainFailure({ kind: 'missing' })).toBe('The request has no credential (Authorization header).')
    expect(explainFailure(invalid('expired'))).toBe(explainReason('expired'))
    expect(explainFailure({ kind: 'unavailable', retryAfterSeconds: 30, what: 'the key set at idp answered 500' })).toBe(
      'The credential could not be checked: the key set at idp answered 500. Try again after 30 s.',
    )
    expect(explainFailure({ kind: 'misconfigured', variable: 'ADMIN_TOKEN', sentence: 'ADMIN_TOKEN is empty.' })).toBe(
      'ADMIN_TOKEN is empty.',
    )
  })
})
