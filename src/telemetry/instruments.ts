import {
  APPROVAL,
  BREAKER,
  CANARY,
  type ClosedSet,
  decisionsAndCodes,
  FAULT,
  MATERIALITY,
  MISSING,
  MODE,
  NO_CODE,
  OUTCOME,
  RAN,
  RECEIPT,
  RELEASE,
  REPLAY,
  STATUS,
} from './labels.ts'

export interface Labels {
  readonly [label: string]: string
}

/** One thing that is counted, timed or read off. */
export interface Instrument {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Seconds; a plain number when absent. */
  readonly unit?: 's'
  /** Every label set that exists from the beginning, at zero. */
  readonly born: readonly Labels[]
  /** Label sets that come into being, together with the label `point`, when a policy point is first heard of. */
  readonly bornWithPoint?: readonly Labels[]
  /** Upper bounds of a histogram's buckets, s. */
  readonly buckets?: readonly number[]
}

const ALONE: readonly Labels[] = [{}]

/** Decisions take microseconds with an embedded policy, a budget of seconds with a remote one, and longer where people answer. */
const DECISION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120]
/** As the OpenTelemetry conventions for GenAI advise for the duration of operations. */
const EXECUTION_BUCKETS = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92]
const HOLD_BUCKETS = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600]

/** The one table of what is measured. Names are OpenTelemetry's; Prometheus has them with `_` and a suffix. */
export const INSTRUMENTS = {
  'holdpoint.decisions': {
    kind: 'counter',
    help: 'Decisions on calls; code is none for a call that may run, and enforced is false for one that only observe mode let run.',
    born: decisionLabels('true'),
  },
  'holdpoint.decision.duration': {
    kind: 'histogram',
    help: 'From the arrival of a call to its decision, waiting for people and for policy points included.',
    unit: 's',
    born: across({ materiality: MATERIALITY, outcome: OUTCOME }),
    buckets: DECISION_BUCKETS,
  },
  'holdpoint.calls.settled': {
    kind: 'counter',
    help: 'Permitted calls that ended, by how they ended.',
    born: across({ status: STATUS }),
  },
  'holdpoint.execution.duration': {
    kind: 'histogram',
    help: 'From the permit of a call to its end.',
    unit: 's',
    born: across({ status: RAN }),
    buckets: EXECUTION_BUCKETS,
  },
  'holdpoint.failure.openings': {
    kind: 'counter',
    help: 'Low calls that ran although no policy answered, by why none did.',
    born: across({ fault: FAULT }),
  },
  'holdpoint.override.uses': {
    kind: 'counter',
    help: 'Medium calls that ran on a signed override although no policy answered.',
    born: ALONE,
  },
  'holdpoint.replays': {
    kind: 'counter',
    help: 'Calls that came again, or whose idempotency key was used for another call.',
    born: across({ code: REPLAY }),
  },
  'holdpoint.receipt.failures': {
    kind: 'counter',
    help: 'Receipts that could not be written.',
    born: across({ kind: RECEIPT }),
  },
  'holdpoint.outcomes.missing': {
    kind: 'counter',
    help: 'Permitted calls whose end stands in no receipt: it could not be written, or the process died first.',
    born: across({ because: MISSING }),
  },
  'holdpoint.calls.open': { kind: 'gauge', help: 'Permitted calls that have not ended.', born: ALONE },
  'holdpoint.oldest_call.age': {
    kind: 'gauge',
    help: 'How long ago the oldest call that has not ended was permitted.',
    unit: 's',
    born: ALONE,
  },
  'holdpoint.calls.held': { kind: 'gauge', help: 'Calls that wait for a policy point to heal.', born: ALONE },
  'holdpoint.holds': {
    kind: 'counter',
    help: 'Calls that began to wait for a policy point to heal.',
    born: across({ materiality: MATERIALITY }),
  },
  'holdpoint.hold.duration': {
    kind: 'histogram',
    help: 'How long calls waited for a policy point to heal, by why the wait ended.',
    unit: 's',
    born: across({ because: RELEASE }),
    buckets: HOLD_BUCKETS,
  },
  'holdpoint.breaker.state': {
    kind: 'gauge',
    help: 'Whether the breaker of a policy point is in this state.',
    born: [],
    bornWithPoint: across({ state: BREAKER }),
  },
  'holdpoint.breaker.moves': {
    kind: 'counter',
    help: 'How often the breaker of a policy point came into a state.',
    born: [],
    bornWithPoint: across({ to: BREAKER }),
  },
  'holdpoint.canary.state': {
    kind: 'gauge',
    help: 'Whether this is what the canary of a policy point showed.',
    born: [],
    bornWithPoint: across({ result: CANARY }),
  },
  'holdpoint.policy.age': {
    kind: 'gauge',
    help: 'How long ago the policy of a policy point was known to be the newest; absent where it cannot age.',
    unit: 's',
    born: [],
  },
  'holdpoint.late_denials': {
    kind: 'counter',
    help: 'Denials of a policy point that came after the call had been decided without them.',
    born: [],
    bornWithPoint: ALONE,
  },
  'holdpoint.policy.misfits': {
    kind: 'counter',
    help: 'Policies found not to fit the tools of a server when these were registered.',
    born: ALONE,
  },
  'holdpoint.approvals': {
    kind: 'counter',
    help: 'Requests for a yes, and the answers to them.',
    born: across({ step: APPROVAL }),
  },
  'holdpoint.warnings': {
    kind: 'counter',
    help: 'Mistakes that the programmer was warned of.',
    born: ALONE,
  },
  'holdpoint.gates.opened': { kind: 'counter', help: 'Gates that opened their store.', born: across({ mode: MODE }) },
  'holdpoint.log.state': {
    kind: 'gauge',
    help: 'Whether the log of the receipts is in this state; absent where none is kept, as all of it.',
    born: [],
  },
  'holdpoint.log.size': { kind: 'gauge', help: 'Receipts under the newest signed checkpoint of the log.', born: [] },
  'holdpoint.log.unlogged': { kind: 'gauge', help: 'Receipts of the store that are not in the log yet.', born: [] },
  'holdpoint.log.checkpoint.age': {
    kind: 'gauge',
    help: 'How long ago the newest checkpoint was signed; absent where another process signs. It grows while there is nothing to log.',
    unit: 's',
    born: [],
  },
  'holdpoint.log.witnessed': {
    kind: 'gauge',
    help: 'Whether enough witnesses have seen the newest checkpoint; absent where none is asked, or none can be.',
    born: [],
  },
  'holdpoint.start.time': {
    kind: 'gauge',
    help: 'When counting began, since the Unix epoch: a counter that stands where it stood may have begun anew.',
    unit: 's',
    born: ALONE,
  },
  'holdpoint.observing': {
    kind: 'gauge',
    help: 'Whether this gate only observes and holds nothing back.',
    born: ALONE,
  },
  'holdpoint.health.readable': {
    kind: 'gauge',
    help: 'Whether gate.health() could be read for this reading; absent where the sink was not given it.',
    born: [],
  },
} as const satisfies { readonly [name: string]: Instrument }

export type InstrumentName = keyof typeof INSTRUMENTS

/** The instruments of a kind, in the order of the table. */
export function instruments(): readonly (readonly [InstrumentName, Instrument])[] {
  return Object.entries(INSTRUMENTS) as [InstrumentName, Instrument][]
}

/** The label sets of decisions. Those of observe mode are born when a gate opens in it. */
export function decisionLabels(enforced: 'true' | 'false'): readonly Labels[] {
  return MATERIALITY.values.flatMap((materiality) =>
    decisionsAndCodes()
      // Only low calls run on an open fail mode, and medium ones on an override: high never runs on silence.
      .filter(({ decision, code }) => !(materiality === 'high' && decision === 'silence' && code === NO_CODE))
      .map(({ decision, code }) => ({ materiality, decision, code, enforced })),
  )
}

/** Every combination of the values of these labels. */
function across(labels: { readonly [label: string]: ClosedSet }): readonly Labels[] {
  return Object.entries(labels).reduce<readonly Labels[]>(
    (sets, [label, { values }]) => sets.flatMap((set) => values.map((value) => ({ ...set, [label]: value }))),
    ALONE,
  )
}
