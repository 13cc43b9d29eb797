import { describe, expect, it } from 'vitest'
import { verifyAdministrator } from '../../src/auth/administrator'
import { segment } from './issuer'

const adminToken = 'arzb_admin_0123456789'
const unknown = { ok: false, error: { kind: 'invalid', reason: 'unknown_token' } }

describe('verifyAdministrator', () => {
  it.each([`Bearer ${adminToken}`, `bearer ${adminToken}`, adminToken, `Basic ${btoa(`me:${adminToken}`)}`])(
    'lets the administrator token in: %s',
    async (authorization) => {
      const answer = await verifyAdministrator(authorization, { adminToken })
      expect(answer).toEqual({
        ok: true,
        value: { kind: 'administrator', role: 'administrator', actor: 'administrator-token' },
      })
      expect(JSON.stringify(answer)).not.toContain(adminToken)
    },
  )

  it.each([
    'Bearer arzb_admin_012345678',
    'Bearer arzb_admin_01234567890',
    'Bearer ARZB_ADMIN_0123456789',
    'Bearer dev-scim-token',
    `Bearer ${segment({ alg: 'none' })}.${segment({ iss: 'x', role: 'administrator' })}.`,
  ])('refuses %s', async (authorization) => {
    expect(await verifyAdministrator(authorization, { adminToken })).toEqual(unknown)
  })

  it('says when there is nothing, or nothing that can be read', async () => {
    expect(await verifyAdministrator(null, { adminToken })).toEqual({ ok: false, error: { kind: 'missing' } })
    expect(await verifyAdministrator('Digest x', { adminToken })).toEqual({
      ok: false,
      error: { kind: 'invalid', reason: 'unsupported_scheme' },
    })
  })

  it('lets nobody in while no token is configured', async () => {
    for (const authorization of [null, '', 'Bearer', 'Bearer x', `Basic ${btoa('me:')}`]) {
      expect(await verifyAdministrator(authorization, { adminToken: '' })).toMatchObject({
        ok: false,
        error: { kind: 'misconfigured', variable: 'ADMIN_TOKEN' },
      })
    }
  })
})
