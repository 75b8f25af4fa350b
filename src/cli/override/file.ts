/** Reading overrides that people pass around, and whether they count on this machine. */
import { randomBytes } from 'node:crypto'
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import type { OverrideClaims } from '../../override/claims.ts'
import { signaturesNeeded } from '../../override/claims.ts'
import { type OverrideKeys, overrideKeys } from '../../override/keys.ts'
import { readOverride, type SignedOverride } from '../../override/signed.ts'
import { type Standing, signersOf, standingOf } from '../../override/standing.ts'
import type { JsonObject } from '../../types.ts'
import type { Situation } from '../context.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import { inputName, readInput } from '../input.ts'

/** An override as this machine sees it. */
export interface Judged {
  readonly signed: SignedOverride
  /** Thumbprints of the trusted keys that signed it. */
  readonly by: readonly string[]
  readonly standing: Standing | { readonly kind: 'unusable'; readonly because: string }
}

/** An override in a file, or for `-` on stdin; whoever wrote it may have ended it with a line end. */
export async function readOverrideFile(
  file: string,
): Promise<{ readonly text: string; readonly signed: SignedOverride }> {
  const text = new TextDecoder().decode(await readInput(file)).replace(/\r?\n$/, '')
  try {
    return { text, signed: readOverride(text) }
  } catch (error) {
    throw new UnusableInput(`${inputName(file)} holds no override: ${reasonOf(error)}`)
  }
}

/** @throws HoldpointError ERR_CONFIG */
export function trustedHere({ config }: Situation): OverrideKeys {
  return overrideKeys((config.options.trust?.override ?? []) as unknown as readonly JsonObject[])
}

/** @param at wall clock, ms */
export function judge(
  signed: SignedOverride,
  keys: OverrideKeys,
  terms: { readonly revoked: boolean; readonly at: number },
): Judged {
  try {
    const by = signersOf(signed, keys)
    return { signed, by, standing: standingOf({ claims: signed.claims, by, revoked: terms.revoked }, terms.at) }
  } catch (error) {
    return { signed, by: [], standing: { kind: 'unusable', because: reasonOf(error) } }
  }
}

/** Why gates of this configuration would not use an override although it is live; `undefined` where they would. */
export function misplaced({ environment }: OverrideClaims, { config }: Situation): string | undefined {
  const here = config.options.environment?.['name']
  if (here === environment) return undefined
  return here === undefined
    ? `holdpoint.yaml names no environment (environment: { name: ${environment} }): only gates whose program names it use this`
    : `holdpoint.yaml names the environment ${JSON.stringify(here)}, and this is for ${environment}`
}

/** What is still to be done before an override can count anywhere. */
export function stillNeeded({ claims, signatures }: SignedOverride): string | undefined {
  if (signatures.length >= signaturesNeeded(claims)) return undefined
  return 'wider than one tool and one principal: somebody else must sign it too (holdpoint override sign)'
}

/** Replaces a file by a whole one. */
export function replaceFile(file: string, text: string): void {
  const draft = `${file}.${randomBytes(6).toString('hex')}.new`
  try {
    writeFileSync(draft, text, { flag: 'wx' })
    renameSync(draft, file)
  } catch (error) {
    rmSync(draft, { force: true })
    throw new UnusableInput(`cannot write ${file}: ${reasonOf(error)}`)
  }
}
