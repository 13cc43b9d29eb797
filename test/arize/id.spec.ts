import { describe, expect, it } from 'vitest'
import { isSameId } from '../../src/arize/id'

describe('isSameId', () => {
  it.each<[string, string, boolean]>([
    [btoa('User:42:aBcD'), btoa('User:42:aBcD'), true],
    [btoa('User:42:aBcD'), btoa('User:42'), true],
    [btoa('Organization:1:aBcD'), btoa('AccountOrganization:1'), true],
    ['VXNlcjo0MjphQmNE', 'VXNlcjo0MjphQmNE', true],
    [btoa('User:42:aBcD'), btoa('User:43:aBcD'), false],
    [btoa('User:42:aBcD'), btoa('User:42:eFgH'), false],
    [btoa('User:4'), btoa('User:42'), false],
    [btoa('Space:1:aBcD'), btoa('Organization:1:aBcD'), false],
    ['opaque', 'opaque', true],
    ['opaque', 'Opaque', false],
    ['', '', true],
    ['', btoa('User:42'), false],
    [btoa('User:42'), 'not base64!', false],
    [btoa(':42'), btoa('User:42'), false],
    [btoa('User:'), btoa('User:'), true],
  ])('%j and %j: %j', (a, b, expected) => {
    expect(isSameId(a, b)).toBe(expected)
    expect(isSameId(b, a)).toBe(expected)
  })
})
