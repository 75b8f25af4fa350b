import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { HoldpointError } from '../../src/errors.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import type { PolicyText } from '../../src/policy/load.ts'
import type { PolicyDecisionPoint } from '../../src/types.ts'
import { type Retrieval, retrievedPolicies } from '../../src/wire/retrieved.ts'
import { decide } from '../support/evaluation.ts'
import { handClock } from '../support/scripted-point.ts'

function policies(id: string, rule = 'permit (principal, action, resource);'): readonly PolicyText[] {
  return [{ path: 'fetched.cedar', text: `@id("${id}")\n${rule}` }]
}

const OPEN = policies('open')
const SHUT = policies('shut', 'forbid (principal, action, resource);')
const digest = (texts: readonly PolicyText[]): string => createCedarPoint(texts).policyDigest

const MINUTE = 60_000
const clock = handClock()

/** A source of policies that a test changes. */
let source: () => Promise<readonly PolicyText[]> | readonly PolicyText[]
let failures: string[]
let stop: AbortController

function retrieving(terms: Partial<Retrieval> = {}): Promise<PolicyDecisionPoint> {
  return retrievedPolicies({
    retrieve: async () => await source(),
    accept: () => true,
    everyMs: MINUTE,
    maxPolicyAgeMs: 5 * MINUTE,
    failed: (cause) => failures.push(cause instanceof Error ? cause.message : `${cause}`),
    signal: stop.signal,
    clock,
    ...terms,
  })
}

async function pass(minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute += 1) {
    clock.advance(MINUTE)
    await vi.advanceTimersByTimeAsync(MINUTE)
  }
}

function says(point: PolicyDecisionPoint): string {
  const decision = decide(point)
  if (decision.kind !== 'silence') return decision.kind
  return decision.cause.kind === 'wrong' ? decision.cause.fault : decision.cause.kind
}

describe('retrieved policies', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    source = () => OPEN
    failures = []
    stop = new AbortController()
  })
  afterEach(() => {
    stop.abort()
    vi.useRealTimers()
  })

  it('decide as soon as they are there, on the spot', async () => {
    const point = await retrieving()
    expect(says(point)).toBe('permit')
    expect(point.policyDigest).toBe(digest(OPEN))
    expect(point.policyAgeMs?.()).toBe(0)
  })

  it('take effect whole when they change, digest and all', async () => {
    const point = await retrieving()
    source = () => SHUT
    await pass(1)
    expect(says(point)).toBe('deny')
    expect(point.policyDigest).toBe(digest(SHUT))
  })

  it('stay when newer ones cannot be had, with their age', async () => {
    const point = await retrieving()
    source = async () => await Promise.reject(new Error('the bucket is gone'))
    await pass(3)
    expect(says(point)).toBe('permit')
    expect(point.policyAgeMs?.()).toBe(3 * MINUTE)
    expect(failures).toEqual(['the bucket is gone', 'the bucket is gone', 'the bucket is gone'])
  })

  it('decide nothing any more past their age, and decide again after the next retrieval', async () => {
    const point = await retrieving()
    source = async () => await Promise.reject(new Error('gone'))
    await pass(5)
    expect(says(point)).toBe('permit')
    await pass(1)
    expect(says(point)).toBe('stale')
    source = () => OPEN
    await pass(1)
    expect(says(point)).toBe('permit')
  })

  it.each<[string, readonly PolicyText[]]>([
    ['do not parse', policies('broken', 'permit (principal')],
    ['are none', []],
    ['are not accepted', SHUT],
  ])('never take effect when they %s', async (_, texts) => {
    const point = await retrieving({ accept: [digest(OPEN)] })
    source = () => texts
    await pass(1)
    expect(says(point)).toBe('permit')
    expect(point.policyDigest).toBe(digest(OPEN))
    expect(failures).toHaveLength(1)
  })

  it('never take effect when they do not fit the tools that are registered', async () => {
    const point = await retrieving()
    const inputSchema = {
      type: 'object',
      properties: { amount: { type: 'integer' } },
      additionalProperties: false,
    } as const
    expect(point.register('shop', [{ name: 'refund', origin: 'own', inputSchema }])).toEqual([])
    source = () =>
      policies(
        'misfit',
        'permit (principal, action == Action::"shop/refund", resource) when { context.arguments.amuont < 5 };',
      )
    await pass(1)
    expect(point.policyDigest).toBe(digest(OPEN))
    expect(failures[0]).toContain('fetched.cedar')
  })

  it('never take effect when they do not fit a tool of an earlier listing', async () => {
    const point = await retrieving()
    const inputSchema = { type: 'object', properties: { amount: { type: 'integer' } } } as const
    point.register('shop', [{ name: 'refund', origin: 'own', inputSchema }])
    point.register('shop', [{ name: 'list', origin: 'own' }])
    const rule = 'forbid (principal, action == Action::"shop/refund", resource) when { context.arguments.amuont > 5 };'
    source = () => policies('misfit', rule)
    await pass(1)
    expect(point.policyDigest).toBe(digest(OPEN))
    expect(failures[0]).toContain('amuont')
  })

  it('are held to the newest definition of a tool', async () => {
    const point = await retrieving()
    const listed = (name: string): void => {
      const inputSchema = { type: 'object', properties: { [name]: { type: 'integer' } }, required: [name] } as const
      point.register('shop', [{ name: 'refund', origin: 'own', inputSchema }])
    }
    listed('sum')
    listed('amount')
    const rule = 'forbid (principal, action == Action::"shop/refund", resource) when { context.arguments.amount > 5 };'
    source = () => policies('capped', rule)
    await pass(1)
    expect([point.policyDigest, failures]).toEqual([digest(policies('capped', rule)), []])
  })

  it('fit the tools that were registered before them', async () => {
    const point = await retrieving()
    point.register('shop', [{ name: 'refund', origin: 'own' }])
    source = () => SHUT
    await pass(1)
    expect(point.policyDigest).toBe(digest(SHUT))
  })

  it('are not waited for without end: a retrieval that hangs is given up, and its late result counts no more', async () => {
    const point = await retrieving()
    const late = Promise.withResolvers<readonly PolicyText[]>()
    source = async () => await late.promise
    await pass(1)
    source = () => OPEN
    await pass(1)
    late.resolve(SHUT)
    await vi.advanceTimersByTimeAsync(0)
    expect(says(point)).toBe('permit')
  })

  it('that were kept decide until a retrieval succeeds, at the age that they have', async () => {
    source = async () => await Promise.reject(new Error('gone'))
    const kept = { policies: OPEN, at: clock.now() - 4 * MINUTE }
    const point = await retrieving({ kept })
    expect(says(point)).toBe('permit')
    await pass(2)
    expect(says(point)).toBe('stale')
  })

  it('that were kept at a time that is still to come are of no known age', async () => {
    source = async () => await Promise.reject(new Error('gone'))
    expect(says(await retrieving({ kept: { policies: OPEN, at: clock.now() + MINUTE } }))).toBe('stale')
  })

  it('are needed to begin: there is always a policy', async () => {
    source = async () => await Promise.reject(new Error('the bucket is gone'))
    await expect(retrieving()).rejects.toMatchObject({
      code: 'ERR_POLICY',
      message: expect.stringContaining('the bucket is gone'),
    })
    await expect(retrieving({ accept: [] })).rejects.toThrow(HoldpointError)
  })

  it('are fetched no more once they are not wanted', async () => {
    let fetched = 0
    source = () => {
      fetched += 1
      return OPEN
    }
    await retrieving()
    stop.abort()
    await pass(3)
    expect(fetched).toBe(1)
  })

  it.each<[string, Partial<Retrieval>]>([
    ['nobody to accept them', { accept: undefined as unknown as readonly string[] }],
    ['no interval', { everyMs: 0 }],
    ['an age below the interval', { maxPolicyAgeMs: MINUTE - 1 }],
    ['an age that is no number', { maxPolicyAgeMs: Number.NaN }],
  ])('are refused with %s', async (_, terms) => {
    await expect(retrieving(terms)).rejects.toMatchObject({ code: 'ERR_CONFIG' })
  })
})
