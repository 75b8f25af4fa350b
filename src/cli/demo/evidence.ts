/** What the demo leaves behind, and the proof that it holds: an export of the receipts, and a tampered copy that does not. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeBase64url, encodeBase64url } from '../../bytes/base64url.ts'
import { readReceipt } from '../../receipt/read.ts'
import { type VerifyReport, verifyReceipts } from '../../verify.ts'
import { tokensAt } from '../receipts.ts'
import type { Trusted } from '../trust.ts'

/** The export and the two verifications. */
export interface Evidence {
  readonly path: string
  readonly report: VerifyReport
  readonly tampered: { readonly path: string; readonly change: string; readonly report: VerifyReport }
}

/** Exports the store's receipts beside it, then verifies them and a copy in which one refusal became a permit. */
export async function gatherEvidence(base: string, trusted: Trusted): Promise<Evidence> {
  const tokens: string[] = []
  for await (const token of tokensAt(join(base, 'store'))) tokens.push(token)
  const path = join(base, 'receipts.jsonl')
  writeFileSync(path, `${tokens.join('\n')}\n`)
  const forged = forge(tokens)
  const forgedPath = join(base, 'tampered.jsonl')
  writeFileSync(forgedPath, `${forged.tokens.join('\n')}\n`)
  const terms = { keys: trusted.keys }
  return {
    path,
    report: await verifyReceipts(tokens, terms),
    tampered: { path: forgedPath, change: forged.change, report: await verifyReceipts(forged.tokens, terms) },
  }
}

/** Does what somebody would who wants the record to say otherwise: a refused call becomes a permitted one. */
function forge(tokens: readonly string[]): { readonly tokens: readonly string[]; readonly change: string } {
  const index = tokens.findIndex((jws) => {
    const claims = readReceipt(jws)
    return claims.kind === 'decision' && claims.decision === 'deny'
  })
  const [header = '', payload = '', signature = ''] = (tokens[index] ?? '').split('.')
  const text = new TextDecoder().decode(decodeBase64url(payload))
  const changed = encodeBase64url(new TextEncoder().encode(text.replace('"decision":"deny"', '"decision":"permit"')))
  return { tokens: tokens.with(index, [header, changed, signature].join('.')), change: '"deny" became "permit"' }
}
