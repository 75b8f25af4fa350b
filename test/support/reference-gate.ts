import type { Materiality, RefusalCode } from '../../src/types.ts'

/** Everything that can go one way or the other around one call. */
export interface World {
  readonly materiality: Materiality
  readonly tool: 'known' | 'unknown'
  readonly input: 'fits' | 'misses the schema' | 'unreadable'
  readonly principal: 'stated' | 'nobody'
  readonly point:
    | 'permits'
    | 'permits late'
    | 'permits with an obligation'
    | 'permits once confirmed'
    | 'denies'
    | 'speaks for nothing'
    | 'hangs'
    | 'cannot be reached'
    | 'throws'
    | 'answers nonsense'
  readonly person: 'not asked' | 'asked' | 'said yes' | 'said no'
  readonly store: 'works' | 'fails' | 'fails but persists'
  readonly failLow: 'closed' | 'open'
  readonly receiptLossLow: 'refuse' | 'run'
  readonly begin: 'in time' | 'too late' | 'after an abort'
}

/** What the model and the person may rely on. */
export type Fate =
  | { readonly ran: true; readonly failedOpen: boolean }
  | { readonly ran: false; readonly code: RefusalCode }

const no = (code: RefusalCode): Fate => ({ ran: false, code })

/**
 * The gate's promise as a page of rules, without a line of the real one. Only a permit, or an opening that the operator
 * allowed for a low call when no answer came, leads on to the store; only a durable claim leads on to the tool.
 */
export function referenceGate(world: World): Fate {
  if (world.tool === 'unknown') return no('tool_unknown')
  if (world.input !== 'fits') return no('arguments_rejected')
  if (world.principal === 'nobody' && world.materiality === 'high') return no('no_permit')
  const answer = answerOf(world)
  const absent = answer === 'policy_timeout' || answer === 'policy_unavailable'
  const opens = absent && world.materiality === 'low' && world.failLow === 'open'
  if (answer !== 'permit' && !opens) return no(answer)
  if (world.store !== 'works') {
    const runsUnrecorded = world.materiality === 'low' && world.receiptLossLow === 'run' && answer === 'permit'
    if (!runsUnrecorded) return no('receipt_unavailable')
  }
  if (world.begin === 'too late') return no('permit_expired')
  if (world.begin === 'after an abort') return no('cancelled')
  return { ran: true, failedOpen: opens }
}

function answerOf({ point, person }: World): 'permit' | RefusalCode {
  switch (point) {
    case 'permits':
      return 'permit'
    case 'permits with an obligation':
      return 'obligation_unmet'
    case 'permits once confirmed':
      if (person === 'said yes') return 'permit'
      if (person === 'said no') return 'approval_declined'
      return person === 'asked' ? 'approval_pending' : 'approval_required'
    case 'denies':
      return 'denied_by_policy'
    case 'speaks for nothing':
      return 'no_permit'
    case 'permits late':
    case 'hangs':
      return 'policy_timeout'
    case 'cannot be reached':
      return 'policy_unavailable'
    case 'throws':
      return 'policy_error'
    case 'answers nonsense':
      return 'policy_wrong_answer'
  }
}
