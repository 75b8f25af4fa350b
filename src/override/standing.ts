import { HoldpointError } from '../errors.ts'
import type { Decision, Materiality, Scope } from '../types.ts'
import { type OverrideClaims, signaturesNeeded } from './claims.ts'
import type { OverrideKeys } from './keys.ts'
import type { SignedOverride } from './signed.ts'

/**
 * May a live override let this call run?
 *
 * INVARIANT I5: for medium alone, and for absence alone. Any answer, even a wrong one, means that somebody is speaking; and
 * high never runs without a policy's word.
 */
export function mayOverride(decision: Decision, materiality: Materiality): boolean {
  return materiality === 'medium' && decision.kind === 'silence' && decision.cause.kind === 'absent'
}

/** Is this call in the scope of the override? */
export function covers(
  claims: OverrideClaims,
  call: { readonly tool: string; readonly scope: Pick<Scope, 'principal' | 'environment'> },
): boolean {
  const { principal, environment } = call.scope
  const named = claims.principal
  return (
    claims.tools.some((tool) => matches(tool, call.tool)) &&
    environment['name'] === claims.environment &&
    (named === 'any' ||
      (named.type === principal.type && named.id === principal.id && named.tenant === principal.tenant))
  )
}

/** @param pattern `shop/restock`, `shop/*` or `*` */
function matches(pattern: string, tool: string): boolean {
  if (pattern === '*') return true
  return pattern.endsWith('/*') ? tool.startsWith(pattern.slice(0, -1)) : tool === pattern
}

/**
 * The trusted keys that signed an override. A signature of any other key counts for nothing; one that names a trusted key and
 * does not verify spoils the whole.
 *
 * @throws HoldpointError ERR_FORMAT
 */
export function signersOf({ signatures }: SignedOverride, keys: OverrideKeys): readonly string[] {
  return signatures.flatMap(({ alg, kid, signature, signed }) => {
    const key = keys.get(kid)
    if (key === undefined) return []
    if (alg !== key.alg)
      throw new HoldpointError(
        'ERR_FORMAT',
        `the override says alg ${JSON.stringify(alg)}, and the key is for ${key.alg}`,
      )
    if (!key.verify(signature, signed))
      throw new HoldpointError('ERR_FORMAT', 'the override was changed after signing: a signature does not match')
    return [kid]
  })
}

/** How an override stands at a moment. Only `live` lets anything run. */
export type Standing =
  | { readonly kind: 'live' }
  | { readonly kind: 'early'; readonly inMs: number }
  | { readonly kind: 'expired' }
  | { readonly kind: 'revoked' }
  /** Too few trusted keys signed it. */
  | { readonly kind: 'unsigned'; readonly signed: number; readonly needed: number }

/** @param at wall clock, ms since the Unix epoch */
export function standingOf(
  {
    claims,
    by,
    revoked,
  }: { readonly claims: OverrideClaims; readonly by: readonly string[]; readonly revoked: boolean },
  at: number,
): Standing {
  const needed = signaturesNeeded(claims)
  if (revoked) return { kind: 'revoked' }
  if (!(at < claims.expires)) return { kind: 'expired' }
  if (!(by.length >= needed)) return { kind: 'unsigned', signed: by.length, needed }
  return at >= claims.notBefore ? { kind: 'live' } : { kind: 'early', inMs: claims.notBefore - at }
}
