import type { Check, VerifyFailure, VerifyNote } from './verify-report.ts'

/** Failures and notes that are kept; the rest are counted. A hostile set must not fill the memory. */
const MOST_LISTED = 1_000

interface Failed {
  readonly why: string
  /** It is of the whole set, not of one receipt. */
  readonly ofAll: boolean
  /** How many receipts failed the check like this. */
  count: number
}

/** What a verification found, as it finds it. */
export class Findings {
  readonly #failures: VerifyFailure[] = []
  readonly #notes: VerifyNote[] = []
  readonly #first = new Map<Check, Failed>()
  readonly #unsure = new Map<Check, string>()
  readonly #broken = new Set<number>()
  #failed = 0
  #noted = 0

  fail(failure: VerifyFailure): void {
    const { check, index, why } = failure
    this.#failed += 1
    if (this.#failures.length < MOST_LISTED) this.#failures.push(failure)
    if (index >= 0) this.#broken.add(index)
    const known = this.#first.get(check)
    const ofAll = index < 0
    // What is wrong with the whole says more than what is wrong with the first of its parts.
    if (known === undefined || (ofAll && !known.ofAll)) this.#first.set(check, { why, ofAll, count: 1 })
    else if (!known.ofAll) known.count += 1
  }

  note(note: VerifyNote): void {
    this.#noted += 1
    if (this.#notes.length < MOST_LISTED) this.#notes.push(note)
  }

  /** A check that this set cannot settle. The first reason stands. */
  unsure(check: Check, why: string): void {
    if (!this.#unsure.has(check)) this.#unsure.set(check, why)
  }

  /** The failure that speaks for a check. */
  failed(check: Check): Readonly<Failed> | undefined {
    return this.#first.get(check)
  }

  doubt(check: Check): string | undefined {
    return this.#unsure.get(check)
  }

  get isClean(): boolean {
    return this.#failed === 0
  }

  /** Receipts that a check failed for. */
  get broken(): number {
    return this.#broken.size
  }

  failures(): readonly VerifyFailure[] {
    return [...this.#failures].sort((a, b) => a.index - b.index)
  }

  notes(): readonly VerifyNote[] {
    const unlisted = this.#failed - this.#failures.length + this.#noted - this.#notes.length
    if (unlisted === 0) return this.#notes
    return [...this.#notes, { about: 'not_listed', why: `${unlisted} more failures and notes are not listed` }]
  }
}
