/** Who plays the assistant: a real model when there is a key, otherwise a script that reads what was said last. */
import { openai } from '@ai-sdk/openai'
import type { LanguageModel } from 'ai'
import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'
import type { Order } from './orders.ts'

const REAL_MODEL = 'gpt-5-mini'

/** A model, and what to call it. */
export interface Cast {
  readonly name: string
  readonly model: LanguageModel
}

/** @param wordMs how long the script takes for each word */
export function castModel(wordMs: number): Cast {
  const key = process.env['OPENAI_API_KEY']
  if (key === undefined || key === '') return { name: 'scripted model', model: scriptedModel(wordMs) }
  const name = process.env['OPENAI_MODEL'] ?? REAL_MODEL
  return { name, model: openai(name) }
}

type Prompt = MockLanguageModelV4['doStreamCalls'][number]['prompt']
type Said = string | { readonly tool: string; readonly input: object }

const RULES =
  'An order can be refunded in part or in full. Up to 100 EUR I do it myself. From there to 500 EUR I ask you first, and you see ' +
  'exactly what would be paid. Above that the finance desk has to do it. An order that is in dispute with the bank is left alone. ' +
  'Whatever becomes of a call, its receipt stands below it, and you can have it verified in your browser.'

const ON_RECORD =
  'What was paid, who asked for it and whose yes it took stands in the receipts above, and whoever has the public key can check it.'

/** What the script says next. */
function next(prompt: Prompt): Said {
  const last = prompt.at(-1)
  if (last?.role === 'tool') {
    const result = last.content.findLast((part) => part.type === 'tool-result')
    if (result !== undefined) return told(result.toolName, result.output)
  }
  const asked = prompt.findLast((message) => message.role === 'user')
  const text = asked?.content.map((part) => (part.type === 'text' ? part.text : '')).join(' ') ?? ''
  const order = /\bA-\d+\b/.exec(text)?.[0]
  const amount = /(\d+(?:\.\d+)?) ?(?:EUR|€)/i.exec(text)?.[1]
  if (order !== undefined && amount !== undefined && /refund/i.test(text))
    return { tool: 'refund', input: { order, amount: Number(amount) } }
  if (order !== undefined) return { tool: 'order', input: { id: order } }
  if (/rules?\b/i.test(text)) return RULES
  return 'I can look up an order (“Where is A-1041?”) or refund one (“Refund 40 EUR of A-1041”).'
}

type Output = Extract<Extract<Prompt[number], { role: 'tool' }>['content'][number], { type: 'tool-result' }>['output']

/** The sentence for a tool's result. */
function told(tool: string, output: Output): string {
  if (output.type === 'execution-denied') return 'That did not happen; why stands above.'
  if (output.type !== 'json')
    return output.type === 'error-text'
      ? 'That did not happen; why stands above.'
      : 'It ran, with a remark that stands above.'
  const { id, customer, item, paid, refunded } = output.value as unknown as Order
  const sums = `${paid.toFixed(2)} EUR paid, ${refunded.toFixed(2)} EUR refunded`
  return tool === 'refund'
    ? `Done. ${id} now stands at ${sums}. ${ON_RECORD}`
    : `${id} is ${customer}’s ${item}: ${sums}.`
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

function scriptedModel(wordMs: number): LanguageModel {
  let minted = 0
  return new MockLanguageModelV4({
    doStream: async ({ prompt }) => {
      const said = next(prompt)
      const words =
        typeof said === 'string'
          ? [
              { type: 'text-start' as const, id: 't' },
              ...said.split(/(?<= )/).map((delta) => ({ type: 'text-delta' as const, id: 't', delta })),
              { type: 'text-end' as const, id: 't' },
            ]
          : [
              {
                type: 'tool-call' as const,
                toolCallId: `call-${Date.now()}-${++minted}`,
                toolName: said.tool,
                input: JSON.stringify(said.input),
              },
            ]
      const unified = typeof said === 'string' ? ('stop' as const) : ('tool-calls' as const)
      const end = { type: 'finish' as const, finishReason: { unified, raw: undefined }, usage }
      return {
        stream: simulateReadableStream({ chunks: [...words, end], chunkDelayInMs: wordMs, initialDelayInMs: 0 }),
      }
    },
  })
}
