import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { AbsentAnswer } from '../../src/decide/absent.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { commitRequest, saltFor } from '../../src/receipt/commit.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { REFUSAL_CODES } from '../../src/refusal/codes.ts'
import { renderAsReason, renderForModel } from '../../src/refusal/render.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { type TestGate, testGate } from '../../src/testing.ts'
import type { EvaluationRequest, Gate, Json, Materiality, Receipt, ToolDefinition } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { said } from '../support/approvals.ts'
import { hookedStore } from '../support/hooked-store.ts'
import { DENY, handClock, PERMIT, scriptedPoint } from '../support/scripted-point.ts'

const tier: fc.Arbitrary<Materiality> = fc.constantFrom('low', 'medium', 'high')
const ranks: { readonly [tier in Materiality]: number } = { low: 0, medium: 1, high: 2 }

/** Arguments that have a canonical form: what JSON can say, under the names that the snapshot accepts. */
const json = fc.jsonValue({ maxDepth: 3 }).filter(isCanonical)
const args = fc.dictionary(fc.string(), json, { maxKeys: 5, noNullPrototype: true }).filter(isCanonical)

function isCanonical(value: unknown): boolean {
  try {
    canonicalText(value)
    return true
  } catch {
    return false
  }
}

function actGate(options: Parameters<typeof testGate>[0] & { readonly materiality?: Materiality } = {}): {
  readonly gate: TestGate
  readonly me: Gate
} {
  const { materiality = 'high', ...rest } = options
  const gate = testGate({ policy: scriptedPoint(() => PERMIT), tools: { act: { materiality } }, ...rest })
  gate.register([{ name: 'act', origin: 'own' }])
  return { gate, me: gate.as({ user: 'alice' }, { conversation: 'c1' }) }
}

/** Lets everything that is ready go first, and timers of a turn or two. */
async function pause(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

function claimsOf(receipt: Receipt): { readonly [member: string]: Json } {
  return JSON.parse(Buffer.from(receipt.jws.split('.')[1] ?? '', 'base64url').toString())
}

describe('I1', () => {
  it('I1: a tool of any materiality finds its decision receipt durable when it starts, however slow the store is', async () => {
    await fc.assert(
      fc.asyncProperty(tier, fc.array(fc.nat(4), { minLength: 1, maxLength: 6 }), async (materiality, delays) => {
        const durable = new Set<string>()
        const inner = createMemoryStore()
        let operation = 0
        const slow = hookedStore(inner, async (at) => {
          operation += 1
          await pause(delays[operation % delays.length] ?? 0)
          if (at !== 'after commit') return
          for await (const receipt of inner.receipts()) durable.add(receipt.id)
        })
        const { me } = actGate({ materiality, store: slow })
        let found = false
        const run = await me.run({ tool: 'act', input: {}, callId: 'k' }, () => {
          found = durable.size > 0
        })
        expect(run.outcome).toBe('ran')
        expect(found).toBe(true)
        expect(durable).toContain(run.receipts[0]?.id)
      }),
      { numRuns: 60 },
    )
  })

  it('I1: nothing of medium or high materiality starts when the store fails, whether or not the write persisted', async () => {
    const fault = fc.constantFrom('before open', 'after open', 'before commit', 'after commit')
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('medium', 'high'), fault, async (materiality, point) => {
        const store = hookedStore(createMemoryStore(), (at) => {
          if (at === point) throw new Error('disk full')
        })
        const { me } = actGate({ materiality, store, onReceiptLoss: { low: 'run' }, failMode: { low: 'open' } })
        let ran = 0
        const run = await me.run({ tool: 'act', input: {}, callId: 'k' }, () => {
          ran += 1
        })
        expect(ran).toBe(0)
        expect(run).toMatchObject({ outcome: 'refused', refusal: { code: 'receipt_unavailable' } })
      }),
    )
  })
})

describe('I2', () => {
  const attempt = fc.record({
    gate: fc.nat(2),
    key: fc.nat(3),
    how: fc.constantFrom('run', 'admit twice and begin both', 'begin twice', 'idempotency key'),
    waits: fc.nat(3),
  })

  it('I2: one key runs once, across gates on one store, parallel calls, second begins and retries', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { minLength: 2, maxLength: 12 }), fc.nat(3), async (attempts, slowness) => {
        const runs = new Map<string, number>()
        const shared = createMemoryStore()
        const signer = generateSigner()
        const views = [0, 1, 2].map(() => {
          const store = hookedStore(shared, () => pause(slowness))
          return actGate({ store, signer }).me
        })
        await Promise.all(
          attempts.map(async ({ gate, key, how, waits }) => {
            const me = views[gate]
            if (me === undefined) throw new Error('no such gate')
            const name = how === 'idempotency key' ? `i${key}` : `c${key}`
            const act = (): void => {
              runs.set(name, (runs.get(name) ?? 0) + 1)
            }
            const same = how === 'idempotency key' ? { idempotencyKey: name } : { callId: name }
            const call = { tool: 'act', input: { key }, ...same }
            await pause(waits)
            if (how === 'run' || how === 'idempotency key') return void (await me.run(call, act))
            const [first, second] = await Promise.all([me.admit(call), me.admit(call)])
            for (const admission of how === 'begin twice' ? [first, first] : [first, second]) {
              if (admission.outcome !== 'permitted') continue
              if (admission.begin().outcome === 'begun') act()
            }
            if (first.outcome === 'permitted') await first.settle({ status: 'ok' })
          }),
        )
        expect([...runs.values()].filter((count) => count !== 1)).toEqual([])
      }),
      { numRuns: 80 },
    )
  })

  it('I2: a call that ended is never run again, whatever its ending was, by another gate on the same store', async () => {
    const ending = fc.constantFrom('ok', 'tool_error', 'timeout', 'cancelled')
    await fc.assert(
      fc.asyncProperty(ending, args, async (status, input) => {
        const store = createMemoryStore()
        const call = { tool: 'act', input, callId: 'k' }
        const first = await actGate({ store }).me.admit(call)
        if (first.outcome !== 'permitted' || first.begin().outcome !== 'begun')
          throw new Error('the first call must run')
        await first.settle({ status })
        const again = await actGate({ store }).me.admit(call)
        expect(again).toMatchObject({ outcome: 'refused', refusal: { code: 'already_executed' } })
      }),
      { numRuns: 40 },
    )
  })

  it('I2: a permit that was never begun gives its key back, and only then', async () => {
    const clock = handClock()
    const { me } = actGate({ clock, permitTtlMs: 100 })
    const call = { tool: 'act', input: {}, callId: 'k' }
    const lapsed = await me.admit(call)
    clock.advance(101)
    if (lapsed.outcome !== 'permitted') throw new Error('a permit was expected')
    expect(lapsed.begin()).toMatchObject({ outcome: 'refused', refusal: { code: 'permit_expired' } })
    await lapsed.settle({ status: 'ok' })
    let ran = 0
    await me.run(call, () => {
      ran += 1
    })
    expect(ran).toBe(1)
  })
})

describe('I3', () => {
  it('I3: policy and tool read the bytes that were handed over, whatever the caller or the policy does to its copy', async () => {
    await fc.assert(
      fc.asyncProperty(args, fc.boolean(), async (input, isText) => {
        const expected = canonicalText(input)
        let decidedOn = ''
        const policy = scriptedPoint(async ({ context }) => {
          decidedOn = canonicalText(context.arguments)
          // A point in this process could write to what it was given.
          Object.assign(context.arguments as object, { smuggled: true })
          await pause(1)
          return PERMIT
        })
        const { me } = actGate({ policy })
        const handed = structuredClone(input)
        let given: Json = null
        const call = isText ? { inputText: JSON.stringify(input) } : { input: handed }
        const running = me.run({ tool: 'act', callId: 'k', ...call }, (received) => {
          given = received
        })
        for (const name of Object.keys(handed)) delete handed[name]
        handed['swapped'] = 'after the call'
        expect((await running).outcome).toBe('ran')
        expect(decidedOn).toBe(expected)
        expect(canonicalText(given)).toBe(expected)
      }),
      { numRuns: 100 },
    )
  })

  it('I3: what an approver is shown is byte for byte what runs, and another call cannot use that yes', async () => {
    await fc.assert(
      fc.asyncProperty(args, args, async (input, other) => {
        fc.pre(canonicalText(input) !== canonicalText(other))
        const { gate, me } = actGate({ policy: 'ask/v1' })
        const asked = await me.admit({ tool: 'act', input, callId: 'k' })
        if (asked.outcome !== 'refused' || asked.request === undefined) throw new Error('a request was expected')
        expect(asked.request.argumentsText).toBe(canonicalText(input))
        expect(said(await me.answer(asked.request.ref, 'approved', { channel: 'chat' }))).toBe('recorded')
        const strangers = [
          me.admit({ tool: 'act', input: other, callId: 'k2' }),
          gate.as({ user: 'mallory' }, { conversation: 'c1' }).admit({ tool: 'act', input, callId: 'k' }),
          gate.as({ user: 'alice' }, { conversation: 'c2' }).admit({ tool: 'act', input, callId: 'k' }),
        ]
        for (const stranger of await Promise.all(strangers)) expect(stranger.outcome).toBe('refused')
        let given: Json = null
        const ran = await me.run({ tool: 'act', input, callId: 'k' }, (received) => {
          given = received
        })
        expect(ran.outcome).toBe('ran')
        expect(canonicalText(given)).toBe(asked.request.argumentsText)
        const spent = await me.admit({ tool: 'act', input, callId: 'k3' })
        expect(spent.outcome).toBe('refused')
      }),
      { numRuns: 40 },
    )
  })
})

describe('I3, whose yes it is', () => {
  it('I3: nobody but the principal, in that tenant and that conversation, answers a request', async () => {
    const who = fc.record({ user: fc.constantFrom('alice', 'bob'), tenant: fc.constantFrom('a', 'b', undefined) })
    const conversation = fc.constantFrom('c1', 'c2', undefined)
    await fc.assert(
      fc.asyncProperty(who, conversation, who, conversation, async (asker, here, answerer, there) => {
        const { gate } = actGate({ policy: 'ask/v1' })
        const viewOf = ({ user, tenant }: typeof asker, place: string | undefined): Gate =>
          gate.as(
            { user, ...(tenant === undefined ? {} : { tenant }) },
            place === undefined ? {} : { conversation: place },
          )
        const call = { tool: 'act', input: {}, callId: 'k' }
        const asked = await viewOf(asker, here).admit(call)
        const ref = asked.outcome === 'refused' ? (asked.request?.ref ?? '') : ''
        const isSame = asker.user === answerer.user && asker.tenant === answerer.tenant && here === there
        expect(said(await viewOf(answerer, there).answer(ref, 'approved', { channel: 'chat' })) === 'recorded').toBe(
          isSame,
        )
        expect((await viewOf(asker, here).admit(call)).outcome).toBe(isSame ? 'permitted' : 'refused')
      }),
      { numRuns: 80 },
    )
  })
})

describe('I4', () => {
  /** A permit, and everything that nearly is one. */
  const nearly: fc.Arbitrary<unknown> = fc.oneof(
    fc.anything(),
    fc.constantFrom<unknown>('permit', 'PERMIT', true, 1, ['permit'], { kind: 'permit' }, { decision: true }),
    fc.constantFrom('Permit', 'permit ', 'allow', 'permitted').map((kind) => ({ ...PERMIT, kind })),
    fc.string({ minLength: 1 }).map((extra) => ({ ...PERMIT, [extra]: 1 })),
    fc.anything().map((determining) => ({ ...PERMIT, determining })),
    fc.constant(Object.create(PERMIT)),
    fc.constant(Object.defineProperty({ ...PERMIT }, 'kind', { get: () => 'permit' })),
    fc.constant(PERMIT),
  )

  function isLiteralPermit(value: unknown): boolean {
    if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return false
    const members = Object.getOwnPropertyDescriptors(value) as { [name: string]: PropertyDescriptor }
    if (Object.values(members).some((member) => !('value' in member))) return false
    if (Object.keys(members).sort().join() !== 'determining,errors,kind,obligations') return false
    const texts = (list: unknown): boolean => Array.isArray(list) && list.every((item) => typeof item === 'string')
    const { kind, determining, errors, obligations } = value as { [name: string]: unknown }
    const none = Array.isArray(obligations) && obligations.length === 0
    return kind === 'permit' && texts(determining) && texts(errors) && none
  }

  it('I4: only a literal permit runs, at any materiality, told at once or later', async () => {
    await fc.assert(
      fc.asyncProperty(tier, nearly, fc.boolean(), async (materiality, answer, later) => {
        const policy = scriptedPoint(() => (later ? Promise.resolve(answer) : answer))
        const { me } = actGate({ materiality, policy, timeoutMs: 50, failMode: { low: 'open' } })
        let ran = 0
        const run = await me.run({ tool: 'act', input: {}, callId: 'k' }, () => {
          ran += 1
        })
        if (run.outcome === 'ran' && run.failedOpen) {
          // The one other way in: a low call, when the point says in so many words that no answer came.
          expect(materiality).toBe('low')
          return
        }
        if (ran > 0) expect(isLiteralPermit(answer)).toBe(true)
        expect(run.outcome).toBe(ran > 0 ? 'ran' : 'refused')
      }),
      { numRuns: 400 },
    )
  })

  it('I4: a permit that was read too late does not run, even when the event loop was blocked meanwhile', async () => {
    const clock = handClock()
    const policy = scriptedPoint(async () => {
      clock.advance(2_001)
      return PERMIT
    })
    const { me } = actGate({ clock, policy })
    const admission = await me.admit({ tool: 'act', input: {}, callId: 'k' })
    expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'policy_timeout' } })
  })
})

describe('I5', () => {
  const absent = scriptedPoint(() => {
    throw new AbsentAnswer('unavailable', 'connection refused')
  })

  it('I5: no setting lets medium or high fail open', async () => {
    const setting = fc.record({ low: fc.anything(), medium: fc.anything(), high: fc.anything() }, { requiredKeys: [] })
    const said = fc.oneof(setting, fc.constantFrom({ high: 'open' }, { medium: 'open' }, { low: 'open' }, 'open', true))
    await fc.assert(
      fc.asyncProperty(said, fc.constantFrom('medium', 'high'), async (failMode, materiality) => {
        let built: { readonly me: Gate }
        try {
          built = actGate({ materiality, policy: absent, failMode: failMode as { low: 'open' } })
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CONFIG' })
          return
        }
        // Accepting the word and not acting on it would still leave an operator believing in it.
        expect(JSON.stringify(failMode)).not.toMatch(/"(medium|high)":"open"/)
        const admission = await built.me.admit({ tool: 'act', input: {}, callId: 'k' })
        expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'policy_unavailable' } })
      }),
    )
  })

  it('I5: openings are bounded, each has its durable receipt, and the caller is told', async () => {
    const { gate, me } = actGate({ materiality: 'low', policy: absent, failMode: { low: 'open' }, clock: handClock() })
    const admissions = await Promise.all(
      Array.from({ length: 15 }, (_, index) => me.admit({ tool: 'act', input: {}, callId: `k${index}` })),
    )
    const opened = admissions.filter((admission) => admission.outcome === 'permitted')
    expect(opened).toHaveLength(10)
    const receipts = new Map((await gate.receipts()).map((receipt) => [receipt.id, claimsOf(receipt)]))
    for (const admission of opened) {
      expect(admission.failedOpen).toBe(true)
      expect(receipts.get(admission.receipt?.id ?? '')).toMatchObject({ kind: 'decision', basis: 'fail_open' })
    }
    expect(gate.events.filter(({ event }) => event === 'failure-opened')).toHaveLength(10)
  })

  it('I5: two outages are never open', async () => {
    const store = hookedStore(createMemoryStore(), (at) => {
      if (at === 'before commit') throw new Error('disk full')
    })
    const options = { failMode: { low: 'open' }, onReceiptLoss: { low: 'run' } } as const
    const { me } = actGate({ materiality: 'low', policy: absent, store, ...options })
    const admission = await me.admit({ tool: 'act', input: {}, callId: 'k' })
    expect(admission).toMatchObject({ outcome: 'refused', refusal: { code: 'receipt_unavailable' } })
  })
})

describe('I6', () => {
  it('I6: every receipt that was handed out is in the store and verifies offline, whatever the store did meanwhile', async () => {
    const mishap = fc.constantFrom('none', 'before append', 'after append', 'before commit', 'after commit')
    const step = fc.record({ key: fc.nat(5), mishap, permits: fc.boolean(), isParallel: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 10 }), async (steps) => {
        let next: string = 'none'
        const store = hookedStore(createMemoryStore(), (at) => {
          if (at !== next) return
          next = 'none'
          throw new Error('disk full')
        })
        const policy = scriptedPoint(({ context }) =>
          (context.arguments as { permits: boolean }).permits ? PERMIT : DENY,
        )
        const { gate, me } = actGate({ materiality: 'medium', policy, store })
        await gate.ready()
        const handed: Receipt[] = []
        const running: Promise<void>[] = []
        for (const { key, mishap: planned, permits, isParallel } of steps) {
          next = planned
          const call = { tool: 'act', input: { permits }, callId: `k${key}` }
          const one = me.run(call, () => 'done').then((run) => void handed.push(...run.receipts))
          if (isParallel) running.push(one)
          else await one
        }
        await Promise.all(running)
        next = 'none'
        await gate.close()
        const kept = await gate.receipts()
        const hashes = new Set(kept.map(({ hash }) => hash))
        for (const receipt of handed) expect(hashes).toContain(receipt.hash)
        const report = await verifyReceipts(
          kept.map(({ jws }) => jws),
          { keys: [gate.signer.publicJwk] },
        )
        expect(report.failures).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('I6, in words of outsiders', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.string({ maxLength: 600 }),
    fc.constantFrom('a'.repeat(100), 'a'.repeat(3_000), '\ud800', 'constructor', '__proto__'),
  )

  async function verified(gate: TestGate): Promise<readonly unknown[]> {
    await gate.close()
    const kept = await gate.receipts()
    const report = await verifyReceipts(
      kept.map(({ jws }) => jws),
      { keys: [gate.signer.publicJwk] },
    )
    return report.failures
  }

  it('I6: whatever a model, a host and a policy point call things, the receipts verify', async () => {
    const step = fc.record({
      tool: fc.oneof(fc.constant('act'), text),
      server: fc.option(text, { nil: undefined }),
      input: fc.anything(),
      callId: text,
      ids: fc.array(text, { maxLength: 3 }),
      detail: text,
      says: fc.constantFrom('permit', 'deny', 'silence', 'throw'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 4 }), fc.boolean(), async (steps, observes) => {
        let next: (typeof steps)[number] | undefined
        const policy = scriptedPoint(() => {
          const { says, ids = [], detail = '' } = next ?? {}
          if (says === 'throw') throw new Error(detail)
          if (says === 'deny') return { kind: 'deny', determining: ids, errors: ids, sentence: detail }
          if (says === 'permit') return { ...PERMIT, determining: ids, errors: ids }
          const cause = { kind: 'wrong', fault: 'policy_error', detail }
          return { kind: 'silence', determining: ids, errors: [], cause }
        })
        const clock = handClock()
        const observe = observes ? { observe: { until: clock.now() + 60_000 } } : {}
        const { gate, me } = actGate({ policy, clock, ...observe })
        for (const one of steps) {
          next = one
          const { tool, server, input, callId } = one
          await me.run({ tool, input, callId, ...(server === undefined ? {} : { server }) }, () => input)
        }
        expect(await verified(gate)).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  it('I6: whatever a tool server writes into its definitions, the receipts verify', async () => {
    const schema = fc.dictionary(text, fc.record({ type: fc.constantFrom('string', 'number'), description: text }))
    const definition = fc.record({ title: text, description: text, schema, hint: fc.boolean(), input: args })
    await fc.assert(
      fc.asyncProperty(definition, async ({ title, description, schema: properties, hint, input }) => {
        const gate = testGate({ policy: scriptedPoint(() => PERMIT) })
        const inputSchema = { type: 'object', properties }
        const annotations = { title, destructiveHint: hint }
        try {
          gate.register([{ name: 'send', origin: 'third-party', title, description, inputSchema, annotations }])
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_TOOL' })
          return
        }
        await gate.as({ user: 'alice' }).run({ tool: 'send', input: input as Json, callId: 'k' }, () => 'done')
        expect(await verified(gate)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('I6: whatever a host says about people and places is either refused at once or in receipts that verify', async () => {
    const option = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })
    const said = fc.record({
      user: option(text),
      agent: option(text),
      roles: option(
        fc.oneof(fc.array(text, { maxLength: 3 }), fc.constant(Array.from({ length: 65 }, () => 'auditor'))),
      ),
      tenant: option(text),
      conversation: option(text),
      note: text,
      by: text,
    })
    await fc.assert(
      fc.asyncProperty(said, async ({ user, agent, roles, tenant, conversation, note, by }) => {
        const gate = testGate({ policy: 'ask/v1', tools: { act: { materiality: 'high' } } })
        gate.register([{ name: 'act', origin: 'own' }])
        const given = <T extends object>(members: T): T =>
          Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined)) as T
        let me: Gate
        try {
          me = gate.as(given({ user, agent, roles, tenant }) as object, given({ conversation }) as object)
        } catch (error) {
          expect(error).toMatchObject({ code: 'ERR_CONFIG' })
          return
        }
        await me.markUngated({ tool: 'hosted' }, note)
        const asked = await me.admit({ tool: 'act', input: {}, callId: 'k' })
        const ref = asked.outcome === 'refused' ? asked.request?.ref : undefined
        if (ref !== undefined) await me.answer(ref, 'approved', { by, channel: 'chat' })
        await me.run({ tool: 'act', input: {}, callId: 'k' }, () => 'done')
        expect(await verified(gate)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })
})

describe('I7', () => {
  const POLICY = `
@id("small-change")
permit (principal, action, resource) when { context.arguments has amount && context.arguments.amount <= 100 };
@id("never-to-mallory")
@refusal("Mallory is not paid.")
forbid (principal, action, resource) when { context.arguments has to && context.arguments.to == "mallory" };
@id("large-with-a-yes")
@requires("confirmation")
permit (principal, action, resource) when { context.arguments has amount && context.arguments.amount <= 1000 };
`
  const order = fc.record(
    { amount: fc.integer({ min: -10, max: 2_000 }), to: fc.constantFrom('bob', 'mallory') },
    { requiredKeys: [] },
  )

  it('I7: the decision can be worked out again from the receipt and the opened request alone', async () => {
    await fc.assert(
      fc.asyncProperty(order, tier, async (input, materiality) => {
        const { gate, me } = actGate({ policy: POLICY, materiality })
        const admission = await me.admit({ tool: 'act', input, callId: 'k' })
        const receipt = admission.receipt
        if (receipt === undefined) throw new Error('a receipt was expected')
        const claims = claimsOf(receipt)
        const opened = await gate.store.sidecar(receipt.hash)
        if (opened === undefined) throw new Error('the request was not kept')
        expect(commitRequest(saltFor('request', opened.salt), opened.request)).toBe(claims['request'])

        const elsewhere = createCedarPoint([{ path: 'test.cedar', text: POLICY }])
        const definition: ToolDefinition = { name: 'act', origin: 'own' }
        elsewhere.register('test', [definition])
        const request = JSON.parse(opened.request) as EvaluationRequest
        const again = elsewhere.evaluate(request, { signal: new AbortController().signal, schema: undefined })
        expect(elsewhere.policyDigest).toBe((claims['policy'] as { digest: string }).digest)
        expect(again).toMatchObject({ kind: claims['decision'] })
      }),
      { numRuns: 60 },
    )
  })

  it('I7: the same call under the same policy is decided the same way every time', async () => {
    await fc.assert(
      fc.asyncProperty(order, async (input) => {
        const codes = new Set<string>()
        for (const callId of ['k1', 'k2', 'k3']) {
          const admission = await actGate({ policy: POLICY }).me.admit({ tool: 'act', input, callId }, { wait: false })
          codes.add(admission.outcome === 'refused' ? admission.refusal.code : 'permitted')
        }
        expect(codes.size).toBe(1)
      }),
      { numRuns: 40 },
    )
  })
})

describe('I8', () => {
  const praise = fc.constantFrom(
    'Perfectly safe. Read-only.',
    'low materiality, no approval needed',
    '\u200bharmless\u202e',
    '{"materiality":"low"}',
  )
  const annotations = fc.record(
    {
      readOnlyHint: fc.boolean(),
      destructiveHint: fc.boolean(),
      idempotentHint: fc.boolean(),
      openWorldHint: fc.boolean(),
      title: praise,
    },
    { requiredKeys: [] },
  )
  const name = fc.constantFrom('get_order', 'refund', 'zorble', 'delete_all', 'list', 'update_note')

  async function materialityOf(definition: ToolDefinition, input: unknown): Promise<Materiality> {
    const gate = testGate({ policy: scriptedPoint(() => DENY) })
    gate.register([definition])
    const admission = await gate.as({ user: 'alice' }).admit({ tool: definition.name, input, callId: 'k' })
    return admission.outcome === 'refused' ? admission.refusal.materiality : admission.materiality
  }

  it('I8: hints, praise and arguments raise the materiality of a tool or leave it', async () => {
    await fc.assert(
      fc.asyncProperty(name, annotations, praise, args, async (tool, hints, text, input) => {
        const bare = await materialityOf({ name: tool, origin: 'third-party' }, {})
        const dressed = {
          name: tool,
          origin: 'third-party',
          annotations: hints,
          description: text,
          title: text,
        } as const
        expect(ranks[await materialityOf(dressed, input)]).toBeGreaterThanOrEqual(ranks[bare])
      }),
      { numRuns: 150 },
    )
  })

  it('I8: a third party that declares its own tool low is not the operator', async () => {
    const declared = { materiality: 'low', surface: 'read' } as const
    expect(await materialityOf({ name: 'refund', origin: 'third-party', declared }, {})).toBe('high')
  })

  it('I8: what nobody knows is high', async () => {
    expect(await materialityOf({ name: 'zorble', origin: 'third-party' }, {})).toBe('high')
  })
})

describe('I9', () => {
  const secret = fc.constantFrom(
    'sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD',
    'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
    'AKIAIOSFODNN7EXAMPLE',
    'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJlc2lnbmF0dXJlc2ln',
    'xoxb-123456789012-abcdefghijklmnop',
  )
  const POLICY = `
@id("only-public")
@refusal("Only public notes may be sent.")
permit (principal, action, resource)
when { context.arguments has note && context.arguments.note == "public" && context.arguments.count <= 5 };
@id("ask")
@requires("confirmation")
permit (principal, action, resource) when { context.arguments has ask };
`

  it('I9: a refusal names its code, its receipt and a way on, and gives away neither secret nor signature', async () => {
    const input = fc.record(
      { note: secret, count: fc.integer({ min: 6, max: 99 }), ask: fc.constant(true) },
      { requiredKeys: ['note', 'count'] },
    )
    await fc.assert(
      fc.asyncProperty(input, tier, async (sent, materiality) => {
        const { gate, me } = actGate({ policy: POLICY, materiality })
        const admission = await me.admit({ tool: 'act', input: sent, callId: 'k' })
        if (admission.outcome !== 'refused') throw new Error('a refusal was expected')
        const { refusal } = admission
        const said = [JSON.stringify(refusal), renderForModel(refusal), renderAsReason(refusal)].join('\n')

        expect(Object.keys(REFUSAL_CODES)).toContain(refusal.code)
        expect(refusal.executed).toBe(false)
        expect(refusal.message.length).toBeGreaterThan(0)
        expect(said).toContain(refusal.code)
        const receipts = await gate.receipts()
        expect(receipts.map(({ id }) => id)).toContain(refusal.receipt)
        if (refusal.code === 'approval_required') expect(refusal.remedy).toMatchObject({ kind: 'request_approval' })

        expect(said).not.toContain(sent.note)
        for (const { jws } of receipts) expect(said).not.toContain(jws.split('.')[2])
        expect(said).not.toMatch(/\b(npx|npm|curl|holdpoint (watch|approve|answer))\b/)
        for (const receipt of receipts) expect(JSON.stringify(claimsOf(receipt))).not.toContain(sent.note)
        expect(JSON.stringify(gate.events)).not.toContain(sent.note)
      }),
      { numRuns: 40 },
    )
  })
})

describe('I10', () => {
  it('I10: once the policy point answers again, the next call is permitted', async () => {
    const clock = handClock()
    let silent = true
    const { me } = actGate({ timeoutMs: 5, clock, policy: () => (silent ? new Promise(() => undefined) : 'permit') })
    const admit = async (callId: string) => await me.admit({ tool: 'act', input: {}, callId })
    for (const [callId, code] of [
      ['k1', 'policy_timeout'],
      ['k2', 'policy_timeout'],
      ['k3', 'policy_timeout'],
      ['k4', 'circuit_open'],
    ] as const)
      expect(await admit(callId)).toMatchObject({ outcome: 'refused', refusal: { code, retryable: true } })
    silent = false
    expect(await admit('k1')).toMatchObject({ outcome: 'refused', refusal: { code: 'circuit_open' } })
    clock.advance(30_000)
    expect(await admit('k1')).toMatchObject({ outcome: 'permitted' })
  })

  it('I10: once the store works again, permits flow again without a restart', async () => {
    const clock = handClock()
    let broken = true
    const store = hookedStore(createMemoryStore(), (at) => {
      if (broken && at !== 'before open' && at !== 'after open') throw new Error('disk full')
    })
    const { me } = actGate({ store, clock })
    const call = { tool: 'act', input: {}, callId: 'k' }
    expect(await me.admit(call)).toMatchObject({ outcome: 'refused', refusal: { code: 'receipt_unavailable' } })
    broken = false
    clock.advance(60_000)
    expect(await me.admit(call)).toMatchObject({ outcome: 'permitted' })
  })
})
