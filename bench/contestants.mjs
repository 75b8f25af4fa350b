/** Who runs in the bench. Each is opened anew for every round. */
import { createFloor } from './floor.mjs'
import { openGate, openGatedCall } from './gated.mjs'
import { openGroupCommit } from './group-commit.mjs'
import { bytesPerCall, openOurDecision, openOurReceipts } from './parts.mjs'
import { cedarRequest, leanCedarRequest, refund, refundInput, refundTool } from './refund.mjs'

const close = () => {}

/** @typedef {import('./measure.mjs').Contestant} Contestant */

/** The gate, what it is measured against, and what it spends on deciding and on recording. @returns {Promise<Contestant[]>} */
export async function gateContestants() {
  const written = await bytesPerCall()
  const floor = (toCedar) => async () => {
    const { call } = createFloor(toCedar)
    return { call: (n) => mustPermit(call(refundInput(n), `call-${n}`).permitted), close }
  }
  const bare = async () => ({ call: async (n) => refund(refundInput(n)), close })
  return [
    { id: 'bare', name: 'bare tool', inFlight: 1, calls: 5000, open: bare },
    { id: 'bare-64', name: 'bare tool', inFlight: 64, calls: 5000, open: bare },
    { id: 'floor', name: 'floor', inFlight: 1, calls: 2000, open: floor(cedarRequest) },
    {
      id: 'lean-floor',
      name: 'floor, Cedar given only what the policies read',
      inFlight: 1,
      calls: 2000,
      open: floor(leanCedarRequest),
    },
    ...[1, 64].flatMap((inFlight) => [
      {
        id: `memory-${inFlight}`,
        name: 'gated, memory store',
        inFlight,
        calls: 2000,
        open: () => openGatedCall('memory'),
      },
      {
        id: `durable-${inFlight}`,
        name: 'gated, durable store',
        inFlight,
        calls: inFlight === 1 ? 200 : 2000,
        open: () => openGatedCall('durable'),
      },
      {
        id: `group-commit-${inFlight}`,
        name: 'bare group commit',
        inFlight,
        calls: inFlight === 1 ? 200 : 5000,
        open: () => openGroupCommit(written),
      },
    ]),
    { id: 'our-decision', name: 'holdpoint: decision alone', inFlight: 1, calls: 800, open: openOurDecision },
    { id: 'our-receipts', name: 'holdpoint: two receipts alone', inFlight: 1, calls: 800, open: openOurReceipts },
  ]
}

/** The peers on the same call: the decision alone, and inside one `generateText` of `ai` 7.0.112. @returns {Promise<Contestant[]>} */
export async function peerContestants() {
  const { agentLoop, agtEngine, opaApproval, opaDecides, refundTools } = await import('./peers/peers.mjs')
  const approval = await opaApproval()
  const loop = { inFlight: 1, calls: 200 }
  const decision = { inFlight: 1, calls: 2000 }
  const guards = [
    { id: 'loop-bare', name: 'ai 7.0.112, nobody asks', guard: () => ({ tools: refundTools() }) },
    { id: 'loop-agt', name: 'ai 7.0.112, @microsoft/agent-governance-sdk', guard: agtGuard(agtEngine, refundTools) },
  ]
  const decisions = [
    {
      id: 'agt-decision',
      name: '@microsoft/agent-governance-sdk: decision alone',
      open: () => {
        const { decides } = agtEngine()
        return { call: (n) => mustPermit(decides(refundInput(n))), close }
      },
    },
  ]
  if (approval !== undefined) {
    guards.push({
      id: 'loop-opa',
      name: 'ai 7.0.112, @ai-sdk/policy-opa',
      guard: () => ({ tools: refundTools(), toolApproval: approval }),
    })
    const decides = opaDecides(approval)
    decisions.push({
      id: 'opa-decision',
      name: '@ai-sdk/policy-opa (OPA wasm): decision alone',
      open: () => ({ call: async (n) => mustPermit(await decides(refundInput(n), `call-${n}`)), close }),
    })
  }
  return [
    ...decisions.map((peer) => ({ ...decision, ...peer })),
    ...guards.map(({ id, name, guard }) => ({ id, name, ...loop, open: () => ({ call: agentLoop(guard()), close }) })),
    {
      id: 'loop-ours',
      name: 'ai 7.0.112, holdpoint (memory store, two signed receipts)',
      ...loop,
      open: async () => {
        const { guardTools } = await import('../dist/adapters/ai-sdk/index.js')
        const { view, close: closeGate } = await openGate('memory')
        return { call: agentLoop(guardTools(refundTools(), view)), close: closeGate }
      },
    },
  ]
}

function agtGuard(agtEngine, refundTools) {
  return () => {
    const { decides, records } = agtEngine()
    const execute = (input) => {
      mustPermit(decides(input))
      records('allow')
      return refund(input)
    }
    return { tools: refundTools(execute) }
  }
}

function mustPermit(permitted) {
  if (permitted !== true) throw new Error(`a contestant did not permit ${refundTool.name}`)
}
