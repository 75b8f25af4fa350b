import { describe, expect, it } from 'vitest'
import { type CallKeyParts, callKey, requestDigest, sessionKey } from '../../src/call/call-key.ts'
import { Contracts } from '../../src/call/contract.ts'
import type { Contract, Scope, ToolDefinition } from '../../src/types.ts'

function contract(definition: Partial<ToolDefinition> = {}, server = 'shop'): Contract {
  const [known] = new Contracts().register(server, [{ name: 'refund', origin: 'own', ...definition }], new Map())
  if (known === undefined) throw new Error('nothing was registered')
  return known
}

const scope: Scope = {
  principal: { type: 'user', id: 'alice', roles: ['finance'], basis: 'stated' },
  agent: 'support',
  conversation: 'c1',
  trace: '0'.repeat(32),
  environment: { root: '/srv' },
  channel: 'none',
}
const base: CallKeyParts = { scope, contract: contract(), callId: 'call_1', step: 2, inputDigest: 'd1' }
const as = (principal: Partial<Scope['principal']>): Scope => ({
  ...scope,
  principal: { ...scope.principal, ...principal },
})

describe('callKey', () => {
  const others: readonly (readonly [string, CallKeyParts])[] = [
    ['another principal', { ...base, scope: as({ id: 'bob' }) }],
    ['an agent of the same name', { ...base, scope: as({ type: 'agent' }) }],
    ['another tenant', { ...base, scope: as({ tenant: 't2' }) }],
    ['another conversation', { ...base, scope: { ...scope, conversation: 'c2' } }],
    ['another server', { ...base, contract: contract({}, 'other') }],
    ['another tool', { ...base, contract: contract({ name: 'charge' }) }],
    ['another definition', { ...base, contract: contract({ inputSchema: { type: 'object' } }) }],
    ['another call id', { ...base, callId: 'call_2' }],
    ['another step, since providers reuse call ids', { ...base, step: 3 }],
    ['other arguments', { ...base, inputDigest: 'd2' }],
  ]
  for (const [what, parts] of others) {
    it(`does not take ${what} for the same call`, () => expect(callKey(parts)).not.toBe(callKey(base)))
  }

  it('takes the same call in a resent history for the same call, whatever its trace and the roles of the day', () => {
    expect(callKey({ ...base, scope: { ...as({ roles: [] }), trace: '1'.repeat(32) } })).toBe(callKey(base))
  })

  it('lets an idempotency key stand for everything but the principal', () => {
    const keyed = { ...base, idempotencyKey: 'k' }
    expect(callKey({ ...keyed, callId: 'call_9', step: 7, inputDigest: 'd9' })).toBe(callKey(keyed))
    expect(callKey({ ...keyed, scope: as({ id: 'bob' }) })).not.toBe(callKey(keyed))
    expect(callKey({ ...keyed, idempotencyKey: 'k2' })).not.toBe(callKey(keyed))
  })

  it('never throws for an id that has no canonical text, and keeps such ids apart', () => {
    expect(callKey({ ...base, callId: '\ud800' })).not.toBe(callKey({ ...base, callId: '\ud801' }))
  })

  it('keeps parts apart: a boundary cannot be moved by what stands on either side', () => {
    const [a, b] = [
      { ...base, scope: { ...scope, conversation: 'c1","shop' } },
      { ...base, callId: 'shop","call_1' },
    ]
    expect(new Set([callKey(a), callKey(b), callKey(base)]).size).toBe(3)
  })
})

describe('requestDigest: a yes to one call is no yes to another', () => {
  const request = { scope, contract: contract(), inputDigest: 'd1', policyDigest: 'p1' }
  const others: readonly (readonly [string, typeof request])[] = [
    ['another principal', { ...request, scope: as({ id: 'bob' }) }],
    ['another agent', { ...request, scope: { ...scope, agent: 'ops' } }],
    ['another conversation', { ...request, scope: { ...scope, conversation: 'c2' } }],
    ['another tool', { ...request, contract: contract({ name: 'charge' }) }],
    ['a tool that was redefined', { ...request, contract: contract({ description: 'changed' }) }],
    ['other arguments', { ...request, inputDigest: 'd2' }],
    ['another environment', { ...request, scope: { ...scope, environment: { root: '/' } } }],
    ['another policy', { ...request, policyDigest: 'p2' }],
  ]
  for (const [what, parts] of others) {
    it(`not for ${what}`, () => expect(requestDigest(parts)).not.toBe(requestDigest(request)))
  }

  it('does not depend on the order in which the environment was written', () => {
    const one = { ...request, scope: { ...scope, environment: { a: 1, b: 2 } } }
    const two = { ...request, scope: { ...scope, environment: { b: 2, a: 1 } } }
    expect(requestDigest(one)).toBe(requestDigest(two))
  })
})

describe('sessionKey', () => {
  it('counts one principal in one conversation together, and nobody else with them', () => {
    expect(sessionKey({ ...scope, trace: '1'.repeat(32) })).toBe(sessionKey(scope))
    const { conversation: _, ...nowhere } = scope
    const keys = [scope, as({ id: 'bob' }), { ...scope, conversation: 'c2' }, nowhere].map(sessionKey)
    expect(new Set(keys).size).toBe(4)
  })
})
