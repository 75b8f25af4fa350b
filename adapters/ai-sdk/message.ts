import { type Gate, type Refusal, renderAsReason } from '../../src/index.ts'
import { type CallRecord, journalOf, partitionOf } from '../shared/journal.ts'
import type { HoldpointPart } from '../shared/part.ts'
import { isRefusal } from '../shared/refusal-shape.ts'
import { dataPart } from './data-part.ts'
import { approvalDescriptor, approvalIdFor, denialIdOf, shownAs } from './presentation.ts'
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
  // A message that goes on after an answer has what was said before it: the client's copy is updated in place, and so is this.
  const newest = new Map(
    parts.flatMap((part): readonly [unknown, HoldpointPart][] => {
      const record = part.toolCallId === undefined ? undefined : find(part.toolCallId)
      const data = record === undefined ? undefined : dataPart(record)
      return data === undefined ? [] : [[data.id, data]]
    }),
  )
  return {
    ...message,
    parts: parts.flatMap((part): readonly Part[] => {
      if (part.type === 'data-holdpoint') return [newest.get(Reflect.get(part, 'id')) ?? part]
      const record = part.toolCallId === undefined ? undefined : find(part.toolCallId)
      if (record === undefined || part.state === 'input-streaming' || part.state === 'input-available') return [part]
      const data = dataPart(record)
      const shown = showRefusal(part, record, talk)
      return told.has(data.id) ? [shown] : [shown, data]
    }),
  }
}

/** As the stream shows it: what is stored is what the client saw. */
function showRefusal(part: Part, record: CallRecord, talk: StreamOptions): Part {
  const { refusal } = record
  if (refusal === undefined) return part
  if (part.state === 'approval-requested') return showRequest(part, refusal)
  const came = cameAs(part)
  const how = came === undefined ? 'result' : shownAs(record, came, talk.client)
  if (how === 'result' || (came === 'denied' && how === 'denied')) return part
  const kept: Record<string, unknown> = { ...part }
  for (const member of ['output', 'approval', 'preliminary', 'state']) delete kept[member]
  if (how === 'error')
    return { ...(kept as unknown as Part), state: 'output-error', ...{ errorText: renderAsReason(refusal) } }
  return {
    ...(kept as unknown as Part),
    state: 'output-denied',
    ...{
      approval: {
        id: denialIdOf(record),
        approved: false,
        isAutomatic: true,
        reason: renderAsReason(refusal),
      },
    },
  }
}

/** How the host took a refusal: as what the tool gave back, or as its own denial. Any other state is none. */
function cameAs({ state, output }: Part): 'returned' | 'denied' | undefined {
  if (state === 'output-denied') return 'denied'
  return state === 'output-available' && isRefusal(output) ? 'returned' : undefined
}

function showRequest(part: Part, refusal: Refusal): Part {
  const asked = (part.approval ?? {}) as { readonly id?: string; readonly signature?: string }
  const id = approvalIdFor(asked.id ?? '', asked.signature, refusal)
  return { ...part, approval: { ...asked, id, descriptor: approvalDescriptor(refusal) } }
}
