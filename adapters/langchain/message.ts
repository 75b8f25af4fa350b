import { ToolMessage } from '@langchain/core/messages'
import { type Refusal, renderForModel } from '../../src/index.ts'
import { noted } from '../shared/cross.ts'
import type { CallRecord } from '../shared/journal.ts'
import { dataOf } from '../shared/part.ts'

/** A refusal as the host shows a tool that failed. Only the text goes to the model. */
export function refusalMessage(
  name: string,
  callId: string | undefined,
  refusal: Refusal,
  record: CallRecord,
): ToolMessage {
  const message = new ToolMessage({
    status: 'error',
    content: renderForModel(refusal),
    name,
    tool_call_id: callId ?? '',
  })
  return withData(message, record)
}

/** What became of the call, beside its result: the host sends nothing of `additional_kwargs.holdpoint` to the model. */
export function withData(message: ToolMessage, record: CallRecord): ToolMessage {
  message.additional_kwargs['holdpoint'] = dataOf(record)
  return message
}

/** The result with what the model has to know beside it. */
export function withNote(result: unknown, note: string | undefined, callId: string | undefined): unknown {
  if (note === undefined) return result
  if (isToolMessage(result)) return notedMessage(result, note)
  if (isCommand(result)) return notedCommand(result, note, callId)
  return notedContent(result, note)
}

export function isToolMessage(value: unknown): value is ToolMessage {
  return ToolMessage.isInstance(value)
}

function notedContent(content: unknown, note: string): unknown {
  if (typeof content === 'string') return noted(content, note)
  if (Array.isArray(content) && content.every(isBlock)) return [...content, { type: 'text', text: note }]
  return noted(JSON.stringify(content) ?? '', note)
}

function notedMessage(message: ToolMessage, note: string): ToolMessage {
  message.content = notedContent(message.content, note) as ToolMessage['content']
  return message
}

/** A command speaks to the model through the messages that it adds. */
function notedCommand(command: HostCommand, note: string, callId: string | undefined): unknown {
  const messages: unknown = Reflect.get(Object(command.update), 'messages')
  if (Array.isArray(messages))
    for (const message of messages)
      if (isToolMessage(message) && message.tool_call_id === callId) notedMessage(message, note)
  return command
}

interface HostCommand {
  readonly lg_name: 'Command'
  readonly update?: unknown
}

function isCommand(value: unknown): value is HostCommand {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'lg_name') === 'Command'
}

function isBlock(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string'
}
