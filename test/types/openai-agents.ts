/** What a user of `@openai/agents` may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import { Agent, MCPServerStdio, Runner, RunState, run, shellTool, type Tool, tool, webSearchTool } from '@openai/agents'
import { z } from 'zod'
import {
  answerInterruption,
  createTripwire,
  guardAgent,
  guardMcpServer,
  guardTools,
  markHosted,
  questionOf,
  runOptions,
} from '../../adapters/openai-agents/index.ts'
import type { Gate } from '../../src/index.ts'

declare const gate: Gate

interface Shop {
  readonly name: string
}

const erase = tool({
  name: 'erase',
  description: 'd',
  parameters: z.object({ path: z.string() }),
  execute: async ({ path }) => ({ erased: path }),
})

// The very type of the input comes out again, one by one and mixed.
const same: (typeof erase)[] = guardTools([erase], gate)
const mixed: Tool<Shop>[] = guardTools<Tool<Shop>>([erase as Tool<Shop>, webSearchTool()], gate, {
  ungated: ['web_search'],
})
void same

const typed = new Agent<Shop, z.ZodObject<{ total: z.ZodNumber }>>({
  name: 'Shop',
  outputType: z.object({ total: z.number() }),
  tools: mixed,
  mcpServers: [guardMcpServer(new MCPServerStdio({ name: 'Files', command: 'x' }), gate, { server: 'files' })],
})
const guarded = guardAgent(typed, gate, { servers: { Files: 'files' }, as: (name) => gate.as({ agent: name }) })

export async function talk() {
  const result = await run(guarded, 'go', { context: { name: 'mine' }, ...runOptions(gate) })
  const total: number | undefined = result.finalOutput?.total
  void total
  const [item] = result.interruptions
  if (item !== undefined) {
    const ref: string | undefined = (await questionOf(gate, item))?.ref
    await answerInterruption(gate, result.state, item, 'approved', ref === undefined ? {} : { ref })
  }
  const state = await RunState.fromString(guarded, result.state.toString())
  for (const each of state.getInterruptions()) await answerInterruption(gate, state, each, 'declined', { reason: 'no' })
  await markHosted(result.newItems, gate)
  return await run(guarded, state)
}

const runner = new Runner({ ...runOptions(gate) })
runner.on('agent_tool_end', createTripwire(gate))
guarded.asTool({ toolName: 'shop', toolDescription: 'd' })
guardTools([shellTool({ shell: { run: async () => ({ output: [] }) } })], gate)

// @ts-expect-error a third party's server needs a name of ours
guardMcpServer(new MCPServerStdio({ name: 'Files', command: 'x' }), gate, {})
// @ts-expect-error nobody answers with a boolean
await answerInterruption(gate, {} as RunState<unknown, Agent>, {} as never, true)
