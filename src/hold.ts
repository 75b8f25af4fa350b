import { principalKey } from './call/call-key.ts'
import type { Hold, Release } from './decide/holds.ts'
import { toolName } from './draft.ts'
import type { GateParts } from './parts.ts'
import type { Considered } from './pass.ts'
import type { AdmitOptions } from './types.ts'

const DEFAULT_HOLD_MS = 60_000
const LONGEST_HOLD_MS = 600_000

/** May this call wait for a policy point, rather than be refused? */
export function mayHold({ classification, decision }: Considered, { onSilence }: AdmitOptions): boolean {
  if (onSilence !== 'hold' || classification.materiality === 'low') return false
  return decision?.kind === 'silence' && decision.cause.kind === 'absent'
}

/** One call's waiting for its policy point, from the first silence to its end. */
export class Waiting {
  readonly #parts: GateParts
  readonly #considered: Considered
  readonly #options: AdmitOptions
  #hold: Hold | undefined
  #since = 0
  #last: Release = 'again'

  constructor(parts: GateParts, considered: Considered, options: AdmitOptions) {
    this.#parts = parts
    this.#considered = considered
    this.#options = options
  }

  /** Waits until the call may be decided again, or may not be. */
  async wait(): Promise<Release> {
    const { decision } = this.#considered
    const cause = decision?.kind === 'silence' ? decision.cause : undefined
    this.#hold ??= this.#enter()
    this.#last =
      this.#hold === undefined
        ? 'full'
        : await this.#hold.wait(cause?.kind === 'absent' ? cause.retryAfterMs : undefined)
    return this.#last
  }

  /** Gives up the place, and says why. */
  end(): void {
    if (this.#hold === undefined) return
    this.#hold.leave()
    this.#hold = undefined
    const { clock, emit } = this.#parts
    emit({
      event: 'call-released',
      tool: toolName(this.#considered),
      because: this.#last === 'full' ? 'expired' : this.#last,
      heldMs: clock.monotonic() - this.#since,
    })
  }

  #enter(): Hold | undefined {
    const { holds, clock, emit } = this.#parts
    const waitMs = Math.min(this.#options.holdMs ?? DEFAULT_HOLD_MS, LONGEST_HOLD_MS)
    const hold = holds.enter(principalKey(this.#considered.scope), waitMs, this.#options.signal)
    if (hold === undefined) return undefined
    this.#since = clock.monotonic()
    const { materiality } = this.#considered.classification
    emit({ event: 'call-held', tool: toolName(this.#considered), materiality, waitMs })
    return hold
  }
}
