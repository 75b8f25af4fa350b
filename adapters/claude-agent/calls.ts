import type { Ending, JsonObject, PermittedAdmission } from '../../src/index.ts'
import { giveBack } from '../shared/carry-out.ts'
import type { CallRecord } from '../shared/journal.ts'
import { isSameJson } from '../shared/same-json.ts'

/** A call that the host was told it may run. */
export interface Running {
  readonly admission: PermittedAdmission
  readonly record: CallRecord
  /** The decided arguments, where the host itself runs the tool; absent where our own handler does. */
  readonly given: JsonObject | undefined
  readonly agentId: string | undefined
}

/** Calls that one set of hooks remembers: the host owes a word for each, and may never give it. */
const MOST_RUNNING = 1_000

/** How what the host reports to have run stands to what was decided. */
export type Reported = 'settled' | 'otherwise' | 'unknown'

/** The calls that the host may run, from its permission until it says how each went. Oldest first. */
export class RunningCalls {
  readonly #running = new Map<string, Running>()

  add(callId: string, running: Running): void {
    this.#running.set(callId, running)
    for (const [oldest, each] of this.#running) {
      if (this.#running.size <= MOST_RUNNING) break
      this.#running.delete(oldest)
      void forsake(each)
    }
  }

  find(callId: string): Running | undefined {
    return this.#running.get(callId)
  }

  /** Puts on record how a call went. `otherwise`: the host ran it, with other arguments than were decided. */
  async end(callId: string, executed: unknown, ending: Ending): Promise<Reported> {
    const running = this.#take(callId)
    if (running === undefined) return 'unknown'
    // INVARIANT I3: what ran otherwise is not what was permitted, and nobody knows how that would have gone.
    const isOther = running.given !== undefined && !isSameJson(executed, running.given)
    await (running.given === undefined || isOther ? forsake(running) : settle(running, ending))
    return isOther ? 'otherwise' : 'settled'
  }

  /** Somebody said no after the gate had permitted it. */
  async drop(callId: string): Promise<void> {
    const running = this.#take(callId)
    if (running === undefined) return
    await (running.given === undefined ? forsake(running) : settle(running, { status: 'cancelled' }))
  }

  /** An agent's turn is over: what nothing was heard of will not be heard of any more. */
  async endOf(agentId: string | undefined): Promise<void> {
    const left = [...this.#running].filter(([, running]) => running.agentId === agentId)
    for (const [callId, running] of left) {
      this.#running.delete(callId)
      await forsake(running)
    }
  }

  #take(callId: string): Running | undefined {
    const running = this.#running.get(callId)
    this.#running.delete(callId)
    return running
  }
}

/** What our own handler runs, it has put on record: where it was never called, the permit goes back. Of the rest nobody knows. */
async function forsake(running: Running): Promise<void> {
  if (running.given === undefined) await giveBack(running.admission)
  else await settle(running, { status: 'not_executed' })
}

/** A call that has begun is recorded as `unknown` where it is said not to have been executed: its key stays spent. */
async function settle({ admission, record }: Running, ending: Ending): Promise<void> {
  const receipt = await admission.settle(ending)
  if (receipt !== undefined) record.receipts.push(receipt)
}
