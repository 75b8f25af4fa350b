import type { Ending, PermittedAdmission } from '../../src/index.ts'
import { renderNotes } from '../../src/index.ts'
import { isRedacted, revealed, withoutDetails } from '../shared/mcp-result.ts'
import { noted, saysItFailed, stamped } from './answers.ts'
import { isObject, type Message } from './message.ts'

/** How long a server may take to answer after its caller has left, ms. */
const GRACE_MS = 5_000

/** One call that the server is at work on: its permit has begun, its outcome is not on record yet. */
export class Running {
  readonly #admission: PermittedAdmission
  #leaving: ReturnType<typeof setTimeout> | undefined

  constructor(admission: PermittedAdmission) {
    this.#admission = admission
  }

  /** The server answered: the outcome goes on record, and the decision's receipt beside the answer. */
  answered(response: Message): Message {
    const { result, error } = response
    if (!isObject(result)) {
      this.#settle({ status: 'tool_error', error })
      return isRedacted(this.#admission) ? withoutDetails(response) : response
    }
    const shown = revealed(result, this.#admission)
    this.#settle(endingOf(shown))
    const { jsonrpc, id } = response
    const envelope = isRedacted(this.#admission) ? { jsonrpc, id } : response
    return { ...envelope, result: this.stamp(noted(shown, renderNotes(this.#admission))) }
  }

  /** The receipt of the decision, beside what the server says. */
  stamp(result: Message): Message {
    return stamped(result, this.#admission.receipt)
  }

  /** The server says that the task has ended badly, and how it says so is all there is. */
  failed(said: Message): void {
    this.#settle({ status: 'tool_error', error: said })
  }

  /** The server says that it has given up, as it was asked to. */
  cancelled(): void {
    this.#settle({ status: 'cancelled' })
  }

  /**
   * The caller no longer waits. The server may still be at work, and what it says in time is the outcome.
   *
   * @param forget called when that time is over
   */
  left(forget: () => void): void {
    this.#leaving ??= setTimeout(() => {
      this.cancelled()
      forget()
    }, GRACE_MS)
    this.#leaving.unref()
  }

  /** No answer will ever come. What has begun and is never heard of is `unknown`, not undone. */
  lost(): void {
    this.#settle({ status: 'not_executed' })
  }

  #settle(ending: Ending): void {
    clearTimeout(this.#leaving)
    // The client has its answer already: nobody waits for the outcome's receipt.
    void this.#admission.settle(ending, 'soon')
  }
}

function endingOf(result: Message): Ending {
  return saysItFailed(result) ? { status: 'tool_error', error: result } : { status: 'ok', result }
}
