import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardTools, isRefusal } from '../../../adapters/ai-sdk/index.ts'
import { AbsentAnswer, actingAs, type Gate } from '../../../src/index.ts'
import { readReceipt } from '../../../src/receipt/read.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { type Said, said, scriptedModel, sdkOf } from './sdk.ts'

const path = z.object({ path: z.string() })
const DENY = { kind: 'deny', determining: ['script'], errors: [] } as const

for (const major of [7, 6] as const) {
  const sdk = sdkOf(major)
  const noting = (ran: unknown[], more: object = {}) =>
    sdk.tool({ description: 'notes', inputSchema: path, execute: async (input: unknown) => ran.push(input), ...more })
  const generate = async (steps: readonly (readonly Said[])[], settings: object) => {
    const { model, prompts } = scriptedModel(major, steps)
    const result = await sdk.generateText({ model, prompt: 'go', stopWhen: sdk.stepCountIs(5), ...settings })
    return { result, told: JSON.stringify(prompts().at(-1)) }
  }

  describe(`guardTools on ai ${major}`, () => {
    it('throws at once, naming every tool that no gate can stand in front of and what to write', () => {
      const tools = {
        ask: sdk.tool({ inputSchema: path, outputSchema: path }),
        search: { type: 'provider', id: 'acme.search', args: {}, inputSchema: path },
        read: noting([]),
      }
      expect(() => guardTools(tools, testGate())).toThrow(
        expect.objectContaining({
          code: 'ERR_UNGATED',
          message: expect.stringMatching(/ask, search.*ungated: \['ask', 'search'\]/),
        }),
      )
    })

    it('gates a tool that is named in `ungated` although a gate can stand in front of it', async () => {
      const ran: unknown[] = []
      const gate = testGate({ policy: () => 'deny' })
      await generate(
        [[said('read', { path: '/x' })]],
        guardTools({ read: noting(ran) }, view(gate), { ungated: ['read'] }),
      )
      expect(ran).toEqual([])
    })

    it('leaves a receipt at each use of a client-side tool that the operator accepted: whose it is, and where it ran', async () => {
      const gate = testGate()
      const { result } = await generate(
        [[said('ask', { path: '/x' })]],
        guardTools({ ask: sdk.tool({ inputSchema: path, outputSchema: path }) }, view(gate), {
          ungated: ['ask'],
          server: 'browser',
        }),
      )
      expect(gate.calls).toEqual([expect.objectContaining({ tool: 'browser/ask', code: 'ungated_tool' })])
      const claims = (await gate.receipts()).map(({ jws }) => readReceipt(jws))
      expect(claims.find(({ kind }) => kind === 'decision')).toMatchObject({
        basis: 'ungated',
        enforced: false,
        note: 'runs in the client',
      })
      expect(result.content.map((part) => part.type)).toEqual(['tool-call'])
    })

    it('lets a call wait for its policy point where the host asks for it, and refuses it otherwise', async () => {
      const ran: unknown[] = []
      for (const onSilence of ['hold', 'refuse'] as const) {
        let asked = 0
        const gate = testGate({
          policy: () => {
            asked += 1
            if (asked === 1) throw new AbsentAnswer('unavailable', 'connection refused')
            return 'permit'
          },
        })
        await generate(
          [[said('write', { path: '/x' })]],
          guardTools({ write: noting(ran) }, view(gate), { onSilence, holdMs: 20_000 }),
        )
        expect(gate.calls.at(-1)).toMatchObject({ outcome: onSilence === 'hold' ? 'permitted' : 'refused' })
      }
      expect(ran).toEqual([{ path: '/x' }])
    })

    it('refuses to guard the same tools twice', () => {
      const { tools } = guardTools({ read: noting([]) }, testGate())
      expect(() => guardTools(tools, testGate())).toThrow(expect.objectContaining({ code: 'ERR_TOOL' }))
    })

    it("counts `metadata.holdpoint` on an own tool as the operator's word, and not on a dynamic one", async () => {
      const metadata = { holdpoint: { materiality: 'low' } }
      const gate = testGate()
      const own = noting([], { metadata })
      const dynamic = sdk.dynamicTool({
        description: 'erases',
        inputSchema: path,
        metadata,
        execute: async () => 'gone',
      })
      await generate(
        [[said('frobnicate', { path: '/x' }), said('erase_all', { path: '/x' }, 'c2')]],
        guardTools({ frobnicate: own, erase_all: dynamic }, view(gate), { server: 'mine' }),
      )
      expect(gate.calls.map((call) => [call.tool, call.materiality])).toEqual([
        ['mine/frobnicate', 'low'],
        ['mine/erase_all', 'high'],
      ])
    })

    it('judges a call by the definition that its model saw, whoever registers the name again', async () => {
      const gate = testGate({ policy: 'ask/v1' })
      const ran: unknown[] = []
      const served = (description: string, readOnlyHint: boolean) =>
        sdk.dynamicTool({
          description,
          inputSchema: path,
          metadata: { clientName: 'someone', annotations: { readOnlyHint } },
          execute: async (input: unknown) => ran.push(input),
        })
      const at = { server: 'items' }
      const first = guardTools({ get_item: served('Deletes the item at a path for ever', false) }, view(gate), at)
      const second = guardTools({ get_item: served('Reads the item at a path', true) }, view(gate), at)
      await generate([[said('get_item', { path: '/x' })]], first)
      await generate([[said('get_item', { path: '/y' })]], second)
      const [deleted, read] = gate.calls
      expect(deleted).toMatchObject({ materiality: 'high', outcome: 'refused' })
      expect(read?.materiality).not.toBe('high')
      expect(ran).not.toContainEqual({ path: '/x' })
    })

    it("throws at once when a third party's tools would get the operator's words on tools of those names", () => {
      const dynamic = sdk.dynamicTool({ description: 'erases', inputSchema: path, execute: async () => 1 })
      const served = noting([], { metadata: { clientName: 'someone' } })
      for (const theirs of [dynamic, served]) {
        expect(() => guardTools({ erase: theirs, own: noting([]) }, testGate())).toThrow(
          expect.objectContaining({ code: 'ERR_TOOL', message: expect.stringMatching(/: erase\..*server: 'files'/) }),
        )
        expect(() => guardTools({ erase: theirs }, testGate(), { server: 'someone' })).not.toThrow()
      }
    })

    it('throws at once when a tool of one’s own would take the name of a third party’s, and says what to write', () => {
      const gate = testGate()
      const dynamic = sdk.dynamicTool({ description: 'erases', inputSchema: path, execute: async () => 1 })
      guardTools({ run: dynamic }, gate, { server: 'test' })
      const own = noting([], { metadata: { holdpoint: { materiality: 'low' } } })
      expect(() => guardTools({ run: own }, gate)).toThrow(
        expect.objectContaining({ code: 'ERR_TOOL', message: expect.stringMatching(/test\/run.*server/) }),
      )
      expect(() => guardTools({ run: own }, gate, { server: 'mine' })).not.toThrow()
    })

    it('tells the programmer of a registration that failed when a promised schema arrived, and runs nothing', async () => {
      const ran: unknown[] = []
      const gate = testGate()
      guardTools({ run: noting([]) }, gate)
      const later = sdk.dynamicTool({
        description: 'runs',
        inputSchema: sdk.jsonSchema(Promise.resolve({ type: 'object' })),
        execute: async (input: unknown) => ran.push(input),
      })
      await generate([[said('run', { path: '/x' })]], guardTools({ run: later }, view(gate), { server: 'test' })).catch(
        () => undefined,
      )
      expect(ran).toEqual([])
      expect(gate.events).toContainEqual(
        expect.objectContaining({ event: 'programmer-warned', code: 'registration_failed' }),
      )
    })

    it('waits for a promised schema before it lets the first call be decided, and checks arguments against it', async () => {
      const ran: unknown[] = []
      const gate = testGate()
      const schema = sdk.jsonSchema(
        Promise.resolve({
          type: 'object',
          properties: { path: { type: 'string' } },
          required: ['path'],
          additionalProperties: false,
        }),
      )
      const later = sdk.dynamicTool({
        description: 'reads',
        inputSchema: schema,
        execute: async (input: unknown) => ran.push(input),
      })
      const { told } = await generate(
        [[said('read', { nope: 1 })], [said('read', { path: '/x' }, 'c2')]],
        guardTools({ read: later }, view(gate), { server: 'notes' }),
      )
      expect(ran).toEqual([{ path: '/x' }])
      expect(told).toContain('arguments_rejected')
    })

    it('refuses arguments that the tool’s own schema made unrepresentable, names the path, and tells the programmer once', async () => {
      const ran: unknown[] = []
      const gate = testGate()
      const book = sdk.tool({
        description: 'books',
        inputSchema: z.object({ trip: z.object({ day: z.string().transform((day) => new Date(day)) }) }),
        execute: async (input: unknown) => ran.push(input),
      })
      const input = { trip: { day: '2026-11-21' } }
      const { told } = await generate(
        [[said('book', input)], [said('book', input, 'c2')]],
        guardTools({ book }, view(gate)),
      )
      expect(ran).toEqual([])
      expect(told).toContain('arguments_rejected')
      expect(told).toContain('/trip/day')
      const warnings = gate.events.filter((event) => event.event === 'programmer-warned')
      expect(warnings).toEqual([
        expect.objectContaining({ message: expect.stringMatching(/"book".*\/trip\/day.*Date/) }),
      ])
    })

    it('gives the tool what was decided, even when the host’s object changes meanwhile', async () => {
      const ran: unknown[] = []
      let given: { path: string } | undefined
      const schema = sdk.jsonSchema(
        { type: 'object' },
        {
          validate: (value: { path: string }) => {
            given = value
            return { success: true, value }
          },
        },
      )
      const policy = scriptedPoint(async () => {
        if (given !== undefined) given.path = '/etc/passwd'
        return PERMIT
      })
      await generate(
        [[said('read', { path: '/x' })]],
        guardTools(
          { read: sdk.tool({ inputSchema: schema, execute: async (input: unknown) => ran.push(input) }) },
          view(testGate({ policy })),
        ),
      )
      expect(ran).toEqual([{ path: '/x' }])
    })

    it('waits for the person at `watch` where the chat cannot answer, and runs the call with their yes', async () => {
      const ran: unknown[] = []
      const gate = testGate({ policy: 'ask/v1' })
      const me = view(gate)
      await gate.ready()
      await gate.store.attend('watch', Date.now() + 60_000)
      const watching = (async () => {
        for (;;) {
          const [request] = await gate.store.pending()
          if (request !== undefined) return await me.answer(request.ref, 'approved', { channel: 'terminal' })
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
      })()
      const { result } = await generate([[said('pay', { path: '/x' })]], guardTools({ pay: noting(ran) }, me))
      expect(await watching).toMatchObject({ outcome: 'recorded' })
      expect(ran).toEqual([{ path: '/x' }])
      expect(result.text).toBe('done')
    })

    it('runs everything in observe mode, and still says what would have been refused', async () => {
      const ran: unknown[] = []
      const gate = testGate({ policy: () => 'deny', observe: { until: Date.now() + 60_000 } })
      await generate([[said('read', { path: '/x' })]], guardTools({ read: noting(ran) }, view(gate)))
      expect(ran).toEqual([{ path: '/x' }])
      expect(gate.calls.map((call) => call.code)).toEqual(['denied_by_policy'])
    })

    it('serves a module-level agent through `actingAs`, each person under their own name', async () => {
      const gate = testGate({ policy: (request) => (request.subject.id === 'alice' ? 'permit' : 'deny') })
      const ran: unknown[] = []
      const guarded = guardTools({ read: noting(ran) }, gate)
      const agentFor = () =>
        new sdk.ToolLoopAgent({
          model: scriptedModel(major, [[said('read', { path: '/x' })]]).model,
          stopWhen: sdk.stepCountIs(5),
          ...guarded,
        })
      await Promise.all(
        ['alice', 'mallory'].map((user) => actingAs({ user }, () => agentFor().generate({ prompt: 'go' }))),
      )
      expect(ran).toHaveLength(1)
      expect(
        gate.events
          .flatMap((event) => (event.event === 'decision-made' ? [`${event.principal} ${event.decision}`] : []))
          .sort(),
      ).toEqual(['alice permit', 'mallory deny'])
    })

    it('keeps the model in the loop with the gate closed: a refusal, never an exception', async () => {
      const gate = testGate()
      await gate.close()
      const ran: unknown[] = []
      const { told, result } = await generate(
        [[said('read', { path: '/x' })]],
        guardTools({ read: noting(ran) }, view(gate)),
      )
      expect(ran).toEqual([])
      expect(told).toContain('receipt_unavailable')
      expect(result.text).toBe('done')
    })
  })
}

describe('the approval hook of ai 7', () => {
  const sdk = sdkOf(7)
  const tool = (ran: unknown[]) => sdk.tool({ inputSchema: path, execute: async (input: unknown) => ran.push(input) })
  const generate = async (steps: readonly (readonly Said[])[], settings: object) => {
    const { model, prompts } = scriptedModel(7, steps)
    const result = await sdk.generateText({ model, prompt: 'go', stopWhen: sdk.stepCountIs(5), ...settings })
    return { result, told: JSON.stringify(prompts().at(-1)) }
  }

  it('denies natively, in one sentence with code and reference, without JSON', async () => {
    const gate = testGate({ policy: () => ({ deny: 'Nothing on Fridays.' }) })
    const { told } = await generate([[said('read', { path: '/x' })]], guardTools({ read: tool([]) }, view(gate)))
    expect(told).toContain('execution-denied')
    expect(told).toMatch(/Nothing on Fridays\..*\(denied_by_policy, receipt r_[0-9a-z]+\)/)
    expect(told).not.toContain('refusal/v1')
  })

  it('denies a tool that never went through guardTools', async () => {
    const ran: unknown[] = []
    const guarded = guardTools({ read: tool([]) }, view(testGate()))
    const { told } = await generate([[said('stray', { path: '/x' })]], {
      ...guarded,
      tools: { ...guarded.tools, stray: tool(ran) },
    })
    expect(ran).toEqual([])
    expect(told).toContain('tool_unknown')
  })

  it('serves two guarded sets spread into one', async () => {
    const ran: unknown[] = []
    const gate = testGate()
    const files = guardTools({ read: tool(ran) }, view(gate), { server: 'files' })
    const shop = guardTools({ pay: tool(ran) }, view(gate), { server: 'shop' })
    await generate([[said('read', { path: '/x' }), said('pay', { path: '/y' }, 'c2')]], {
      tools: { ...files.tools, ...shop.tools },
      toolApproval: shop.toolApproval,
    })
    expect(ran).toHaveLength(2)
    expect(gate.calls.map((call) => call.tool).sort()).toEqual(['files/read', 'shop/pay'])
  })

  it('decides once for hook and execute together', async () => {
    const gate = testGate({
      policy: scriptedPoint(() => new Promise((resolve) => setTimeout(resolve, 60, DENY))),
    })
    const { told } = await generate([[said('read', { path: '/x' })]], guardTools({ read: tool([]) }, view(gate)))
    expect(gate.calls).toHaveLength(1)
    expect(told).toContain('denied_by_policy')
  })

  it('enforces without the hook: the wrapped execute is the gate', async () => {
    const ran: unknown[] = []
    const { tools } = guardTools({ read: tool(ran) }, view(testGate({ policy: () => 'deny' })))
    const { result, told } = await generate([[said('read', { path: '/x' })]], { tools })
    expect(ran).toEqual([])
    expect(told).toContain('error-text')
    expect(result.text).toBe('done')
    const direct: unknown = await Reflect.get(tools.read, 'execute')({ path: '/x' }, { toolCallId: 'd1', messages: [] })
    expect(isRefusal(direct)).toBe(true)
  })
})

function view(gate: TestGate): Gate {
  return gate.as({ user: 'alice', agent: 'support' }, { conversation: 'talk' })
}
