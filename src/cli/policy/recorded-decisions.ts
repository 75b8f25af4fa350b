/** Decisions as they were recorded, with the requests that they were about: of a store, or of a bundle that opens them. */
import { statSync } from 'node:fs'
import { crockford } from '../../bytes/crockford.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import type { DecisionClaims } from '../../receipt/claims.ts'
import { openedRequest, openRequest } from '../../receipt/opening.ts'
import { readReceipt } from '../../receipt/read.ts'
import type { EvaluationRequest } from '../../types.ts'
import { isBundle, partsOf } from '../bundle.ts'
import { readerOf } from '../receipts.ts'

/** A decision, and what opens it. */
export interface RecordedDecision {
  /** The receipt's id. */
  readonly receipt: string
  readonly claims: DecisionClaims
  /** `closed`: nothing opens it. `altered`: what is said to open it is not what was committed to. */
  readonly request: EvaluationRequest | 'closed' | 'altered'
}

/** What policies took a decision on; the rest is holdpoint's own, and stays what it is. */
const BY_POLICY: ReadonlySet<string> = new Set(['pdp', 'approval', 'fail_open', 'override'])
/** Decisions of a bundle that may still be opened further down. */
const MOST_WAITING = 10_000

/** Can decisions be read from there: a store's folder, or a bundle? */
export async function holdsDecisions(path: string): Promise<boolean> {
  const about = statSync(path, { throwIfNoEntry: false })
  return about !== undefined && (about.isDirectory() || (await isBundle(path)))
}

/**
 * The decisions that policies took.
 *
 * @throws UnusableInput when there is no store, or the bundle is broken
 */
export async function* decisionsAt(path: string): AsyncGenerator<RecordedDecision> {
  yield* statSync(path).isDirectory() ? ofStore(path) : ofBundle(path)
}

async function* ofStore(folder: string): AsyncGenerator<RecordedDecision> {
  const reader = readerOf(folder)
  try {
    for await (const { id: receipt, jws, hash, kind } of reader.receipts()) {
      const claims = kind === 'decision' ? byPolicy(jws) : undefined
      if (claims === undefined) continue
      const kept = await reader.sidecar(hash)
      if (kept === undefined) yield { receipt, claims, request: 'closed' }
      else {
        const opening = openRequest(claims, kept)
        yield { receipt, claims, request: (opening && openedRequest(claims, opening)) ?? 'altered' }
      }
    }
  } finally {
    await reader.close()
  }
}

/** UNTRUSTED: what opens a decision stands behind it, at once or soon; a bundle that has it wait too long keeps it closed. */
async function* ofBundle(file: string): AsyncGenerator<RecordedDecision> {
  const waiting = new Map<string, Pick<RecordedDecision, 'receipt' | 'claims'>>()
  for await (const part of partsOf(file)) {
    if (part.kind === 'receipt') {
      const claims = byPolicy(part.jws)
      if (claims === undefined) continue
      const hash = hashOf(part.jws)
      waiting.set(hash.toString('base64url'), { receipt: `r_${crockford(hash.subarray(0, 16))}`, claims })
      const [oldest] = waiting
      if (waiting.size <= MOST_WAITING || oldest === undefined) continue
      waiting.delete(oldest[0])
      yield { ...oldest[1], request: 'closed' }
    } else if (part.kind === 'opening' && part.opens === 'request') {
      const decision = waiting.get(part.receipt)
      if (decision === undefined) continue
      waiting.delete(part.receipt)
      yield { ...decision, request: openedRequest(decision.claims, part) ?? 'altered' }
    }
  }
  for (const decision of waiting.values()) yield { ...decision, request: 'closed' }
}

function byPolicy(jws: string): DecisionClaims | undefined {
  const claims = readReceipt(jws)
  return claims.kind === 'decision' && BY_POLICY.has(claims.basis) ? claims : undefined
}

/** SHA-256 of a zero byte and the payload. */
function hashOf(jws: string): Buffer {
  const payload = Buffer.from(jws.split('.', 2)[1] ?? '', 'base64url')
  return Buffer.from(sha256Bytes(Buffer.concat([Buffer.of(0), payload])))
}
