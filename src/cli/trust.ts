/** Which public keys a verification believes, and where they come from. */
import { existsSync, readFileSync } from 'node:fs'
import { checkOptions } from '../config/read.ts'
import { HoldpointError } from '../errors.ts'
import { loadOrCreateKey } from '../receipt/key-file.ts'
import type { Signer } from '../types.ts'
import type { Jwk } from '../verify.ts'
import { homely, type Situation, situationOf } from './context.ts'
import { reasonOf, UnusableInput } from './exit.ts'
import { formerKeys } from './keys/former.ts'

/** Keys, and a phrase that says whose they are. */
export interface Trusted {
  readonly keys: readonly Jwk[]
  readonly from: string
}

/**
 * The keys of `file` (a JWK, a list of them, or a JWK set); else `trust.receipts` of the configuration; else this
 * machine's own receipt key. Nothing that comes with the receipts is ever believed.
 *
 * @throws UnusableInput when there are none
 */
export function trustedKeys(file: string | undefined, situation: () => Situation): Trusted {
  if (file !== undefined) return { keys: keysIn(file, 'receipts'), from: homely(file) }
  const { config, places } = situation()
  const named = config.options.trust?.receipts
  if (named !== undefined && named.length > 0) {
    return {
      keys: named as unknown as readonly Jwk[],
      from: `trust.receipts of ${homely(config.file ?? 'the options')}`,
    }
  }
  if (!existsSync(places.keyFile)) {
    throw new UnusableInput(
      'no receipt key on this machine and none in holdpoint.yaml: name the trusted keys with --keys FILE',
    )
  }
  const former = formerKeys(places.keyFile)
  return {
    keys: [loadOrCreateKey(places.keyFile).publicJwk, ...former],
    from: `this machine’s receipt key, ${homely(places.keyFile)}${former.length === 0 ? '' : ', and those before it'}`,
  }
}

/**
 * This machine's receipt key. Its receipts name conversations under it, too.
 *
 * @throws UnusableInput where there is none
 */
export function ownKey(config: string | undefined): Signer {
  const { keyFile } = situationOf(config).places
  if (existsSync(keyFile)) return loadOrCreateKey(keyFile)
  throw new UnusableInput(`there is no receipt key at ${homely(keyFile)}: this is not the machine of a gate`)
}

/**
 * The public keys of a file: a JWK, a list of them, or a JWK set.
 *
 * @param role what they are to be trusted with, as `trust` of the configuration names it
 * @throws UnusableInput naming the file, and the key that cannot be used
 */
export function keysIn(file: string, role: 'receipts' | 'override'): readonly Jwk[] {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UnusableInput(`cannot read keys from ${file}: ${reasonOf(error)}`)
  }
  const list = Array.isArray(value) ? value : isKeySet(value) ? value.keys : [value]
  if (list.length === 0) throw new UnusableInput(`${file} holds no key`)
  try {
    return checkOptions({ trust: { [role]: list } }).trust?.[role] as unknown as readonly Jwk[]
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error
    throw new UnusableInput(
      `${file}: ${error.message.replace(/^createGate options: "trust\.\w+\.?(\d*)" /, 'key $1 ')}`,
    )
  }
}

function isKeySet(value: unknown): value is { readonly keys: readonly unknown[] } {
  return typeof value === 'object' && value !== null && Array.isArray((value as { readonly keys?: unknown }).keys)
}
