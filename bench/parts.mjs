/** What the gate spends on deciding and on recording, each alone: the peers decide and sign nothing. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { canonicalText } from '../dist/src/bytes/canonical.js'
import { ask } from '../dist/src/decide/deadline.js'
import { createCedarPoint } from '../dist/src/policy/cedar.js'
import { Chain } from '../dist/src/receipt/chain.js'
import { generateSigner } from '../dist/src/receipt/sign.js'
import { createMemoryStore } from '../dist/src/store/memory.js'
import { openGatedCall } from './gated.mjs'
import { evaluationRequest, refundInput, refundTool } from './refund.mjs'

const clock = { now: () => Date.now(), monotonic: () => performance.now() }

/** The embedded point with the deadline around it and the strict reader behind it: from a request to a decision. */
export async function openOurDecision() {
  const file = path.join(import.meta.dirname, 'policies', 'refund.cedar')
  const point = createCedarPoint([{ path: file, text: readFileSync(file, 'utf8') }])
  const terms = { budgetMs: 2000, clock, signal: undefined, schema: refundTool.inputSchema }
  const call = (n) => {
    const decision = ask(point, evaluationRequest(refundInput(n)), terms)
    if (decision.kind !== 'permit') throw new Error(`holdpoint did not permit call ${n}: ${JSON.stringify(decision)}`)
  }
  return { call, close: () => {} }
}

/** Both receipts of a call: made canonical, chained, signed and kept by a memory store, with the claim and the sidecar. */
export async function openOurReceipts() {
  const { decision, outcome, open, request } = await draftsOfOneCall()
  const chain = new Chain({
    signer: generateSigner(),
    store: createMemoryStore(),
    clock,
    issuer: 'shop',
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  })
  await chain.open(open)
  const call = async (n) => {
    const claim = { callKey: `call-${n}`, inputDigest: decision.args.commit }
    const { receipt } = await chain.commit(decision, claim, { salt: 'salt', request })
    await chain.append({ ...outcome, decision: receipt.hash }, { settles: { decision: receipt.hash, status: 'ok' } })
  }
  return { call, close: () => {} }
}

/** How much one call writes: characters of both receipts' JWS and of the evaluation request beside them. */
export async function bytesPerCall() {
  const { sizes } = await draftsOfOneCall()
  return sizes
}

/** One real gated call, and what its receipts say without what the chain adds. */
export async function draftsOfOneCall() {
  const { call, close } = await openGatedCall('memory')
  const { receipts } = await call(1)
  await close()
  const [decision, outcome] = receipts.map(({ jws }) => draftOf(jws))
  const request = canonicalText(evaluationRequest(refundInput(1)))
  const digest = decision.policy.digest
  return {
    decision,
    outcome,
    request,
    open: { kind: 'open', build: 'bench', config: digest, policy: digest, trust: digest, mode: 'enforce' },
    sizes: { decision: receipts[0].jws.length, outcome: receipts[1].jws.length, request: request.length },
  }
}

function draftOf(jws) {
  const payload = JSON.parse(Buffer.from(jws.split('.')[1], 'base64url').toString('utf8'))
  const { v, iss, stream, seq, prev, ts, mono, ...draft } = payload
  return draft
}
