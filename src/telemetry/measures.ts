import type { Clock, GateEvent, Health, LogHealth, PointHealth } from '../types.ts'
import { decisionLabels, type InstrumentName, instruments, type Labels } from './instruments.ts'
import {
  APPROVAL,
  BREAKER,
  CANARY,
  codeLabel,
  DECISION,
  FAULT,
  LOG_STATE,
  MATERIALITY,
  MODE,
  OTHER,
  RAN,
  RECEIPT,
  RELEASE,
  REPLAY,
  STATUS,
} from './labels.ts'
import { OpenCalls } from './open-calls.ts'

/** One reading: added to a counter, put into a histogram, or what a gauge shows from now on. */
export interface Measurement {
  readonly of: InstrumentName
  readonly labels: Labels
  readonly value: number
}

/** Where readings come from beside events. */
export interface MeasureSource {
  /** Asked whenever gauges are read: `() => gate.health()`. */
  readonly health?: () => Health
  /** For the age of open calls, and for when counting began. */
  readonly clock?: Clock
}

/** Policy points that get a label of their own; an operator has a few. */
const MOST_POINTS = 64
/** What the id of a policy point may look like as a label. */
const POINT_ID = /^[\w.:/@-]{1,128}$/

/**
 * Turns what happens at a gate into readings. Every label comes from a closed set or is the id of a policy point, so no
 * reading holds an argument, a tool's name or a person's.
 */
export class Measures {
  readonly #health: (() => Health) | undefined
  readonly #clock: Clock
  readonly #startedAt: number
  readonly #points = new Set<string>()
  readonly #open = new OpenCalls()
  #held = 0

  constructor({ health, clock }: MeasureSource) {
    this.#health = health
    this.#clock = clock ?? { now: Date.now, monotonic: () => performance.now() }
    this.#startedAt = this.#clock.now()
  }

  /** Every counter and gauge that exists from the beginning. A counter that began at 1 would hide its first increase. */
  born(): readonly Measurement[] {
    return instruments().flatMap(([of, { kind, born }]) =>
      kind === 'histogram' ? [] : born.map((labels) => ({ of, labels, value: 0 })),
    )
  }

  /** What an event counts for. Unknown events count for nothing. */
  of(event: GateEvent): readonly Measurement[] {
    switch (event.event) {
      case 'gate-opened':
        return this.#opened(event.mode)
      case 'decision-made':
        return this.#decided(event)
      case 'call-settled':
        return this.#settled(event)
      case 'outcome-recovered':
        return event.status === 'unknown' ? [once('holdpoint.outcomes.missing', { because: 'died' })] : []
      case 'failure-opened':
        return [once('holdpoint.failure.openings', { fault: FAULT.of(event.fault) })]
      case 'override-used':
        return [once('holdpoint.override.uses')]
      case 'breaker-moved': {
        const { born, point } = this.#point(event.point)
        const moved = once('holdpoint.breaker.moves', { point, to: BREAKER.of(event.to) })
        return [...born, moved, ...states('holdpoint.breaker.state', point, BREAKER.values, 'state', event.to)]
      }
      case 'canary-judged': {
        const { born, point } = this.#point(event.point)
        return [...born, ...states('holdpoint.canary.state', point, CANARY.values, 'result', event.result)]
      }
      case 'verdict-late': {
        const { born, point } = this.#point(event.point)
        return [...born, once('holdpoint.late_denials', { point })]
      }
      case 'call-held':
        this.#held += 1
        return [once('holdpoint.holds', { materiality: MATERIALITY.of(event.materiality) })]
      case 'call-released':
        this.#held = Math.max(0, this.#held - 1)
        return seconds('holdpoint.hold.duration', { because: RELEASE.of(event.because) }, event.heldMs)
      case 'replay-detected':
        return [once('holdpoint.replays', { code: REPLAY.of(event.code) })]
      case 'approval-requested':
        return [once('holdpoint.approvals', { step: 'requested' })]
      case 'approval-answered':
        return [once('holdpoint.approvals', { step: APPROVAL.of(event.answer) })]
      case 'receipt-failed':
        return [once('holdpoint.receipt.failures', { kind: RECEIPT.of(event.kind) })]
      case 'policy-misfitted':
        return [{ of: 'holdpoint.policy.misfits', labels: {}, value: event.misfits.length }]
      case 'programmer-warned':
        return [once('holdpoint.warnings')]
      default:
        return []
    }
  }

  /** What gauges show now. */
  standing(): readonly Measurement[] {
    const health = this.#readHealth()
    return [
      gauge('holdpoint.start.time', this.#startedAt / 1_000),
      gauge('holdpoint.calls.open', this.#open.count),
      gauge('holdpoint.oldest_call.age', this.#open.oldestMs(this.#clock.monotonic()) / 1_000),
      gauge('holdpoint.calls.held', health?.held ?? this.#held),
      ...(this.#health === undefined ? [] : [gauge('holdpoint.health.readable', health === undefined ? 0 : 1)]),
      ...(health === undefined ? [] : [gauge('holdpoint.observing', health.mode === 'observe' ? 1 : 0)]),
      ...(health?.points ?? []).flatMap((point) => this.#pointStands(point)),
      ...(health?.log === undefined ? [] : this.#logStands(health.log)),
    ]
  }

  /** A gate that is not made yet, or is closed, must not cost the operator every other reading. */
  #readHealth(): Health | undefined {
    try {
      return this.#health?.()
    } catch {
      // Shown as `holdpoint.health.readable` 0.
      return undefined
    }
  }

  #opened(mode: Health['mode']): readonly Measurement[] {
    const opened = once('holdpoint.gates.opened', { mode: MODE.of(mode) })
    if (mode !== 'observe') return [opened]
    const born = decisionLabels('false').map((labels) => ({ of: 'holdpoint.decisions', labels, value: 0 }) as const)
    return [...born, opened, gauge('holdpoint.observing', 1)]
  }

  #decided(event: Extract<GateEvent, { readonly event: 'decision-made' }>): readonly Measurement[] {
    const isPermitted = event.code === undefined
    if (isPermitted && event.enforced && event.receipt !== undefined) {
      this.#open.permitted(event.receipt, {
        permittedAt: this.#clock.monotonic(),
        decisionMs: event.ms,
      })
    }
    const materiality = MATERIALITY.of(event.materiality)
    const labels = {
      materiality,
      decision: DECISION.of(event.decision),
      code: codeLabel(event.code),
      enforced: String(event.enforced === true),
    }
    const outcome = isPermitted ? 'permitted' : 'refused'
    return [
      once('holdpoint.decisions', labels),
      ...seconds('holdpoint.decision.duration', { materiality, outcome }, event.ms),
    ]
  }

  #settled(event: Extract<GateEvent, { readonly event: 'call-settled' }>): readonly Measurement[] {
    const call = this.#open.ended(event.decision)
    const hasRun = RAN.values.includes(event.status)
    return [
      once('holdpoint.calls.settled', { status: STATUS.of(event.status) }),
      ...(event.receipt === undefined ? [once('holdpoint.outcomes.missing', { because: 'unwritten' })] : []),
      ...(call === undefined || !hasRun
        ? []
        : seconds('holdpoint.execution.duration', { status: event.status }, event.ms - call.decisionMs)),
    ]
  }

  /** The label of a policy point, and what comes into being with it. */
  #point(id: string): { readonly point: string; readonly born: readonly Measurement[] } {
    const isLabel = POINT_ID.test(id) && (this.#points.has(id) || this.#points.size < MOST_POINTS)
    const point = isLabel ? id : OTHER
    if (this.#points.has(point)) return { point, born: [] }
    this.#points.add(point)
    const born = instruments().flatMap(([of, { bornWithPoint = [] }]) =>
      bornWithPoint.map((labels) => ({ of, labels: { point, ...labels }, value: 0 })),
    )
    return { point, born }
  }

  #logStands({ state, size, unlogged, signedAt, witnessed }: LogHealth): readonly Measurement[] {
    const age = signedAt === undefined ? UNKNOWN : Math.max(0, this.#clock.now() - signedAt) / 1_000
    return [
      ...LOG_STATE.values.map((one) => {
        return { of: 'holdpoint.log.state', labels: { state: one }, value: one === state ? 1 : 0 } as const
      }),
      gauge('holdpoint.log.size', size),
      gauge('holdpoint.log.unlogged', unlogged ?? UNKNOWN),
      gauge('holdpoint.log.checkpoint.age', age),
      gauge('holdpoint.log.witnessed', witnessed === undefined ? UNKNOWN : Number(witnessed)),
    ]
  }

  #pointStands({ id, breaker, canary, policyAgeMs }: PointHealth): readonly Measurement[] {
    const { born, point } = this.#point(id)
    return [
      ...born,
      ...states('holdpoint.breaker.state', point, BREAKER.values, 'state', breaker),
      ...states('holdpoint.canary.state', point, CANARY.values, 'result', canary),
      ...(policyAgeMs === undefined ? [] : seconds('holdpoint.policy.age', { point }, policyAgeMs)),
    ]
  }
}

/** What is not known now, and may have been: no series, rather than an old value. */
const UNKNOWN = Number.NaN

function once(of: InstrumentName, labels: Labels = {}): Measurement {
  return { of, labels, value: 1 }
}

function gauge(of: InstrumentName, value: number): Measurement {
  return { of, labels: {}, value }
}

/** A duration in ms as a reading in seconds. One that is no number is left out: it would spoil the sum for good. */
function seconds(of: InstrumentName, labels: Labels, ms: number): readonly Measurement[] {
  return Number.isFinite(ms) ? [{ of, labels, value: Math.max(0, ms) / 1_000 }] : []
}

/** A gauge for each state, 1 for the present one. */
function states(
  of: InstrumentName,
  point: string,
  all: readonly string[],
  label: string,
  now: string,
): readonly Measurement[] {
  return all.map((state) => ({ of, labels: { point, [label]: state }, value: state === now ? 1 : 0 }))
}
