import type { Gate } from '../../src/index.ts'
import { isTaken, type PendingCall } from './pending.ts'
import { HOST } from './surroundings.ts'

/** A turn of the Responses runner, as far as it is read here. */
export interface HostTurn {
  readonly completedCallIds: readonly string[]
  readonly supplyOutputs: (outputs: readonly { readonly call_id: string }[]) => void
}

/** Hears which calls a runner carried out, and warns of those that came by no guarded function. */
export class Tripwire {
  readonly #gate: Gate
  readonly #expected = new Map<string, { readonly tool: string; readonly call: PendingCall }>()

  constructor(gate: Gate) {
    this.#gate = gate
  }

  /** The runner was given this call. */
  expect(tool: string, call: PendingCall): void {
    if (call.callId !== undefined) this.#expected.set(call.callId, { tool, call })
  }

  /** The runner says that it is done with these. */
  ran(callIds: readonly string[]): void {
    for (const callId of callIds) {
      const known = this.#expected.get(callId)
      this.#expected.delete(callId)
      if (known === undefined || isTaken(known.call)) continue
      this.#gate.reportRun(HOST, { tool: known.tool, callId })
    }
  }

  /** What an app supplies by itself, no function ran for. */
  listening(turn: HostTurn): HostTurn {
    const supplyOutputs: HostTurn['supplyOutputs'] = (outputs) => {
      turn.supplyOutputs(outputs)
      for (const { call_id } of outputs) this.#expected.delete(call_id)
    }
    return { ...turn, supplyOutputs }
  }
}
