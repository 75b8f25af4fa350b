/** What a gate does while its policy point is away: who waits, who is refused, and what a late word still changes. */
import { describe, expect, it } from 'vitest'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import type { PolicyFunction } from '../../src/index.ts'
import { type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Decision, ToolDefinition } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { handClock } from '../support/scripted-point.ts'

const schema = { type: 'object' } as const
const tools: readonly ToolDefinition[] = (['low', 'medium', 'high'] as const).map((materiality) => ({
  name: materiality,
  inputSchema: schema,
  origin: 'own',
  declared: { materiality },
}))
const DENY: Decision = { kind: 'deny', determining: ['late'], errors: [] }

function gateWith(options: TestGateOptions) {
  const gate = testGate(options)
  gate.register(tools)
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'c' }) }
}

/** As a client says it of a service that is down. */
function away(): unknown {
  throw new AbsentAnswer('unavailable', 'connection refused')
}

describe('a held call', () => {
  it.each(['medium', 'high'] as const)(
    '%s runs once its policy point is back, from the very snapshot',
    async (tool) => {
      let isAway = true
      const { gate, me } = gateWith({ policy: () => (isAway ? away() : 'permit') })
      const input = { to: 'alice' }
      const admitted = me.admit({ tool, callId: '1', input }, { onSilence: 'hold' })
      input.to = 'mallory'
      await until(() => gate.health().held === 1)
      isAway = false
      const admission = await admitted
      if (admission.outcome !== 'permitted') throw new Error(`refused: ${admission.refusal.code}`)
      expect(admission.begin()).toEqual({ outcome: 'begun', input: { to: 'alice' } })
      await admission.settle({ status: 'ok' })
      expect(gate.health().held).toBe(0)
      expect(gate.events.map(({ event }) => event)).toEqual(
        expect.arrayContaining(['call-held', 'call-released', 'decision-made', 'call-settled']),
      )
      const receipts = (await gate.receipts()).map(({ jws }) => jws)
      expect((await verifyReceipts(receipts, { keys: [gate.signer.publicJwk] })).failures).toEqual([])
    },
  )

  it('is decided anew: a policy point that comes back with a no refuses it', async () => {
    let isAway = true
    const { gate, me } = gateWith({ policy: () => (isAway ? away() : 'deny') })
    const admitted = me.admit({ tool: 'high', callId: '1', input: {} }, { onSilence: 'hold' })
    await until(() => gate.health().held === 1)
    isAway = false
    expect(await admitted).toMatchObject({ outcome: 'refused', refusal: { code: 'denied_by_policy' } })
  })

  it('does not run on a tool that its server replaced meanwhile', async () => {
    let isAway = true
    const { gate, me } = gateWith({ policy: () => (isAway ? away() : 'permit') })
    const listed = (description: string): ToolDefinition => ({
      name: 'pay',
      origin: 'third-party',
      description,
      inputSchema: schema,
    })
    gate.register([listed('Pays an invoice')], { server: 'bank' })
    const admitted = me.admit({ server: 'bank', tool: 'pay', callId: '1', input: {} }, { onSilence: 'hold' })
    await until(() => gate.health().held === 1)
    gate.register([listed('Pays anybody')], { server: 'bank' })
    isAway = false
    expect(await admitted).toMatchObject({ outcome: 'refused', refusal: { code: 'tool_changed' } })
  })

  it('is refused when its time is up, with the code of the silence', async () => {
    const { gate, me } = gateWith({ policy: away })
    expect(await me.admit({ tool: 'high', callId: '1', input: {} }, { onSilence: 'hold', holdMs: 20 })).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'policy_unavailable', retryable: true },
    })
    expect(gate.events).toContainEqual(expect.objectContaining({ event: 'call-released', because: 'expired' }))
  })

  it('is cancelled with its caller', async () => {
    const { gate, me } = gateWith({ policy: away })
    const left = new AbortController()
    const admitted = me.admit({ tool: 'high', callId: '1', input: {} }, { onSilence: 'hold', signal: left.signal })
    await until(() => gate.health().held === 1)
    left.abort()
    expect(await admitted).toMatchObject({ outcome: 'refused', refusal: { code: 'cancelled' } })
    expect(gate.health().held).toBe(0)
  })

  const others: readonly [string, string, PolicyFunction, string][] = [
    ['low, which goes by the fail mode', 'low', away, 'policy_unavailable'],
    ['a wrong answer', 'high', () => 'nonsense', 'policy_wrong_answer'],
    ['a deny', 'high', () => 'deny', 'denied_by_policy'],
  ]
  it.each(others)('is never %s', async (_, tool, policy, code) => {
    const { gate, me } = gateWith({ policy })
    expect(await me.admit({ tool, callId: '1', input: {} }, { onSilence: 'hold' })).toMatchObject({
      outcome: 'refused',
      refusal: { code },
    })
    expect(gate.events.some(({ event }) => event === 'call-held')).toBe(false)
  })
})

describe('a late word', () => {
  it('I4: a late permit never counts, also after a thousand stalls of the event loop', async () => {
    const clock = handClock()
    // The point answers while the loop is blocked for longer than the budget: its answer is read before the timer fires.
    const policy = async () => {
      await Promise.resolve()
      clock.advance(2_000)
      return 'permit'
    }
    const { gate, me } = gateWith({ policy, clock })
    for (let call = 0; call < 1_000; call += 1) {
      expect(await me.admit({ tool: 'high', callId: `${call}`, input: {} })).toMatchObject({ outcome: 'refused' })
      clock.advance(30_000)
    }
    expect(gate.calls.every(({ outcome }) => outcome === 'refused')).toBe(true)
  })

  it.each([
    ['a deny', 'deny', 'denied_by_policy'],
    ['nonsense', 'PERMIT', 'policy_wrong_answer'],
    ['a question for a person', { ask: 'confirmation' }, 'approval_required'],
  ] as const)('I5: %s that is read late still stands, and opens nothing', async (_, answer, code) => {
    const clock = handClock()
    const policy = async () => {
      clock.advance(5_000)
      return answer
    }
    const { me } = gateWith({ policy, clock, failMode: { low: 'open' } })
    expect(await me.admit({ tool: 'low', callId: '1', input: {} }, { wait: false })).toMatchObject({
      outcome: 'refused',
      refusal: { code },
    })
  })

  it('I5: a gate that was blocked beyond the budget takes no absence for granted, and moves no breaker', async () => {
    const policy = () => new Promise((resolve) => setTimeout(() => resolve('deny'), 1_000_000))
    const { gate, me } = gateWith({ policy, timeoutMs: 20, failMode: { low: 'open' } })
    for (const callId of ['1', '2', '3', '4']) {
      const admission = me.admit({ tool: 'low', callId, input: {} })
      setTimeout(() => block(700), 10)
      expect(await admission).toMatchObject({ outcome: 'refused', refusal: { code: 'policy_timeout' } })
    }
    expect(gate.health().points).toMatchObject([{ breaker: 'closed' }])
  })

  it('I5: a deny that comes after a low call was opened keeps it from beginning', async () => {
    let answer = (_: Decision): void => undefined
    const policy = () =>
      new Promise<Decision>((resolve) => {
        answer = resolve
      })
    const { gate, me } = gateWith({ policy, timeoutMs: 50, clock: handClock(), failMode: { low: 'open' } })
    const admission = await me.admit({ tool: 'low', callId: '1', input: {} })
    if (admission.outcome !== 'permitted') throw new Error('not opened')
    answer(DENY)
    await until(() => gate.events.some(({ event }) => event === 'verdict-late'))
    expect(admission.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'permit_revoked' } })
  })
})

describe('the kill switch', () => {
  it('refuses every call, low ones too, and takes back the permits that have not begun', async () => {
    const { gate, me } = gateWith({ failMode: { low: 'open' } })
    const admission = await me.admit({ tool: 'high', callId: '1', input: {} })
    const [point] = gate.health().points
    expect(gate.isolate(point?.id ?? '', 'incident 7')).toBe(true)
    expect(admission.outcome === 'permitted' ? admission.begin() : admission).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'permit_revoked' },
    })
    expect(await me.admit({ tool: 'low', callId: '2', input: {} })).toMatchObject({
      outcome: 'refused',
      refusal: { code: 'isolated' },
    })
    gate.release(point?.id ?? '')
    expect(await me.admit({ tool: 'low', callId: '3', input: {} })).toMatchObject({ outcome: 'permitted' })
  })
})

async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000 && !isSo(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 1))
  expect(isSo()).toBe(true)
}

/** Stands still, as a long computation does. */
function block(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
