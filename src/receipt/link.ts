import type { HoldpointError } from '../errors.ts'
import type { DraftClaims, OpenClaims } from './claims.ts'
import type { UnsignedReceipt } from './sign.ts'

/** What became of one signed receipt. `unknown`: nobody can say whether it is durable. */
type Fate = 'pending' | 'durable' | 'unwritten' | 'unknown'

/**
 * A receipt at its place in the chain, signed or about to be. `before` is let go once the place is certain, so the past is not held
 * in memory.
 */
export interface Link {
  readonly receipt: UnsignedReceipt
  readonly signature: Uint8Array | Promise<Uint8Array>
  before: Link | undefined
  fate: Fate
  /** Why it has no signature. */
  unsigned?: HoldpointError
  /** Where its signature had to be waited for: what is signed on top of it is handed over behind it. */
  readonly handed: Promise<void> | undefined
  readonly hand: () => void
  readonly decided: Promise<void>
  readonly decide: () => void
}

/** The newest receipt that is certain. */
export type LastReceipt = NonNullable<OpenClaims['last']>

/** Where a receipt will stand, and under which key. */
export interface Place {
  readonly iss: string
  readonly stream: string
  readonly seq: number
  /** RFC 7638 thumbprint of the key that signs the stream. */
  readonly kid: string
}

/** What is to be said; a function where that depends on the place. It is asked again if the receipt has to move. */
export type Said = DraftClaims | ((place: Place) => DraftClaims)

/** A receipt takes its place: the next one may stand on it from here on. */
export function linkOf(receipt: UnsignedReceipt, signature: Link['signature'], before: Link | undefined): Link {
  const decided = Promise.withResolvers<void>()
  const handed = signature instanceof Promise ? Promise.withResolvers<void>() : undefined
  return {
    receipt,
    signature,
    before,
    fate: 'pending',
    handed: handed?.promise,
    hand: handed?.resolve ?? (() => undefined),
    decided: decided.promise,
    decide: decided.resolve,
  }
}
