/** What a user of LangChain 1 may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import type { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { ToolNode } from '@langchain/langgraph/prebuilt'
import { createAgent, createMiddleware, tool } from 'langchain'
import { z } from 'zod'
import { guardTools, type HoldpointData, holdpointMiddleware, reportOf } from '../../adapters/langchain/index.ts'
import type { Gate } from '../../src/index.ts'

declare const gate: Gate
declare const model: BaseChatModel

const read = tool(async ({ path }) => path.length, {
  name: 'read',
  description: 'd',
  schema: z.object({ path: z.string() }),
})
const pay = tool(async ({ amount }) => `paid ${amount}`, {
  name: 'pay',
  description: 'd',
  schema: z.object({ amount: z.number() }),
})

// The input's very types come out again, one by one.
const tools = [read, pay] as const
const same: readonly [typeof read, typeof pay] = guardTools(tools, gate)
void same
void new ToolNode(guardTools([read, pay], gate, { server: 'files', pauses: ['pay'] }))

const other = createMiddleware({ name: 'other' })
const agent = createAgent({
  model,
  tools: guardTools([read, pay], gate),
  middleware: [other, holdpointMiddleware(gate, { ungated: ['web_search'], toolErrors: 'throw' })],
})
void agent.invoke({ messages: [] })

const report: HoldpointData | undefined = reportOf(gate, 'c1')
void report

// @ts-expect-error a tool set is a list here
guardTools({ read }, gate)
// @ts-expect-error no such option
holdpointMiddleware(gate, { ungate: [] })
