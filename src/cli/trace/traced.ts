/** The receipts of one trace, read into calls, the steps that the model made them in, and what it had seen by then. */
import { crockford } from '../../bytes/crockford.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import type { DecisionClaims, OutcomeClaims } from '../../receipt/claims.ts'
import { readReceipt } from '../../receipt/read.ts'

/** Calls that are read into memory; more are counted. */
const MOST_CALLS = 10_000

/** A receipt with what it says. */
interface Said<Claims> {
  readonly id: string
  readonly hash: string
  readonly claims: Claims
}

/** One call: what was decided, and how it ended. */
export interface TracedCall {
  /** From 1, in the order of the decisions. */
  readonly number: number
  readonly decision: Said<DecisionClaims>
  readonly outcome: Said<OutcomeClaims> | undefined
}

/** Calls that one gate process saw the model make with the same results before it. */
export interface TracedStep {
  readonly calls: readonly TracedCall[]
  /** Numbers of the calls whose receipts had gone back to the model. */
  readonly after: readonly number[]
  /** How many more receipts it had seen that are not among these. */
  readonly elsewhere: number
}

/** The calls of one trace. */
export interface Trace {
  readonly id: string
  readonly steps: readonly TracedStep[]
  readonly calls: number
  /** Calls beyond those that are read. */
  readonly left: number
  /** Receipts that cannot be read; nothing is known of them but that they are there. */
  readonly unreadable: number
}

/**
 * Reads the receipts of one trace, in one pass. Nothing is verified.
 *
 * UNTRUSTED: receipts may be anybody's. A receipt's hash is computed, so whatever `parents` name, there is no cycle; what cannot
 * be read is counted, and memory is bounded.
 *
 * @param most calls that are read; the others are counted
 */
export async function readTrace(tokens: AsyncIterable<string>, id: string, most = MOST_CALLS): Promise<Trace> {
  const decisions = new Map<string, Said<DecisionClaims>>()
  const outcomes = new Map<string, Said<OutcomeClaims>>()
  let left = 0
  let unreadable = 0
  for await (const jws of tokens) {
    const payload = payloadOf(jws)
    // An outcome that was written after a crash names its decision and no trace.
    if (!payload.includes(`"trace":"${id}"`) && !payload.includes('"recovered":true')) continue
    const said = read(jws, payload)
    if (said === undefined) {
      unreadable += 1
      continue
    }
    const { claims } = said
    if (claims.kind === 'outcome' && decisions.has(claims.decision)) outcomes.set(claims.decision, { ...said, claims })
    if (claims.kind !== 'decision' || claims.trace !== id) continue
    if (decisions.size < most) decisions.set(said.hash, { ...said, claims })
    else left += 1
  }
  const calls = [...decisions.values()]
    .sort((a, b) => a.claims.ts - b.claims.ts || a.claims.seq - b.claims.seq)
    .map((decision, index) => ({ number: index + 1, decision, outcome: outcomes.get(decision.hash) }))
  return { id, steps: stepsOf(calls), calls: calls.length, left, unreadable }
}

/**
 * The trace that a receipt belongs to: its own, or that of the decision that it ends.
 *
 * @param tokens opens the receipts, once or twice
 * @param id the receipt's id, or its beginning
 * @returns `undefined` where there is no such receipt; without `trace` where it belongs to none
 */
export async function traceOf(
  tokens: () => AsyncIterable<string>,
  id: string,
): Promise<{ readonly receipt: string; readonly kind: string; readonly trace?: string } | undefined> {
  const found = await first(tokens(), (payload) => idOf(payload).startsWith(id))
  if (found === undefined) return undefined
  const { claims } = found
  const own =
    claims.trace === undefined && claims.kind === 'outcome'
      ? await first(tokens(), (payload) => payload.includes('"permit":{') && hashOf(payload) === claims.decision)
      : found
  const trace = own?.claims.trace
  return { receipt: found.id, kind: claims.kind, ...(trace === undefined ? {} : { trace }) }
}

async function first(tokens: AsyncIterable<string>, wanted: (payload: string) => boolean) {
  for await (const jws of tokens) {
    const payload = payloadOf(jws)
    const said = wanted(payload) ? read(jws, payload) : undefined
    if (said !== undefined) return said
  }
  return undefined
}

function stepsOf(calls: readonly TracedCall[]): readonly TracedStep[] {
  const seenBy = new Map(calls.flatMap(({ number, decision, outcome }) => deliveredOf(decision, outcome, number)))
  const steps = new Map<string, TracedCall[]>()
  for (const call of calls) {
    const { stream, parents = [] } = call.decision.claims
    const key = [stream, ...parents].join()
    const made = steps.get(key)
    if (made === undefined) steps.set(key, [call])
    else made.push(call)
  }
  return [...steps.values()].map((made) => {
    const parents = made[0]?.decision.claims.parents ?? []
    const known = parents.flatMap((hash) => seenBy.get(hash) ?? [])
    return {
      calls: made,
      after: [...new Set(known)].sort((a, b) => a - b),
      elsewhere: parents.length - known.length,
    }
  })
}

/** The receipts of a call that may have gone back to the model. */
function deliveredOf(
  decision: Said<DecisionClaims>,
  outcome: Said<OutcomeClaims> | undefined,
  number: number,
): readonly (readonly [hash: string, call: number])[] {
  return [decision, outcome].flatMap((said) => (said === undefined ? [] : [[said.hash, number] as const]))
}

function read(jws: string, payload: string) {
  try {
    const hash = hashOf(payload)
    return { id: idOf(payload), hash, claims: readReceipt(jws) }
  } catch {
    return undefined
  }
}

function payloadOf(jws: string): string {
  return Buffer.from(jws.split('.', 2)[1] ?? '', 'base64url').toString('utf8')
}

function hashOf(payload: string): string {
  return Buffer.from(hashBytes(payload)).toString('base64url')
}

function idOf(payload: string): string {
  return `r_${crockford(hashBytes(payload).subarray(0, 16))}`
}

/** SHA-256 of a zero byte and the payload. */
function hashBytes(payload: string): Uint8Array {
  return sha256Bytes(`\u0000${payload}`)
}
