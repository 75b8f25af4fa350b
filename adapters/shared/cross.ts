import type { AdmitOptions, Call, Gate, Json, PermittedAdmission, Refusal } from '../../src/index.ts'
import { renderNotes } from '../../src/index.ts'
import { carryOut, type Execution } from './carry-out.ts'
import { type CallRecord, journalOf } from './journal.ts'

/** One call of a host that asks and runs in one place. */
export interface Crossing extends Pick<Execution, 'reveal' | 'revealError'> {
  readonly gate: Gate
  /** With `inputText` where the host has the arguments as text: the gate reads it strictly. */
  readonly call: Call
  /**
   * Called at most once, with a fresh parse of what was decided. `undefined` where nobody carries the call out: then nothing runs, not
   * even while the gate only observes.
   *
   * @param reveal what may be shown of a preview: a host that passes previews on while the tool is at work passes these
   */
  readonly execute: ((input: Json, reveal: (preview: unknown) => unknown) => unknown) | undefined
  /**
   * How the host by itself reads a text that strict reading refuses: what the tool gets of it while the gate only observes. Throws for
   * what is not to be read. Default `JSON.parse`.
   */
  readonly reads?: (text: string) => unknown
  readonly signal?: AbortSignal | undefined
  /** A result that the host's protocol marks as the tool's failure. */
  readonly failed?: (result: unknown) => boolean
  /** An error by which the tool stops to be run again after an answer. */
  readonly gaveWay?: (error: unknown) => boolean
  readonly asked?: Pick<AdmitOptions, 'wait' | 'requires' | 'onSilence' | 'holdMs'>
}

/** What became of it. */
export type Crossed =
  | {
      readonly outcome: 'ran'
      /** What may be shown of the tool's result. */
      readonly result: unknown
      /** What the model has to know beside it: that nobody checked the call, or what was changed. */
      readonly note: string | undefined
      readonly record: CallRecord
    }
  | { readonly outcome: 'refused'; readonly refusal: Refusal; readonly record: CallRecord }

/**
 * The whole pass for one call: admit, begin, run, settle. A refusal is a value; the tool's own error passes through unchanged once
 * its outcome is on record. A live duplicate joins the first.
 */
export async function cross(crossing: Crossing): Promise<Crossed> {
  const { gate, call, signal, failed, gaveWay, reveal, revealError, asked } = crossing
  const admission = await gate.admit(call, {
    ...asked,
    obliging: 'all',
    ...(signal === undefined ? {} : { signal }),
  })
  const record = journalOf(gate).note(call.callId ?? admission.callKey ?? call.tool, call.tool, admission)
  if (admission.outcome === 'refused') return { outcome: 'refused', refusal: admission.refusal, record }
  const execute = await runnable(crossing, admission)
  if (execute === undefined) {
    const refusal = await left(admission, record)
    return { outcome: 'refused', refusal, record }
  }
  const carried = await carryOut(admission, {
    execute,
    signal,
    ...(failed === undefined ? {} : { failed }),
    ...(gaveWay === undefined ? {} : { gaveWay }),
    ...(reveal === undefined ? {} : { reveal }),
    ...(revealError === undefined ? {} : { revealError }),
    settled: (receipt) => {
      if (receipt !== undefined) record.receipts.push(receipt)
    },
    lapsed: (refusal) => {
      record.refusal = refusal
    },
  })
  if (carried.outcome === 'refused') return { outcome: 'refused', refusal: carried.refusal, record }
  return { outcome: 'ran', result: carried.result, note: renderNotes(admission), record }
}

/**
 * What runs under an admission. A gate that only observes admits what nobody can run as well.
 *
 * INVARIANT I4: nothing runs on arguments that nobody wrote: not a tool that is not there, and none on a text that nobody can read.
 */
async function runnable(
  { call, execute, reveal: shownBy, reads = JSON.parse }: Crossing,
  admission: PermittedAdmission,
): Promise<Execution['execute'] | undefined> {
  if (execute === undefined) return undefined
  // A preview has the form of a result.
  const reveal = (preview: unknown) => (shownBy === undefined ? admission.reveal(preview) : shownBy(preview, admission))
  const { inputText: text = '' } = call
  if (admission.observed === undefined || text === '') return (input) => execute(input, reveal)
  try {
    const read = (await reads(text)) as Json
    return (input) => execute(input === undefined ? read : input, reveal)
  } catch {
    return undefined
  }
}

/** A call that was let pass and that nobody can run: the model hears what it would hear of a gate that enforces. */
async function left(admission: PermittedAdmission, record: CallRecord): Promise<Refusal> {
  const receipt = await admission.settle({ status: 'not_executed' })
  if (receipt !== undefined) record.receipts.push(receipt)
  const { observed: refusal = unhandled(record, admission) } = admission
  record.refusal = refusal
  return refusal
}

/** For a gate that only observes and could not write why not. */
function unhandled({ tool }: CallRecord, { materiality, receipt }: PermittedAdmission): Refusal {
  return {
    holdpoint: 'refusal/v1',
    code: 'tool_unknown',
    cause: 'pin',
    message: 'Nobody carries out this tool here.',
    tool,
    materiality,
    executed: false,
    constraints: [],
    remedy: { kind: 'none' },
    retryable: false,
    ...(receipt === undefined ? {} : { receipt: receipt.id }),
  }
}

/** A result as text, with what the model has to know beside it. */
export function noted(text: string, note: string | undefined): string {
  return note === undefined ? text : `${text}\n\n${note}`
}
