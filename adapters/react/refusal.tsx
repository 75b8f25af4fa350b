import { type ReactElement, type ReactNode, useId } from 'react'
import type { Refusal as RefusalValue } from '../../src/index.ts'
import type { Jwk } from '../../src/verify.ts'
import { attemptedText } from './arguments.ts'
import type { KnownCall } from './calls.ts'
import { LegibleText } from './legible-text.tsx'
import { Arguments, Card } from './pieces.tsx'
import { ReceiptBadge } from './receipt-badge.tsx'
import { nameOf, nextStep, refusedTitle } from './wording.ts'

/** A refusal in words, for whatever draws it. */
export interface RefusalView {
  readonly refusal: RefusalValue
  /** `Did not run`. */
  readonly title: string
  /** Text of the arguments that were asked with; absent where the chat does not know them. UNTRUSTED. */
  readonly attempted?: string
  /** What was required and what was there; texts as they came. UNTRUSTED. */
  readonly constraints: readonly { readonly name: string; readonly requires: string; readonly actual?: string }[]
  /** What can be done next. */
  readonly next: string
}

/** What to show of a call that was refused; absent for one that was not. */
export function useRefusal({ data, input }: KnownCall): RefusalView | undefined {
  const { refusal, request } = data
  if (refusal === undefined) return undefined
  const attempted = attemptedText(input, request?.argumentsText)
  return {
    refusal,
    title: refusedTitle(refusal),
    ...(attempted === undefined ? {} : { attempted }),
    constraints: refusal.constraints.map(({ path, requires, actual }) => ({
      name: nameOf({ path }),
      requires,
      ...(actual === undefined ? {} : { actual }),
    })),
    next: nextStep(refusal, request),
  }
}

export interface RefusalProps {
  readonly call: KnownCall
  /** Public keys that the app itself brings; without any, nothing ever looks verified. */
  readonly trustedKeys?: readonly Jwk[]
  /** Draws it in the app's own way. */
  readonly children?: (view: RefusalView) => ReactNode
}

/** A call that did not run: what was attempted, why not, what can be done next, and the receipt that proves it. */
export function Refusal({ call, trustedKeys, children }: RefusalProps): ReactElement | null {
  const id = useId()
  const view = useRefusal(call)
  if (view === undefined) return null
  if (children !== undefined) return <>{children(view)}</>
  const { refusal, title, attempted, constraints, next } = view
  return (
    <Card tone="refused" id={id} title={title} tool={refusal.tool} materiality={refusal.materiality}>
      <p className="hp-message">
        <LegibleText text={refusal.message} />
      </p>
      {constraints.length === 0 ? null : (
        <dl className="hp-constraints">
          {constraints.map(({ name, requires, actual }) => (
            <div key={`${name} ${requires}`}>
              <dt>
                <LegibleText text={name} />
              </dt>
              <dd>
                <span className="hp-label">required </span>
                <LegibleText text={requires} />
              </dd>
              {actual === undefined ? null : (
                <dd className="hp-actual">
                  <span className="hp-label">was </span>
                  <LegibleText text={actual} />
                </dd>
              )}
            </div>
          ))}
        </dl>
      )}
      {attempted === undefined ? null : <Arguments text={attempted} label="Attempted with" />}
      <p className="hp-next">
        <span className="hp-label">Next </span>
        <LegibleText text={next} />
      </p>
      <ReceiptBadge data={call.data} {...(trustedKeys === undefined ? {} : { trustedKeys })} />
    </Card>
  )
}
