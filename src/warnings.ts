import type { GateEvent, Quarantine } from './types.ts'

/** What a programmer or operator must hear of an event, each as one line. Never arguments. */
export function warningsOf(event: GateEvent): readonly (readonly [code: string, message: string])[] {
  switch (event.event) {
    case 'programmer-warned':
    case 'receipt-failed':
      return [[event.code, event.message]]
    case 'breaker-moved':
      return [['policy_point', `policy point ${event.point} is ${event.to}: ${event.because}`]]
    case 'canary-judged':
      return event.result === 'passed' ? [] : [['policy_point', `policy point ${event.point}: ${event.message}`]]
    case 'answer-rejected':
      return [['policy_point', `policy point ${event.point} gave no answer that counts: ${event.detail}`]]
    case 'override-used':
      return [['override', `${event.tool} ran on the override ${event.override} (${event.use} of ${event.most})`]]
    case 'tool-quarantined':
      return [
        [
          event.kind,
          `${event.server}/${event.tool} ${quarantinedAs(event.kind)}; to look at it: holdpoint pins review ${event.server}`,
        ],
      ]
    case 'log-stalled':
      return [['log', `the log stands still: ${event.because}`]]
    case 'policy-misfitted':
      return event.misfits.map(({ at, policy, message }) => [
        'policy_misfit',
        `${at}: policy ${policy} does not fit the tools of ${event.server}: ${message}`,
      ])
    default:
      return []
  }
}

function quarantinedAs(kind: Quarantine): string {
  return kind === 'tool_changed'
    ? 'is not as it was pinned, and is refused'
    : 'is a new tool of a pinned server, and is refused'
}
