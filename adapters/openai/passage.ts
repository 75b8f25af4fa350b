import { type Json, renderForModel, type ToolDefinition } from '../../src/index.ts'
import { cross, noted } from '../shared/cross.ts'
import { asksInChat } from '../shared/hearing.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { warnOfUnjson } from '../shared/warnings.ts'
import { resultText } from './host.ts'
import type { Identity } from './identity.ts'

/** One call of a tool, as one of the SDK's loops makes it. */
export interface Asking {
  readonly tool: string
  /** What was registered of the tool; one that never was is refused. */
  readonly definition: ToolDefinition
  /** The arguments as text, or as the tool's own parser left them. */
  readonly said: { readonly inputText: string } | { readonly input: unknown }
  readonly identity: Identity
  readonly signal?: AbortSignal | undefined
  /** `undefined` where nobody carries the call out. */
  readonly execute: ((input: Json) => unknown) | undefined
  /** How the tool by itself reads a text that strict reading refuses. Default `JSON.parse`. */
  readonly reads?: (text: string) => unknown
}

/**
 * The call's way through the gate. Resolves with what the tool gave, or with the refusal as text for the model: in these loops a
 * throw ends the run, so only the tool's own error is one.
 */
export async function ask(around: Surroundings, asking: Asking): Promise<unknown> {
  const { gate } = around
  const { tool, definition, said, identity, signal, execute, reads } = asking
  const crossed = await cross({
    gate,
    call: {
      tool,
      definition,
      ...said,
      ...where(around),
      ...identity,
    },
    execute,
    signal,
    ...(reads === undefined ? {} : { reads }),
    // Whoever sits in a chat answers in the next turn: the call does not wait for a terminal.
    asked: { wait: !asksInChat(gate) },
  })
  if (crossed.outcome === 'refused') {
    const { refusal } = crossed
    if ('input' in said) warnOfUnjson(gate, tool, definition, { refusal, input: said.input, where: 'the function' })
    return renderForModel(refusal)
  }
  const { result, note } = crossed
  return note === undefined ? result : withNote(result, note)
}

/** Content blocks stay blocks; anything else becomes the text that the SDK would make of it. */
function withNote(result: unknown, note: string): unknown {
  return isBlocks(result) ? [...result, { type: 'input_text', text: note }] : noted(resultText(result), note)
}

/** Native output of the Responses API: a list of `input_text`, `input_image` and `input_file`. */
export function isBlocks(result: unknown): result is readonly object[] {
  return (
    Array.isArray(result) &&
    result.length > 0 &&
    result.every((block) => /^input_(text|image|file)$/.test(String(Reflect.get(Object(block), 'type'))))
  )
}
