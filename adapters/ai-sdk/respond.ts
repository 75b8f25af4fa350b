import type { Gate } from '../../src/index.ts'
import { hearNos } from '../shared/hearing.ts'
import { nosInMessages } from './approval-parts.ts'
import { tellInMessages } from './message.ts'
import type { Major } from './presentation.ts'
import { holdpointStream } from './stream.ts'

/** What `streamText` and `ToolLoopAgent.stream` return, in both majors. */
export interface StreamsToUI<OPTIONS, CHUNK> {
  toUIMessageStream(options?: OPTIONS): ReadableStream<CHUNK>
}

/** What the response itself may be told; every option of `toUIMessageStream` may stand beside it. */
export interface RespondOptions {
  readonly status?: number
  readonly headers?: HeadersInit
  /** The major of the client that reads this stream, where it differs from the server's. */
  readonly client?: Major
}

/**
 * The usual UI message stream as a `Response`, with refusals as native parts and a `data-holdpoint` part for each call. What
 * `onFinish` and `onEnd` hand over for storing has them too. With `originalMessages` a person's no is on record at once.
 *
 * @example
 * return respond(result, me, { originalMessages: messages, onFinish: ({ messages }) => save(messages) })
 */
export function respond<OPTIONS extends object, CHUNK extends { readonly type: string }>(
  result: StreamsToUI<OPTIONS, CHUNK>,
  gate: Gate,
  options?: RespondOptions & OPTIONS,
): Response {
  const { status, headers, client, ...told } = (options ?? {}) as RespondOptions & Readonly<Record<string, unknown>>
  const talk = client === undefined ? {} : { client }
  const stream = result
    .toUIMessageStream(tellInMessages(told, gate, talk) as OPTIONS)
    .pipeThrough(hearing<CHUNK>(gate, told['originalMessages']))
    .pipeThrough(holdpointStream<CHUNK>(gate, talk))
    .pipeThrough(serverSentEvents<CHUNK>())
    .pipeThrough(new TextEncoderStream())
  const all = new Headers(headers)
  for (const [name, value] of STREAM_HEADERS) if (!all.has(name)) all.set(name, value)
  return new Response(stream, { status: status ?? 200, headers: all })
}

/** The headers by which the AI SDK's clients know its stream. */
const STREAM_HEADERS: readonly (readonly [string, string])[] = [
  ['content-type', 'text/event-stream'],
  ['cache-control', 'no-cache'],
  ['connection', 'keep-alive'],
  ['x-vercel-ai-ui-message-stream', 'v1'],
  ['x-accel-buffering', 'no'],
]

/** What the person said no to in these messages is heard before the client reads on: the host tells nobody else of it. */
function hearing<CHUNK>(gate: Gate, messages: unknown): TransformStream<CHUNK, CHUNK> {
  const heard = hearNos(gate, nosInMessages(messages))
  return new TransformStream<CHUNK, CHUNK>({ start: () => heard })
}

function serverSentEvents<CHUNK>(): TransformStream<CHUNK, string> {
  return new TransformStream<CHUNK, string>({
    transform(chunk, controller) {
      controller.enqueue(`data: ${JSON.stringify(chunk)}\n\n`)
    },
    flush(controller) {
      controller.enqueue('data: [DONE]\n\n')
    },
  })
}
