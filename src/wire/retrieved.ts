import { HoldpointError } from '../errors.ts'
import { createCedarPoint } from '../policy/cedar.ts'
import type { PolicyText } from '../policy/load.ts'
import type {
  Clock,
  Decision,
  EvaluationRequest,
  Explanation,
  JsonSchema,
  PolicyDecisionPoint,
  PolicyMisfit,
  ToolDefinition,
} from '../types.ts'

/** Where policies come from, and which of them are accepted. */
export interface Retrieval {
  /** Fetches the newest policies. Rejects when it cannot; is given up after `everyMs`. */
  readonly retrieve: (signal: AbortSignal) => Promise<readonly PolicyText[]>
  /** The digests that may take effect, or whoever decides that. Nothing else ever does. */
  readonly accept: readonly string[] | ((policyDigest: string) => boolean)
  /** How often newer ones are asked for, ms. */
  readonly everyMs: number
  /** Above this age nothing is decided by them any more, ms. */
  readonly maxPolicyAgeMs: number
  /** What was retrieved before this process began, and when (ms since epoch): used until a retrieval succeeds. */
  readonly kept?: { readonly policies: readonly PolicyText[]; readonly at: number }
  /** Told of each retrieval that came to nothing. */
  readonly failed?: (cause: unknown) => void
  /** Ends the retrievals. */
  readonly signal?: AbortSignal
  /** For tests. */
  readonly clock?: Clock
}

/**
 * A policy decision point of Cedar policies that are fetched from somewhere, again and again.
 * It begins with one: there is always a policy.
 *
 * What was fetched takes effect whole or not at all: it must load, fit the tools that are registered, and be accepted. Otherwise
 * the last good policies stay, and get older; past `maxPolicyAgeMs` every answer is silence (`stale`), until a retrieval succeeds.
 *
 * @throws HoldpointError ERR_POLICY where neither the first retrieval nor what was kept gives a policy; ERR_CONFIG
 */
export async function retrievedPolicies(retrieval: Retrieval): Promise<PolicyDecisionPoint> {
  check(retrieval)
  const point = new RetrievedPoint(retrieval)
  await point.begin()
  return point
}

/** Policies in force. */
interface Standing {
  readonly point: PolicyDecisionPoint
  /** When they were known to be the newest, on the monotonic clock. */
  readonly asOf: number
}

class RetrievedPoint implements PolicyDecisionPoint {
  readonly id = 'cedar'
  readonly embedded = true
  readonly rederivable = true
  readonly #retrieval: Retrieval
  readonly #clock: Clock
  /**
   * Of each server every tool's newest definition, by its name: agents list one choice of the tools after another. A gate learns
   * 1,000 of one server at most.
   */
  readonly #tools = new Map<string, Map<string, ToolDefinition>>()
  #standing: Standing | undefined
  #failure: unknown

  constructor(retrieval: Retrieval) {
    this.#retrieval = retrieval
    this.#clock = retrieval.clock ?? SYSTEM_CLOCK
  }

  /** Takes what was kept, and retrieves for the first time. */
  async begin(): Promise<void> {
    const { kept } = this.#retrieval
    if (kept !== undefined) {
      const ageMs = this.#clock.now() - kept.at
      // A time that is still to come says nothing about their age.
      this.#put(kept.policies, ageMs >= 0 ? this.#clock.monotonic() - ageMs : Number.NEGATIVE_INFINITY)
    }
    await this.#retrieve()
    if (this.#standing !== undefined) return
    throw new HoldpointError('ERR_POLICY', `no policies could be retrieved: ${wordsOf(this.#failure)}`, {
      cause: this.#failure,
    })
  }

  get policyDigest(): string {
    return this.#point.policyDigest
  }

  get readsSession(): boolean | 'conversation' {
    return this.#point.readsSession
  }

  register(server: string, tools: readonly ToolDefinition[]): readonly PolicyMisfit[] {
    const ofServer = this.#tools.get(server) ?? new Map<string, ToolDefinition>()
    for (const tool of tools) ofServer.set(tool.name, tool)
    this.#tools.set(server, ofServer)
    return this.#point.register(server, tools)
  }

  evaluate(
    request: EvaluationRequest,
    call: { readonly signal: AbortSignal; readonly schema: JsonSchema | undefined },
  ): unknown {
    return this.policyAgeMs() <= this.#retrieval.maxPolicyAgeMs ? this.#point.evaluate(request, call) : STALE
  }

  explain(request: EvaluationRequest, schema: JsonSchema | undefined): Explanation {
    return this.#point.explain(request, schema)
  }

  policyAgeMs(): number {
    return this.#clock.monotonic() - (this.#standing?.asOf ?? Number.NEGATIVE_INFINITY)
  }

  get #point(): PolicyDecisionPoint {
    if (this.#standing !== undefined) return this.#standing.point
    throw new HoldpointError('ERR_POLICY', 'no policies were retrieved yet')
  }

  /** One retrieval, which ends after `everyMs` at the latest: then the next one begins. Never rejects. */
  #retrieve(): Promise<void> {
    const { everyMs, signal } = this.#retrieval
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    const controller = new AbortController()
    const giveUp = (): void => {
      controller.abort()
      end()
    }
    const timer = setTimeout(() => {
      giveUp()
      if (signal?.aborted !== true) void this.#retrieve()
    }, everyMs)
    // A gate that waits for calls does not keep its process alive, and neither do its policies.
    timer.unref()
    signal?.addEventListener('abort', giveUp, { once: true, signal: controller.signal })
    void this.#fetch(controller.signal).then(end)
    return ended
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { retrieve, failed } = this.#retrieval
    const begunAt = this.#clock.monotonic()
    try {
      const policies = await retrieve(signal)
      if (!signal.aborted) this.#put(policies, begunAt)
    } catch (cause) {
      this.#failure = cause
      tell(failed, cause)
    }
  }

  /** Puts policies in force. Throws, and changes nothing, where they do not load, do not fit or are not accepted. */
  #put(policies: readonly PolicyText[], asOf: number): void {
    const point = createCedarPoint(policies)
    if (point.policyDigest === this.#standing?.point.policyDigest) {
      this.#standing = { point: this.#standing.point, asOf }
      return
    }
    const { accept } = this.#retrieval
    const isAccepted = typeof accept === 'function' ? accept(point.policyDigest) : accept.includes(point.policyDigest)
    if (isAccepted !== true) throw unfit(`their digest ${point.policyDigest} is not accepted`)
    for (const [server, tools] of this.#tools) {
      const [misfit] = point.register(server, [...tools.values()])
      if (misfit !== undefined) throw unfit(`${misfit.at}: ${misfit.message}`)
    }
    this.#standing = { point, asOf }
  }
}

const SYSTEM_CLOCK: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

const STALE: Decision = {
  kind: 'silence',
  cause: {
    kind: 'wrong',
    fault: 'stale',
    detail: 'the policies are older than maxPolicyAgeMs, and newer ones could not be had',
  },
  determining: [],
  errors: [],
}

function check({ retrieve, accept, everyMs, maxPolicyAgeMs }: Retrieval): void {
  const at = 'retrievedPolicies() options'
  const refuse = (message: string): HoldpointError => new HoldpointError('ERR_CONFIG', `${at}: ${message}`, { at })
  if (typeof retrieve !== 'function') throw refuse('"retrieve" must be a function')
  if (typeof accept !== 'function' && !Array.isArray(accept)) {
    throw refuse(
      '"accept" must be a list of policy digests, or a function: policies that nobody accepted never take effect',
    )
  }
  if (!(everyMs > 0) || !(maxPolicyAgeMs >= everyMs)) {
    throw refuse('"everyMs" must be above 0, and "maxPolicyAgeMs" at least as long')
  }
}

function unfit(found: string): HoldpointError {
  return new HoldpointError('ERR_POLICY', `the retrieved policies do not take effect: ${found}`)
}

function wordsOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : 'the reason is not known'
}

/** Whoever listens cannot stop what is listened to: a listener that throws, now or later, is not heard. */
function tell(failed: ((cause: unknown) => unknown) | undefined, cause: unknown): void {
  void (async () => await failed?.(cause))().catch(() => undefined)
}
