import { counted } from '../bytes/counted.ts'
import type { ReceiptClaims } from './claims.ts'
import { Digests } from './digests.ts'
import { Findings } from './findings.ts'
import { Calls } from './verify-calls.ts'
import { Ancestry } from './verify-lineage.ts'
import type { VerifyReport } from './verify-report.ts'
import { type Extent, type Place, Streams } from './verify-streams.ts'

/**
 * What single receipts cannot show: that streams have no hole, and that decisions and outcomes belong together.
 *
 * Receipts come one at a time; of each only what later ones need is kept.
 */
export class Ledger {
  readonly findings = new Findings()
  readonly extent: Extent
  /** The receipts so far, by their hashes. */
  readonly #known = new Digests()
  readonly #streams: Streams
  readonly #calls: Calls
  readonly #ancestry: Ancestry

  constructor(extent: Extent = 'set') {
    this.extent = extent
    this.#streams = new Streams(this.findings, extent)
    this.#calls = new Calls(this.findings, extent, this.#known)
    this.#ancestry = new Ancestry(this.findings, extent, this.#known)
  }

  add(place: Place, claims: ReceiptClaims): void {
    this.#streams.follow(place, claims)
    this.#known.number(place.hash)
    switch (claims.kind) {
      case 'open':
      case 'seal':
      case 'key':
        return
      case 'decision':
        this.#calls.decide(place, claims)
        this.#ancestry.name(place, claims.parents)
        return
      case 'outcome':
        this.#calls.end(place, claims)
    }
  }

  report(count: number): VerifyReport {
    const { findings } = this
    if (count === 0) findings.fail({ index: -1, check: 'presence', why: 'there is no receipt: nothing was verified' })
    const owing = this.#calls.close()
    const openEnds = this.#streams.close()
    this.#ancestry.close()
    const { unenforced } = this.#calls
    if (unenforced > 0) {
      findings.note({
        about: 'not_enforced',
        why: `${counted(unenforced, 'decision was', 'decisions were')} recorded without being enforced`,
      })
    }
    const ok = findings.isClean
    return {
      ok,
      complete: ok && owing === 0 && openEnds === 0,
      settled: owing === 0,
      sealed: openEnds === 0,
      count,
      verified: count - findings.broken,
      failures: findings.failures(),
      notes: findings.notes(),
      enforced: unenforced === 0,
    }
  }
}
