import type { ReactElement, ReactNode } from 'react'
import type { Jwk } from '../../src/verify.ts'
import type { HoldpointData } from '../shared/part.ts'
import { LegibleText } from './legible-text.tsx'
import { type CheckedReceipt, type Receipts, useReceipts } from './use-receipts.ts'
import { receiptSentence } from './wording.ts'

export interface ReceiptBadgeProps {
  readonly data: HoldpointData
  /** Public keys that the app itself brings; without any, nothing ever looks verified. */
  readonly trustedKeys?: readonly Jwk[]
  /** Draws it in the app's own way. */
  readonly children?: (receipts: Receipts) => ReactNode
}

const NO_KEYS: readonly Jwk[] = []

/** The receipts of a call, which verify in this browser on a click. Green only once a trusted key was found to have signed them. */
export function ReceiptBadge({ data, trustedKeys = NO_KEYS, children }: ReceiptBadgeProps): ReactElement {
  const receipts = useReceipts(data, trustedKeys)
  return <>{children === undefined ? <Badge data={data} {...receipts} /> : children(receipts)}</>
}

function Badge({ data, check, verify }: { readonly data: HoldpointData } & Receipts): ReactElement {
  const [first] = data.receipts
  if (first === undefined) return <p className="hp-receipt hp-none">No receipt came with this call.</p>
  const { state } = check
  const checked = 'receipts' in check ? check.receipts : []
  return (
    <div className="hp-receipt" data-state={state}>
      <div className="hp-receipt-row">
        <span className="hp-label">{data.receipts.length === 1 ? 'Receipt' : 'Receipts'}</span>
        <code className="hp-receipt-id">
          <LegibleText text={first.id} />
        </code>
        <button
          type="button"
          className="hp-button hp-small"
          aria-disabled={state === 'checking'}
          onClick={() => {
            if (state !== 'checking') void verify()
          }}
        >
          Verify<span className="hp-spoken"> the receipt {first.id}</span>
        </button>
      </div>
      <p className="hp-receipt-state" role="status">
        <span className="hp-dot" aria-hidden="true" />
        <LegibleText text={receiptSentence(check)} />
      </p>
      {checked.some(({ claims }) => claims !== undefined) ? <Claims receipts={checked} /> : null}
    </div>
  )
}

/** What the signed words are. They stand there only where a trusted key signed them. */
function Claims({ receipts }: { readonly receipts: readonly CheckedReceipt[] }): ReactElement {
  return (
    <details className="hp-claims">
      <summary>What was signed</summary>
      {receipts.map(({ id, claims }) =>
        claims === undefined ? null : (
          <dl key={id}>
            {Object.entries(said(claims)).map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>
                  <LegibleText text={value} />
                </dd>
              </div>
            ))}
          </dl>
        ),
      )}
    </details>
  )
}

/** The few claims that a person asks for first. */
function said(claims: NonNullable<CheckedReceipt['claims']>): Readonly<Record<string, string>> {
  const about = { gate: claims.iss, at: new Date(claims.ts).toISOString(), sequence: String(claims.seq) }
  switch (claims.kind) {
    case 'decision':
      return {
        decision: claims.code ?? claims.decision,
        tool: `${claims.tool.server}/${claims.tool.name}`,
        'on behalf of': claims.principal.id,
        ...(claims.policy.determining.length === 0 ? {} : { policies: claims.policy.determining.join(', ') }),
        ...about,
      }
    case 'outcome':
      return { outcome: claims.status, ...about }
    default:
      return { kind: claims.kind, ...about }
  }
}
