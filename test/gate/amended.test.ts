/** What a policy obliges to of a call's arguments and of its result: what runs is what was decided, and people are told. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { commitArguments, saltFor } from '../../src/receipt/commit.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { AdmitOptions, Decision, EvaluationRequest, Json, JsonObject, Obligation } from '../../src/types.ts'

const owes = (type: string, properties: JsonObject): Obligation => ({ id: `p-${type}`, type, properties })
const permit = (...obligations: Obligation[]): Decision => ({
  kind: 'permit',
  obligations,
  determining: ['p'],
  errors: [],
})
const SILENT: Decision = { kind: 'silence', cause: { kind: 'no_permit' }, determining: [], errors: [] }
const limit = (path: string, max: number) => owes('limit', { path, max })

function stage(policy: (request: EvaluationRequest) => Decision, options: Partial<GateOptions> = {}) {
  const kept: { request: string; salt: string }[] = []
  const inner = createMemoryStore()
  const store: typeof inner = Object.create(inner)
  store.commitDecision = (receipt, claim, sidecar) => {
    if (sidecar !== undefined) kept.push(sidecar)
    return inner.commitDecision(receipt, claim, sidecar)
  }
  const asked: Json[] = []
  const effects = { store, signer: generateSigner() }
  const answer = (request: EvaluationRequest) => {
    asked.push(request.context.arguments)
    return policy(request)
  }
  const gate = createGate({ config: false, policy: answer, events: [], effects, ...options })
  gate.register([
    {
      name: 'search',
      origin: 'own',
      inputSchema: {
        type: 'object',
        properties: { rows: { type: 'number', minimum: 0 }, dryRun: { type: 'boolean' }, list: { type: 'array' } },
        additionalProperties: { type: ['string', 'object', 'number'] },
      },
    },
  ])
  const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
  const run = async (input: Json, callId = '1', options: AdmitOptions = {}) => {
    const given: Json[] = []
    const ran = await me.run(
      { tool: 'search', callId, input },
      (got) => {
        given.push(got)
        return 'done'
      },
      options,
    )
    return { ran, given }
  }
  return { me, run, asked, kept }
}

/** The claims of a receipt. */
function claimsOf(jws: string): { readonly [member: string]: unknown } {
  return JSON.parse(Buffer.from(jws.split('.')[1] ?? '', 'base64url').toString())
}

describe('limit and dry_run', () => {
  it('runs with the limited arguments, says so, and asked the policy about exactly these', async () => {
    const { run, asked } = stage(() => permit(limit('/rows', 100)))
    const { ran, given } = await run({ rows: 5000, q: 'all' })
    expect(given).toEqual([{ rows: 100, q: 'all' }])
    expect(asked).toEqual([
      { rows: 5000, q: 'all' },
      { rows: 100, q: 'all' },
    ])
    expect(ran).toMatchObject({
      outcome: 'ran',
      notices: [{ kind: 'limited', changes: [{ path: '/rows', from: '5000', to: '100' }] }],
    })
  })

  it('changes nothing, and says nothing, of a call that is within its limit', async () => {
    const { run, asked } = stage(() => permit(limit('/rows', 100)))
    const { ran, given } = await run({ rows: 7 })
    expect([given, asked.length]).toEqual([[{ rows: 7 }], 1])
    expect(ran).not.toHaveProperty('notices')
  })

  it('sets the switch of a dry run where the call has none', async () => {
    const { run } = stage(() => permit(owes('dry_run', { path: '/dryRun' })))
    const { ran, given } = await run({ rows: 1 })
    expect(given).toEqual([{ rows: 1, dryRun: true }])
    expect(ran).toMatchObject({ notices: [{ kind: 'dry_run', changes: [{ path: '/dryRun', to: 'true' }] }] })
  })

  it.each([
    ['that its schema does not name', '/dry_run', { type: 'object', properties: { dryRun: { type: 'boolean' } } }],
    ['that its schema merely allows', '/dryRun', { type: 'object', additionalProperties: true }],
    ['where it has no schema', '/dryRun', undefined],
    [
      'deeper than its schema knows',
      '/options/dryRun',
      { type: 'object', properties: { options: { type: 'object' } } },
    ],
    ['in a list that its schema does not know', '/0', { type: 'object' }],
  ] as const)('I4: does not run a tool in earnest for a dry run by a switch %s', async (_, path, inputSchema) => {
    const { me } = stage(() => permit(owes('dry_run', { path })))
    me.register([{ name: 'wipe', origin: 'own', ...(inputSchema === undefined ? {} : { inputSchema }) }])
    const call = { tool: 'wipe', callId: '1', input: { options: {} } }
    const ran = await me.run(call, () => 'wiped')
    expect(ran).toMatchObject({ outcome: 'refused', refusal: { code: 'obligation_unmet' } })
  })

  it('finds the switch of a dry run behind references, in branches and in lists', async () => {
    const { me } = stage(() => permit(owes('dry_run', { path: '/jobs/0/dryRun' })))
    const job = { type: 'object', properties: { dryRun: { type: 'boolean' } } }
    const properties = { jobs: { type: 'array', items: { $ref: '#/$defs/job' } } }
    const inputSchema = { type: 'object', allOf: [{ properties }], $defs: { job } }
    me.register([{ name: 'wipe', origin: 'own', inputSchema }])
    const ran = await me.run({ tool: 'wipe', callId: '1', input: { jobs: [{}] } }, (given) => given)
    expect(ran).toMatchObject({ outcome: 'ran', result: { jobs: [{ dryRun: true }] } })
  })

  it('refuses the limited call where the policy speaks for the other one alone', async () => {
    const policy = ({ context }: EvaluationRequest) =>
      (context.arguments as { rows: number }).rows > 100 ? permit(limit('/rows', 100)) : SILENT
    const { ran, given } = await stage(policy).run({ rows: 5000 })
    expect(given).toEqual([])
    expect(ran).toMatchObject({ outcome: 'refused', refusal: { code: 'no_permit' } })
  })

  const fights: readonly [string, readonly Obligation[], Json][] = [
    [
      'two switches that want different things',
      [owes('dry_run', { path: '/q', value: 'a' }), owes('dry_run', { path: '/q', value: 'b' })],
      {},
    ],
    [
      'a limit below a switch of the same place',
      [owes('dry_run', { path: '/rows', value: 50 }), limit('/rows', 10)],
      { rows: 50 },
    ],
    ['a limit on what is not there', [limit('/rows', 10)], {}],
    ['a limit on a text', [limit('/q', 10)], { q: '900' }],
    ['a switch inside of nothing', [owes('dry_run', { path: '/a/b' })], {}],
    ['a switch inside of a text', [owes('dry_run', { path: '/q/b' })], { q: 'text' }],
    ['a switch in a prototype', [owes('dry_run', { path: '/__proto__/polluted' })], {}],
    ['a switch of a constructor', [owes('dry_run', { path: '/constructor', value: 'x' })], {}],
    ['a place beyond the end of a list', [owes('dry_run', { path: '/list/3', value: 1 })], { list: [1] }],
    ['what the tool does not take', [owes('dry_run', { path: '/dryRun', value: 'yes' })], {}],
    ['what the tool takes no longer once it is limited', [limit('/rows', -1)], { rows: 5 }],
    ['properties that nobody knows', [owes('limit', { path: '/rows', max: 1, min: 0 })], { rows: 0 }],
    ['a limit without a number', [owes('limit', { path: '/rows', max: '1' })], { rows: 0 }],
  ]
  it.each(fights)('I4: lets nothing run for %s', async (_, obligations, input) => {
    const { ran, given } = await stage(() => permit(...obligations)).run(input)
    expect(given).toEqual([])
    expect(ran).toMatchObject({ outcome: 'refused', refusal: { code: 'obligation_unmet', executed: false } })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  it('I4: ends with a refusal where each limited call is limited once more', async () => {
    const { ran, given } = await stage(({ context }) => {
      const { rows } = context.arguments as { rows: number }
      return permit(limit('/rows', rows - 1))
    }).run({ rows: 1000 })
    expect(given).toEqual([])
    expect(ran).toMatchObject({ refusal: { code: 'obligation_unmet' } })
  })

  it('I4: what was limited stays limited, whatever is owed of the limited call', async () => {
    const { ran, given } = await stage(({ context }) => {
      const { rows } = context.arguments as { rows: number }
      if (rows === 1000) return permit(limit('/rows', 10))
      // Who writes such a policy undoes its own limit, and permits what comes of it.
      return rows === 10 ? permit(owes('dry_run', { path: '/rows', value: 500 })) : permit()
    }).run({ rows: 1000 })
    expect(given).toEqual([])
    expect(ran).toMatchObject({ refusal: { code: 'obligation_unmet' } })
  })

  it('I4, I5: does not fail open, nor open at all, for a limited call whose policy falls silent', async () => {
    const absent: Decision = {
      kind: 'silence',
      cause: { kind: 'absent', fault: 'unavailable' },
      determining: [],
      errors: [],
    }
    const policy = ({ context }: EvaluationRequest) =>
      (context.arguments as { rows: number }).rows > 100 ? permit(limit('/rows', 100)) : absent
    const { ran, given } = await stage(policy, { failMode: { low: 'open' } }).run({ rows: 5000 })
    expect(given).toEqual([])
    expect(ran.outcome).toBe('refused')
  })

  it('I2: a replay of the call as it came finds that it ran', async () => {
    const { run } = stage(() => permit(limit('/rows', 100)))
    await run({ rows: 5000 })
    const again = await run({ rows: 5000 })
    expect(again.given).toEqual([])
    expect(again.ran).toMatchObject({ refusal: { code: 'already_executed' } })
  })

  it('I3: a host that does not say that it carries obligations out gets no permit with one', async () => {
    const { me } = stage(() => permit(limit('/rows', 100)))
    const call = { tool: 'search', callId: '1', input: { rows: 5000 } }
    expect(await me.admit(call)).toMatchObject({ refusal: { code: 'obligation_unmet' } })
    expect(await me.admit(call, { obliging: 'arguments' })).toMatchObject({ outcome: 'permitted' })
  })

  it('I3: the tool gets exactly the bytes that the receipt commits to, which the policy permitted without a further change', async () => {
    const numbers = fc.integer({ min: 0, max: 1000 })
    const texts = fc
      .string({ maxLength: 5 })
      .filter((text) => !['rows', 'dryRun', 'list'].includes(text) && text.isWellFormed())
    const inputs = fc.record({
      rows: numbers,
      extra: fc.dictionary(
        texts.filter((t) => !t.startsWith('__') && t !== 'constructor' && t !== 'prototype'),
        numbers,
      ),
    })
    await fc.assert(
      fc.asyncProperty(inputs, numbers, fc.boolean(), async ({ rows, extra }, max, dry) => {
        const obligations = [limit('/rows', max), ...(dry ? [owes('dry_run', { path: '/dryRun' })] : [])]
        const { run, asked, kept } = stage(() => permit(...obligations))
        const { ran, given } = await run({ ...extra, rows })
        if (ran.outcome !== 'ran') throw new Error(ran.refusal.message)
        const { jws = '' } = ran.receipts[0] ?? {}
        const opening = saltFor('request', kept[0]?.salt ?? '')
        const text = canonicalText(given[0])
        expect(claimsOf(jws)['args']).toEqual({
          commit: commitArguments(opening, 'local', 'search', text),
          bytes: Buffer.byteLength(text),
        })
        expect(asked.at(-1)).toEqual(given[0])
        expect((given[0] as { rows: number }).rows).toBe(Math.min(rows, max))
      }),
      { numRuns: Number(process.env['HOLDPOINT_RUNS'] ?? 30) },
    )
  })
})
