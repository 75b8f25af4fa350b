/** Which public keys a verification believes, and where they come from. */
import { existsSync, readFileSync } from 'node:fs'
import { extname } from 'node:path'
import { checkOptions } from '../config/read.ts'
import type { Places } from '../config/state-folder.ts'
import { HoldpointError } from '../errors.ts'
import { keyFromEnvironment } from '../receipt/key-env.ts'
import { loadOrCreateKey } from '../receipt/key-file.ts'
import type { Passkey, Signer } from '../types.ts'
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
  const own = keyHere(places)
  if (own === undefined) {
    throw new UnusableInput(
      'no receipt key on this machine and none in holdpoint.yaml: name the trusted keys with --keys FILE',
    )
  }
  const former = formerKeys(places.keyFile)
  return {
    keys: [own.publicJwk, ...former],
    from: `this machine’s receipt key, ${shownKey(places)}${former.length === 0 ? '' : ', and those before it'}`,
  }
}

/**
 * This machine's receipt key.
 *
 * @throws UnusableInput where there is none
 */
export function ownKey(config: string | undefined): Signer {
  const { places } = situationOf(config)
  const own = keyHere(places)
  if (own !== undefined) return own
  throw new UnusableInput(`there is no receipt key at ${homely(places.keyFile)}: this is not the machine of a gate`)
}

/** What the receipts of this machine name conversations under: its receipt key, or the key beside it where that is elsewhere. */
export function namingKey(config: string | undefined): Pick<Signer, 'blind'> {
  const { blindingKeyFile } = situationOf(config).places
  return existsSync(blindingKeyFile) ? loadOrCreateKey(blindingKeyFile) : ownKey(config)
}

/** All under which they may stand: a receipt key that went elsewhere has left its names behind. @throws UnusableInput where there is none */
export function namingKeys(config: string | undefined): readonly Pick<Signer, 'blind'>[] {
  const { places } = situationOf(config)
  const own = keyHere(places)
  return existsSync(places.blindingKeyFile) && own !== undefined ? [namingKey(config), own] : [namingKey(config)]
}

/** The receipt key that is configured, where it is here. @throws HoldpointError ERR_KEY */
export function keyHere({ keyFile, keyEnv }: Places): Signer | undefined {
  if (keyEnv !== undefined) return keyFromEnvironment(keyEnv, process.env)
  return existsSync(keyFile) ? loadOrCreateKey(keyFile) : undefined
}

/** Where the receipt key is, for people. */
export function shownKey({ keyFile, keyEnv }: Places): string {
  return keyEnv === undefined ? homely(keyFile) : `the environment variable ${keyEnv}`
}

/**
 * The public keys of a file: a JWK, a list of them, or a JWK set.
 *
 * @param role what they are to be trusted with, as `trust` of the configuration names it
 * @throws UnusableInput naming the file, and the key that cannot be used
 */
export function keysIn(file: string, role: 'receipts' | 'override' | 'approval'): readonly Jwk[] {
  const value = jsonIn(file, 'keys')
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

/**
 * The passkeys of a file: one, a list of them, or those of a `holdpoint.yaml`.
 *
 * @throws UnusableInput naming the file, and the passkey that cannot be used
 */
export function passkeysIn(file: string): readonly Passkey[] {
  if (/^\.ya?ml$/.test(extname(file))) {
    const { passkeys } = situationOf(file).config.options.approvals ?? {}
    if (passkeys === undefined) throw new UnusableInput(`${file} has no "approvals.passkeys"`)
    return passkeys
  }
  const value = jsonIn(file, 'passkeys')
  try {
    return checkOptions({ approvals: { passkeys: Array.isArray(value) ? value : [value] } }).approvals?.passkeys ?? []
  } catch (error) {
    if (!(error instanceof HoldpointError)) throw error
    throw new UnusableInput(`${file}: ${error.message.replace('createGate options: ', '')}`)
  }
}

function jsonIn(file: string, what: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new UnusableInput(`cannot read ${what} from ${file}: ${reasonOf(error)}`)
  }
}

function isKeySet(value: unknown): value is { readonly keys: readonly unknown[] } {
  return typeof value === 'object' && value !== null && Array.isArray((value as { readonly keys?: unknown }).keys)
}
