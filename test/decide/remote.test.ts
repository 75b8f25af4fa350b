import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { AbsentAnswer, TooMuchAtOnce, WrongAnswer } from '../../src/decide/absent.ts'
import { type AuthzenTerms, createAuthzenPoint } from '../../src/decide/authzen.ts'
import { createDiscovery, readMetadata, usualEndpoints } from '../../src/decide/discovery.ts'
import { createOpaPoint } from '../../src/decide/opa.ts'
import type { PolicyService } from '../../src/decide/service.ts'
import type { Decision, Json, JsonObject, PolicyDecisionPoint } from '../../src/types.ts'
import { evaluationRequest, type Told } from '../support/evaluation.ts'
import { type Put, scriptedService } from '../support/scripted-service.ts'

const TERMS = {
  id: 'pdp',
  tools: undefined,
  policyDigest: 'd'.repeat(43),
  readsSession: true,
  canary: 'required',
} as const
const USUAL: AuthzenTerms = { endpoints: async () => usualEndpoints(''), most: undefined, obligations: undefined }
const signal = new AbortController().signal

function point(service: PolicyService, terms: Partial<AuthzenTerms> = {}): PolicyDecisionPoint {
  return createAuthzenPoint(TERMS, { ...USUAL, ...terms }, service)
}

async function ask(from: PolicyDecisionPoint, told: Told = {}, by = signal): Promise<Decision> {
  return (await from.evaluate(evaluationRequest(told), { signal: by, schema: undefined })) as Decision
}

function questions({ body }: Put): readonly JsonObject[] {
  return ((body as JsonObject)['evaluations'] ?? []) as readonly JsonObject[]
}

/** Permits what costs at most 500. */
function judge(question: JsonObject): Json {
  const { arguments: input } = question['context'] as { readonly arguments: { readonly amount: number } }
  return { decision: input.amount <= 500 }
}

const batching = (): ReturnType<typeof scriptedService> =>
  scriptedService((put) =>
    put.path.endsWith('evaluations') ? { evaluations: questions(put).map(judge) } : judge(put.body as JsonObject),
  )

describe('questions of one turn', () => {
  const refund = (tool: string, amount: number): Told => ({ tool, arguments: { amount } })

  it('go as one request, and each gets its own answer', async () => {
    const service = batching()
    const from = point(service, { most: 50 })
    const told = [refund('a/x', 1), refund('b/x', 900), refund('c/x', 2)]
    const decisions = await Promise.all(told.map((each) => ask(from, each)))
    expect(decisions.map(({ kind }) => kind)).toEqual(['permit', 'deny', 'permit'])
    expect(service.puts.map(({ path }) => path)).toEqual(['/access/v1/evaluations'])
    expect(service.puts[0]?.body).toMatchObject({ options: { evaluations_semantic: 'execute_all' } })
  })

  it('about the same tool never share a request: an engine may answer both with the first one’s decision', async () => {
    const service = batching()
    const from = point(service, { most: 50 })
    const told = [refund('a/x', 1), refund('a/x', 900), refund('b/x', 1)]
    const decisions = await Promise.all(told.map((each) => ask(from, each)))
    expect(decisions.map(({ kind }) => kind)).toEqual(['permit', 'deny', 'permit'])
    for (const put of service.puts) {
      const ids = questions(put).map(({ resource }) => (resource as JsonObject)['id'])
      expect(new Set(ids).size).toBe(ids.length)
    }
  })

  it('are no more in one request than was said', async () => {
    const service = batching()
    const from = point(service, { most: 2 })
    await Promise.all(['a/x', 'b/x', 'c/x', 'd/x', 'e/x'].map((tool) => ask(from, refund(tool, 1))))
    expect(service.puts.map((put) => questions(put).length)).toEqual([2, 2, 0])
  })

  it('are no larger together than 256 KiB: nobody’s arguments make somebody else’s request too large', async () => {
    const service = batching()
    const from = point(service, { most: 50 })
    const told = ['a/x', 'b/x', 'c/x', 'd/x'].map((tool, index) => {
      const note = 'é'.repeat([60_000, 1, 200_000, 60_000][index] ?? 0)
      return { tool, arguments: { amount: index === 1 ? 900 : 1, note } }
    })
    const decisions = await Promise.all(told.map((each) => ask(from, each)))
    expect(decisions.map(({ kind }) => kind)).toEqual(['permit', 'deny', 'permit', 'permit'])
    const tools = service.puts.map((put) => questions(put).map(({ resource }) => (resource as JsonObject)['id']))
    expect(tools).toEqual([['a/x', 'b/x', 'd/x'], []])
  })

  it('whose reply is lost are one absence: the others open nothing, and move no breaker', async () => {
    const service = scriptedService(() => {
      throw new AbsentAnswer('unavailable', 'the policy service answered 503')
    })
    const from = point(service, { most: 50 })
    const asked = ['a/x', 'b/x', 'c/x'].map((tool) => ask(from, refund(tool, 1)))
    const causes = await Promise.all(asked.map((each) => each.catch((cause: unknown) => cause)))
    expect(causes).toMatchObject([
      { name: 'AbsentAnswer', fault: 'unavailable' },
      { name: 'WrongAnswer', fault: 'stalled' },
      { name: 'WrongAnswer', fault: 'stalled' },
    ])
  })

  it('that are too much for the service together are asked one by one, once', async () => {
    const service = scriptedService((put) => {
      if (put.path.endsWith('evaluations')) throw new TooMuchAtOnce('misconfigured', 'too large')
      return judge(put.body as JsonObject)
    })
    const from = point(service, { most: 50 })
    const decisions = await Promise.all([ask(from, refund('a/x', 1)), ask(from, refund('b/x', 900))])
    expect(decisions.map(({ kind }) => kind)).toEqual(['permit', 'deny'])
    expect(service.puts).toHaveLength(3)
  })

  it('that is alone goes by itself', async () => {
    const service = batching()
    await ask(point(service, { most: 50 }), refund('a/x', 1))
    expect(service.puts.map(({ path }) => path)).toEqual(['/access/v1/evaluation'])
  })

  it.each([
    ['one answer too few', (answers: readonly Json[]) => answers.slice(1)],
    ['one answer too many', (answers: readonly Json[]) => [...answers, { decision: true }]],
    ['no answers', () => []],
  ])('are all unanswered by %s', async (_, change) => {
    const service = scriptedService((put) => ({ evaluations: change(questions(put).map(judge)) }))
    const from = point(service, { most: 50 })
    const asked = [ask(from, refund('a/x', 1)), ask(from, refund('b/x', 1))]
    for (const each of asked) await expect(each).rejects.toThrow(WrongAnswer)
  })

  it('are judged one by one: a wrong answer to one takes nothing from the others', async () => {
    const service = scriptedService(() => ({ evaluations: [{ decision: true }, { decision: 'true' }] }))
    const from = point(service, { most: 50 })
    const asked = [ask(from, refund('a/x', 1)), ask(from, refund('b/x', 1))]
    expect(await asked[0]).toMatchObject({ kind: 'permit' })
    await expect(asked[1]).rejects.toThrow(WrongAnswer)
  })

  it('go on when one caller gives up, and end when all did', async () => {
    const service = scriptedService(async (put) => {
      await delay(20)
      return { evaluations: questions(put).map(judge) }
    })
    const from = point(service, { most: 50 })
    const [one, other] = [new AbortController(), new AbortController()]
    const asked = [ask(from, refund('a/x', 1), one.signal), ask(from, refund('b/x', 1), other.signal)]
    await delay(1)
    one.abort()
    await expect(asked[0]).rejects.toThrow(AbsentAnswer)
    expect(service.puts[0]?.signal.aborted).toBe(false)
    expect(await asked[1]).toMatchObject({ kind: 'permit' })
    other.abort()
    expect(service.puts[0]?.signal.aborted).toBe(true)
  })

  it('go one by one where the service’s metadata name no endpoint for several', async () => {
    const service = batching()
    const endpoints = async () => ({ ...usualEndpoints(''), evaluations: undefined })
    const from = point(service, { most: 50, endpoints })
    await Promise.all([ask(from, refund('a/x', 1)), ask(from, refund('b/x', 1))])
    expect(service.puts.map(({ path }) => path)).toEqual(['/access/v1/evaluation', '/access/v1/evaluation'])
  })
})

describe('metadata', () => {
  const base = new URL('https://pdp.example.com/tenants/1')
  const sound = {
    policy_decision_point: 'https://pdp.example.com/tenants/1',
    access_evaluation_endpoint: 'https://pdp.example.com/t1/one?v=2',
    access_evaluations_endpoint: 'https://pdp.example.com/t1/many',
    supported_obligations: ['notification'],
    search_subject_endpoint: 'https://elsewhere.example.com/',
  }

  it('say where to ask', () => {
    expect(readMetadata(sound, base)).toEqual({
      evaluation: '/t1/one?v=2',
      evaluations: '/t1/many',
      obligations: ['notification'],
    })
  })

  it.each<[string, Json]>([
    ['of another service', { ...sound, policy_decision_point: 'https://pdp.example.com/tenants/2' }],
    ['of nobody', { access_evaluation_endpoint: sound.access_evaluation_endpoint }],
    ['that send questions elsewhere', { ...sound, access_evaluation_endpoint: 'https://evil.example.com/one' }],
    ['that send batches elsewhere', { ...sound, access_evaluations_endpoint: 'http://pdp.example.com/many' }],
    ['without an endpoint', { policy_decision_point: sound.policy_decision_point }],
    ['that are no object', [sound]],
  ])('%s are refused', (_, json) => {
    expect(() => readMetadata(json, base)).toThrow(WrongAnswer)
  })

  it('are asked once, below the origin; a failure is not kept', async () => {
    let isDown = true
    const service = scriptedService((put) => {
      if (put.body !== undefined) return { decision: true }
      if (isDown) throw new AbsentAnswer('unavailable', 'down')
      return sound
    })
    const from = point(service, { endpoints: createDiscovery(base, service) })
    await expect(ask(from)).rejects.toThrow(AbsentAnswer)
    isDown = false
    await ask(from)
    await ask(from)
    const well = '/.well-known/authzen-configuration/tenants/1'
    expect(service.puts.map(({ path }) => path)).toEqual([well, well, '/t1/one?v=2', '/t1/one?v=2'])
  })

  it('bound which obligations are said to be known here', async () => {
    const service = scriptedService((put) => (put.body === undefined ? sound : { decision: true }))
    const obligations = ['notification', 'step-up']
    await ask(point(service, { endpoints: createDiscovery(base, service), obligations }))
    await ask(point(service, { obligations }))
    const told = service.puts.map(({ body }) => (body as { context?: JsonObject } | undefined)?.context)
    expect(told.map((context) => context?.['supported_obligations'])).toEqual([
      undefined,
      ['notification'],
      obligations,
    ])
  })
})

describe('the canary', () => {
  const probe = ({ body }: Put): Json => {
    const input = ((body as JsonObject)['input'] ?? body) as { readonly context: { readonly arguments: JsonObject } }
    return input.context.arguments['probe'] ?? null
  }
  const judged = async (answer: (put: Put) => Json): Promise<unknown> =>
    await point(scriptedService(answer)).canary?.({ signal })

  it('passes where a rule that errs denies', async () => {
    expect(await judged((put) => ({ decision: probe(put) === -1 }))).toEqual({ kind: 'passed' })
  })

  it('passes where a rule that errs is reported as an error', async () => {
    const answer = (put: Put): Json => {
      if (probe(put) === -1) return { decision: true }
      throw new WrongAnswer('malformed', 'the policy service answered 500')
    }
    expect(await judged(answer)).toEqual({ kind: 'passed' })
  })

  it('fails where a rule that errs permits', async () => {
    expect(await judged(() => ({ decision: true }))).toMatchObject({ kind: 'failed' })
  })

  it('shows nothing where its policy is not loaded, though everything is denied', async () => {
    expect(await judged(() => ({ decision: false }))).toMatchObject({
      kind: 'unestablished',
      because: expect.stringContaining('docs/policy-points.md'),
    })
  })

  it.each([
    ['nobody answers', () => new AbsentAnswer('unavailable', 'down')],
    ['the credentials are refused', () => new WrongAnswer('misconfigured', '401')],
  ])('is not judged where %s, neither at once nor half-way', async (_, error) => {
    const never = judged(() => {
      throw error()
    })
    await expect(never).rejects.toThrow(error().message)
    const halfway = judged((put) => {
      if (probe(put) === -1) return { decision: true }
      throw error()
    })
    await expect(halfway).rejects.toThrow(error().message)
  })

  it('is asked of a rule of its own in OPA, with the same parameters', async () => {
    const service = scriptedService((put) => ({ result: probe(put) === -1 }))
    const from = createOpaPoint(TERMS, { prefix: '/opa', rule: 'shop/decision' }, service)
    expect(await from.canary?.({ signal })).toEqual({ kind: 'passed' })
    const path = '/opa/v1/data/holdpoint/canary/decision?strict-builtin-errors=true&provenance=true'
    expect(service.puts.map((put) => put.path)).toEqual([path, path])
  })

  it('is missing where the operator took it off', () => {
    const from = createAuthzenPoint({ ...TERMS, canary: 'off' }, USUAL, batching())
    expect(from.canary).toBeUndefined()
  })
})
