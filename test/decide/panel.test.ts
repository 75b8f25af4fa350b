import { describe, expect, it } from 'vitest'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { PolicyPanel } from '../../src/decide/panel.ts'
import type { CanaryResult, Decision, GateEvent, PolicyDecisionPoint } from '../../src/types.ts'
import { evaluationRequest } from '../support/evaluation.ts'

const PERMIT: Decision = { kind: 'permit', obligations: [], determining: ['a'], errors: [] }
const DENY: Decision = { kind: 'deny', determining: ['b'], errors: [] }
const LOW = evaluationRequest({ materiality: 'low' })
const HIGH = evaluationRequest({ materiality: 'high' })

function pointOf(id: string, terms: Partial<PolicyDecisionPoint> = {}): PolicyDecisionPoint {
  return {
    id,
    policyDigest: id.padEnd(43, 'x'),
    rederivable: false,
    readsSession: false,
    register: () => [],
    explain: () => ({ constraints: [], policies: [] }),
    evaluate: () => PERMIT,
    ...terms,
  }
}

function panelOf(...points: readonly PolicyDecisionPoint[]) {
  const clock = { at: 0, now: () => 0, monotonic: () => clock.at }
  const events: GateEvent[] = []
  let healed = 0
  const panel = new PolicyPanel(points, {
    clock,
    emit: (event) => events.push(event),
    timeoutMs: 50,
    healed: () => {
      healed += 1
    },
  })
  const ask = (request = HIGH, signal?: AbortSignal, budgetMs = 50) =>
    panel.ask(request, { budgetMs, clock, signal, schema: undefined })
  return { panel, ask, clock, events, healed: () => healed }
}

const hang = () => new Promise(() => undefined)
const absent = (retryAfterMs?: number) => () => {
  throw new AbsentAnswer('unavailable', 'refused', { retryAfterMs })
}

describe('several policy points', () => {
  it('are asked only about the tools that they declare, and a tool of nobody is permitted by nobody', async () => {
    const asked: string[] = []
    const told = (id: string, tools: readonly string[]) =>
      pointOf(id, {
        tools,
        evaluate: () => {
          asked.push(id)
          return PERMIT
        },
      })
    const { ask } = panelOf(
      told('one', ['shop/*']),
      told('exact', ['shop/refund']),
      told('none', ['shop/refunds', 'shopping/*', 'shop']),
    )
    expect(await ask(evaluationRequest({ tool: 'shop/refund' }))).toMatchObject({ kind: 'permit' })
    expect(asked).toEqual(['one', 'exact'])
    expect(await ask(evaluationRequest({ tool: 'files/read' }))).toMatchObject({
      kind: 'silence',
      cause: { kind: 'no_permit' },
    })
  })

  it('do not wait for a hung one when another denies', async () => {
    const { ask } = panelOf(pointOf('hung', { evaluate: hang }), pointOf('denies', { evaluate: async () => DENY }))
    expect(await ask(HIGH, undefined, 600_000)).toMatchObject({ kind: 'deny' })
  })

  it('one that is silent is silence, whatever the others say', async () => {
    const { ask } = panelOf(pointOf('permits'), pointOf('gone', { evaluate: absent() }))
    expect(await ask()).toMatchObject({ kind: 'silence', cause: { kind: 'absent', fault: 'unavailable' } })
  })

  it('have a breaker each: the outage of one refuses only what it answers for', async () => {
    const { ask, panel, events } = panelOf(
      pointOf('cedar', { embedded: true }),
      pointOf('gone', { tools: ['shop/refund'], evaluate: absent() }),
    )
    for (let call = 0; call < 3; call += 1) await ask(evaluationRequest({ tool: 'shop/refund' }))
    expect(await ask(evaluationRequest({ tool: 'shop/refund' }))).toMatchObject({
      cause: { kind: 'absent', fault: 'circuit_open', retryAfterMs: 30_000 },
    })
    expect(await ask(evaluationRequest({ tool: 'shop/read' }))).toEqual(PERMIT)
    expect(panel.health()).toMatchObject([
      { id: 'cedar', breaker: 'closed' },
      { id: 'gone', breaker: 'open', retryInMs: 30_000 },
    ])
    expect(events).toMatchObject([{ event: 'breaker-moved', point: 'gone', from: 'closed', to: 'open' }])
  })
})

describe('the breaker of a point', () => {
  it('is moved by absence alone: wrong answers and callers who leave do not open it', async () => {
    let evaluate: () => unknown = () => 'nonsense'
    const { ask, panel } = panelOf(pointOf('p', { evaluate: () => evaluate() }))
    for (let call = 0; call < 10; call += 1) await ask()
    evaluate = hang
    for (let call = 0; call < 10; call += 1) {
      const left = new AbortController()
      const asked = ask(HIGH, left.signal)
      left.abort()
      expect(await asked).toMatchObject({ cause: { kind: 'wrong' } })
    }
    expect(panel.health()).toMatchObject([{ breaker: 'closed' }])
  })

  it('tells the operator what is wrong with an answer, and says nothing of what a call held', async () => {
    const { ask, events } = panelOf(
      pointOf('p', { evaluate: () => ({ kind: 'allow', determining: [], errors: [], why: 'card 4111 1111' }) }),
    )
    await ask()
    expect(events).toEqual([
      {
        event: 'answer-rejected',
        point: 'p',
        fault: 'malformed',
        detail: 'the answer is neither permit, deny nor silence',
      },
    ])
  })

  it('honours Retry-After, and tells whoever waits when the point is back', async () => {
    let evaluate: () => unknown = absent(5_000)
    const { ask, clock, healed } = panelOf(pointOf('p', { evaluate: () => evaluate() }))
    expect(await ask()).toMatchObject({ cause: { fault: 'unavailable', retryAfterMs: 5_000 } })
    evaluate = () => PERMIT
    expect(await ask()).toMatchObject({ cause: { fault: 'circuit_open' } })
    clock.at = 5_000
    for (let probe = 0; probe < 3; probe += 1) expect(await ask()).toEqual(PERMIT)
    expect(healed()).toBe(1)
  })

  it.each([0, 20])('I5: a gate that left a point %s ms of its 50 takes no silence for absence', async (budgetMs) => {
    const { ask, panel } = panelOf(pointOf('p', { evaluate: hang }))
    for (let call = 0; call < 5; call += 1)
      expect(await ask(HIGH, undefined, budgetMs)).toMatchObject({ cause: { kind: 'wrong', fault: 'stalled' } })
    expect(panel.health()).toMatchObject([{ breaker: 'closed' }])
  })

  it.each([true, undefined] as const)(
    'isolated by an operator, refuses until released (embedded: %s)',
    async (embedded) => {
      const { ask, panel } = panelOf(pointOf('p', embedded === undefined ? {} : { embedded }))
      expect(panel.isolate('nobody', 'x')).toBe(false)
      expect(panel.isolate('p', 'incident 7')).toBe(true)
      expect(await ask(LOW)).toMatchObject({ cause: { kind: 'wrong', fault: 'isolated' } })
      expect(panel.isOpenFor('shop/refund')).toBe(false)
      panel.release('p')
      for (let call = 0; call < 3; call += 1) expect(await ask(LOW)).toEqual(PERMIT)
      expect(panel.health()).toMatchObject([{ breaker: 'closed' }])
    },
  )
})

describe('the canary', () => {
  it.each(['failed', 'unestablished'] as const)('%s: medium and high are refused, low is not', async (kind) => {
    const result: CanaryResult = { kind, because: 'set strictEvaluation' }
    const { ask, events, panel } = panelOf(pointOf('p', { canary: async () => result }))
    for (const materiality of ['medium', 'high'] as const) {
      expect(await ask(evaluationRequest({ materiality }))).toMatchObject({
        cause: { kind: 'wrong', fault: 'unusable_policy', detail: 'p: set strictEvaluation' },
      })
    }
    expect(await ask(LOW)).toEqual(PERMIT)
    expect(panel.health()).toMatchObject([{ canary: kind }])
    expect(events).toMatchObject([{ event: 'canary-judged', point: 'p', result: kind }])
  })

  it('is asked once for many calls, and again when the point was away', async () => {
    let asked = 0
    let evaluate: () => unknown = () => PERMIT
    const canary = async (): Promise<CanaryResult> => {
      asked += 1
      return { kind: 'passed' }
    }
    const { ask, clock } = panelOf(pointOf('p', { canary, evaluate: () => evaluate() }))
    expect(await Promise.all(Array.from({ length: 20 }, async () => await ask()))).toEqual(Array(20).fill(PERMIT))
    expect(asked).toBe(1)
    evaluate = absent()
    for (let call = 0; call < 3; call += 1) await ask()
    evaluate = () => PERMIT
    const before = asked
    clock.at = 30_000
    for (let probe = 0; probe < 4; probe += 1) expect(await ask()).toEqual(PERMIT)
    expect(asked).toBe(before + 1)
  })

  it('that does not answer keeps a permit from counting, and a deny still denies', async () => {
    let evaluate: () => unknown = () => PERMIT
    const { ask } = panelOf(pointOf('p', { canary: () => new Promise(() => undefined), evaluate: () => evaluate() }))
    expect(await ask()).toMatchObject({ cause: { kind: 'absent', fault: 'timeout' } })
    evaluate = () => DENY
    expect(await ask()).toMatchObject({ kind: 'deny' })
  })

  it('that answers nonsense has not passed', async () => {
    for (const nonsense of [true, 'passed', null, { kind: 'PASSED' }, {}]) {
      const { ask } = panelOf(pointOf('p', { canary: async () => nonsense as CanaryResult }))
      expect(await ask()).toMatchObject({ cause: { kind: 'wrong', fault: 'unusable_policy' } })
    }
  })

  it('shows that a point is there: what one call makes slow is that call’s fault, and shuts nobody out', async () => {
    const passed: CanaryResult = { kind: 'passed' }
    const { ask, panel } = panelOf(pointOf('p', { evaluate: hang, canary: async () => passed }))
    for (let call = 0; call < 5; call += 1)
      expect(await ask(LOW)).toMatchObject({ cause: { kind: 'wrong', fault: 'policy_error' } })
    expect(panel.health()).toMatchObject([{ breaker: 'closed' }])
  })

  it('that times out is no late word on a call', async () => {
    const clock = { now: () => 0, monotonic: () => 0 }
    let late = 0
    const told = () => {
      late += 1
    }
    const { panel } = panelOf(pointOf('p', { canary: () => new Promise(() => undefined) }))
    const asked = panel.ask(HIGH, { budgetMs: 30, clock, signal: undefined, schema: undefined, late: told })
    expect(await asked).toMatchObject({ cause: { kind: 'absent', fault: 'timeout' } })
    await new Promise((resolve) => setTimeout(resolve, 80))
    expect(late).toBe(0)
  })

  it('that hangs as the calls do makes it an outage', async () => {
    const { ask, panel } = panelOf(pointOf('p', { evaluate: hang, canary: () => new Promise(() => undefined) }))
    for (let call = 0; call < 3; call += 1)
      expect(await ask(LOW)).toMatchObject({ cause: { kind: 'absent', fault: 'timeout' } })
    expect(panel.health()).toMatchObject([{ breaker: 'open' }])
  })

  it('asked of the engine that was there before says nothing of the one that came after', async () => {
    const answers: ((result: CanaryResult) => void)[] = []
    const canary = () => new Promise<CanaryResult>((resolve) => answers.push(resolve))
    let evaluate: () => unknown = () => PERMIT
    const { ask } = panelOf(pointOf('p', { canary, evaluate: () => evaluate() }))
    const first = ask()
    evaluate = absent()
    expect(await ask(LOW)).toMatchObject({ cause: { kind: 'absent' } })
    answers[0]?.({ kind: 'passed' })
    expect(await first).toEqual(PERMIT)
    evaluate = () => PERMIT
    const next = ask()
    expect(answers).toHaveLength(2)
    answers[1]?.({ kind: 'failed', because: 'set strictEvaluation' })
    expect(await next).toMatchObject({ cause: { kind: 'wrong', fault: 'unusable_policy' } })
  })

  it('asked ahead of the first call, never rejects', async () => {
    const { panel } = panelOf(
      pointOf('p', {
        canary: async () => {
          throw new Error('boom')
        },
      }),
    )
    await panel.rehearse()
    expect(panel.health()).toMatchObject([{ canary: 'pending' }])
  })
})
