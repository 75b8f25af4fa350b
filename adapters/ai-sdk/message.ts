import { type Gate, type Refusal, renderAsReason } from '../../src/index.ts'
import { type CallRecord, journalOf, partitionOf } from '../shared/journal.ts'
import { isRefusal } from '../shared/refusal-shape.ts'
import { dataPart } from './data-part.ts'
import { approvalDescriptor, approvalIdFor, presentationOf } from './presentation.ts'
import type { StreamOptions } from './stream.ts'

interface Part {
  readonly type: string
  readonly toolCallId?: string
  readonly state?: string
  readonly output?: unknown
  readonly approval?: object
}

interface Message {
  readonly parts?: readonly Part[]
}

/** Callbacks in which the AI SDK hands over the finished messages: it assembled them before `holdpointStream` saw them. */
const HAND_OVERS = ['onFinish', 'onEnd', 'onStepFinish', 'onStepEnd'] as const

/** Options of `toUIMessageStream` whose callbacks get messages that hold the gate's parts, as the client's copy does. */
export function tellInMessages(
  options: Readonly<Record<string, unknown>>,
  gate: Gate,
  talk: StreamOptions,
): Readonly<Record<string, unknown>> {
  const journal = journalOf(gate)
  const partition = partitionOf(gate)
  const find = (callId: string) => journal.find(callId, partition)
  const told = new Map<string, unknown>(Object.entries(options))
  for (const name of HAND_OVERS) {
    const original = told.get(name)
    if (typeof original === 'function') told.set(name, (event: object) => original(tellInEvent(event, find, talk)))
  }
  return Object.fromEntries(told)
}

type Find = (callId: string) => CallRecord | undefined

function tellInEvent(event: object, find: Find, talk: StreamOptions): object {
  const { messages, responseMessage } = event as {
    readonly messages?: readonly Message[]
    readonly responseMessage?: Message
  }
  if (responseMessage === undefined) return event
  const told = tellInMessage(responseMessage, find, talk)
  // The response message is one of `messages`; the older ones are told already.
  return {
    ...event,
    responseMessage: told,
    messages: messages?.map((message) =>
      message === responseMessage || sameId(message, responseMessage) ? told : message,
    ),
  }
}

function sameId(one: object, other: object): boolean {
  const id: unknown = Reflect.get(one, 'id')
  return typeof id === 'string' && id === Reflect.get(other, 'id')
}

function tellInMessage(message: Message, find: Find, talk: StreamOptions): Message {
  const parts = message.parts ?? []
  const told = new Set(parts.flatMap((part) => (part.type === 'data-holdpoint' ? [Reflect.get(part, 'id')] : [])))
  return {
    ...message,
    parts: parts.flatMap((part): readonly Part[] => {
      const record = part.toolCallId === undefined ? undefined : find(part.toolCallId)
      if (record === undefined || part.state === 'input-streaming' || part.state === 'input-available') return [part]
      const data = dataPart(record)
      const shown = showRefusal(part, record, talk)
      return told.has(data.id) ? [shown] : [shown, data]
    }),
  }
}

/** The same three ways as in the stream. */
function showRefusal(part: Part, record: CallRecord, talk: StreamOptions): Part {
  const { refusal } = record
  if (refusal === undefined) return part
  if (part.state === 'approval-requested') return showRequest(part, refusal)
  const { refusalAs, client } = presentationOf(record)
  const asError = refusalAs === 'error' || (talk.client ?? client) === 6
  const returned = part.state === 'output-available' && isRefusal(part.output)
  if (refusalAs === 'result' || !(returned || (part.state === 'output-denied' && asError))) return part
  const kept: Record<string, unknown> = { ...part }
  for (const member of ['output', 'approval', 'preliminary', 'state']) delete kept[member]
  if (asError) return { ...(kept as unknown as Part), state: 'output-error', ...{ errorText: renderAsReason(refusal) } }
  return {
    ...(kept as unknown as Part),
    state: 'output-denied',
    ...{
      approval: {
        id: `holdpoint-${record.callId}`,
        approved: false,
        isAutomatic: true,
        reason: renderAsReason(refusal),
      },
    },
  }
}

function showRequest(part: Part, refusal: Refusal): Part {
  const asked = (part.approval ?? {}) as { readonly id?: string; readonly signature?: string }
  const id = approvalIdFor(asked.id ?? '', asked.signature, refusal)
  return { ...part, approval: { ...asked, id, descriptor: approvalDescriptor(refusal) } }
}
