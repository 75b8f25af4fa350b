import { type ReactElement, type ReactNode, useState } from 'react'
import type { Jwk } from '../../src/verify.ts'
import type { ChatCall, KnownCall } from './calls.ts'
import { LegibleText } from './legible-text.tsx'
import { Sign } from './pieces.tsx'
import { type Tone, toneOf } from './tone.ts'
import { checkReceipts, type ReceiptState, saidIn } from './use-receipts.ts'
import { NOTICE, STATUS } from './wording.ts'

/** One call of a conversation. */
export interface TimelineEntry {
  readonly call: ChatCall
  /** Absent where the call cannot be read. UNTRUSTED. */
  readonly tool?: string
  readonly title: string
  /** What is to be said of it beside its title: the refusal's sentence, the kinds of its notices. UNTRUSTED. */
  readonly said: readonly string[]
  readonly tone: Tone
  readonly check: ReceiptState
}

export interface Timeline {
  readonly entries: readonly TimelineEntry[]
  /** Verifies the receipts of every call in this browser. */
  readonly verify: () => Promise<void>
  readonly isChecking: boolean
}

const UNCHECKED: ReceiptState = { state: 'unchecked' }

/** The calls of a conversation in their order, and the check of all their receipts. */
export function useTimeline(calls: readonly ChatCall[], trustedKeys: readonly Jwk[]): Timeline {
  const [checks, setChecks] = useState<ReadonlyMap<string, ReceiptState>>(new Map())
  const [isChecking, setChecking] = useState(false)
  const known = calls.filter((call): call is KnownCall => call.kind === 'known')
  return {
    entries: calls.map((call) =>
      entryOf(call, call.kind === 'known' ? (checks.get(saidIn(call.data)) ?? UNCHECKED) : UNCHECKED),
    ),
    isChecking,
    verify: async () => {
      setChecking(true)
      const all = await Promise.all(
        known.map(async ({ data }) => [saidIn(data), await checkReceipts(data, trustedKeys)] as const),
      )
      setChecks(new Map(all))
      setChecking(false)
    },
  }
}

function entryOf(call: ChatCall, check: ReceiptState): TimelineEntry {
  if (call.kind === 'unknown') return { call, title: 'Cannot be shown', said: [], tone: 'unknown', check }
  const { status, data } = call
  const notices = data.notices ?? []
  const said = [
    ...(data.refusal === undefined ? [] : [data.refusal.message]),
    ...notices.map(({ kind, message }) => (Object.hasOwn(NOTICE, kind) ? NOTICE[kind] : message)),
  ]
  return { call, tool: data.refusal?.tool ?? data.tool, title: STATUS[status], said, tone: toneOf(call), check }
}

export interface TraceTimelineProps {
  readonly calls: readonly ChatCall[]
  /** Public keys that the app itself brings; without any, nothing ever looks verified. */
  readonly trustedKeys?: readonly Jwk[]
  /** Draws it in the app's own way. */
  readonly children?: (timeline: Timeline) => ReactNode
}

const NO_KEYS: readonly Jwk[] = []

/** What an assistant did in a conversation, and did not: one line a call, each with its receipts. */
export function TraceTimeline({ calls, trustedKeys = NO_KEYS, children }: TraceTimelineProps): ReactElement {
  const timeline = useTimeline(calls, trustedKeys)
  return <>{children === undefined ? <Lines {...timeline} /> : children(timeline)}</>
}

function Lines({ entries, verify, isChecking }: Timeline): ReactElement {
  return (
    <section className="hp hp-timeline" aria-label="What the assistant did">
      <ol>
        {entries.map(({ call, tool, title, said, tone, check }, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: calls only ever come at the end, and ids of hosts repeat
          <li key={at} data-tone={tone}>
            <Sign tone={tone} />
            <div>
              {tool === undefined ? null : (
                <code className="hp-tool">
                  <LegibleText text={tool} />{' '}
                </code>
              )}
              <strong>{title}</strong>
              {said.map((text) => (
                <p key={text} className="hp-said-of">
                  <LegibleText text={text} />
                </p>
              ))}
            </div>
            {call.kind === 'known' ? <Check check={check} count={call.data.receipts.length} /> : null}
          </li>
        ))}
      </ol>
      <div className="hp-timeline-foot">
        <button
          type="button"
          className="hp-button hp-small"
          aria-disabled={isChecking}
          onClick={() => {
            if (!isChecking) void verify()
          }}
        >
          Verify all receipts
        </button>
        <p role="status" className="hp-small-print">
          {summary(entries)}
        </p>
      </div>
    </section>
  )
}

function Check({ check, count }: { readonly check: ReceiptState; readonly count: number }): ReactElement {
  return (
    <span className="hp-check" data-state={check.state}>
      <span className="hp-dot" aria-hidden="true" />
      {CHECKS[check.state]}
      <span className="hp-spoken">
        , {count} {count === 1 ? 'receipt' : 'receipts'}
      </span>
    </span>
  )
}

const CHECKS: { readonly [state in ReceiptState['state']]: string } = {
  unchecked: 'not checked',
  checking: 'checking',
  verified: 'verified',
  failed: 'does not verify',
  not_established: 'not established',
}

function summary(entries: readonly TimelineEntry[]): string {
  const known = entries.filter(({ call }) => call.kind === 'known')
  if (known.every(({ check }) => check.state === 'unchecked')) return ''
  const verified = known.filter(({ check }) => check.state === 'verified').length
  return `${verified} of ${known.length} calls have receipts that verify.`
}
