import type { Signer } from '../types.ts'
import { MOST } from './limits.ts'

/** Most conversations that are remembered. */
const MOST_TRACES = 1_000

interface Steps {
  step: number | undefined
  /** Receipts of earlier steps: what the model had seen when it made the current step's calls. */
  seen: readonly string[]
  /** Receipts of the current step. */
  fresh: string[]
}

/**
 * Which receipts a call's conversation had already delivered to the model: the `parents` of the trace's DAG.
 *
 * Calls of one step share their parents; a later step names every receipt of the step before it.
 */
export class Lineage {
  readonly #traces = new Map<string, Steps>()

  /** The parents of a call that the model made at `step` (the adapter's message count). */
  parents(trace: string, step: number | undefined): readonly string[] {
    const steps = this.#of(trace)
    if (step === undefined || step !== steps.step) {
      if (steps.fresh.length > 0) steps.seen = steps.fresh
      steps.fresh = []
      steps.step = step
    }
    return [...steps.seen].sort()
  }

  /** A receipt (outcome or refusal) went back to the model. */
  delivered(trace: string, hash: string): void {
    const steps = this.#of(trace)
    if (steps.fresh.length < MOST.parents) steps.fresh.push(hash)
  }

  #of(trace: string): Steps {
    const known = this.#traces.get(trace) ?? { step: undefined, seen: [], fresh: [] }
    this.#traces.delete(trace)
    this.#traces.set(trace, known)
    if (this.#traces.size > MOST_TRACES) this.#traces.delete(this.#traces.keys().next().value ?? '')
    return known
  }
}

/** The trace id of a conversation: the same each time under one key, and no help in guessing whose it is. */
export function traceOfConversation(signer: Pick<Signer, 'blind'>, conversation: string): string {
  return Buffer.from(signer.blind('trace', conversation), 'base64url').toString('hex', 0, 16)
}
