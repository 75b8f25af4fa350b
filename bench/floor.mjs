/**
 * The floor: what one gated call cannot do without, in the plainest code that is right. One preparsed Cedar evaluation,
 * two Ed25519 signatures over two receipts of about 1 KB, the canonical text of arguments, evaluation request and both
 * receipts, and the hashes that go with them. The shapes are data in `refund.mjs`; nothing of the project is in here.
 */
import { generateKeyPairSync, hash, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { preparsePolicySet, statefulIsAuthorized } from '@cedar-policy/cedar-wasm/nodejs'
import { callKeyParts, cedarRequest, decisionClaims, evaluationRequest, outcomeClaims, refund } from './refund.mjs'

const sha256 = (text) => hash('sha256', text, 'base64url')

/** Key-sorted JSON text of a plain value. */
function canonical(value) {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(',')}}`
}

/** `toCedar` puts the arguments in Cedar's terms: the whole request, or only what the policies read. */
export function createFloor(toCedar = cedarRequest) {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const staticPolicies = readFileSync(new URL('./policies/refund.cedar', import.meta.url), 'utf8')
  if (preparsePolicySet('floor', { staticPolicies }).type !== 'success') throw new Error('refund.cedar does not parse')
  let seq = 0
  let prev = sha256('open')

  function receipt(claims) {
    seq += 1
    const payload = canonical({ ...claims, seq, prev, ts: Date.now() })
    prev = sha256(`\0${payload}`)
    return { payload, hash: prev, signature: sign(null, Buffer.from(payload), privateKey) }
  }

  function permits(input) {
    const answer = statefulIsAuthorized({ ...toCedar(input), preparsedPolicySetId: 'floor' })
    if (answer.type !== 'success' || answer.response.diagnostics.errors.length > 0) return false
    return answer.response.decision === 'allow'
  }

  /** One whole call, with the host's id of it: decided, recorded, run, recorded. */
  function call(input, callId) {
    const key = sha256(canonical(callKeyParts(callId, sha256(canonical(input)))))
    const commitment = sha256(randomBytes(32).toString('base64url') + canonical(evaluationRequest(input)))
    if (!permits(input)) return { permitted: false }
    const decision = receipt({ ...decisionClaims, call: key, request: commitment, decision: 'permit' })
    const result = refund(input)
    const outcome = receipt({ ...outcomeClaims, call: key, decision: decision.hash, status: 'ok' })
    return { permitted: true, result, receipts: [decision, outcome] }
  }

  return { publicKey, permits, call }
}
