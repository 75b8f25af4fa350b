import { decodeBase64url } from '../bytes/base64url.ts'
import { crockford } from '../bytes/crockford.ts'
import type { DecisionClaims, OutcomeClaims } from './claims.ts'
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

/** A decision that permitted nothing; one whose call may run. An outcome's hash takes the place of `running`. */
type Standing = 'refused' | 'running' | string

/**
 * That decisions and outcomes belong together, and that no call ran twice.
 *
 * Of a call that has ended two hashes are kept; more only while it runs.
 */
export class Calls {
  readonly #findings: Findings
  readonly #extent: Extent
  readonly #decisions = new Map<string, Standing>()
  readonly #running = new Map<string, Running>()
  /** Outcomes that came before their decision. */
  readonly #early = new Map<string, Ended>()
  /** The decision under which a call key ran. */
  readonly #ran = new Map<string, string>()
  readonly #overrides = new OverrideTally()
  #unenforced = 0

  constructor(findings: Findings, extent: Extent) {
    this.#findings = findings
    this.#extent = extent
  }

  get unenforced(): number {
    return this.#unenforced
  }

  decide({ index, id, hash }: Place, claims: DecisionClaims): void {
    const why = groundsFault(claims)
    if (why !== undefined) this.#findings.fail({ index, receipt: id, check: 'grounds', why })
    if (!claims.enforced) this.#unenforced += 1
    if (this.#decisions.has(hash)) return
    const owes = claims.permit !== undefined
    const mayRun = owes || !claims.enforced
    this.#decisions.set(hash, mayRun ? 'running' : 'refused')
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
    const standing = this.#decisions.get(decision)
    const first = this.#early.get(decision)?.hash ?? (isOutcome(standing) ? standing : undefined)
    if (first !== undefined) {
      const why = `its decision already has the outcome ${idOf(first)}`
      this.#findings.fail({ index, receipt: id, check: 'pairing', why })
    } else if (standing === undefined) this.#early.set(decision, { index, hash, status })
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
    this.#decisions.set(decision, outcome.hash)
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
    const first = this.#ran.get(call)
    if (first === undefined) this.#ran.set(call, decision)
    else
      this.#findings.fail({
        index,
        receipt: id,
        check: 'spent',
        why: `the same call already ran under ${idOf(first)}`,
      })
  }
}

function isOutcome(standing: Standing | undefined): standing is string {
  return standing !== undefined && standing !== 'refused' && standing !== 'running'
}

/** A receipt's id, out of its hash. */
function idOf(hash: string): string {
  return `r_${crockford(decodeBase64url(hash).subarray(0, 16))}`
}
