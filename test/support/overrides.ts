import type { OverrideClaims } from '../../src/override/claims.ts'
import { type OverrideKeys, overrideKeys } from '../../src/override/keys.ts'
import { countersign, signOverride } from '../../src/override/signed.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import type { Decision, Scope, Signer } from '../../src/types.ts'

/** Believable overrides for tests. */

export const NOW = 1_700_000_000_000
export const MINUTE_MS = 60_000

/** Half an hour of `shop/restock` for alice in production, unless told otherwise. */
export function overrideClaims(changes: Partial<OverrideClaims> = {}): OverrideClaims {
  return {
    v: 1,
    nonce: 'AAAAAAAAAAAAAAAAAAAAAA',
    tools: ['shop/restock'],
    environment: 'production',
    principal: { type: 'user', id: 'alice' },
    notBefore: NOW,
    expires: NOW + 30 * MINUTE_MS,
    most: 20,
    reason: 'the policy service is down',
    ticket: 'OPS-1',
    ...changes,
  }
}

/** The text of an override, signed by each. */
export function signedBy(signers: readonly Signer[], changes: Partial<OverrideClaims> = {}): string {
  const [first = generateSigner(), ...others] = signers
  return others.reduce(countersign, signOverride(overrideClaims(changes), first))
}

export function trusting(...signers: readonly Signer[]): OverrideKeys {
  return overrideKeys(signers.map(({ publicJwk }) => publicJwk))
}

export const ABSENT: Decision = {
  kind: 'silence',
  cause: { kind: 'absent', fault: 'timeout' },
  determining: [],
  errors: [],
}

export const ALICE: Pick<Scope, 'principal' | 'environment'> = {
  principal: { type: 'user', id: 'alice', roles: [], basis: 'stated' },
  environment: { name: 'production' },
}
