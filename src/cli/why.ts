/** `holdpoint why`: why was it refused? */

import { Command } from 'commander'
import { canonicalText } from '../bytes/canonical.ts'
import { brief } from '../bytes/legible.ts'
import { readReceipt } from '../receipt/read.ts'
import type { ApprovalRecord, EvaluationRequest, Receipt } from '../types.ts'
import { type CommandContext, situationOf } from './context.ts'
import { UnusableInput } from './exit.ts'
import { explain, requestIn } from './explain.ts'
import { decisionAsJson, type Explained, tellDecision } from './explanation.ts'
import { readingAlong } from './progress.ts'
import { type DecisionReceipt, readerOf, shown, storeOf, toolOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'

type Reader = ReturnType<typeof readerOf>

export function whyCommand(context: CommandContext): Command {
  return new Command('why')
    .argument('[ID]', 'a receipt id (its beginning is enough) or an approval reference')
    .option('--store <FOLDER>', 'the store to read instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 1 when there is nothing to explain.\n\nExample:\n  holdpoint why\n  holdpoint why hp_7f3k9qtm',
    )
    .action(async (id: string | undefined, flags: { store?: string; config?: string; json?: true }) => {
      const situation = situationOf(flags.config)
      const folder = flags.store ?? storeOf(situation)
      const reader = readerOf(folder)
      try {
        const found = await find(reader, id, context.terminal)
        context.terminal.progress('')
        if (found === undefined) {
          context.terminal.note(
            id === undefined
              ? `Nothing has been refused in ${shown(folder)}.`
              : `There is no decision ${id} in ${shown(folder)}.`,
          )
          context.end(1)
          return
        }
        const request = await requestOf(reader, found.receipt)
        const known = explain(found, request, situation.policies, undefined)
        const explained = withNotes(known, [
          ...(found.claims.note === undefined ? [] : [found.claims.note]),
          ...(found.approval === undefined ? [] : [stateOf(found.approval)]),
          ...(await earlierOf(reader, found, context.terminal)),
        ])
        context.terminal.progress('')
        if (flags.json === true) context.terminal.out(JSON.stringify(decisionAsJson(explained)))
        else tellDecision(explained, context.terminal)
      } finally {
        await reader.close()
      }
    })
}

interface Found extends DecisionReceipt {
  readonly approval?: ApprovalRecord
}

async function find(reader: Reader, id: string | undefined, terminal: Terminal): Promise<Found | undefined> {
  if (id === undefined) return await newest(reader, terminal, ({ claims }) => claims.code !== undefined)
  if (id.startsWith('hp_')) return await findByReference(reader, id, terminal)
  if (!/^r_[0-9a-z]{4,}$/.test(id)) {
    throw new UnusableInput(`"${id}" is neither a receipt (r_…) nor a reference (hp_…)`)
  }
  let hash: string | undefined
  for await (const receipt of reader.receipts()) {
    if (!receipt.id.startsWith(id)) continue
    const claims = readReceipt(receipt.jws)
    if (claims.kind === 'decision') return { receipt, claims }
    hash = claims.kind === 'outcome' ? claims.decision : undefined
  }
  return hash === undefined ? undefined : await newest(reader, terminal, ({ receipt }) => receipt.hash === hash)
}

/** The newest decision that asked for this approval or rests on it: the one about the same tool and arguments. */
export async function findByReference(reader: Reader, ref: string, terminal: Terminal): Promise<Found | undefined> {
  const approval = await reader.get(ref)
  if (approval === undefined) return undefined
  const candidates: DecisionReceipt[] = []
  await newest(reader, terminal, (decision) => {
    if (toolOf(decision.claims) === approval.tool) candidates.push(decision)
    return false
  })
  for (const decision of candidates.sort((a, b) => b.claims.ts - a.claims.ts)) {
    const request = await requestOf(reader, decision.receipt)
    const same = request !== undefined && canonicalText(request.context.arguments) === approval.argumentsText
    if (decision.claims.approval?.ref === ref || same) return { ...decision, approval }
  }
  return undefined
}

async function newest(
  reader: Reader,
  terminal: Terminal,
  wanted: (decision: DecisionReceipt) => boolean,
): Promise<DecisionReceipt | undefined> {
  let best: DecisionReceipt | undefined
  for await (const receipt of readingAlong(reader.receipts(), terminal)) {
    if (receipt.kind !== 'decision') continue
    const claims = readReceipt(receipt.jws)
    if (claims.kind !== 'decision') continue
    const decision = { receipt, claims }
    if (wanted(decision) && (best === undefined || claims.ts >= best.claims.ts)) best = decision
  }
  return best
}

async function requestOf(reader: Reader, receipt: Receipt): Promise<EvaluationRequest | undefined> {
  return requestIn(await reader.sidecar(receipt.hash))
}

/** Of a call that was refused because it had been permitted before: which receipt that was. */
async function earlierOf(reader: Reader, { claims }: Found, terminal: Terminal): Promise<readonly string[]> {
  if (claims.basis !== 'replay' || claims.call === undefined) return []
  const isEarlier = (other: DecisionReceipt['claims']): boolean =>
    other.call === claims.call && other.permit !== undefined && other.ts <= claims.ts
  const earlier = await newest(reader, terminal, (decision) => isEarlier(decision.claims))
  return earlier === undefined ? [] : [`it was permitted before: ${earlier.receipt.id}`]
}

function withNotes(explained: Explained, notes: readonly string[]): Explained {
  return { ...explained, notes: [...explained.notes, ...notes] }
}

function stateOf({ ref, requires, state, answers }: ApprovalRecord): string {
  const said = answers.map(({ by, channel, reason }) => {
    const because = reason === undefined ? '' : ` (“${brief(reason)}”)`
    return `${brief(by)} through ${channel}${because}`
  })
  const by = said.length === 0 ? '' : ` by ${said.join(', ')}`
  return `${ref} asks for ${requires} and is ${state}${by}`
}
