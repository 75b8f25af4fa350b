/** Stands beside a gate and writes down what it decided, for the teller of the story. */
import { readReceipt } from '../../receipt/read.ts'
import type { Admission, Call, Channel, Gate, Materiality, Refusal } from '../../types.ts'

/** One call as it went. */
export interface CallTold {
  /** What happened in the world just before it. */
  readonly before: string | undefined
  /** `server/tool`. */
  readonly tool: string
  readonly input: unknown
  readonly materiality: Materiality
  /** Id of the decision receipt. */
  readonly receipt: string | undefined
  /** Policies that determined the decision. */
  readonly policies: readonly string[]
  /** From the call to the decision, ms. */
  readonly ms: number
  /** Ran because no policy answered and the operator lets low calls run then. */
  readonly failedOpen: boolean
  /** Absent when the call ran. */
  readonly refusal: Refusal | undefined
  /** The host paused the call to ask a person; its decision follows as a call of its own. */
  readonly asked: boolean
}

/** A view whose admissions are written down, and the notes. */
export interface Witness {
  readonly view: Gate
  /** Something happens in the world; it is told with the next call. */
  narrate(text: string): void
  /** The calls since the last time, in the order of their decisions. */
  take(): readonly CallTold[]
}

/** `server` is where a call without a server belongs. */
export function witness(view: Gate, server: string): Witness {
  let calls: CallTold[] = []
  let before: string | undefined
  const seen = new WeakSet<Admission>()
  const admit: Gate['admit'] = async (call, options) => {
    const startedAt = performance.now()
    const admission = await view.admit(call, options)
    // A host asks twice, in its approval hook and in `execute`; both get the same admission.
    if (!seen.has(admission)) {
      seen.add(admission)
      const ms = performance.now() - startedAt
      calls.push(told(call, admission, { before, server, channel: view.scope?.channel, ms }))
      before = undefined
    }
    return admission
  }
  return {
    view: new Proxy(view, {
      get: (target, name) => {
        if (name === 'admit') return admit
        const member: unknown = Reflect.get(target, name, target)
        return typeof member === 'function' ? member.bind(target) : member
      },
    }),
    narrate: (text) => {
      before = text
    },
    take: () => {
      const taken = calls
      calls = []
      return taken
    },
  }
}

interface Around {
  readonly before: string | undefined
  readonly server: string
  readonly channel: Channel | undefined
  readonly ms: number
}

function told(call: Call, admission: Admission, { before, server, channel, ms }: Around): CallTold {
  const permitted = admission.outcome === 'permitted'
  const { receipt } = admission
  const claims = receipt === undefined ? undefined : readReceipt(receipt.jws)
  return {
    before,
    tool: `${call.server ?? server}/${call.tool}`,
    input: call.input ?? (call.inputText === undefined ? {} : JSON.parse(call.inputText)),
    materiality: permitted ? admission.materiality : admission.refusal.materiality,
    receipt: receipt?.id,
    policies: claims?.kind === 'decision' ? claims.policy.determining : [],
    ms,
    failedOpen: permitted && admission.failedOpen,
    refusal: permitted ? undefined : admission.refusal,
    asked: !permitted && admission.request !== undefined && channel === 'chat',
  }
}
