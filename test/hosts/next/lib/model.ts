import { MockLanguageModelV4, simulateReadableStream } from 'ai/test'

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}

/** Stands in for a provider: one small refund, one large one, and a look-up; then it says goodbye. */
export function scriptedModel(seed: string) {
  const calls = [
    ['order', { id: 'A-1' }],
    ['refund', { order: 'A-1', amount: 40 }],
    ['refund', { order: 'A-1', amount: 900 }],
  ] as const
  let step = 0
  return new MockLanguageModelV4({
    doStream: async () => {
      const first = step++ === 0
      const said = first
        ? calls.map(([toolName, input], index) => ({
            type: 'tool-call' as const,
            toolCallId: `${seed}-${index}`,
            toolName,
            input: JSON.stringify(input),
          }))
        : [
            { type: 'text-start' as const, id: 't' },
            { type: 'text-delta' as const, id: 't', delta: 'goodbye' },
            { type: 'text-end' as const, id: 't' },
          ]
      const unified = first ? ('tool-calls' as const) : ('stop' as const)
      return {
        stream: simulateReadableStream({
          chunks: [...said, { type: 'finish' as const, finishReason: { unified, raw: undefined }, usage }],
        }),
      }
    },
  })
}
