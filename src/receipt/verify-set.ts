import type { DecisionClaims, OutcomeClaims, ReceiptClaims } from './claims.ts'
import { groundsFault } from './grounds.ts'
import { type NamedOverride, OverrideTally } from './override-tally.ts'
import type { VerifyFailure, VerifyNote, VerifyReport } from './verify-report.ts'

interface Place {
  readonly index: number
  readonly id: string
  readonly hash: string
  readonly kid: string
}

interface Stream {
  seq: number
  hash: string
  readonly kid: string
  readonly iss: string
  sealed: boolean
  readonly last: { readonly stream: string; readonly seq: number; readonly hash: string } | undefined
}

/** A decision of the set, as far as pairing needs it. */
interface Decided {
  readonly index: number
  readonly id: string
  readonly owes: boolean
  readonly mayRun: boolean
  readonly call: string | undefined
  readonly override: NamedOverride | undefined
}

interface Ended {
  readonly index: number
  readonly id: string
  readonly status: OutcomeClaims['status']
}

/**
 * What single receipts cannot show: that streams have no hole, and that decisions and outcomes belong together.
 *
 * Receipts come one at a time; of each only what later ones need is kept.
 */
export class Ledger {
  readonly #streams = new Map<string, Stream>()
  readonly #decisions = new Map<string, Decided>()
  readonly #outcomes = new Map<string, Ended>()
  readonly #failures: VerifyFailure[] = []
  readonly #notes: VerifyNote[] = []
  #unenforced = 0

  fail(failure: VerifyFailure): void {
    this.#failures.push(failure)
  }

  add(index: number, claims: ReceiptClaims, read: Omit<Place, 'index'>): void {
    const place: Place = { index, ...read }
    this.#follow(place, claims)
    switch (claims.kind) {
      case 'open':
      case 'seal':
        return
      case 'decision':
        this.#decide(place, claims)
        return
      case 'outcome':
        this.#end(place, claims)
    }
  }

  report(count: number): VerifyReport {
    if (count === 0) this.fail({ index: -1, check: 'presence', why: 'there is no receipt: nothing was verified' })
    const owing = this.#pair()
    this.#oncePerCall()
    this.#withinOverrides()
    const openEnds = this.#closing()
    if (this.#unenforced > 0) {
      this.#notes.push({
        about: 'not_enforced',
        why: `${this.#unenforced} decisions were recorded without being enforced`,
      })
    }
    const ok = this.#failures.length === 0
    const broken = new Set(this.#failures.filter(({ index }) => index >= 0).map(({ index }) => index))
    return {
      ok,
      complete: ok && owing === 0 && openEnds === 0,
      settled: owing === 0,
      sealed: openEnds === 0,
      count,
      verified: count - broken.size,
      failures: [...this.#failures].sort((a, b) => a.index - b.index),
      notes: this.#notes,
      enforced: this.#unenforced === 0,
    }
  }

  /** INVARIANT I6: seq from 0 with `open`, no hole, `prev` names the receipt before, one key and one issuer. */
  #follow(place: Place, claims: ReceiptClaims): void {
    const stream = this.#streams.get(claims.stream)
    const why = stream === undefined ? beginningFault(claims, place) : followingFault(stream, claims, place)
    if (why !== undefined) this.fail({ index: place.index, receipt: place.id, check: 'continuity', why })
    if (stream === undefined) {
      const last = claims.kind === 'open' ? claims.last : undefined
      this.#streams.set(claims.stream, {
        seq: claims.seq,
        hash: place.hash,
        kid: place.kid,
        iss: claims.iss,
        sealed: claims.kind === 'seal',
        last,
      })
      return
    }
    // After a break the stream goes on from here, so that one lost receipt is one failure and not a thousand.
    if (claims.seq > stream.seq) {
      stream.seq = claims.seq
      stream.hash = place.hash
      stream.sealed = claims.kind === 'seal'
    }
  }

  #decide(place: Place, claims: DecisionClaims): void {
    const why = groundsFault(claims)
    if (why !== undefined) this.fail({ index: place.index, receipt: place.id, check: 'grounds', why })
    if (!claims.enforced) this.#unenforced += 1
    const owes = claims.permit !== undefined
    this.#decisions.set(place.hash, {
      index: place.index,
      id: place.id,
      owes,
      mayRun: owes || !claims.enforced,
      call: owes ? claims.call : undefined,
      override: claims.override,
    })
  }

  #end(place: Place, claims: OutcomeClaims): void {
    const first = this.#outcomes.get(claims.decision)
    if (first !== undefined) {
      this.fail({
        index: place.index,
        receipt: place.id,
        check: 'pairing',
        why: `its decision already has the outcome ${first.id}`,
      })
      return
    }
    this.#outcomes.set(claims.decision, { index: place.index, id: place.id, status: claims.status })
  }

  /** Outcomes to decisions, once everything is known: either may come first. Returns how many permits owe an outcome. */
  #pair(): number {
    for (const [hash, outcome] of this.#outcomes) {
      const decision = this.#decisions.get(hash)
      if (decision === undefined) {
        this.fail({
          index: outcome.index,
          receipt: outcome.id,
          check: 'pairing',
          why: 'its decision is not in this set',
        })
      } else if (!decision.mayRun) {
        this.fail({
          index: outcome.index,
          receipt: outcome.id,
          check: 'pairing',
          why: `its decision ${decision.id} permitted nothing`,
        })
      } else if (outcome.status === 'unknown') {
        this.#notes.push({
          about: 'outcome_unknown',
          receipt: decision.id,
          why: 'it is not known whether this call ran: its process ended before the outcome was written',
        })
      }
    }
    let owing = 0
    for (const [hash, decision] of this.#decisions) {
      if (!decision.owes || this.#outcomes.has(hash)) continue
      owing += 1
      this.#notes.push({
        about: 'permit_without_outcome',
        receipt: decision.id,
        why: 'permitted, and no outcome is in this set: still running, cut off, or lost in a crash',
      })
    }
    return owing
  }

  /** INVARIANT I2: a call key whose permit came to nothing may be permitted again; one that ran, or may have, may not. */
  #oncePerCall(): void {
    const spent = new Map<string, string>()
    for (const [hash, { index, id, call }] of this.#decisions) {
      const status = this.#outcomes.get(hash)?.status
      if (call === undefined || status === undefined || status === 'not_executed') continue
      const first = spent.get(call)
      if (first === undefined) spent.set(call, id)
      else
        this.fail({
          index,
          receipt: id,
          check: 'pairing',
          why: `the same call already ran under ${first}`,
        })
    }
  }

  /** A use of an override is counted for good, so whatever ran, or may have, stays within what was signed. */
  #withinOverrides(): void {
    const tally = new OverrideTally()
    for (const [hash, { index, id, override }] of this.#decisions) {
      const status = this.#outcomes.get(hash)?.status
      if (override === undefined || status === undefined || status === 'not_executed') continue
      const why = tally.add(override)
      if (why !== undefined) this.fail({ index, receipt: id, check: 'grounds', why })
    }
    this.#notes.push(...tally.notes())
  }

  /** How streams end. Returns how many of them nothing vouches for. */
  #closing(): number {
    const continued = new Set([...this.#streams].map(([name, stream]) => this.#bridge(name, stream)))
    let openEnds = 0
    for (const [name, stream] of this.#streams) {
      if (stream.sealed || continued.has(name)) continue
      openEnds += 1
      this.#notes.push({
        about: 'stream_not_sealed',
        stream: name,
        why: `stream ${name} ends at ${stream.seq} without a seal: it is live, was cut off, or its process died`,
      })
    }
    return openEnds
  }

  /** Does the earlier stream that this one points at reach as far as it says? Returns the earlier one's name if it does. */
  #bridge(name: string, { last }: Stream): string | undefined {
    if (last === undefined) return undefined
    const earlier = this.#streams.get(last.stream)
    if (earlier === undefined) {
      this.#notes.push({
        about: 'earlier_stream_absent',
        stream: name,
        why: `stream ${name} continues ${last.stream}, which is not in this set`,
      })
      return undefined
    }
    const why = bridgeFault(earlier, last)
    if (why === undefined) return last.stream
    this.fail({ index: -1, check: 'continuity', why })
    return undefined
  }
}

/** A stream may go on behind what the later one saw: a store can hold more than was ever acknowledged. */
function bridgeFault(earlier: Stream, last: NonNullable<Stream['last']>): string | undefined {
  if (earlier.seq < last.seq) {
    return `stream ${last.stream} ends at ${earlier.seq}, and a later stream saw it reach ${last.seq}: its end was cut off`
  }
  if (earlier.seq > last.seq || earlier.hash === last.hash) return undefined
  return `stream ${last.stream} ends in another receipt than a later stream saw there`
}

function beginningFault(claims: ReceiptClaims, place: Place): string | undefined {
  if (claims.seq !== 0) return `its stream begins at ${claims.seq}: what came before is missing`
  if (claims.prev !== undefined) return 'the first receipt of a stream cannot name one before it'
  if (claims.kind !== 'open') return 'a stream must begin with an open receipt'
  return claims.kid === place.kid ? undefined : 'its open receipt names another key than the one that signed it'
}

function followingFault(stream: Stream, claims: ReceiptClaims, place: Place): string | undefined {
  if (claims.seq <= stream.seq)
    return `place ${claims.seq} of its stream was filled before: repeated, forked or out of order`
  if (claims.seq !== stream.seq + 1) return missing(claims.seq - stream.seq - 1)
  if (claims.prev !== stream.hash) return 'it names another receipt before it than the one that is there'
  if (claims.kind === 'open') return 'an open receipt can only begin a stream'
  if (stream.sealed) return 'its stream was sealed before it'
  if (place.kid !== stream.kid) return 'it is signed by another key than its stream began with'
  return claims.iss === stream.iss ? undefined : 'it names another issuer than its stream began with'
}

function missing(count: number): string {
  return count === 1 ? 'the receipt before it is missing' : `${count} receipts before it are missing`
}
