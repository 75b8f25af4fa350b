/** What a user of Mastra 1 may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import { Agent, type AgentConfig } from '@mastra/core/agent'
import { createTool } from '@mastra/core/tools'
import { createStep, createWorkflow } from '@mastra/core/workflows'
import { z } from 'zod'
import { approvalFor, guardTools, holdpointHooks, requestOf, StepRefused } from '../../adapters/mastra/index.ts'
import type { Gate, Refusal } from '../../src/index.ts'

declare const gate: Gate
declare const model: AgentConfig['model']

const Paying = z.object({ amount: z.number() })
const pay = createTool({
  id: 'pay',
  description: 'd',
  inputSchema: Paying,
  outputSchema: z.string(),
  execute: async ({ amount }) => `paid ${amount}`,
})

// The input's very type comes out again.
const tools = guardTools({ pay }, gate, { server: 'shop', pauses: ['pay'], repeats: [] })
const same: typeof pay = tools.pay
void same

const agent = new Agent({
  id: 'a',
  name: 'a',
  instructions: 'x',
  model,
  tools,
  hooks: holdpointHooks(gate, { tools }),
})
void agent.generate('go', { requireToolApproval: approvalFor(tools) })
void createWorkflow({ id: 'w', inputSchema: Paying, outputSchema: z.string() }).then(createStep(tools.pay)).commit()
void requestOf(tools.pay, { amount: 5 })

export function refusalOf(error: unknown): Refusal | undefined {
  return error instanceof StepRefused ? error.refusal : undefined
}

// @ts-expect-error a tool set is a record here
guardTools(gate)
// @ts-expect-error hooks must know the tools
holdpointHooks(gate)
