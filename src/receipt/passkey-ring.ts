import { HoldpointError } from '../errors.ts'
import type { Passkey } from '../types.ts'
import { importTrustedKey, type TrustedKey } from './keys.ts'

/** A registered passkey, with its key ready to verify. */
export interface KnownPasskey {
  readonly passkey: Passkey
  readonly key: TrustedKey
}

/** Registered passkeys by credential id. */
export type PasskeyRing = ReadonlyMap<string, KnownPasskey>

/**
 * Reads passkeys that an operator or an auditor believes to be their persons'.
 *
 * INVARIANT I4: one passkey is one person's: neither its id nor its key may stand there twice, or one person could be two.
 *
 * @throws HoldpointError ERR_KEY naming the position of the one that cannot be used
 */
export async function importPasskeys(passkeys: readonly Passkey[]): Promise<PasskeyRing> {
  const ring = new Map<string, KnownPasskey>()
  const points = new Set<string>()
  for (const [index, passkey] of passkeys.entries()) {
    const key = await imported(passkey, index)
    // By its x alone: whoever has the key of a point has that of its mirror image too.
    const point = String(passkey.publicKey['x'])
    if (ring.has(passkey.credentialId) || points.has(point)) throw unusable(index, 'is there twice')
    points.add(point)
    ring.set(passkey.credentialId, { passkey, key })
  }
  return ring
}

async function imported({ publicKey }: Passkey, index: number): Promise<TrustedKey> {
  try {
    return await importTrustedKey(publicKey, index)
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/^trusted key \d+ /, '') : 'cannot be imported'
    throw unusable(index, `has a key that ${why}`, cause)
  }
}

function unusable(index: number, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_KEY', `passkey ${index + 1} ${what}`, { at: `/${index}`, cause })
}
