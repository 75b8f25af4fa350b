import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask } from '../../src/decide/deadline.ts'
import type { Decision, PolicyDecisionPoint } from '../../src/types.ts'
import { authzen, cerbos, opa } from '../../src/wire/points.ts'
import { type Engine, enginesInstalled, startCerbos, startOpa } from '../support/engines.ts'
import { evaluationRequest, type Told } from '../support/evaluation.ts'

const clock = { now: () => Date.now(), monotonic: () => performance.now() }

async function decision(point: PolicyDecisionPoint, told: Told): Promise<Decision> {
  const terms = { budgetMs: 5_000, clock, signal: undefined, schema: undefined }
  return await ask(point, evaluationRequest(told), terms)
}

const signal = AbortSignal.timeout(60_000)
const shipped = (name: string): string => readFileSync(new URL(`../../policies/${name}`, import.meta.url), 'utf8')

const REGO = `package shop
import rego.v1

default decision := {"decision": false, "reason": "Refunds above 500 EUR need approval from finance.", "requires": "approval:finance"}
decision := {"decision": true, "policies": ["small-refund"]} if input.context.arguments.amount <= 500
decision := {"decision": true} if "finance" in input.context.approval.roles

default guarded := true
guarded := false if to_number(input.context.arguments.amount) > 500

known if input.resource.id == "shop/list"
`

const CERBOS = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: tool
  version: default
  rules:
    - name: small-refund
      actions: ["tools/call"]
      effect: EFFECT_ALLOW
      roles: ["support"]
      condition:
        match:
          expr: R.id == "shop/refund"
    - name: lists
      actions: ["tools/call"]
      effect: EFFECT_ALLOW
      roles: ["user"]
      condition:
        match:
          expr: R.attr.materiality == "low"
    - name: large-refund
      actions: ["tools/call"]
      effect: EFFECT_DENY
      roles: ["*"]
      condition:
        match:
          expr: R.id == "shop/refund" && R.attr.context.arguments.amount > 500
      output:
        when:
          ruleActivated: '"Refunds above 500 EUR are not made here."'
`

describe.skipIf(!enginesInstalled())('a real OPA', () => {
  let engine: Engine
  const at = (rule: string): PolicyDecisionPoint => opa({ url: `${engine.url}/v1/data/${rule}` })
  beforeAll(async () => {
    engine = await startOpa({ 'shop.rego': REGO, 'canary.rego': shipped('canary.rego') })
  })
  afterAll(async () => await engine?.stop())

  it('permits what its rule permits, on the word of the policy that it names', async () => {
    expect(await decision(at('shop/decision'), { arguments: { amount: 100 } })).toEqual({
      kind: 'permit',
      obligations: [],
      determining: ['small-refund'],
      errors: [],
    })
  })

  it('says who could allow what its rule does not permit, and why', async () => {
    expect(await decision(at('shop/decision'), { arguments: { amount: 900 } })).toEqual({
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'approval:finance' },
      sentence: 'Refunds above 500 EUR need approval from finance.',
      determining: ['shop/decision'],
      errors: [],
    })
  })

  it('reads the yes of a person in that role', async () => {
    const told = { arguments: { amount: 900 }, approval: { confirmed: false, roles: ['finance'] } }
    expect(await decision(at('shop/decision'), told)).toMatchObject({ kind: 'permit' })
  })

  it('takes a rule that has no value for silence, so that a mistyped rule permits nothing', async () => {
    expect(await decision(at('shop/known'), {})).toMatchObject({ kind: 'silence', cause: { kind: 'no_permit' } })
    expect(await decision(at('shop/mistyped'), {})).toMatchObject({ kind: 'silence', cause: { kind: 'no_permit' } })
  })

  it('refuses where a deny rule errs on the arguments, and does not quote them', async () => {
    const found = await decision(at('shop/guarded'), { arguments: { amount: 'sk-secret' } })
    expect(found).toMatchObject({ kind: 'silence', cause: { kind: 'wrong', fault: 'policy_error' } })
    expect(JSON.stringify(found)).toContain('eval_builtin_error')
    expect(JSON.stringify(found)).not.toContain('sk-secret')
  })

  it('passes the canary that is shipped', async () => {
    expect(await at('shop/decision').canary?.({ signal })).toEqual({ kind: 'passed' })
  })
})

describe.skipIf(!enginesInstalled())('a real OPA with a bundle', () => {
  it('tells by which revision it decided, for the receipt', async () => {
    const manifest = JSON.stringify({ revision: 'v7', roots: ['shop'] })
    const engine = await startOpa({ 'shop.rego': REGO, '.manifest': manifest }, { bundle: true })
    try {
      const point = opa({ url: `${engine.url}/v1/data/shop/decision` })
      const { determining } = await decision(point, { arguments: { amount: 100 } })
      expect(determining).toEqual(['small-refund', expect.stringMatching(/^bundle .+@v7$/)])
    } finally {
      await engine.stop()
    }
  })
})

describe.skipIf(!enginesInstalled())('a real OPA without the canary', () => {
  it('is told what to load', async () => {
    const engine = await startOpa({ 'shop.rego': REGO })
    try {
      const found = await opa({ url: `${engine.url}/v1/data/shop/decision` }).canary?.({ signal })
      expect(found).toMatchObject({ kind: 'unestablished', because: expect.stringContaining('policies/canary.rego') })
    } finally {
      await engine.stop()
    }
  })
})

describe.skipIf(!enginesInstalled())('a real OPA behind a proxy that takes our parameters away', () => {
  it('permits what a deny rule errs on: the canary names the parameter', async () => {
    const engine = await startOpa({ 'canary.rego': shipped('canary.rego') })
    const proxy = createServer(async (request, response) => {
      const [path] = (request.url ?? '').split('?')
      const init = { method: 'POST', body: await text(request), headers: { 'content-type': 'application/json' } }
      const body = await (await fetch(`${engine.url}${path}`, init)).text()
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
        .end(body)
    }).listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    try {
      const { port } = proxy.address() as AddressInfo
      const found = await opa({ url: `http://127.0.0.1:${port}/v1/data/shop/decision` }).canary?.({ signal })
      expect(found).toMatchObject({ kind: 'failed', because: expect.stringContaining('strict-builtin-errors') })
    } finally {
      proxy.close()
      await engine.stop()
    }
  })
})

describe.skipIf(!enginesInstalled())('a real Cerbos', () => {
  let engine: Engine
  beforeAll(async () => {
    engine = await startCerbos({ 'tool.yaml': CERBOS, 'canary.yaml': shipped('canary.cerbos.yaml') })
  })
  afterAll(async () => await engine?.stop())

  it('permits by arguments and role, on the word of the policy that matched', async () => {
    const point = cerbos({ url: engine.url })
    expect(await decision(point, { roles: ['support'], arguments: { amount: 100 } })).toEqual({
      kind: 'permit',
      obligations: [],
      determining: ['resource.tool.vdefault'],
      errors: [],
    })
  })

  it('denies with the sentence of the rule', async () => {
    expect(await decision(cerbos({ url: engine.url }), { roles: ['support'], arguments: { amount: 900 } })).toEqual({
      kind: 'deny',
      sentence: 'Refunds above 500 EUR are not made here.',
      determining: ['resource.tool.vdefault'],
      errors: [],
    })
  })

  it('denies where a deny rule errs on the arguments', async () => {
    const told = { roles: ['support'], arguments: { amount: 'a lot' } }
    expect(await decision(cerbos({ url: engine.url }), told)).toMatchObject({ kind: 'deny' })
  })

  it('passes the canary that is shipped', async () => {
    expect(await cerbos({ url: engine.url }).canary?.({ signal })).toEqual({ kind: 'passed' })
  })

  it('answers plain AuthZEN too, where each request has a connection of its own', async () => {
    const point = authzen({ url: engine.url, echo: 'none', canary: 'off' })
    expect(await decision(point, {})).toMatchObject({ kind: 'deny' })
  })

  it('never answers a call with the decision of another one of the same tool, though it does so within one batch', async () => {
    const point = authzen({ url: engine.url, echo: 'none', canary: 'off', batch: true, discover: true })
    const told = (['low', 'high', 'low', 'high'] as const).map((materiality) => ({ materiality, tool: 'shop/list' }))
    const others = told.map((each) => ({ ...each, tool: 'shop/find' }))
    const decisions = await Promise.all([...told, ...others].map((each) => decision(point, each)))
    const expected = ['permit', 'deny', 'permit', 'deny']
    expect(decisions.map(({ kind }) => kind)).toEqual([...expected, ...expected])
  })

  it('echoes no request id, so that its answers count nowhere an echo is required', async () => {
    expect(await decision(authzen({ url: engine.url }), {})).toMatchObject({
      cause: { kind: 'wrong', fault: 'malformed', detail: expect.stringContaining('X-Request-ID') },
    })
  })
})

describe.skipIf(!enginesInstalled())('a real Cerbos as it comes', () => {
  it('permits what a deny rule errs on: the canary names the setting', async () => {
    const engine = await startCerbos({ 'c.yaml': shipped('canary.cerbos.yaml') }, { strict: false })
    try {
      const found = await cerbos({ url: engine.url }).canary?.({ signal })
      expect(found).toMatchObject({ kind: 'failed', because: expect.stringContaining('engine.strictEvaluation: true') })
    } finally {
      await engine.stop()
    }
  })
})
