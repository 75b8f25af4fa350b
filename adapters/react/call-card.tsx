import { type ReactElement, useId } from 'react'
import { ApprovalRequest } from './approval-request.tsx'
import { attemptedText } from './arguments.ts'
import type { ChatCall, KnownCall, UnknownCall } from './calls.ts'
import { LegibleText } from './legible-text.tsx'
import { Arguments, Card, Notices } from './pieces.tsx'
import { ReceiptBadge } from './receipt-badge.tsx'
import { Refusal } from './refusal.tsx'
import { toneOf } from './tone.ts'
import type { Holdpoint } from './use-holdpoint.ts'
import { STATUS } from './wording.ts'

export interface CallCardProps {
  readonly call: ChatCall
  readonly holdpoint: Holdpoint
}

/** Whatever became of a call: asked about, refused, run, run otherwise than it was asked for, or told of in words that are not ours. */
export function CallCard({ call, holdpoint }: CallCardProps): ReactElement | null {
  if (call.kind === 'unknown') return <Unknown call={call} />
  const { trustedKeys, now } = holdpoint
  const { request } = call.data
  if (call.status === 'waiting' && request !== undefined)
    return (
      <ApprovalRequest
        request={request}
        {...(call.data.refusal === undefined ? {} : { message: call.data.refusal.message })}
        onAnswer={(answer) => holdpoint.answer(call, answer)}
        now={now}
      />
    )
  if (call.status === 'refused') return <Refusal call={call} trustedKeys={trustedKeys} />
  return <Happened call={call} holdpoint={holdpoint} />
}

/** A call that ran, runs, or was answered. */
function Happened({ call, holdpoint }: { readonly call: KnownCall; readonly holdpoint: Holdpoint }): ReactElement {
  const id = useId()
  const { data, status, input } = call
  const { tool, materiality, notices = [], observed, request } = data
  const attempted = attemptedText(input, request?.argumentsText)
  return (
    <Card tone={toneOf(call)} id={id} title={STATUS[status]} tool={tool} materiality={materiality}>
      {status === 'declined' && request?.declinedBecause !== undefined ? (
        <p className="hp-message">
          <span className="hp-label">Because </span>
          <LegibleText text={request.declinedBecause} />
        </p>
      ) : null}
      <Notices notices={notices} />
      {observed === undefined ? null : (
        <p className="hp-message">
          <span className="hp-label">Nothing is held back yet. It would have been refused: </span>
          <LegibleText text={observed.message} />
        </p>
      )}
      {attempted === undefined ? null : <Arguments text={attempted} label="Asked for with" />}
      <ReceiptBadge data={data} trustedKeys={holdpoint.trustedKeys} />
    </Card>
  )
}

/** Words of another version: shown as such, and nothing in them is believed. */
function Unknown({ call }: { readonly call: UnknownCall }): ReactElement {
  const id = useId()
  return (
    <Card tone="unknown" id={id} title="Cannot be shown">
      <p className="hp-message">
        {call.version === undefined ? (
          'The gate said something about a call here that this page cannot read.'
        ) : (
          <>
            The gate said something about a call here in version <LegibleText text={call.version} />, which this page
            does not know.
          </>
        )}{' '}
        Whether that call ran is not known here.
      </p>
    </Card>
  )
}
