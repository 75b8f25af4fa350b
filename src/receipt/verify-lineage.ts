import type { DecisionClaims } from './claims.ts'
import type { Digests } from './digests.ts'
import type { Findings } from './findings.ts'
import type { Extent, Place } from './verify-streams.ts'

/** Parents that were not there when they were named, of which is kept who named them. */
const MOST_PENDING = 10_000

/** That every parent of a decision is in the set, and in a log before it: the trace is a closed graph without a cycle. */
export class Ancestry {
  readonly #findings: Findings
  readonly #extent: Extent
  /** The receipts so far, by their hashes. */
  readonly #known: Digests
  readonly #pending = new Map<string, Pick<Place, 'index' | 'id'>>()

  constructor(findings: Findings, extent: Extent, known: Digests) {
    this.#findings = findings
    this.#extent = extent
    this.#known = known
  }

  name({ index, id }: Place, parents: DecisionClaims['parents'] = []): void {
    for (const parent of parents) {
      if (this.#known.find(parent) !== undefined) continue
      if (this.#extent === 'log') {
        const why = 'it names a parent that no leaf before it is'
        this.#findings.fail({ index, receipt: id, check: 'lineage', why })
      } else if (this.#pending.size < MOST_PENDING) this.#pending.set(parent, { index, id })
      else this.#findings.unsure('lineage', 'too many parents came late, or not at all')
    }
  }

  close(): void {
    for (const [parent, { id }] of this.#pending) {
      if (this.#known.find(parent) !== undefined) continue
      this.#findings.unsure(
        'lineage',
        `${id} names a parent that is not in this set; a bundle of the whole log shows it`,
      )
      return
    }
  }
}
