import type { Gate } from '../../src/index.ts'
import { renderForModel, renderNotes } from '../../src/index.ts'
import { journalOf } from '../shared/journal.ts'
import { isRefusal } from '../shared/refusal-shape.ts'
import type { HostModelOutputQuestion, HostTool } from './host.ts'

/** What the model is sent for a result; the shapes are the AI SDK's own. */
type ModelOutput =
  | { readonly type: 'text' | 'error-text'; readonly value: string }
  | { readonly type: 'json' | 'error-json'; readonly value: unknown }
  | { readonly type: 'content'; readonly value: readonly { readonly type: string }[] }
  | { readonly type: string; readonly value?: unknown }

/**
 * The tool's `toModelOutput`, which never sees a refusal: the model reads it as an error text, without receipts or
 * signatures. A call that ran because no policy answered (I5), or otherwise than it was asked for, carries
 * a note that says so.
 */
export function modelOutputFor(
  tool: HostTool,
  gate: Gate,
): (question: HostModelOutputQuestion) => Promise<ModelOutput> {
  return async (question) => {
    const { output, toolCallId } = question
    const record = journalOf(gate).find(toolCallId)
    // What a tool that ran returned is its own, whatever it looks like.
    const ran = record?.outcome === 'permitted' && record.refusal === undefined
    if (!ran && isRefusal(output)) return { type: 'error-text', value: renderForModel(output) }
    const own = tool.toModelOutput
    const shown = typeof own === 'function' ? ((await own.call(tool, question)) as ModelOutput) : asTheHostWould(output)
    const note = record === undefined ? undefined : renderNotes(record)
    return note === undefined ? shown : withNote(shown, note)
  }
}

/** The host's default: text stays text, the rest is what JSON makes of it. */
function asTheHostWould(output: unknown): ModelOutput {
  if (typeof output === 'string') return { type: 'text', value: output }
  const text = output === undefined ? undefined : JSON.stringify(output)
  return { type: 'json', value: text === undefined ? null : JSON.parse(text) }
}

function withNote(shown: ModelOutput, said: string): ModelOutput {
  const note = { type: 'text', text: said }
  if (typeof shown.value === 'string') return { ...shown, value: `${shown.value}\n\n${said}` }
  if (shown.type === 'content' && Array.isArray(shown.value)) return { ...shown, value: [...shown.value, note] }
  if (shown.type === 'json')
    return {
      type: 'content',
      value: [{ type: 'text', text: JSON.stringify(shown.value) } as { readonly type: string }, note],
    }
  return shown
}
