import { decodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import type { DecisionClaims, OutcomeClaims } from './claims.ts'
import { Digests, Numbers } from './digests.ts'
import type { Findings } from './findings.ts'
import { groundsFault } from './grounds.ts'
import { type NamedOverride, OverrideTally } from './override-tally.ts'
import type { Extent, Place } from './verify-streams.ts'

/** A decision whose call may run and whose outcome has not come. */
interface Running {
  readonly index: number
  readonly id: string
  readonly owes: boolean
  /** Of a permit. */
  readonly call: string | undefined
  readonly override: NamedOverride | undefined
}

interface Ended {
  readonly index: number
  readonly hash: string
  readonly status: OutcomeClaims['status']
}

/** What became of a decision; of one whose call has ended, the number of the outcome comes on top of `ENDED`. */
const [UNSEEN, REFUSED, RUNNING, ENDED] = [0, 1, 2, 3] as const

/**
 * That decisions and outcomes belong together, and that no call ran twice.
 *
 * Of a call that has ended its key and two numbers are kept; more only while it runs.
 */
export class Calls {
  readonly #findings: Findings
  readonly #extent: Extent
  /** The receipts of the set so far, by their hashes. */
  readonly #receipts: Digests
  /** By the decision's number. */
  readonly #standings = new Numbers()
  readonly #running = new Map<string, Running>()
  /** Outcomes that came before their decision. */
  readonly #early = new Map<string, Ended>()
  /** The call keys that ran, and the decision under which each did, by its number. */
  readonly #ran = new Digests()
  readonly #ranUnder = new Numbers()
  readonly #overrides = new OverrideTally()
  #unenforced = 0

  /** @param receipts those of the set so far; who adds one does that before it comes here */
  constructor(findings: Findings, extent: Extent, receipts: Digests) {
    this.#findings = findings
    this.#extent = extent
    this.#receipts = receipts
  }

  get unenforced(): number {
    return this.#unenforced
  }

  decide({ index, id, hash }: Place, claims: DecisionClaims): void {
    const why = groundsFault(claims)
    if (why !== undefined) this.#findings.fail({ index, receipt: id, check: 'grounds', why })
    if (!claims.enforced) this.#unenforced += 1
    const number = this.#receipts.number(hash)
    if (this.#standings.get(number) !== UNSEEN) return
    const owes = claims.permit !== undefined
    const mayRun = owes || !claims.enforced
    this.#standings.set(number, mayRun ? RUNNING : REFUSED)
    if (mayRun) {
      const { call, override } = claims
      this.#running.set(hash, { index, id, owes, call: owes ? call : undefined, override })
    }
    const early = this.#early.get(hash)
    if (early === undefined) return
    this.#early.delete(hash)
    this.#settle(hash, early)
  }

  end({ index, id, hash }: Place, { decision, status }: OutcomeClaims): void {
    const number = this.#receipts.find(decision)
    const standing = number === undefined ? UNSEEN : this.#standings.get(number)
    const first =
      this.#early.get(decision)?.hash ?? (standing >= ENDED ? this.#receipts.text(standing - ENDED) : undefined)
    if (first !== undefined) {
      const why = `its decision already has the outcome ${idOf(first)}`
      this.#findings.fail({ index, receipt: id, check: 'pairing', why })
    } else if (standing === UNSEEN) this.#early.set(decision, { index, hash, status })
    else this.#settle(decision, { index, hash, status })
  }

  /** Returns how many permits owe an outcome. */
  close(): number {
    for (const [, { index, hash }] of this.#early) this.#unpaired(index, hash)
    let owing = 0
    for (const [, { id, owes }] of this.#running) {
      if (!owes) continue
      owing += 1
      this.#findings.note({
        about: 'permit_without_outcome',
        receipt: id,
        why: 'permitted, and no outcome is in this set: still running, cut off, or lost in a crash',
      })
    }
    for (const note of this.#overrides.notes()) this.#findings.note(note)
    if (this.#extent === 'part') {
      const why = 'only some leaves of the log are here; what stands in the others is not known'
      this.#findings.unsure('pairing', why)
      this.#findings.unsure('spent', why)
    }
    return owing
  }

  #unpaired(index: number, hash: string): void {
    if (this.#extent === 'part') return
    this.#findings.fail({ index, receipt: idOf(hash), check: 'pairing', why: 'its decision is not in this set' })
  }

  #settle(decision: string, outcome: Ended): void {
    const running = this.#running.get(decision)
    if (running === undefined) {
      const why = `its decision ${idOf(decision)} permitted nothing`
      this.#findings.fail({ index: outcome.index, receipt: idOf(outcome.hash), check: 'pairing', why })
      return
    }
    this.#running.delete(decision)
    this.#standings.set(this.#receipts.number(decision), ENDED + this.#receipts.number(outcome.hash))
    const { id: receipt, index } = running
    if (outcome.status === 'unknown') {
      const why = 'it is not known whether this call ran: its process ended before the outcome was written'
      this.#findings.note({ about: 'outcome_unknown', receipt, why })
    }
    if (outcome.status === 'not_executed') return
    this.#once(decision, running)
    // A use of an override is counted for good, so whatever ran, or may have, stays within what was signed.
    const why = running.override === undefined ? undefined : this.#overrides.add(running.override)
    if (why !== undefined) this.#findings.fail({ index, receipt, check: 'grounds', why })
  }

  /** INVARIANT I2: a call key whose permit came to nothing may be permitted again; one that ran, or may have, may not. */
  #once(decision: string, { call, id, index }: Running): void {
    if (call === undefined) return
    const first = this.#ran.find(call)
    if (first === undefined) this.#ranUnder.set(this.#ran.number(call), this.#receipts.number(decision))
    else
      this.#findings.fail({
        index,
        receipt: id,
        check: 'spent',
        why: `the same call already ran under ${idOf(this.#receipts.text(this.#ranUnder.get(first)))}`,
      })
  }
}

/** A receipt's id, out of its hash. */
function idOf(hash: string): string {
  return `r_${crockford(decodeBase64url(hash).subarray(0, 16))}`
}
