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
  /** An error by which the tool stops to be run again after an answer. What it had done by then nobody knows: `unknown`. */
  readonly gaveWay?: (error: unknown) => boolean
  /** What may be shown of a result that the host's protocol wraps. Default: what the admission reveals of it. */
  readonly reveal?: (result: unknown, admission: PermittedAdmission) => unknown
  /** What may be shown of what was thrown, where that is not the tool's own error. */
  readonly revealError?: (error: unknown, admission: PermittedAdmission) => unknown
  readonly settled: (receipt: Receipt | undefined) => void
  /** The permit did not begin after all: spent, revoked or lapsed. */
  readonly lapsed: (refusal: Refusal) => void
}

/** How long a tool may take to end after its caller has left, ms. */
const GRACE_MS = 5_000

/** What is being carried out, so that a live duplicate of a call joins the first. */
const underWay = new WeakMap<PermittedAdmission, Promise<CarriedOut>>()

/**
 * Begins, runs and settles one permitted call. The tool's own error passes through unchanged, after its outcome is on
 * record; an iterable result is drained to its last value. A duplicate that shares the admission gets the first one's result.
 */
export function carryOut(admission: PermittedAdmission, execution: Execution): Promise<CarriedOut> {
  const first = underWay.get(admission)
  if (first !== undefined) return untilLeft(first, execution.signal)
  const carried = run(admission, execution)
  underWay.set(admission, carried)
  return carried
}

/**
 * Waits for the first of two that are one call, and no longer than its own caller does: a tool that calls itself with its own id and
 * arguments waits for its own end.
 */
async function untilLeft<T>(first: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await first
  const left = Promise.withResolvers<never>()
  const leave = () => left.reject(signal.reason)
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([first, left.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

async function run(admission: PermittedAdmission, execution: Execution): Promise<CarriedOut> {
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    execution.lapsed(begun.refusal)
    return begun
  }
  const end = recorder(admission, execution)
  let result: unknown
  let shown: unknown
  try {
    // INVARIANT I3: the tool sees the parse of the decided bytes, never the host's own object.
    result = await lastOf(execution.execute(begun.input))
    // A result that throws at whoever looks into it ends the call as well.
    shown = shownOf(result, admission, execution)
  } catch (error) {
    // A call that has begun never counts as not executed: the gate records that its outcome is unknown.
    const gaveWay = execution.gaveWay?.(error) === true
    await end(gaveWay ? { status: 'not_executed' } : failureOf(error, execution.signal))
    throw gaveWay ? error : errorOf(error, admission, execution)
  }
  const ending = endingOf(result, execution)
  await end('result' in ending ? { ...ending, result: shown } : ending)
  return { outcome: 'ran', result: shown }
}

/** INVARIANT I4: nobody, the outcome's receipt neither, gets to see more of a result than this. */
function shownOf(result: unknown, admission: PermittedAdmission, { reveal }: Execution): unknown {
  return reveal === undefined ? admission.reveal(result) : reveal(result, admission)
}

function errorOf(error: unknown, admission: PermittedAdmission, { revealError, signal }: Execution): unknown {
  if (revealError === undefined) return error
  return signal?.aborted === true ? signal.reason : revealError(error, admission)
}

/** Gives back a permit that nobody will use. One that has begun is left to whoever runs it. */
export async function giveBack(admission: Admission): Promise<void> {
  if (admission.outcome !== 'permitted' || underWay.has(admission)) return
  await admission.settle({ status: 'not_executed' })
}

/**
 * As `carryOut`, for a tool that yields previews: each is passed on, the last one is the result. A reader that stops early ends
 * the call as cancelled, and only then the tool's generator is told: its own cleaning up may take as long as it likes.
 */
export async function* carryOutStreaming(
  admission: PermittedAdmission,
  execution: Execution,
): AsyncGenerator<unknown, void, undefined> {
  const first = underWay.get(admission)
  if (first !== undefined) {
    const carried = await untilLeft(first, execution.signal)
    yield carried.outcome === 'ran' ? carried.result : carried.refusal
    return
  }
  const begun = admission.begin()
  if (begun.outcome === 'refused') {
    execution.lapsed(begun.refusal)
    yield begun.refusal
    return
  }
  const end = recorder(admission, execution)
  const shared = Promise.withResolvers<CarriedOut>()
  shared.promise.catch(() => undefined)
  underWay.set(admission, shared.promise)
  let ending: Ending | undefined
  let raw: unknown
  let last: unknown
  let previews: AsyncIterator<unknown> | undefined
  try {
    previews = (execution.execute(begun.input) as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    for (let next = await previews.next(); next.done !== true; next = await previews.next()) {
      raw = next.value
      last = shownOf(raw, admission, execution)
      yield last
    }
    ending = endingOf(raw, execution)
    if ('result' in ending) ending = { ...ending, result: last }
  } catch (error) {
    ending = failureOf(error, execution.signal)
    const shown = errorOf(error, admission, execution)
    shared.reject(shown)
    throw shown
  } finally {
    shared.resolve({ outcome: 'ran', result: last })
    await end(ending ?? { status: 'cancelled' })
    if (ending === undefined) await previews?.return?.()
  }
}

/**
 * Puts the outcome of a call that has begun on record, once: when the tool ends, or some time after its caller has left. A tool
 * that never hears of the abort may still be at work then; what the caller knows is that it gave up.
 */
function recorder(admission: PermittedAdmission, execution: Execution): (ending: Ending) => Promise<void> {
  const { signal } = execution
  let recorded: Promise<void> | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  const left = () => {
    timer = setTimeout(() => void end(failureOf(undefined, signal)), GRACE_MS)
    // A process that has nothing else to do may end: its store then says `unknown`.
    timer.unref()
  }
  const end = (ending: Ending) => {
    signal?.removeEventListener('abort', left)
    clearTimeout(timer)
    recorded ??= admission.settle(ending).then(execution.settled)
    return recorded
  }
  if (signal?.aborted === true) left()
  else signal?.addEventListener('abort', left, { once: true })
  return end
}

async function lastOf(output: unknown): Promise<unknown> {
  const value = await output
  if (!isAsyncIterable(value)) return value
  let last: unknown
  for await (const part of value) last = part
  return last
}

function endingOf(result: unknown, execution: Execution): Ending {
  return saysItFailed(result, execution) ? { status: 'tool_error', error: result } : { status: 'ok', result }
}

/** UNTRUSTED: the result may throw at whoever looks into it, and a call that has run is recorded all the same. */
function saysItFailed(result: unknown, { failed }: Execution): boolean {
  try {
    return failed?.(result) === true
  } catch {
    return true
  }
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
