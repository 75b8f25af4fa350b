import { afterAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { z as zod } from 'zod'
import type { Gate, PolicyDecisionPoint, Receipt } from '../../src/index.ts'
import { type TestGate, type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Behaviour } from './behaviours.ts'
import { ASK, DENY, PERMIT, scriptedPoint } from './scripted-point.ts'

/**
 * Seventeen behaviours that every adapter owes its users, on the host's real package. A host driver turns a scripted model
 * and plain tools into one run of its host; the suite knows no host.
 */

/** One tool call that the scripted model makes. */
export interface ScriptedCall {
  readonly tool: string
  readonly input: unknown
  readonly id: string
  /** The provider runs it and gives this result. */
  readonly providerResult?: unknown
}

/** A tool as a test writes it; the driver makes a host tool of it. */
export interface ScriptedTool {
  readonly input: z.ZodType
  readonly output?: z.ZodType
  readonly run?: (input: never, context: { readonly signal: AbortSignal | undefined }) => unknown
  /** Yields previews; the last one is the result. */
  readonly stream?: (input: never) => AsyncGenerator<unknown>
  /** Runs elsewhere: it has no code here. */
  readonly elsewhere?: 'provider' | 'client'
  /** The tool's own words to the model. */
  readonly toModel?: (output: never) => string
}

/** One conversation turn: the model makes `steps` one after another, then says `done`. */
export interface Turn {
  readonly gate: Gate
  readonly tools: Readonly<Record<string, ScriptedTool>>
  readonly steps: readonly (readonly ScriptedCall[])[]
  readonly signal?: AbortSignal
  readonly ungated?: readonly string[]
  /** Without the gate: what the host does by itself. */
  readonly bare?: boolean
}

/** What the model was told of one call. */
export interface ModelSaw {
  readonly callId: string
  /** The host's shape of it, as JSON text. */
  readonly text: string
}

/** How a turn went. */
export interface TurnResult {
  readonly saw: readonly ModelSaw[]
  /** Everything that the model was sent, as JSON text. */
  readonly prompts: string
  readonly said: string
  /** Previews and results that the person's screen got, in order, by call id. */
  readonly shown: readonly { readonly callId: string; readonly value: unknown; readonly preview: boolean }[]
  /** Present when the host waits for the person. */
  readonly paused?: { readonly callIds: readonly string[]; resume(answer: Answer): Promise<TurnResult> }
  /** The message as an app would store it, where the host has such a thing. */
  readonly stored?: StoredMessages
}

/** What the person answers; `edit` is a client that changes the arguments on the way. */
export interface Answer {
  readonly approved: boolean
  readonly edit?: (input: unknown) => unknown
}

/** An app's stored messages. */
export interface StoredMessages {
  /** The host's own validation. Throws what the host throws. */
  validate(): Promise<void>
  /** What the model would be sent on the next turn, as JSON text. */
  nextPrompt(): Promise<string>
  /** How this call looks to the person. */
  stateOf(callId: string): string | undefined
  /** The receipts that travel beside it; absent where the host's messages have no place for them. */
  readonly receipts?: readonly string[]
}

/** One host, in one of its ways of running. */
export interface HostDriver {
  readonly name: string
  /** Does the person's screen get previews in this way of running? */
  readonly showsPreviews: boolean
  play(turn: Turn): Promise<TurnResult>
  /** Runs a tool through another one that the host lets call tools (code mode); absent where a host has none. */
  nested?(turn: Turn & { readonly inner: ScriptedCall }): Promise<TurnResult>
  /** Guards a tool with everything odd about it, and says what got lost. */
  identityLost(gate: Gate): Promise<readonly string[]>
  /** What this host cannot do, by the number of the behaviour, and why. */
  readonly lacks?: Readonly<Partial<Record<Behaviour, string>>>
  /** Ends what it started, such as a server of its own. */
  close?(): Promise<void>
}

const path = zod.object({ path: zod.string(), force: zod.boolean().default(false) })
const amount = zod.object({ amount: zod.number() })

/** Registers the seventeen behaviours for one driver. */
export function conformsAsAdapter(driver: HostDriver): void {
  const behaviour = (number: Behaviour, sentence: string, body: () => Promise<void>) => {
    const missing = driver.lacks?.[number]
    if (missing === undefined) return it(`${number} ${sentence}`, body)
    console.log(`skipped: ${driver.name}, behaviour ${number}: ${missing}`)
    return it.skip(`${number} ${sentence} (${missing})`, body)
  }

  describe(`${driver.name} as a gated host`, () => {
    afterAll(async () => await driver.close?.())

    behaviour(1, 'runs a permitted call once, with parsed arguments, and leaves both receipts', async () => {
      const { gate, me } = gateOf({})
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { read: noting(path, ran, 'contents') },
        steps: [[call('read', { path: '/x' })]],
      })
      expect(ran).toEqual([{ path: '/x', force: false }])
      expect(sawOf(result, 'c1')).toContain('contents')
      expect(result.said).toBe('done')
      expect(await kinds(gate)).toEqual(['open', 'decision', 'outcome'])
      expect(standings(gate)).toContainEqual(['read', 'gated'])
      expect(standings(gate).map(([, standing]) => standing)).not.toContain('unknown')
    })

    behaviour(2, 'does not run a denied call, tells the model the code, and goes on', async () => {
      const { gate, me } = gateOf({ policy: denying('erase', 'Nothing is erased on Fridays.') })
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { erase: noting(path, ran, 'gone'), read: noting(path, ran, 'contents') },
        steps: [[call('erase', { path: '/x' })], [call('read', { path: '/y' }, 'c2')]],
      })
      expect(ran).toEqual([{ path: '/y', force: false }])
      expect(sawOf(result, 'c1')).toContain('denied_by_policy')
      expect(sawOf(result, 'c1')).toContain('Nothing is erased on Fridays.')
      expect(result.said).toBe('done')
      expect(gate.calls.map((seen) => seen.code)).toEqual(['denied_by_policy', undefined])
    })

    behaviour(3, 'refuses when the policy throws, and the run survives it', async () => {
      const { me } = gateOf({
        policy: scriptedPoint(() => {
          throw new Error('no such table')
        }),
      })
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { read: noting(path, ran, 'x') },
        steps: [[call('read', { path: '/x' })]],
      })
      expect(ran).toEqual([])
      expect(sawOf(result, 'c1')).toContain('policy_error')
      expect(sawOf(result, 'c1')).not.toContain('no such table')
      expect(result.said).toBe('done')
    })

    behaviour(
      4,
      'refuses a high call inside the deadline when the policy hangs; a low one runs only where the operator said so, and the model is told',
      async () => {
        const ran: unknown[] = []
        const tools = { read: noting(path, ran, 'contents'), pay: noting(amount, ran, 'paid') }
        const tiers = { read: { materiality: 'low' }, pay: { materiality: 'high' } } as const
        const hung = gateOf({ timeoutMs: 60, failMode: { low: 'open' }, tools: tiers })
        hung.gate.outage()
        const result = await driver.play({ gate: hung.me, tools, steps: [[call('pay', { amount: 5 })]] })
        expect(ran).toEqual([])
        expect(sawOf(result, 'c1')).toContain('policy_timeout')

        // A busy machine may not know whether a hung policy was silent: what opens is a service that says it is away.
        const open = gateOf({ failMode: { low: 'open' }, tools: tiers })
        open.gate.outage('refused')
        const opened = await driver.play({ gate: open.me, tools, steps: [[call('read', { path: '/x' }, 'c2')]] })
        expect(ran).toEqual([{ path: '/x', force: false }])
        expect(sawOf(opened, 'c2')).toContain('contents')
        expect(sawOf(opened, 'c2')).toContain('no policy answered')

        const closed = gateOf({ timeoutMs: 60, tools: { read: { materiality: 'low' } } })
        closed.gate.outage()
        const again = await driver.play({ gate: closed.me, tools, steps: [[call('read', { path: '/x' }, 'c3')]] })
        expect(ran).toHaveLength(1)
        expect(sawOf(again, 'c3')).toContain('policy_timeout')
      },
    )

    behaviour(5, 'runs nothing when the caller leaves while the policy thinks', async () => {
      const leaving = new AbortController()
      const { gate, me } = gateOf({
        timeoutMs: 1_000,
        policy: scriptedPoint(async () => {
          leaving.abort(new Error('the person left'))
          await new Promise((resolve) => setTimeout(resolve, 30))
          return PERMIT
        }),
      })
      const ran: unknown[] = []
      await driver
        .play({
          gate: me,
          tools: { read: noting(path, ran, 'x') },
          steps: [[call('read', { path: '/x' })]],
          signal: leaving.signal,
        })
        .catch(() => undefined)
      await new Promise((resolve) => setTimeout(resolve, 80))
      expect(ran).toEqual([])
      expect(gate.events.filter((event) => event.event === 'call-settled' && event.status !== 'not_executed')).toEqual(
        [],
      )
    })

    behaviour(6, 'decides the calls of one step side by side', async () => {
      // Each answer waits until all three are asked: one after another, all would time out.
      let asked = 0
      let release: () => void = () => undefined
      const all = new Promise<void>((resolve) => {
        release = resolve
      })
      const { me } = gateOf({
        timeoutMs: 3_000,
        policy: scriptedPoint(async () => {
          asked += 1
          if (asked === 3) release()
          await all
          return PERMIT
        }),
      })
      const ran: unknown[] = []
      const step = ['c1', 'c2', 'c3'].map((id) => call('read', { path: `/${id}` }, id))
      const result = await driver.play({ gate: me, tools: { read: noting(path, ran, 'contents') }, steps: [step] })
      expect(ran).toHaveLength(3)
      expect(result.saw.map((saw) => saw.callId).sort()).toEqual(['c1', 'c2', 'c3'])
    })

    behaviour(7, 'runs a call once, however often the model repeats its id in a step', async () => {
      const { me } = gateOf({})
      const ran: unknown[] = []
      await driver.play({
        gate: me,
        tools: { pay: noting(amount, ran, 'paid') },
        steps: [[call('pay', { amount: 5 }), call('pay', { amount: 5 })]],
      })
      expect(ran).toEqual([{ amount: 5 }])
    })

    behaviour(8, 'runs an approved call once: not on a replay, and not with other arguments', async () => {
      const { me, gate } = gateOf({ policy: asking('pay') }, { channel: 'chat' })
      const ran: unknown[] = []
      const turn: Turn = {
        gate: me,
        tools: { pay: noting(amount, ran, 'paid') },
        steps: [[call('pay', { amount: 5 })]],
      }
      const paused = await pausedTurn(driver, turn)
      expect(ran).toEqual([])
      const resumed = await paused.resume({ approved: true })
      expect(ran).toEqual([{ amount: 5 }])
      expect(sawOf(resumed, 'c1')).toContain('paid')

      const replayed = await paused.resume({ approved: true })
      const again = await paused.resume({ approved: true })
      expect(ran).toEqual([{ amount: 5 }])
      for (const result of [replayed, again]) expect(sawOf(result, 'c1')).not.toContain('paid')

      const other = await pausedTurn(driver, { ...turn, steps: [[call('pay', { amount: 7 }, 'c9')]] })
      const edited = await other.resume({ approved: true, edit: () => ({ amount: 7_000 }) })
      expect(ran).toEqual([{ amount: 5 }])
      expect(sawOf(edited, 'c9')).not.toContain('paid')
      expect(gate.calls.filter((seen) => seen.outcome === 'permitted')).toHaveLength(1)
    })

    behaviour(9, 'lets a policy that turned to deny win over a yes', async () => {
      let denies = false
      const { me } = gateOf(
        { policy: scriptedPoint((request) => (denies ? DENY : request.context.approval.confirmed ? PERMIT : ASK)) },
        { channel: 'chat' },
      )
      const ran: unknown[] = []
      const paused = await pausedTurn(driver, {
        gate: me,
        tools: { pay: noting(amount, ran, 'paid') },
        steps: [[call('pay', { amount: 5 })]],
      })
      denies = true
      const resumed = await paused.resume({ approved: true })
      expect(ran).toEqual([])
      expect(sawOf(resumed, 'c1')).not.toContain('paid')
      expect(resumed.said).toBe('done')
    })

    behaviour(10, 'keeps the previews of a streaming tool, and refuses with one value', async () => {
      const { me } = gateOf({ policy: denying('erase', 'No.') })
      const watch: ScriptedTool = {
        input: path,
        stream: async function* () {
          yield { percent: 50 }
          yield { percent: 100 }
        },
      }
      const result = await driver.play({
        gate: me,
        tools: { watch, erase: watch },
        steps: [[call('watch', { path: '/x' }), call('erase', { path: '/y' }, 'c2')]],
      })
      const previews = result.shown
        .filter((shown) => shown.callId === 'c1' && shown.preview)
        .map((shown) => shown.value)
      expect(previews).toEqual(driver.showsPreviews ? [{ percent: 50 }, { percent: 100 }] : [])
      expect(sawOf(result, 'c1')).toContain('100')
      expect(sawOf(result, 'c2')).toContain('denied_by_policy')
      expect(result.shown.filter((shown) => shown.callId === 'c2' && shown.preview)).toEqual([])
      expect(result.saw.filter((saw) => saw.callId === 'c2')).toHaveLength(1)
    })

    behaviour(11, "never hands a refusal to the tool's own formatter or output schema", async () => {
      const { me } = gateOf({ policy: denying('weather', 'No.') })
      const formatted: unknown[] = []
      const weather: ScriptedTool = {
        input: path,
        output: zod.object({ celsius: zod.number() }),
        run: () => ({ celsius: 20 }),
        toModel: (output: { readonly celsius: number }) => {
          formatted.push(output)
          return `It is ${output.celsius.toFixed(1)} degrees.`
        },
      }
      const result = await driver.play({
        gate: me,
        tools: { weather, sun: weather },
        steps: [[call('weather', { path: '/x' }), call('sun', { path: '/y' }, 'c2')]],
      })
      expect(sawOf(result, 'c1')).toContain('denied_by_policy')
      expect(sawOf(result, 'c2')).toContain('It is 20.0 degrees.')
      await result.stored?.validate()
      await result.stored?.nextPrompt()
      expect(formatted.length).toBeGreaterThan(0)
      expect(new Set(formatted.map((output) => JSON.stringify(output)))).toEqual(new Set(['{"celsius":20}']))
    })

    behaviour(12, "leaves a tool's own error as it would be without the gate", async () => {
      const failing: ScriptedTool = {
        input: path,
        run: () => {
          throw new Error('disk is full')
        },
      }
      const turn = { tools: { write: failing }, steps: [[call('write', { path: '/x' })]] }
      const { gate, me } = gateOf({})
      const bare = await driver.play({ ...turn, gate: me, bare: true })
      const gated = await driver.play({ ...turn, gate: me })
      expect(gated.saw).toEqual(bare.saw)
      expect(gated.said).toBe(bare.said)
      expect(gate.events.filter((event) => event.event === 'call-settled').map((event) => event.status)).toEqual([
        'tool_error',
      ])
    })

    behaviour(13, 'marks what the provider ran as ungated, and denies nothing that has happened', async () => {
      const { gate, me } = gateOf({ policy: denying('search', 'No.') })
      const search: ScriptedTool = { input: path, elsewhere: 'provider' }
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { search, read: noting(path, ran, 'contents') },
        ungated: ['search'],
        steps: [
          [{ ...call('search', { path: '/x' }), providerResult: { found: 3 } }, call('read', { path: '/y' }, 'c2')],
        ],
      })
      expect(gate.calls.map(({ tool, code }) => [tool, code])).toEqual([
        ['test/search', 'ungated_tool'],
        ['test/read', undefined],
      ])
      expect(standings(gate)).toEqual(
        expect.arrayContaining([
          ['read', 'gated'],
          ['search', 'ungated'],
        ]),
      )
      expect(result.prompts).toContain('"found":3')
      expect(result.prompts).not.toContain('denied')
      expect(result.stored?.stateOf('c1') ?? 'output-available').toBe('output-available')
      await expect(driver.play({ gate: me, tools: { search }, steps: [[]] })).rejects.toMatchObject({
        code: 'ERR_UNGATED',
        message: expect.stringContaining('search'),
      })
    })

    behaviour(14, 'gates a call that another tool makes', async () => {
      if (driver.nested === undefined) throw new Error('a driver without nesting says so in `lacks`')
      const { me, gate } = gateOf({ policy: denying('erase', 'Not from code either.') })
      const ran: unknown[] = []
      const result = await driver.nested({
        gate: me,
        tools: { erase: noting(path, ran, 'gone') },
        steps: [],
        inner: call('erase', { path: '/x' }),
      })
      expect(ran).toEqual([])
      expect(result.prompts).toContain('Not from code either.')
      expect(gate.calls.some((seen) => seen.tool === 'test/erase' && seen.code === 'denied_by_policy')).toBe(true)
    })

    behaviour(15, 'keeps everything that makes a tool what it is', async () => {
      expect(await driver.identityLost(gateOf({}).me)).toEqual([])
    })

    behaviour(16, 'never sends a receipt or a signature to the model', async () => {
      const { gate, me } = gateOf({ policy: denying('erase', 'No.') })
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { erase: noting(path, ran, 'gone'), read: noting(path, ran, 'contents') },
        steps: [
          [call('erase', { path: '/x' }), call('read', { path: '/y' }, 'c2')],
          [call('read', { path: '/z' }, 'c3')],
        ],
      })
      const receipts = await gate.receipts()
      expect(receipts.length).toBeGreaterThan(5)
      const all = result.prompts + ((await result.stored?.nextPrompt()) ?? '')
      for (const receipt of receipts) {
        expect(all).not.toContain(receipt.jws)
        expect(all).not.toContain(signatureOf(receipt))
      }
    })

    behaviour(17, 'leaves messages that an app can store, validate and send again, receipts beside them', async () => {
      const { gate, me } = gateOf({ policy: denying('erase', 'No.') })
      const ran: unknown[] = []
      const result = await driver.play({
        gate: me,
        tools: { erase: { ...noting(path, ran, 'gone'), output: zod.string() }, read: noting(path, ran, 'contents') },
        steps: [[call('erase', { path: '/x' }), call('read', { path: '/y' }, 'c2')]],
      })
      const { stored } = result
      if (stored === undefined) throw new Error('a driver without stored messages says so in `lacks`')
      await stored.validate()
      expect(stored.stateOf('c1')).toMatch(/^output-(denied|error)$/)
      expect(stored.stateOf('c2')).toBe('output-available')
      expect(await stored.nextPrompt()).toContain('denied_by_policy')
      if (stored.receipts === undefined) return
      const written = (await gate.receipts()).filter((receipt) => receipt.kind !== 'open').map((receipt) => receipt.id)
      expect([...stored.receipts].sort()).toEqual([...written].sort())
    })
  })
}

function denying(tool: string, sentence: string): PolicyDecisionPoint {
  return scriptedPoint((request) => (request.resource.id === `test/${tool}` ? { ...DENY, sentence } : PERMIT))
}

function asking(tool: string): PolicyDecisionPoint {
  return scriptedPoint((request) =>
    request.resource.id !== `test/${tool}` || request.context.approval.confirmed ? PERMIT : ASK,
  )
}

function gateOf(
  options: TestGateOptions,
  where: { readonly channel?: 'chat' } = {},
): { readonly gate: TestGate; readonly me: Gate } {
  const gate = testGate(options)
  return { gate, me: gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk', ...where }) }
}

/** What `gate.coverage()` says of each tool, in whatever words the host names it. */
function standings(gate: Gate): readonly (readonly [tool: string, standing: string])[] {
  return gate.coverage().map(({ tool, standing }) => [tool, standing])
}

function call(tool: string, input: unknown, id = 'c1'): ScriptedCall {
  return { tool, input, id }
}

/** A tool that writes down what it was run with. */
function noting(input: z.ZodType, ran: unknown[], result: string): ScriptedTool {
  return {
    input,
    run: (given: unknown) => {
      ran.push(given)
      return result
    },
  }
}

function sawOf(result: TurnResult, callId: string): string {
  const saw = result.saw.filter((each) => each.callId === callId)
  if (saw.length === 0)
    throw new Error(`the model was told nothing of ${callId}; it was told ${JSON.stringify(result.saw)}`)
  return saw.map((each) => each.text).join('\n')
}

async function pausedTurn(driver: HostDriver, turn: Turn): Promise<NonNullable<TurnResult['paused']>> {
  const result = await driver.play(turn)
  if (result.paused === undefined)
    throw new Error(`the host did not pause; the model was told ${JSON.stringify(result.saw)}`)
  return result.paused
}

async function kinds(gate: TestGate): Promise<readonly string[]> {
  return (await gate.receipts()).map((receipt) => receipt.kind)
}

function signatureOf(receipt: Receipt): string {
  return receipt.jws.split('.').at(-1) ?? receipt.jws
}
