/** One line for each call as it happens. */

import { brief } from '../../bytes/legible.ts'
import type { DecisionClaims } from '../../receipt/claims.ts'
import { readReceipt } from '../../receipt/read.ts'
import type { Receipt } from '../../types.ts'
import { toolOf } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'

const STAMP = 8
const BRIEF = 12
/** A name that is as long as a line would be folded into lines that look like others. */
const LONGEST_NAME = 40

/** The line for a decision or for an outcome that a person should know of; nothing for the rest. */
export function lineOf(receipt: Receipt, terminal: Terminal): string | undefined {
  const claims = readReceipt(receipt.jws)
  if (claims.kind === 'decision')
    return `${stamp(claims.ts)}  ${decisionLine(claims, terminal)}  ${terminal.style('dim', briefId(receipt.id))}`
  if (claims.kind === 'open' && claims.mode === 'observe') {
    return `${stamp(claims.ts)}  ${terminal.style('yellow', `a gate opened in observe mode: nothing is held`)}`
  }
  if (claims.kind === 'outcome' && claims.status !== 'ok') {
    return `${stamp(claims.ts)}  ${terminal.style('yellow', `a permitted call ended as ${claims.status}`)}  ${terminal.style('dim', briefId(receipt.id))}`
  }
  return undefined
}

/** The same as data, for `--json`. */
export function dataOf(receipt: Receipt): object {
  const claims = readReceipt(receipt.jws)
  const { id, kind } = receipt
  if (claims.kind === 'decision') {
    const { ts, code, decision, materiality, enforced, principal } = claims
    return {
      kind,
      receipt: id,
      at: ts,
      tool: toolOf(claims),
      outcome: code === undefined ? 'permitted' : 'refused',
      decision,
      code,
      materiality,
      enforced,
      principal: principal.id,
    }
  }
  if (claims.kind === 'outcome') return { kind, receipt: id, at: claims.ts, status: claims.status }
  return { kind, receipt: id, at: claims.ts }
}

function decisionLine(claims: DecisionClaims, terminal: Terminal): string {
  const { style } = terminal
  const tool = `${brief(toolOf(claims), LONGEST_NAME)}  ${claims.materiality}`
  const by = brief(claims.principal.id, LONGEST_NAME)
  if (claims.code === undefined) return `${style('green', '✓')} ${tool}  ${howPermitted(claims, terminal)}  (${by})`
  if (claims.basis === 'ungated') return `${style('yellow', '!')} ${tool}  outside the gate  (${by})`
  if (!claims.enforced) return `${style('yellow', '!')} ${tool}  observed, would be ${claims.code}  (${by})`
  const asks = claims.code === 'approval_required' || claims.code === 'approval_pending'
  return `${asks ? style('yellow', '?') : style('red', '✗')} ${tool}  ${claims.code}  (${by})`
}

function howPermitted({ basis, override, policy }: DecisionClaims, { style }: Terminal): string {
  if (override !== undefined) {
    const { id, ticket } = override
    return style('yellow', `no policy answered, let through by override ${id} (${brief(ticket, LONGEST_NAME)})`)
  }
  if (basis === 'fail_open') return style('yellow', 'no policy answered, let through')
  return `by ${brief(policy.determining.join(', '), LONGEST_NAME)}`
}

function stamp(at: number): string {
  return new Date(at).toTimeString().slice(0, STAMP)
}

/** The beginning of a receipt's id, enough for `holdpoint why`. */
function briefId(id: string): string {
  return id.slice(0, BRIEF)
}
