/** Which calls somebody means to erase. */
import type { DecisionClaims } from '../../receipt/claims.ts'
import { readReceipt } from '../../receipt/read.ts'
import type { ApprovalRequest, Receipt } from '../../types.ts'
import { UnusableInput } from '../exit.ts'
import { namingKeys } from '../trust.ts'
import { whenOf } from '../when.ts'

/** What says which calls are meant, beside ids. */
export interface Selectors {
  readonly before?: string
  readonly conversation?: string
  readonly config?: string
}

/** The calls that are meant. */
export interface Selection {
  decision(receipt: Receipt, claims: DecisionClaims): boolean
  /** Is a question to a person meant, whatever the receipts say? */
  question(request: ApprovalRequest): boolean
  /** Ids that name nothing. */
  readonly unknown: readonly string[]
}

const TRACE_ID = /^[0-9a-f]{32}$/
const RECEIPT_ID = /^r_[0-9a-z]{8,26}$/

/**
 * @param receipts goes through the store's receipts, to find what ids name
 * @throws UnusableInput unless exactly one way of naming calls is used, or where an id could be several receipts
 */
export async function selectionOf(
  ids: readonly string[],
  { before, conversation, config }: Selectors,
  receipts: () => AsyncIterable<Receipt>,
): Promise<Selection> {
  const ways = [ids.length > 0, before !== undefined, conversation !== undefined].filter((given) => given).length
  if (ways !== 1) throw new UnusableInput('say which calls: by IDs, with --before or with --conversation, one of them')
  if (before !== undefined) {
    const at = whenOf(before, Date.now())
    return {
      decision: (_, { ts }) => ts < at,
      question: ({ createdAt }) => createdAt < at,
      unknown: [],
    }
  }
  if (conversation !== undefined) {
    const names = new Set(namingKeys(config).map((key) => key.blind('conversation', conversation)))
    return {
      decision: (_, claims) => claims.conversation !== undefined && names.has(claims.conversation),
      question: (request) => request.conversation === conversation,
      unknown: [],
    }
  }
  return await named(ids, receipts)
}

async function named(ids: readonly string[], receipts: () => AsyncIterable<Receipt>): Promise<Selection> {
  const nonsense = ids.find((id) => !TRACE_ID.test(id) && !RECEIPT_ID.test(id))
  if (nonsense !== undefined) {
    throw new UnusableInput(
      `"${nonsense}" is no receipt (r_ and at least 8 characters) and no trace (32 hexadecimal digits)`,
    )
  }
  const traces = new Set(ids.filter((id) => TRACE_ID.test(id)))
  const found = new Map<string, string>()
  const seen = new Set<string>()
  for await (const receipt of receipts()) {
    const id = ids.find((one) => receipt.id.startsWith(one))
    if (id === undefined && traces.size === 0) continue
    const claims = readReceipt(receipt.jws)
    if (claims.trace !== undefined && traces.has(claims.trace)) seen.add(claims.trace)
    if (id === undefined) continue
    const decision = claims.kind === 'outcome' ? claims.decision : receipt.hash
    if ((found.get(id) ?? decision) !== decision)
      throw new UnusableInput(`"${id}" is the beginning of several receipts`)
    if (claims.kind === 'decision' || claims.kind === 'outcome') found.set(id, decision)
  }
  const hashes = new Set(found.values())
  return {
    decision: ({ hash }, { trace }) => hashes.has(hash) || (trace !== undefined && traces.has(trace)),
    question: () => false,
    unknown: ids.filter((id) => !found.has(id) && !seen.has(id)),
  }
}
