import { decodeBase64url, encodeBase64url } from '../bytes/base64url.ts'
import { sha256Bytes } from '../bytes/digest.ts'
import { HoldpointError } from '../errors.ts'
import { leafHash } from '../log/merkle.ts'
import type { Arrival, Place } from '../log/sequencer.ts'
import { earliest, type Queue, timeOf } from './in-time.ts'

/** An arrival, and when its receipt says that it was signed. */
export type DatedArrival = Arrival & { readonly at: number }

/** A stored receipt as the log takes it. @throws HoldpointError ERR_LOG where its hash is not of its payload */
export function arrivalOf(
  place: Place,
  { hash: stored, jws }: { readonly hash: unknown; readonly jws: unknown },
): DatedArrival {
  const payload = payloadOf(jws, place)
  const hash = leafHash(sha256Bytes, payload)
  if (encodeBase64url(hash) !== stored) throw changedReceipt(place)
  return { ...place, hash, at: timeOf(payload) }
}

/**
 * The earliest of several slots in their order, as far as it is known: behind a page that is full, more of its slot may stand.
 *
 * INVARIANT I6: what hands over to a key, or ends its time, stands in one slot, and what that key signs in another. Whoever
 * verifies the log goes by its order, which is for good.
 *
 * @param page how many receipts of a slot were asked for
 */
export function firstOf(queues: readonly Queue<DatedArrival>[], page: number): readonly Arrival[] {
  const arrivals: Arrival[] = []
  for (;;) {
    const queue = earliest(queues)
    const row = queue?.rows[queue.next]
    if (queue === undefined || row === undefined) return arrivals
    queue.next += 1
    const { slot, row: number, hash } = row
    arrivals.push({ slot, row: number, hash })
    if (queue.next === page) return arrivals
  }
}

/** The bytes between the two dots: what the receipt's hash is over. */
export function payloadOf(jws: unknown, place: Place): Uint8Array {
  const payload = typeof jws === 'string' ? jws.split('.')[1] : undefined
  if (payload === undefined) throw changedReceipt(place)
  try {
    return decodeBase64url(payload)
  } catch {
    throw changedReceipt(place)
  }
}

function changedReceipt({ slot, row }: Place): HoldpointError {
  return new HoldpointError('ERR_LOG', `receipt ${row} of slot ${slot} is gone, or was changed after it was stored`)
}
