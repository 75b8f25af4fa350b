import type { Gate } from '../../src/index.ts'

/** Which of the model's calls this is. */
export interface Identity {
  readonly callId?: string
  /** How many messages came before it. */
  readonly step?: number
  /** Set where its id stands for another call as well: of such calls one may run. */
  readonly idempotencyKey?: string
}

/** A call as its message says it. UNTRUSTED. */
export interface Spoken {
  readonly id: string | undefined
  readonly name: string
  /** The arguments. */
  readonly text: string
}

/**
 * A call among those of its message. INVARIANT I2: an id that is given to two calls is one call's: the gate refuses the other
 * (`key_reuse`). The very same call twice is one anyway.
 */
export function identityAmong(gate: Gate, all: readonly Spoken[], call: Spoken, step: number | undefined): Identity {
  const { id, name, text } = call
  if (id === undefined || id === '') return step === undefined ? {} : { step }
  const isShared = all.some((each) => each.id === id && (each.name !== name || each.text !== text))
  return {
    callId: id,
    ...(step === undefined ? {} : { step }),
    ...(isShared
      ? { idempotencyKey: JSON.stringify(['openai', gate.scope?.conversation ?? null, step ?? null, id]) }
      : {}),
  }
}
