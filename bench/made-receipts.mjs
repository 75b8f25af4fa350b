/** Receipts of whole calls, made by the gate's own chain, as many as are asked for. */
import { createHash } from 'node:crypto'
import { Chain } from '../dist/src/receipt/chain.js'
import { draftsOfOneCall } from './parts.mjs'

/**
 * A chain over a store, and what one call writes through it: a decision with its claim and sidecar, then the outcome.
 * @param {object} store Where the receipts go: `append` and `commitDecision`.
 * @param {object} signer
 */
export async function openCalls(store, signer) {
  const { decision, outcome, open, request } = await draftsOfOneCall()
  const chain = new Chain({
    signer,
    store,
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    issuer: 'shop',
    random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  })
  await chain.open(open)
  const call = async (n) => {
    const callKey = createHash('sha256').update(`call ${n}`).digest('base64url')
    const claim = { callKey, inputDigest: decision.args.commit }
    const sidecar = { salt: callKey.slice(0, 22), request }
    const { receipt } = await chain.commit({ ...decision, call: callKey }, claim, sidecar)
    await chain.append({ ...outcome, decision: receipt.hash }, { settles: { decision: receipt.hash, status: 'ok' } })
  }
  const seal = (count) => chain.append({ kind: 'seal', count, open_calls: 0, status: 'complete' })
  return { call, seal }
}

/** A store that keeps nothing but hands each receipt over as it comes. */
export function handingStore(take) {
  return {
    append: async ({ jws }) => {
      take(jws)
      return { outcome: 'stored' }
    },
    commitDecision: async ({ jws }) => {
      take(jws)
      return { outcome: 'claimed' }
    },
  }
}

/** Many calls one after the other, as tokens: `open`, two for each call, a seal. */
export async function tokensOf(calls, signer) {
  const tokens = []
  const { call, seal } = await openCalls(
    handingStore((jws) => tokens.push(jws)),
    signer,
  )
  for (let n = 0; n < calls; n += 1) await call(n)
  await seal(tokens.length)
  return tokens
}
