import { canonicalText, DEFAULT_LIMITS, type Limits } from '../bytes/canonical.ts'
import { sha256 } from '../bytes/digest.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import { HoldpointError } from '../errors.ts'
import type { Call, Json, Snapshot } from '../types.ts'

/**
 * Takes the one exact copy of a call's arguments that everything downstream reads. Absent arguments are `{}`.
 *
 * INVARIANT I3: synchronous, so nobody else has a turn before it is taken; the caller's object is not read again, and
 * policy, approver and tool each parse this text for themselves.
 *
 * @throws HoldpointError `ERR_ARGUMENTS`; `at` is the JSON Pointer of what cannot be read exactly.
 */
export function snapshot(
  call: Pick<Call, 'input' | 'inputText' | 'beside'>,
  limits: Limits = DEFAULT_LIMITS,
): Snapshot {
  // UNTRUSTED: the one read of what the model wrote.
  const { input, inputText, beside } = call
  const more = beside === undefined ? undefined : canonicalText(beside, limits)
  if (inputText !== undefined) {
    if (input !== undefined) throw unusable('come twice, as `input` and as `inputText`: pass what the host received')
    return new TakenSnapshot(canonicalText(readText(inputText, limits), limits), more)
  }
  return new TakenSnapshot(input === undefined ? '{}' : canonicalText(input, limits), more)
}

/** Hosts hand over JSON text as models wrote it, and a model that has no arguments may write nothing at all. */
function readText(text: string, limits: Limits): Json {
  if (typeof text !== 'string') throw unusable('come as an `inputText` that is not a string')
  if (text === '') return {}
  try {
    return parseStrict(text, limits)
  } catch (cause) {
    if (!(cause instanceof HoldpointError)) throw cause
    throw new HoldpointError('ERR_ARGUMENTS', cause.message, { at: cause.at ?? '', because: cause.because, cause })
  }
}

function unusable(because: string): HoldpointError {
  return new HoldpointError('ERR_ARGUMENTS', `the arguments ${because}`, { at: '', because })
}

class TakenSnapshot implements Snapshot {
  readonly text: string
  readonly shown: string
  readonly digest: string
  readonly #beside: string | undefined

  constructor(text: string, beside: string | undefined) {
    this.text = text
    this.#beside = beside
    // Nor is what a person reads of a pair what they would read of any arguments.
    this.shown = beside === undefined ? text : `${text} beside ${beside}`
    // No arguments have the text of a pair: it is no JSON, and a canonical text holds no line break.
    this.digest = sha256(beside === undefined ? text : `beside\n${text}\n${beside}`)
  }

  get bytes(): Uint8Array {
    return new TextEncoder().encode(this.text)
  }

  parse(): Json {
    return JSON.parse(this.text)
  }

  parseBeside(): Json | undefined {
    return this.#beside === undefined ? undefined : JSON.parse(this.#beside)
  }
}
