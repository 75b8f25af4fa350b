import { parseStrict } from '../../src/bytes/strict-json.ts'
import type { Answered, PolicyService, Question } from '../../src/decide/service.ts'
import type { Json } from '../../src/types.ts'

/** A question as the service got it. */
export interface Put {
  readonly path: string
  readonly body: Json | undefined
  readonly requestId: string
  readonly signal: AbortSignal
}

/** A policy service that answers as the test says; throws what the test throws. */
export function scriptedService(answer: (put: Put) => Json | Promise<Json>): PolicyService & { readonly puts: Put[] } {
  const puts: Put[] = []
  return {
    puts,
    async ask({ path, write }: Question, signal: AbortSignal): Promise<Answered> {
      const requestId = `request-${puts.length + 1}`
      const text = write?.(requestId)
      const put = { path, requestId, signal, body: text === undefined ? undefined : parseStrict(text) }
      puts.push(put)
      return { status: 200, json: await answer(put), requestId }
    },
  }
}
