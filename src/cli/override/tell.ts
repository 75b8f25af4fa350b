/** An override in words and as data. */

import { visible } from '../../bytes/visible.ts'
import { type OverrideClaims, signaturesNeeded } from '../../override/claims.ts'
import type { OverrideKeys } from '../../override/keys.ts'
import { type Terminal, wrap } from '../terminal.ts'
import type { Judged } from './file.ts'

const LABEL = 12

/** What is printed of an override beside the override itself. */
export interface Told extends Judged {
  /** How often it was used here, where there is a store. */
  readonly uses?: number
}

/** Prints an override: first how it stands, then what it lets run. */
export function tellOverride(told: Told, keys: OverrideKeys, terminal: Terminal, at: number): void {
  const { out, style, width } = terminal
  const { id, claims, signatures } = told.signed
  const line = (label: string, text: string): void =>
    out(`  ${label.padEnd(LABEL)}${wrap(visible(text), width - LABEL - 2, LABEL + 2)}`)
  out(`${style('bold', id)}  ${style(isGood(told) ? 'green' : 'yellow', stateOf(told, at))}`)
  line('lets run', `medium calls of ${claims.tools.join(', ')} while no policy answers`)
  line('where', claims.environment)
  line('for', principalOf(claims))
  line('uses', usesOf(told))
  line('until', new Date(claims.expires).toISOString())
  line('because', `${claims.reason} (${claims.ticket})`)
  for (const { kid } of signatures) line('signed by', `${kid}${keys.has(kid) ? '' : ' (not in trust.override here)'}`)
}

/** The same as data. */
export function overrideAsJson(told: Told, keys: OverrideKeys): object {
  const { id, digest, claims, signatures } = told.signed
  const { v: _v, nonce: _nonce, ...said } = claims
  return {
    id,
    digest,
    state: isSpent(told) ? 'spent' : told.standing.kind,
    ...(told.standing.kind === 'unusable' ? { why: told.standing.because } : {}),
    ...said,
    ...(told.uses === undefined ? {} : { uses: told.uses }),
    signed: signatures.map(({ kid }) => ({ kid, trusted: keys.has(kid) })),
    needs: signaturesNeeded(claims),
  }
}

/** Would a gate use it, now or within its time? */
export function isGood(told: Told): boolean {
  return (told.standing.kind === 'live' || told.standing.kind === 'early') && !isSpent(told)
}

/** How an override stands, in words. */
export function stateOf(told: Told, at: number): string {
  const { standing } = told
  if (isSpent(told)) return 'used up'
  switch (standing.kind) {
    case 'live':
      return `live, ends in ${durationOf(told.signed.claims.expires - at)}`
    case 'early':
      return `begins in ${durationOf(standing.inMs)}`
    case 'expired':
      return 'expired'
    case 'revoked':
      return 'revoked'
    case 'unsigned':
      return `not live: it has ${standing.signed} of the ${standing.needed} trusted signatures that it needs`
    case 'unusable':
      return `unusable: ${visible(standing.because)}`
  }
}

function isSpent({ uses, signed, standing }: Told): boolean {
  return standing.kind === 'live' && uses !== undefined && uses >= signed.claims.most
}

function usesOf({ uses, signed }: Told): string {
  const { most } = signed.claims
  return uses === undefined ? `at most ${most}` : `${uses} of at most ${most}`
}

function principalOf({ principal }: OverrideClaims): string {
  if (principal === 'any') return 'any principal'
  return `${principal.type} ${principal.id}${principal.tenant === undefined ? '' : ` of ${principal.tenant}`}`
}

function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1_000)
  return seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`
}
