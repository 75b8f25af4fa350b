/** What the gameday leaves behind: counters, and receipts that are verified with the public key alone. */
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { tokensAt } from '../../dist/src/cli/receipts.js'
import { loadOrCreateKey } from '../../dist/src/receipt/key-file.js'
import { readReceipt } from '../../dist/src/receipt/read.js'
import { verifyReceipts } from '../../dist/src/verify.js'

/** Where the public key is written that verifies the receipts. */
export function publicKeyBelow(base) {
  return path.join(base, 'receipt-key.json')
}

/** The receipts of the store below `base`, verified; and how often each basis stands in them. */
export async function readEvidence(base) {
  const tokens = []
  for await (const token of tokensAt(path.join(base, 'store'))) tokens.push(token)
  const { publicJwk } = loadOrCreateKey(path.join(base, 'receipt.pem'))
  writeFileSync(publicKeyBelow(base), `${JSON.stringify(publicJwk)}\n`)
  const { ok, count, verified, failures } = await verifyReceipts(tokens, { keys: [publicJwk] })
  const decisions = tokens.map(readReceipt).filter(({ kind }) => kind === 'decision')
  const withBasis = (basis) => decisions.filter((claims) => claims.basis === basis).length
  return { ok, count, verified, failures, failureOpenings: withBasis('fail_open'), overrideUses: withBasis('override') }
}

/** The counters that an SRE looks at in an outage, from the text that Prometheus would scrape. */
export function readCounters(text) {
  const series = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const sum = (name, ...labels) =>
    series
      .filter((line) => line.startsWith(name) && labels.every((label) => line.includes(label)))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  const moves = (to) => sum('holdpoint_breaker_moves_total{', `to="${to}"`)
  return {
    permitted: sum('holdpoint_decisions_total{', 'code="none"'),
    refused: sum('holdpoint_decisions_total{') - sum('holdpoint_decisions_total{', 'code="none"'),
    failureOpenings: sum('holdpoint_failure_openings_total{'),
    overrideUses: sum('holdpoint_override_uses_total'),
    holds: sum('holdpoint_holds_total{'),
    breaker: { open: moves('open'), half_open: moves('half_open'), closed: moves('closed') },
    receiptFailures: sum('holdpoint_receipt_failures_total{'),
  }
}
