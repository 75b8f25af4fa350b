import pTimeout from 'p-timeout'
import { OWN_OBLIGATIONS } from '../bytes/obligation.ts'
import { HoldpointError } from '../errors.ts'
import type { Clock, Materiality, Obligation, Principal } from '../types.ts'

/** The call whose permit obliges to something, as far as that may be told. */
export interface ObligedCall {
  /** Server and name: `shop/refund`. */
  readonly tool: string
  readonly materiality: Materiality
  readonly principal: Pick<Principal, 'type' | 'id' | 'tenant'>
}

/**
 * Does what a permit obliges to, and says so: nothing but `true` means that it was done. `signal` aborts when the time is up or
 * the call is gone. It may be called for a permit that does not come to run, because another obligation could not be met.
 */
export type ObligationHandler = (
  obligation: Obligation,
  call: ObligedCall & { readonly signal: AbortSignal },
) => boolean | Promise<boolean>

/** How obligations are met here. */
export interface Obligations {
  /** The types that are known, for services that ask (AuthZEN Obligations profile, Negotiation). */
  readonly types: readonly string[]
  /**
   * Meets obligations, all at once. True only when each of them was met in time. Those that are known are met also when another
   * one is not, so that nothing goes unreported (same profile, Non-Compliance). Never rejects.
   *
   * @param leftMs what is left of the policy budget
   */
  fulfil(
    obligations: readonly Obligation[],
    terms: { readonly leftMs: number; readonly signal?: AbortSignal | undefined; readonly call: ObligedCall },
  ): Promise<boolean>
}

const LONGEST_DELAY_MS = 2 ** 31 - 1

/**
 * Obligations that the operator's code can meet, by type: `{ notification: async ({ properties }) => … }`.
 *
 * INVARIANT I4: an obligation of an unknown type, one that fails or is late leaves its permit without effect.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function createObligations(
  handlers: Readonly<Record<string, ObligationHandler>>,
  clock: Pick<Clock, 'monotonic'>,
): Obligations {
  const known = new Map<string, ObligationHandler>()
  for (const [type, handler] of Object.entries(handlers)) {
    if (typeof handler !== 'function') {
      const at = 'createGate options'
      throw new HoldpointError('ERR_CONFIG', `${at}: "obligations.${type}" must be a function`, { at })
    }
    if (OWN_OBLIGATIONS.some((own) => own === type)) {
      const at = 'createGate options'
      throw new HoldpointError('ERR_CONFIG', `${at}: "obligations.${type}" is met by the gate itself`, { at })
    }
    known.set(type, handler)
  }
  return {
    types: [...known.keys()],
    async fulfil(obligations, { leftMs, signal, call }) {
      if (obligations.length === 0) return true
      const begunAt = clock.monotonic()
      const isGone = (): boolean => signal?.aborted === true
      if (!(leftMs > 0) || isGone()) return false
      const controller = new AbortController()
      const meet = async (obligation: Obligation): Promise<boolean> =>
        (await known.get(obligation.type)?.(obligation, { ...call, signal: controller.signal })) === true
      try {
        const all = Promise.allSettled(obligations.map(meet))
        const milliseconds = Math.min(leftMs, LONGEST_DELAY_MS)
        const met = await pTimeout(all, { milliseconds, ...(signal === undefined ? {} : { signal }) })
        const isMet = met.every((one) => one.status === 'fulfilled' && one.value === true)
        // The timer only wakes us: whether it was in time, the monotonic clock says.
        return isMet && clock.monotonic() - begunAt < leftMs && !isGone()
      } catch {
        return false
      } finally {
        controller.abort()
      }
    },
  }
}
