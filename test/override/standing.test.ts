import { describe, expect, it } from 'vitest'
import { type OverrideClaims, signaturesNeeded } from '../../src/override/claims.ts'
import { covers, standingOf } from '../../src/override/standing.ts'
import { ALICE, MINUTE_MS, NOW, overrideClaims } from '../support/overrides.ts'

describe('the scope of an override', () => {
  const scoped = (changes: Partial<OverrideClaims>, call: Partial<Parameters<typeof covers>[1]> = {}): boolean =>
    covers(overrideClaims(changes), { tool: 'shop/restock', scope: ALICE, ...call })
  const principal = ALICE.principal

  it.each<[string, boolean]>([
    ['shop/restock', true],
    ['shop/*', true],
    ['*', true],
    ['shop/restock2', false],
    ['shop/rest', false],
    ['shop/Restock', false],
    ['shop2/*', false],
    ['sho/*', false],
  ])('%s covers a call of shop/restock: %s', (tool, isCovered) => {
    expect(scoped({ tools: [tool] })).toBe(isCovered)
  })

  it('is one environment, by the name that the operator gave it', () => {
    expect(scoped({ environment: 'staging' })).toBe(false)
    for (const environment of [{}, { name: ['production'] }, { name: null }, { stage: 'production' }])
      expect(scoped({}, { scope: { principal, environment } })).toBe(false)
  })

  it('is one principal, of the same kind and tenant', () => {
    const by = (changes: Partial<typeof principal>) =>
      scoped({}, { scope: { ...ALICE, principal: { ...principal, ...changes } } })
    expect([by({}), by({ roles: ['admin'] })]).toEqual([true, true])
    expect([by({ id: 'bob' }), by({ type: 'agent' }), by({ tenant: 'acme' })]).toEqual([false, false, false])
    const inAcme = { type: 'user', id: 'alice', tenant: 'acme' } as const
    expect(scoped({ principal: inAcme })).toBe(false)
    expect(scoped({ principal: 'any' }, { scope: { ...ALICE, principal: { ...principal, id: 'bob' } } })).toBe(true)
  })

  it('needs two signatures for anything wider than one tool and one principal', () => {
    const needed = (changes: Partial<OverrideClaims>) => signaturesNeeded(overrideClaims(changes))
    expect(needed({})).toBe(1)
    expect(needed({ tools: ['shop/a', 'shop/b'] })).toBe(2)
    expect(needed({ tools: ['shop/*'] })).toBe(2)
    expect(needed({ tools: ['*'] })).toBe(2)
    expect(needed({ principal: 'any' })).toBe(2)
  })
})

describe('the standing of an override', () => {
  const at = (time: number, changes: Partial<Parameters<typeof standingOf>[0]> = {}) =>
    standingOf({ claims: overrideClaims(), by: ['a'], revoked: false, ...changes }, time)
  const wide = overrideClaims({ tools: ['*'] })

  it('is live from its first moment until just before its last', () => {
    expect(at(NOW - 1)).toEqual({ kind: 'early', inMs: 1 })
    expect([at(NOW), at(NOW + 30 * MINUTE_MS - 1)]).toEqual([{ kind: 'live' }, { kind: 'live' }])
    expect(at(NOW + 30 * MINUTE_MS)).toEqual({ kind: 'expired' })
    expect(at(Number.NaN)).toEqual({ kind: 'expired' })
  })

  it('is never live without the trusted signatures that it needs, or once it was revoked', () => {
    expect(at(NOW, { by: [] })).toEqual({ kind: 'unsigned', signed: 0, needed: 1 })
    expect(at(NOW, { claims: wide })).toEqual({ kind: 'unsigned', signed: 1, needed: 2 })
    expect(at(NOW, { claims: wide, by: ['a', 'b'] })).toEqual({ kind: 'live' })
    expect(at(NOW, { revoked: true })).toEqual({ kind: 'revoked' })
  })
})
