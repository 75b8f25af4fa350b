import { randomBytes, sha256 } from '../../src/bytes/digest.ts'
import { Chain } from '../../src/receipt/chain.ts'
import type { DecisionDraft, OpenDraft, OutcomeDraft } from '../../src/receipt/claims.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import type { Claim, Clock, Receipt, ReceiptStore, SessionClaim, Signer } from '../../src/types.ts'

/** Believable claims for tests of receipts and stores. */

export const DIGEST = sha256('something')

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }

export const openDraft: OpenDraft = {
  kind: 'open',
  build: '0.1.0',
  config: DIGEST,
  policy: DIGEST,
  trust: DIGEST,
  mode: 'enforce',
}

/** A permit of `shop/refund`, unless told otherwise. */
export function decisionDraft(changes: Partial<DecisionDraft> = {}): DecisionDraft {
  return {
    kind: 'decision',
    call: sha256(`call ${Math.random()}`),
    trace: '0af7651916cd43dd8448eb211c80319c',
    principal: { type: 'user', id: 'alice', roles: ['finance'], basis: 'stated' },
    tool: { server: 'shop', name: 'refund', definition: DIGEST },
    args: { commit: DIGEST, bytes: 64 },
    request: DIGEST,
    materiality: 'high',
    surface: 'financial',
    evidence: [{ source: 'name', argues: 'high', at: 'refund', because: 'the verb moves money' }],
    decision: 'permit',
    basis: 'pdp',
    enforced: true,
    policy: { digest: DIGEST, determining: ['refund-cap'], errors: [] },
    pdp: { id: 'cedar', us: 40 },
    rederivable: true,
    permit: { ttlMs: 30_000 },
    ...changes,
  }
}

/** A refusal: no permit is issued and no outcome is owed. */
export function refusedDraft(changes: Partial<DecisionDraft> = {}): DecisionDraft {
  const { permit: _, ...draft } = decisionDraft({ decision: 'deny', code: 'denied_by_policy' })
  return { ...draft, ...changes }
}

export function outcomeDraft(decision: string, status: OutcomeDraft['status'] = 'ok'): OutcomeDraft {
  return { kind: 'outcome', decision, status, us: 1_200 }
}

export function claim(callKey: string, changes: Partial<Claim> = {}): Claim {
  return { callKey, inputDigest: DIGEST, ...changes }
}

/** What a claim of `shop/refund` adds to its session. */
export const SESSION: SessionClaim = {
  conversation: 's',
  principal: 'p',
  tool: 'shop/refund',
  surface: 'financial',
  at: 1_700_000_000_000,
}

export function newChain(
  store: ReceiptStore,
  parts: { readonly signer?: Signer; readonly deadlineMs?: number } = {},
): Chain {
  const { signer = generateSigner(), deadlineMs } = parts
  return new Chain({
    signer,
    store,
    clock: systemClock,
    issuer: 'test',
    random: randomBytes,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  })
}

/** A chain that has begun its first stream. */
export async function openedChain(
  store: ReceiptStore,
  parts: { readonly signer?: Signer; readonly deadlineMs?: number } = {},
): Promise<Chain> {
  const chain = newChain(store, parts)
  await chain.open(openDraft)
  return chain
}

export async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

export function jwsOf(receipts: readonly Receipt[]): readonly string[] {
  return receipts.map(({ jws }) => jws)
}
