/** What policy keeps back is in no preview, in no result and in no block of one. */
import { describe, expect, it } from 'vitest'
import { guardTools } from '../../../adapters/ai-sdk/index.ts'
import { guardTools as guardAnthropic } from '../../../adapters/anthropic/index.ts'
import { guardTools as guardClaude } from '../../../adapters/claude-agent/index.ts'
import { guardTools as guardLangChain } from '../../../adapters/langchain/index.ts'
import { guardTools as guardMastra } from '../../../adapters/mastra/index.ts'
import { Running } from '../../../adapters/mcp/running.ts'
import { guardMcpServer } from '../../../adapters/openai-agents/index.ts'
import { carryOut, carryOutStreaming } from '../../../adapters/shared/carry-out.ts'
import { revealed, withoutDetails } from '../../../adapters/shared/mcp-result.ts'
import { renderNotes } from '../../../src/index.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import type { Gate, PermittedAdmission } from '../../../src/types.ts'

const POLICY = String.raw`
@id("people") @obligation("redact_output:{\"paths\":[\"/rows/*/email\"]}")
permit (principal, action, resource);
`
const SECRET = 'eve@example.com'
const RESULT = { rows: [{ name: 'Eve', email: SECRET }] }
const SHOWN = { rows: [{ name: 'Eve', email: '[redacted]' }] }

function opened(): TestGate {
  const gate = testGate({ policy: POLICY, tools: { people: { materiality: 'low' } } })
  gate.register([{ name: 'people', origin: 'own', inputSchema: { type: 'object' } }])
  return gate
}

async function permitted(): Promise<{ gate: TestGate; admission: PermittedAdmission }> {
  const gate = opened()
  const me = gate.as({ user: 'alice' })
  const admission = await me.admit({ tool: 'people', callId: '1', input: {} }, { obliging: 'all' })
  if (admission.outcome !== 'permitted') throw new Error(admission.refusal.message)
  return { gate, admission }
}
/** An MCP server of an agent, guarded, whose one tool the gate has learned. */
async function fileServer<S extends object>(calls: S, gate: Gate): Promise<S> {
  const listTools = async () => [{ name: 'look', inputSchema: { type: 'object' } }]
  const server = guardMcpServer({ ...calls, listTools }, gate, { server: 'files' })
  await server.listTools()
  return server
}

/** As a host calls it. */
function called(tool: object | undefined, method: string, first: unknown = {}): unknown {
  return Reflect.apply(Reflect.get(Object(tool), method), tool, [first, {}])
}

const quiet = { signal: undefined, settled: () => undefined, lapsed: () => undefined }

describe('redact_output', () => {
  it('lets nothing run for a host that shows results as they are', async () => {
    const gate = opened()
    const call = { tool: 'people', callId: '1', input: {} }
    const me = gate.as({ user: 'alice' })
    expect(await me.admit(call)).toMatchObject({ refusal: { code: 'obligation_unmet' } })
    expect(await me.admit(call, { obliging: 'arguments' })).toMatchObject({ refusal: { code: 'obligation_unmet' } })
    expect(await me.run({ ...call, callId: '2' }, () => RESULT)).toMatchObject({
      result: SHOWN,
      notices: [{ kind: 'redacted', changes: [{ path: '/rows/*/email' }] }],
    })
  })

  it('holds of the result, and of what a duplicate of the call gets', async () => {
    const { admission } = await permitted()
    const both = await Promise.all([
      carryOut(admission, { ...quiet, execute: () => RESULT }),
      carryOut(admission, { ...quiet, execute: () => RESULT }),
    ])
    expect(both).toEqual([SHOWN, SHOWN].map((result) => ({ outcome: 'ran', result })))
  })

  it('holds of every preview', async () => {
    const { admission } = await permitted()
    const execute = async function* () {
      yield `loading ${SECRET}`
      yield RESULT
    }
    const seen: unknown[] = []
    for await (const preview of carryOutStreaming(admission, { ...quiet, execute })) seen.push(preview)
    expect(seen).toEqual([expect.stringContaining('withheld'), SHOWN])
  })

  it('is told to the model in one line', async () => {
    const { admission } = await permitted()
    expect(renderNotes(admission)).toBe(
      "Note from holdpoint: Policy keeps parts of this call's result back: /rows/*/email.",
    )
  })

  const text = (said: unknown) => ({ type: 'text', text: JSON.stringify(said) })
  it('holds of what an MCP server answers, structured or as text', async () => {
    const { admission } = await permitted()
    expect(revealed({ content: [text(RESULT)] }, admission)).toEqual({ content: [text(SHOWN)] })
    expect(revealed({ structuredContent: RESULT, content: [text(RESULT)] }, admission)).toEqual({
      structuredContent: SHOWN,
      content: [text(SHOWN)],
    })
  })

  const hostile: readonly (readonly [string, object])[] = [
    ['is prose', { content: [{ type: 'text', text: `Her address is ${SECRET}.` }] }],
    ['has a second block', { content: [text(SHOWN), { type: 'text', text: SECRET }] }],
    ['says it beside what is structured', { structuredContent: SHOWN, content: [{ type: 'text', text: SECRET }] }],
    ['says it in its metadata', { content: [text(SHOWN)], _meta: { note: SECRET } }],
    ['says it in an error', { content: [{ type: 'text', text: SECRET }], isError: true }],
    ['has members that nobody knows', { content: [text(SHOWN)], more: SECRET }],
    ['is a question instead', { resultType: 'input_required', inputRequests: { q: { message: SECRET } } }],
  ]
  it.each(hostile)('shows nothing of it where an MCP result %s', async (_, result) => {
    const { admission } = await permitted()
    expect(JSON.stringify(revealed({ ...result }, admission))).not.toContain(SECRET)
  })

  const ofAClient = (result: object, execute: () => unknown = async () => result, policy = POLICY) => {
    const gate = testGate({ policy, tools: { 'crm/people': { materiality: 'low' } } })
    const people = { type: 'dynamic', _meta: {}, inputSchema: { jsonSchema: { type: 'object' } }, execute }
    const guarded = guardTools({ people }, gate.as({ user: 'alice' }), { server: 'crm' })
    return (guarded.tools.people.execute as (...given: readonly unknown[]) => unknown)(
      {},
      { toolCallId: '1', messages: [] },
    )
  }
  it('holds of an MCP tool behind the AI SDK: of the result as the server gave it, and of what was structured in it', async () => {
    expect(await ofAClient({ content: [text(RESULT)] })).toEqual({ content: [text(SHOWN)] })
    expect(await ofAClient({ structuredContent: RESULT, content: [text(RESULT)] })).toEqual({
      structuredContent: SHOWN,
      content: [text(SHOWN)],
    })
    expect(await ofAClient(RESULT)).toEqual(SHOWN)
    for (const result of [
      ...hostile.map(([, result]) => result),
      { toolResult: RESULT },
      { structuredContent: SECRET },
    ])
      expect(JSON.stringify(await ofAClient(result))).not.toContain(SECRET)
    const flat = { email: SECRET }
    const whole = { structuredContent: flat, content: [text(flat)] }
    const shallow = POLICY.replace('/rows/*/email', '/email')
    expect(JSON.stringify(await ofAClient(whole, async () => whole, shallow))).not.toContain(SECRET)
    const previews: unknown[] = []
    const telling = async function* () {
      yield { content: [{ type: 'text', text: SECRET }] }
      yield { content: [text(RESULT)] }
    }
    for await (const preview of (await ofAClient({}, telling)) as AsyncIterable<unknown>) previews.push(preview)
    expect(previews).toHaveLength(2)
    expect(JSON.stringify(previews)).not.toContain(SECRET)
  })

  it('holds of what a client of an MCP server throws, which may quote the server', async () => {
    const fails = async () => {
      throw new Error(`no such customer: ${SECRET}`)
    }
    const failsLate = async function* () {
      yield await fails()
    }
    await expect(ofAClient({}, fails)).rejects.toThrow(/policy keeps back what it said/)
    const reading = async () => {
      for await (const _ of (await ofAClient({}, failsLate)) as AsyncIterable<unknown>) throw new Error('a preview')
    }
    await expect(reading()).rejects.toThrow(/policy keeps back what it said/)
    const plain = '@id("all") permit (principal, action, resource);'
    await expect(ofAClient({}, fails, plain)).rejects.toThrow(SECRET)
  })

  const SHALLOW = POLICY.replace('/rows/*/email', '/email')
  const FLAT = { email: SECRET }
  const me = (policy = SHALLOW) => testGate({ policy }).as({ user: 'alice' }, { conversation: 'c1' })
  type Give = () => Promise<unknown>
  const hosts: readonly (readonly [string, (give: Give, gate: Gate) => unknown, boolean])[] = [
    [
      'OpenAI Agents, whole',
      async (give, gate) =>
        await called(await fileServer({ callTool: give, callToolResult: give }, gate), 'callToolResult', 'look'),
      true,
    ],
    [
      'OpenAI Agents, blocks',
      async (give, gate) => {
        const blocks = async () => Reflect.get(Object(await give()), 'content')
        return await called(await fileServer({ callTool: blocks }, gate), 'callTool', 'look')
      },
      true,
    ],
    [
      'the Claude Agent SDK',
      async (give, gate) => {
        const [look] = guardClaude([{ name: 'look', handler: give }], gate, { server: 'files' })
        return await called(look, 'handler')
      },
      // What one's own handler throws is one's own.
      false,
    ],
    [
      'Anthropic',
      async (give, gate) => {
        const run = async () => Reflect.get(Object(await give()), 'content')
        const made = {
          name: 'look',
          input_schema: { type: 'object' },
          run,
          [Symbol('anthropic.sdk.stainlessHelper')]: 'mcpTool',
        }
        const [look] = guardAnthropic([made], gate, { server: 'files' })
        return await called(look, 'run')
      },
      true,
    ],
    [
      'Mastra',
      async (give, gate) => {
        const made = { id: 'look', mcpMetadata: { serverName: 'Files' }, execute: give }
        const { look } = guardMastra({ look: made }, gate, { server: 'files' })
        return await called(look, 'execute')
      },
      true,
    ],
    [
      'LangChain',
      async (give, gate) => {
        const made = {
          name: 'look',
          description: '',
          metadata: { annotations: {} },
          lc_runnable: false,
          _call: give,
          invoke: give,
        }
        const [look] = guardLangChain([made], gate, { server: 'files' })
        return await called(look, '_call')
      },
      true,
    ],
  ]
  const results = hostile.map(([, result]) => result).filter((result) => 'content' in result)
  it.each(hosts)('holds of an MCP tool behind %s', async (_, run, isStrangers) => {
    const whole = { structuredContent: FLAT, content: [text(FLAT)] }
    for (const result of [whole, { content: [text(FLAT)] }, ...results]) {
      const shown = JSON.stringify(await run(async () => result, me()))
      expect(shown).not.toContain(SECRET)
      expect(shown).toContain('Note from holdpoint')
    }
    const fails = async () => {
      throw new Error(`no such customer: ${SECRET}`)
    }
    if (!isStrangers) return
    await expect(Promise.resolve(run(fails, me()))).rejects.toThrow(/policy keeps back what it said/)
    await expect(Promise.resolve(run(fails, me('@id("all") permit (principal, action, resource);')))).rejects.toThrow(
      SECRET,
    )
  })

  it('holds of what a client of an MCP server shows meanwhile', async () => {
    const written: unknown[] = []
    const context = { writer: { write: async (chunk: unknown) => void written.push(chunk) } }
    const made = {
      id: 'look',
      mcpMetadata: { serverName: 'Files' },
      execute: async (_: unknown, { writer }: typeof context) => {
        await writer.write({ content: [text(FLAT)] })
        return { content: [text(FLAT)] }
      },
    }
    const { look } = guardMastra({ look: made }, me(), { server: 'files' })
    await Reflect.apply(look.execute, look, [{}, context])
    expect(written).toEqual([{ content: [text({ email: '[redacted]' })] }])
  })

  const answers: readonly (readonly [string, object])[] = [
    ['is a text', { result: SECRET }],
    ['is a list', { result: [SECRET] }],
    ['is an error that is a text', { error: SECRET }],
    ['is an error with another code than a number', { error: { code: SECRET, message: '' } }],
    ['says it beside its result', { result: { content: [text(SHOWN)] }, more: SECRET }],
  ]
  it.each(answers)('shows nothing of it where an MCP answer %s', async (_, said) => {
    const { admission } = await permitted()
    admission.begin()
    const shown = new Running(admission).answered({ jsonrpc: '2.0', id: 1, ...said })
    expect(shown).toMatchObject({ jsonrpc: '2.0', id: 1 })
    expect(JSON.stringify(shown)).not.toContain(SECRET)
  })

  it('keeps no more of an MCP error than its code', () => {
    const error = { code: -32000, message: SECRET, data: SECRET }
    expect(withoutDetails({ id: 1, error })).toMatchObject({ error: { code: -32000 } })
    expect(JSON.stringify(withoutDetails({ id: 1, error }))).not.toContain(SECRET)
  })
})
