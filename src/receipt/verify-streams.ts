import type { OpenClaims, ReceiptClaims } from './claims.ts'
import type { Findings } from './findings.ts'

/** A receipt's place in the set, and what its bytes say of it. */
export interface Place {
  readonly index: number
  readonly id: string
  readonly hash: string
  readonly kid: string
}

/** How much of what was recorded is here. */
export type Extent =
  /** All that somebody had, in the order of each stream. */
  | 'set'
  /** All that was logged. */
  | 'log'
  /** Some leaves of a log, in their order. */
  | 'part'

interface Stream {
  seq: number
  hash: string
  readonly kid: string
  readonly iss: string
  sealed: boolean
  readonly last: OpenClaims['last']
}

/**
 * Continuity: that no stream has a hole, and that none is cut before where another saw it.
 *
 * INVARIANT I6: seq from 0 with `open`, no hole, `prev` names the receipt before, one key and one issuer.
 */
export class Streams {
  readonly #streams = new Map<string, Stream>()
  readonly #findings: Findings
  readonly #extent: Extent

  constructor(findings: Findings, extent: Extent) {
    this.#findings = findings
    this.#extent = extent
  }

  follow(place: Place, claims: ReceiptClaims): void {
    const stream = this.#streams.get(claims.stream)
    const isPart = this.#extent === 'part'
    const why =
      stream === undefined
        ? beginningFault(claims, place, isPart)
        : (followingFault(stream, claims, isPart) ?? sameStreamFault(stream, claims, place))
    if (why !== undefined) this.#findings.fail({ index: place.index, receipt: place.id, check: 'continuity', why })
    if (stream === undefined) {
      const last = claims.kind === 'open' ? claims.last : undefined
      const { seq, iss, kind } = claims
      this.#streams.set(claims.stream, { seq, hash: place.hash, kid: place.kid, iss, sealed: kind === 'seal', last })
      return
    }
    // After a break the stream goes on from here, so that one lost receipt is one failure and not a thousand.
    if (claims.seq > stream.seq) {
      stream.seq = claims.seq
      stream.hash = place.hash
      stream.sealed = claims.kind === 'seal'
    }
  }

  /** How streams end. Returns how many of them nothing vouches for. */
  close(): number {
    if (this.#extent === 'part') {
      this.#findings.unsure('continuity', 'only some leaves of the log are here; a bundle of the whole log shows it')
    }
    const continued = new Set([...this.#streams].map(([name, stream]) => this.#bridge(name, stream)))
    let openEnds = 0
    for (const [name, stream] of this.#streams) {
      if (stream.sealed || continued.has(name)) continue
      openEnds += 1
      this.#findings.note({
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
      this.#absent(name, last.stream)
      return undefined
    }
    const why = bridgeFault(earlier, last, this.#extent === 'part')
    if (why === undefined) return last.stream
    this.#findings.fail({ index: -1, check: 'continuity', why })
    return undefined
  }

  #absent(stream: string, earlier: string): void {
    const why = `stream ${stream} continues ${earlier}, which is not in this set`
    this.#findings.note({ about: 'earlier_stream_absent', stream, why })
    if (this.#extent !== 'log') return
    const missing = `stream ${stream} continues ${earlier}, which is not in the log: the receipts of one process were left out`
    this.#findings.fail({ index: -1, check: 'completeness', why: missing })
  }
}

/** A stream may go on behind what the later one saw: a store can hold more than was ever acknowledged. */
function bridgeFault(earlier: Stream, last: NonNullable<Stream['last']>, isPart: boolean): string | undefined {
  if (earlier.seq < last.seq) {
    if (isPart) return undefined
    return `stream ${last.stream} ends at ${earlier.seq}, and a later stream saw it reach ${last.seq}: its end was cut off`
  }
  if (earlier.seq > last.seq || earlier.hash === last.hash) return undefined
  return `stream ${last.stream} ends in another receipt than a later stream saw there`
}

function beginningFault(claims: ReceiptClaims, place: Place, isPart: boolean): string | undefined {
  if (claims.seq !== 0) {
    if (claims.prev === undefined) return 'it does not name the receipt before it'
    if (claims.kind === 'open') return 'an open receipt can only begin a stream'
    return isPart ? undefined : `its stream begins at ${claims.seq}: what came before is missing`
  }
  if (claims.prev !== undefined) return 'the first receipt of a stream cannot name one before it'
  if (claims.kind !== 'open') return 'a stream must begin with an open receipt'
  return claims.kid === place.kid ? undefined : 'its open receipt names another key than the one that signed it'
}

function followingFault(stream: Stream, claims: ReceiptClaims, isPart: boolean): string | undefined {
  if (claims.seq <= stream.seq)
    return `place ${claims.seq} of its stream was filled before: repeated, forked or out of order`
  if (claims.seq !== stream.seq + 1) return isPart ? undefined : missing(claims.seq - stream.seq - 1)
  return claims.prev === stream.hash ? undefined : 'it names another receipt before it than the one that is there'
}

function sameStreamFault(stream: Stream, claims: ReceiptClaims, place: Place): string | undefined {
  if (claims.kind === 'open') return 'an open receipt can only begin a stream'
  if (stream.sealed) return 'its stream was sealed before it'
  if (place.kid !== stream.kid) return 'it is signed by another key than its stream began with'
  return claims.iss === stream.iss ? undefined : 'it names another issuer than its stream began with'
}

function missing(count: number): string {
  return count === 1 ? 'the receipt before it is missing' : `${count} receipts before it are missing`
}
