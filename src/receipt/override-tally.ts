import { counted } from '../bytes/counted.ts'
import type { DecisionClaims } from './claims.ts'
import type { VerifyNote } from './verify-report.ts'

export type NamedOverride = NonNullable<DecisionClaims['override']>

/** How many calls each override of a set of receipts let run. */
export class OverrideTally {
  readonly #tallies = new Map<string, { readonly override: NamedOverride; calls: number }>()

  /** Counts a call that ran. Says why it should not have, when its override had had its uses. */
  add(override: NamedOverride): string | undefined {
    const tally = this.#tallies.get(override.digest) ?? { override, calls: 0 }
    tally.calls += 1
    this.#tallies.set(override.digest, tally)
    const { id, most } = tally.override
    return tally.calls > most
      ? `its override ${id} was good for ${counted(most, 'call')}, and this is one more`
      : undefined
  }

  notes(): readonly VerifyNote[] {
    return [...this.#tallies.values()].map(({ override: { id, by, most, reason, ticket }, calls }) => ({
      about: 'override_used',
      why: `the override ${id} let ${calls} of at most ${counted(most, 'call')} run: ${reason} (${ticket}); signed by ${by.join(' and ')}`,
    }))
  }
}
