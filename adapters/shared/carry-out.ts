import type { Admission, Ending, Json, PermittedAdmission, Receipt, Refusal } from '../../src/index.ts'

/** What the tool gave, or why it was not run after all. */
export type CarriedOut =
  | { readonly outcome: 'ran'; readonly result: unknown }
  | { readonly outcome: 'refused'; readonly refusal: Refusal }

/** How a host's tool is run under a permit. */
export interface Execution {
  /** Called at most once, on the same turn as `begin`, with a fresh parse of what was decided. */
  readonly execute: (input: Json) => unknown
  readonly signal: AbortSignal | undefined
  /** A result that the host's protocol marks as the tool's failure. */
  readonly failed?: (result: unknown) => boolean
  readonly settled: (receipt: Receipt | undefined) => void
  /** The permit did not begin after all: spent, revoked or lapsed. */
  readonly lapsed: (refusal: Refusal) => void
}

/** What is being carried out, so that a live duplicate of a call joins the first. */
const underWay = new WeakMap<PermittedAdmission, Promise<CarriedOut>>()

/**
 * Begins, runs and settles one permitted call. The tool's own error passes through unchanged, after its outcome is on
 * record; an iterable result is drained to its last value. A duplicate that shares the admission gets the first one's result.
 */
export function carryOut(admission: PermittedAdmission, execution: Execution): Promise<CarriedOut> {
  const first = underWay.get(admission)
  if (first !== undefined) return first
  const carried = run(admission, execution)
  underWay.set(admission, carried)
  return carried
}

async function run(admission: PermittedAdmission, execution: Execution): Promise<CarriedOut> {
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    execution.lapsed(begun.refusal)
    return begun
  }
  let result: unknown
  try {
    // INVARIANT I3: the tool sees the parse of the decided bytes, never the host's own object.
    result = await lastOf(execution.execute(begun.input))
  } catch (error) {
    execution.settled(await admission.settle(failureOf(error, execution.signal)))
    throw error
  }
  execution.settled(await admission.settle(endingOf(result, execution)))
  return { outcome: 'ran', result }
}

/** Gives back a permit that nobody will use. One that has begun is left to whoever runs it. */
export async function giveBack(admission: Admission): Promise<void> {
  if (admission.outcome !== 'permitted' || underWay.has(admission)) return
  await admission.settle({ status: 'not_executed' })
}

/** As `carryOut`, for a tool that yields previews: each is passed on, the last one is the result. */
export async function* carryOutStreaming(
  admission: PermittedAdmission,
  execution: Execution,
): AsyncGenerator<unknown, void, undefined> {
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    execution.lapsed(begun.refusal)
    yield begun.refusal
    return
  }
  underWay.set(admission, Promise.resolve({ outcome: 'ran', result: undefined }))
  // A reader that stops early leaves through `finally`.
  let ending: Ending = { status: 'cancelled' }
  try {
    let last: unknown
    for await (const preview of execution.execute(begun.input) as AsyncIterable<unknown>) {
      last = preview
      yield preview
    }
    ending = endingOf(last, execution)
  } catch (error) {
    ending = failureOf(error, execution.signal)
    throw error
  } finally {
    execution.settled(await admission.settle(ending))
  }
}

async function lastOf(output: unknown): Promise<unknown> {
  const value = await output
  if (!isAsyncIterable(value)) return value
  let last: unknown
  for await (const part of value) last = part
  return last
}

function endingOf(result: unknown, execution: Execution): Ending {
  return execution.failed?.(result) === true ? { status: 'tool_error', error: result } : { status: 'ok', result }
}

function failureOf(error: unknown, signal: AbortSignal | undefined): Ending {
  if (signal?.aborted !== true) return { status: 'tool_error', error }
  return {
    status: signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError' ? 'timeout' : 'cancelled',
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { readonly [Symbol.asyncIterator]?: unknown })[Symbol.asyncIterator] === 'function'
  )
}
