import { convertToModelMessages, isStepCount, streamText, tool, type UIMessage } from 'ai'
import { guardTools, respond } from 'holdpoint/ai-sdk'
import { z } from 'zod'
import { gate } from '../../../lib/gate'
import { scriptedModel } from '../../../lib/model'

const seen = globalThis as { firstGate?: unknown; loads?: number; refunds?: number[] }
seen.firstGate ??= gate
seen.loads = (seen.loads ?? 0) + 1
seen.refunds ??= []

const tools = {
  order: tool({
    description: 'Look up an order',
    inputSchema: z.object({ id: z.string() }),
    execute: async ({ id }) => ({ id, paid: 900 }),
  }),
  refund: tool({
    description: 'Pay an order back',
    inputSchema: z.object({ order: z.string(), amount: z.number() }),
    execute: async ({ amount }) => {
      seen.refunds?.push(amount)
      return 'refunded'
    },
  }),
}

export async function POST(request: Request): Promise<Response> {
  const { id, user, messages }: { id: string; user: string; messages: UIMessage[] } = await request.json()
  // A real app takes the user from its session, never from the body.
  const me = gate.as({ user, agent: 'support' }, { conversation: id })
  const result = streamText({
    model: scriptedModel(id),
    messages: await convertToModelMessages(messages),
    stopWhen: isStepCount(5),
    ...guardTools(tools, me),
  })
  return respond(result, me, { originalMessages: messages })
}

/** For the test: what has happened in this process. */
export async function GET(): Promise<Response> {
  return Response.json({ loads: seen.loads, sameGate: seen.firstGate === gate, refunds: seen.refunds })
}
