import type { Refusal } from '../../src/index.ts'
import { carryOut, carryOutStreaming, type Execution } from '../shared/carry-out.ts'
import { BY_CLIENT } from '../shared/mcp-result.ts'
import { isThirdParty } from './definition.ts'
import { type HostExecuteOptions, isMajor6 } from './host.ts'
import type { Passage, Passing } from './passage.ts'
import { present } from './presentation.ts'
import { contextIn } from './tool-asks.ts'
import { noteAsked } from './tripwire.ts'

/** A tool's `execute` in both majors. */
export type HostExecute = (input: unknown, options: HostExecuteOptions) => unknown

/**
 * The tool's `execute` behind the gate. A refusal is returned, never thrown: the loop goes on.
 *
 * Only a generator function stays one: the host tells previews from a result by what is returned *synchronously*, so any
 * other function that turns out to return an iterable is drained to its last value.
 */
export function guardedExecute(passage: Passage, execute: HostExecute): HostExecute {
  const isGenerator = Object.prototype.toString.call(execute) === '[object AsyncGeneratorFunction]'
  return isGenerator ? streaming(passage, execute) : single(passage, execute)
}

function single(passage: Passage, execute: HostExecute): HostExecute {
  return async (input, options) => {
    const passing = await arrive(passage, input, options)
    if (passing.admission.outcome === 'refused') return asResult(passage, passing.admission.refusal)
    const carried = await carryOut(passing.admission, executionOf(passage, execute, options, passing))
    return carried.outcome === 'ran' ? carried.result : asResult(passage, carried.refusal)
  }
}

function streaming(passage: Passage, execute: HostExecute): HostExecute {
  return async function* (input, options) {
    const passing = await arrive(passage, input, options)
    if (passing.admission.outcome === 'refused') {
      yield asResult(passage, passing.admission.refusal)
      return
    }
    yield* carryOutStreaming(passing.admission, executionOf(passage, execute, options, passing))
  }
}

async function arrive(passage: Passage, input: unknown, options: HostExecuteOptions): Promise<Passing> {
  const { toolCallId, messages, abortSignal } = options
  noteAsked(passage.name, toolCallId, messages)
  const call = { callId: toolCallId, input, messages: messages ?? [], context: contextIn(options) }
  const passing = await passage.fetch(call, abortSignal)
  present(passing.record, passage.around, isMajor6(options) ? 6 : 7)
  return passing
}

function executionOf(
  passage: Passage,
  execute: HostExecute,
  options: HostExecuteOptions,
  { record }: Passing,
): Execution {
  return {
    execute: (input) => execute.call(passage.tool, input, options),
    signal: options.abortSignal,
    settled: (receipt) => {
      if (receipt !== undefined) record.receipts.push(receipt)
    },
    lapsed: (refusal) => {
      record.refusal = refusal
    },
    ...(isThirdParty(passage.tool) ? { failed: isMcpError, ...BY_CLIENT } : {}),
  }
}

/** With `refusalAs: 'result'` the refusal stays the tool's result; `error` is what such front ends look for. */
function asResult(passage: Passage, refusal: Refusal): Refusal & { readonly error?: string } {
  return passage.around.refusalAs === 'result' ? { ...refusal, error: refusal.message } : refusal
}

/** An MCP server says in its result that the tool failed. */
function isMcpError(result: unknown): boolean {
  return typeof result === 'object' && result !== null && Reflect.get(result, 'isError') === true
}
