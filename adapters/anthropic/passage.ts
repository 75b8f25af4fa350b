import { ToolError } from '@anthropic-ai/sdk/lib/tools/ToolError'
import { type Json, renderForModel, type ToolDefinition } from '../../src/index.ts'
import { cross, noted } from '../shared/cross.ts'
import { asksInChat } from '../shared/hearing.ts'
import type { HostPackage } from '../shared/host-shape.ts'
import { BLOCKS_BY_CLIENT } from '../shared/mcp-result.ts'
import { type Surroundings, where } from '../shared/surroundings.ts'
import { warnOfUnjson } from '../shared/warnings.ts'
import type { HostContent } from './host.ts'

/** The host's name in `gate.coverage()`. */
export const HOST = 'anthropic'

/** As `peerDependencies` has it. */
export const PACKAGE: HostPackage = { name: '@anthropic-ai/sdk', range: '^1.0.0' }

/** One call of a tool. */
export interface Asking {
  readonly tool: string
  /** What was registered of the tool; one that never was is refused. */
  readonly definition: ToolDefinition
  readonly input: unknown
  readonly callId: string | undefined
  readonly step?: number | undefined
  readonly signal: AbortSignal | null | undefined
  /** `undefined` where nobody carries the call out. */
  readonly execute: ((input: Json) => unknown) | undefined
}

/**
 * The call's way through the gate. A refusal is thrown as the host's own `ToolError`: that is how its runner writes `is_error`, and the
 * run goes on. The tool's own error passes through unchanged.
 */
export async function ask(around: Surroundings, asking: Asking): Promise<HostContent> {
  const { gate } = around
  const { tool, definition, input, callId, step, signal, execute } = asking
  const crossed = await cross({
    gate,
    call: {
      tool,
      definition,
      input,
      ...where(around),
      ...(callId === undefined ? {} : { callId }),
      ...(step === undefined ? {} : { step }),
    },
    execute,
    signal: signal ?? undefined,
    ...(definition.origin === 'third-party' ? BLOCKS_BY_CLIENT : {}),
    // Whoever sits in a chat answers in the next turn: the call does not wait for a terminal.
    asked: { wait: !asksInChat(gate) },
  })
  if (crossed.outcome === 'refused') {
    const { refusal } = crossed
    warnOfUnjson(gate, tool, definition, { refusal, input, where: 'run' })
    throw new ToolError([{ type: 'text', text: renderForModel(refusal) }])
  }
  const { result, note } = crossed
  return note === undefined ? (result as HostContent) : withNote(result, note)
}

function withNote(result: unknown, note: string): HostContent {
  if (Array.isArray(result)) return [...result, { type: 'text', text: note }]
  return noted(typeof result === 'string' ? result : (JSON.stringify(result) ?? ''), note)
}
