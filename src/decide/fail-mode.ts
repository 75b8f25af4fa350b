import { HoldpointError } from '../errors.ts'
import type { Clock, Decision, FailModes, Materiality, RefusalCode, SilenceCause } from '../types.ts'

/** What becomes of a decision: it runs, on a policy's word or by fail-open, or it is refused with a code. */
export type Ruling =
  | { readonly kind: 'run'; readonly basis: 'pdp' | 'fail_open' }
  | { readonly kind: 'refuse'; readonly code: RefusalCode }

/** How often a low call may still run without an answer. */
export interface OpenBudget {
  /** Takes one opening for this tool, if there is one left. */
  take(toolId: string): boolean
}

const MINUTE_MS = 60_000
/** Openings in any minute. */
const MOST_PER_TOOL = 10
const MOST_PER_GATE = 30

/** Every gate starts closed. */
export const CLOSED: FailModes = { low: 'closed', medium: 'closed', high: 'closed' }

/**
 * The fail mode, in one table:
 *
 * | | permit | deny, `no_permit`, requestable, wrong | absent |
 * |---|---|---|---|
 * | low | run | refuse | refuse, or run when the operator opened it and the budget has room |
 * | medium, high | run | refuse | refuse |
 *
 * INVARIANT I5: fail-open is for absence alone, and for low alone: a wrong answer means that somebody is speaking.
 */
export function rule(
  decision: Decision,
  materiality: Materiality,
  modes: FailModes,
  openings: OpenBudget,
  toolId: string,
): Ruling {
  switch (decision.kind) {
    case 'permit':
      return { kind: 'run', basis: 'pdp' }
    case 'deny':
      return { kind: 'refuse', code: 'denied_by_policy' }
    case 'silence': {
      const { cause } = decision
      const opens = cause.kind === 'absent' && materiality === 'low' && modes.low === 'open' && openings.take(toolId)
      return opens === true ? { kind: 'run', basis: 'fail_open' } : { kind: 'refuse', code: codeOf(cause) }
    }
  }
}

/** The refusal code of a silence. */
export function codeOf(cause: SilenceCause): RefusalCode {
  switch (cause.kind) {
    case 'no_permit':
      return 'no_permit'
    case 'requestable':
      return 'approval_required'
    case 'absent':
      switch (cause.fault) {
        case 'timeout':
          return 'policy_timeout'
        case 'unavailable':
          return 'policy_unavailable'
        case 'circuit_open':
          return 'circuit_open'
      }
      break
    case 'wrong':
      switch (cause.fault) {
        case 'policy_error':
        case 'unusable_policy':
          return 'policy_error'
        case 'malformed':
        case 'misconfigured':
          return 'policy_wrong_answer'
        case 'stalled':
          return 'policy_timeout'
        case 'stale':
          return 'policy_stale'
        case 'isolated':
          return 'isolated'
      }
  }
}

/** Counts openings in a sliding minute of the monotonic clock. Both bounds hold at once; a refused opening costs nothing. */
export function createOpenBudget({ clock }: { readonly clock: Pick<Clock, 'monotonic'> }): OpenBudget {
  let taken: readonly { readonly toolId: string; readonly at: number }[] = []
  return {
    take(toolId) {
      const now = clock.monotonic()
      taken = taken.filter((opening) => now - opening.at < MINUTE_MS)
      const ofTool = taken.filter((opening) => opening.toolId === toolId).length
      if (taken.length >= MOST_PER_GATE || ofTool >= MOST_PER_TOOL) return false
      taken = [...taken, { toolId, at: now }]
      return true
    },
  }
}

/**
 * Reads the operator's fail modes at run time, so that plain JavaScript is held to what the types say.
 *
 * INVARIANT I5: medium and high can never fail open.
 *
 * @throws HoldpointError ERR_CONFIG
 */
export function checkFailModes(value: unknown): FailModes {
  if (value === undefined) return CLOSED
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unusable('failMode must be an object')
  const modes = new Map<string, unknown>(Object.entries(value))
  for (const [tier, mode] of modes) {
    if (tier !== 'low' && tier !== 'medium' && tier !== 'high') throw unusable(`failMode has no "${tier}"`)
    if (mode === 'closed' || mode === undefined) continue
    if (mode !== 'open') throw unusable(`failMode.${tier} must be "closed"${tier === 'low' ? ' or "open"' : ''}`)
    if (tier !== 'low') {
      throw unusable(`failMode.${tier} can never be "open": without an answer, only low calls may ever run`)
    }
  }
  return { ...CLOSED, low: modes.get('low') === 'open' ? 'open' : 'closed' }
}

function unusable(message: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', message, { at: 'failMode' })
}
