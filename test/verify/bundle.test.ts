import { generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { createGate } from '../../src/create-gate.ts'
import { commitArguments, commitRequest, commitResult, saltFor } from '../../src/receipt/commit.ts'
import { createSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Receipt } from '../../src/types.ts'
import {
  type BundleContent,
  type BundleHead,
  type BundleReport,
  bundleLines,
  type Check,
  verifyBundle,
} from '../../src/verify.ts'
import { gateKey, HandMadeLog, keyProof, newLog, ORIGIN, Process, unlogged } from '../support/bundles.ts'
import { noteSigner } from '../support/log-keys.ts'
import { collect } from '../support/receipt-drafts.ts'
import { secondOpinion } from '../support/second-verifier/index.ts'

const key = gateKey()
const trust = { keys: [key.publicJwk] }

function of(report: BundleReport, check: Check): string {
  const found = report.checks.find((one) => one.check === check)
  return `${found?.result}: ${found?.why}`
}

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const ARGS = '{"amount":500,"order":"1184"}'
const REQUEST = canonicalText({ context: { arguments: JSON.parse(ARGS) }, subject: { id: 'ada', type: 'user' } })
const committed = {
  tool: { server: 'shop', name: 'refund' },
  args: { commit: commitArguments(SALT, 'shop', 'refund', ARGS), bytes: ARGS.length },
  request: commitRequest(SALT, REQUEST),
}

describe('openings of a bundle', () => {
  const gate = new Process(key, 'openings')
  const first = gate.open()
  const [decision] = gate.call('one', committed)
  const result = { commit: commitResult(SALT, 'paid'), bytes: 4 }
  const outcome = gate.write({ kind: 'outcome', decision: decision.hash, status: 'ok', result })
  const whole = [first, decision, outcome]
  const head: BundleHead = { origin: 'shop', scope: 'log', size: 0 }

  async function opened(...openings: readonly object[]): Promise<string> {
    const content = [
      ...whole.map(({ jws }) => ({ kind: 'receipt', jws })),
      ...openings.map((one) => ({ kind: 'opening', salt: SALT, ...one })),
    ] as readonly BundleContent[]
    return of(await verifyBundle(bundleLines(head, content), trust), 'openings')
  }
  const request = { receipt: decision.hash, opens: 'request', text: REQUEST }
  const text = { receipt: outcome.hash, opens: 'result', text: 'paid' }

  it('are what the receipts committed to', async () => {
    expect(await opened(request, text)).toMatch(/^pass: 2 requests and results/)
    expect(await opened()).toMatch(/^not_established: nothing was opened/)
  })

  it.each<readonly [string, readonly object[], RegExp]>([
    ['another amount', [{ ...request, text: REQUEST.replace('500', '900') }], /is not what the receipt committed to/],
    ['another salt', [{ ...request, salt: 'c2FsdA' }], /is not what the receipt committed to/],
    ['another spelling', [{ ...request, text: ` ${REQUEST}` }], /is not canonical JSON/],
    ['another result', [{ ...text, text: 'sent' }], /is not what the receipt committed to/],
    [
      'a request for a result',
      [{ ...request, receipt: outcome.hash }],
      /opens a request, and the receipt commits to a result/,
    ],
    ['a receipt that is not there', [{ ...request, receipt: key.kid }], /of none that commits/],
  ])('are not %s', async (_, openings, says) => {
    expect(await opened(...openings)).toMatch(says)
  })

  it('are of the arguments that the receipt commits to apart', async () => {
    const twice = new Process(key, 'two commitments')
    const other = commitArguments(SALT, 'shop', 'refund', '{"amount":1}')
    const receipts = [twice.open(), ...twice.call('two', { ...committed, args: { commit: other, bytes: 12 } })]
    const content = [
      ...receipts.map(({ jws }) => ({ kind: 'receipt', jws })),
      { kind: 'opening', salt: SALT, ...request, receipt: receipts[1]?.hash },
    ] as readonly BundleContent[]
    const report = await verifyBundle(bundleLines(head, content), trust)
    expect(of(report, 'openings')).toMatch(/^fail: .*holds other arguments than the receipt commits to/)
  })

  it('of a real gate hold', async () => {
    const store = createMemoryStore()
    const gate = createGate({ config: false, policy: () => 'permit', effects: { signer: key, store } })
    gate.register([{ name: 'refund', origin: 'own' }], { server: 'shop' })
    const me = gate.as({ user: 'ada', agent: 'support' }, { conversation: 'c1' })
    const call = { tool: 'refund', server: 'shop', input: { amount: 1.5, note: 'für Ada' } }
    const ran = await me.run(call, () => 'paid')
    expect(ran.outcome).toBe('ran')
    await gate.close()
    const content: BundleContent[] = []
    for (const receipt of await collect(store.receipts())) {
      content.push({ kind: 'receipt', jws: receipt.jws })
      const sidecar = await store.sidecar(receipt.hash)
      if (sidecar === undefined) continue
      content.push({
        kind: 'opening',
        receipt: receipt.hash,
        salt: saltFor('request', sidecar.salt),
        opens: 'request',
        text: sidecar.request,
      })
    }
    const report = await verifyBundle(bundleLines(head, content), trust)
    expect(report.failures).toEqual([])
    expect([report.ok, of(report, 'openings')]).toEqual([true, expect.stringMatching(/^pass: 1 /)])
  })
})

describe('keys in a bundle', () => {
  /** The old key's stream brings in a new one; a stream of the new key follows; then the old one is retired. */
  function rotation(spoil: { readonly proof?: string; readonly late?: boolean } = {}): {
    readonly receipts: readonly Receipt[]
    readonly fresh: ReturnType<typeof gateKey>
  } {
    const fresh = gateKey()
    const before = new Process(key, 'before')
    const after = new Process(fresh, 'after')
    const start = [before.open(), ...before.call('one')]
    const add = before.addKey(fresh, spoil.proof ?? keyProof(fresh, before))
    const seal = before.seal()
    const later = [after.open(seal), after.retireKey(key.kid), ...after.call('two')]
    const backdated = spoil.late === true ? [new Process(key, 'backdated').open()] : []
    return { receipts: [...start, add, seal, ...later, after.seal(), ...backdated], fresh }
  }

  it('are believed when a believed key brings them in and they speak for themselves', async () => {
    const log = newLog(rotation().receipts)
    const report = await verifyBundle(await log.whole(), { ...trust, log: log.policy() })
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ ok: true, complete: true })
    expect(of(report, 'keys')).toMatch(/^pass: .*1 added, 1 retired, nothing signed after that/)
    expect(of(await verifyBundle(await log.whole(), trust), 'keys')).toMatch(/^not_established: a key was retired/)
  })

  it('count for nothing after they were retired', async () => {
    const log = newLog(rotation({ late: true }).receipts)
    const report = await verifyBundle(await log.whole(), { ...trust, log: log.policy() })
    expect(of(report, 'keys')).toMatch(new RegExp(`^fail: signed by the key ${key.kid} after r_.* had retired it`))
    const loose = await verifyBundle(await unlogged(log.receipts), trust)
    expect(of(loose, 'keys')).toMatch(/^not_established: .*only a log shows which came first/)
  })

  it.each([
    ['of another key', (other: ReturnType<typeof gateKey>, at: Process) => keyProof(other, at)],
    [
      'for another place',
      (_: unknown, at: Process, fresh: ReturnType<typeof gateKey>) =>
        keyProof(fresh, { signer: at.signer, next: { ...at.next, seq: 9 } }),
    ],
    ['for another gate', (_: unknown, at: Process, fresh: ReturnType<typeof gateKey>) => keyProof(fresh, at, 'bank')],
    ['that is none', () => 'a.b.c'],
  ] as const)('are not brought in by a proof %s', async (_, proofOf) => {
    const fresh = gateKey()
    const before = new Process(key, 'before')
    const start = before.open()
    const add = before.addKey(fresh, proofOf(gateKey(), before, fresh))
    const report = await verifyBundle(await unlogged([start, add, new Process(fresh, 'after').open()]), trust)
    expect(of(report, 'keys')).toMatch(/^fail: /)
    expect(of(report, 'signature')).toMatch(/^fail: signed by a key that is not trusted/)
  })

  it('are not retired by themselves, nor brought in by a stranger', async () => {
    const alone = new Process(key, 'alone')
    const own = await verifyBundle(await unlogged([alone.open(), alone.retireKey(key.kid), alone.seal()]), trust)
    expect(of(own, 'keys')).toMatch(/^fail: the key receipt retires the key that signed it/)
    const stranger = new Process(gateKey(), 'stranger')
    const fresh = gateKey()
    const brought = [stranger.open(), stranger.addKey(fresh), new Process(fresh, 'after').open()]
    expect(await verifyBundle(await unlogged(brought), trust)).toMatchObject({ ok: false, verified: 0 })
  })

  it('have one role each', async () => {
    const log = newLog([new Process(key, 'one').open()])
    const x = Buffer.from(log.signer.key.publicKey).toString('base64url')
    const both = { keys: [key.publicJwk, { kty: 'OKP', crv: 'Ed25519', x }], log: log.policy() }
    expect(of(await verifyBundle(await log.whole(), both), 'keys')).toMatch(
      /^fail: one key is trusted for receipts and as/,
    )
    const override = { ...trust, override: [key.publicJwk] }
    expect(of(await verifyBundle(await log.whole(), override), 'keys')).toMatch(
      /trusted for receipts and for overrides/,
    )
  })

  it('have one role each, also where a receipt brings them in', async () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    const dual = createSigner(privateKey)
    const [before, after] = [new Process(key, 'before'), new Process(dual, 'after')]
    const receipts = [before.open(), before.addKey(dual), before.seal(), after.open(), after.seal()]
    const log = new HandMadeLog(receipts, { signer: noteSigner(ORIGIN, 'ed25519', privateKey), witnesses: [] })
    const lines = await log.whole()
    const report = await verifyBundle(lines, { ...trust, log: log.policy() })
    expect([report.ok, of(report, 'keys')]).toEqual([
      false,
      expect.stringMatching(/^fail: one key is trusted for receipts/),
    ])
    expect((await secondOpinion(lines, { ...trust, log: log.policy() })).results['keys']).toBe('fail')
    const people = await verifyBundle(lines, { ...trust, override: [dual.publicJwk] })
    expect([people.ok, of(people, 'keys')]).toEqual([false, expect.stringContaining('for receipts and for overrides')])
    expect((await verifyBundle(lines, trust)).ok).toBe(true)
  })

  it('are refused as anchors where anybody could sign under them', async () => {
    const x = 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    await expect(verifyBundle([], { keys: [{ kty: 'OKP', crv: 'Ed25519', x }] })).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_KEY' }),
    )
  })
})

describe('policies and definitions', () => {
  const gate = new Process(key, 'terms')
  const receipts = [gate.open(), ...gate.call('one'), gate.seal()]
  const digest = 'x'.repeat(42).concat('A')

  it('are held against those that the auditor knows', async () => {
    const lines = await unlogged(receipts)
    const known = (
      JSON.parse(Buffer.from(receipts[1]?.jws.split('.')[1] ?? '', 'base64url').toString()) as {
        policy: { digest: string }
      }
    ).policy.digest
    const good = await verifyBundle(lines, { ...trust, policies: [known], definitions: [known] })
    expect([of(good, 'policies').slice(0, 4), of(good, 'definitions').slice(0, 4)]).toEqual(['pass', 'pass'])
    const bad = await verifyBundle(lines, { ...trust, policies: [digest], definitions: [digest] })
    expect([of(bad, 'policies').slice(0, 4), of(bad, 'definitions').slice(0, 4)]).toEqual(['fail', 'fail'])
  })

  it('say so where decisions were not enforced, and where calls ran on a yes', async () => {
    const observed = new Process(key, 'observed')
    const approval = { ref: 'a', by: 'bo', channel: 'terminal' }
    const list = [
      observed.open(),
      ...observed.call('one', { enforced: false, decision: 'silence' }),
      ...observed.call('two', { basis: 'approval', approval }),
    ]
    const report = await verifyBundle(await unlogged(list), trust)
    expect(report).toMatchObject({ ok: true, enforced: false })
    expect(of(report, 'approvals')).toMatch(/^not_established: 1 call ran on a person’s yes, by the gate’s own word/)
    const unnamed = [new Process(key, 'u').open()]
    const process = new Process(key, 'v')
    const missing = [...unnamed, process.open(), ...process.call('three', { basis: 'approval' })]
    expect(of(await verifyBundle(await unlogged(missing), trust), 'approvals')).toMatch(
      /^fail: it rests on an approval/,
    )
  })
})

describe('the trace in a bundle', () => {
  it('is closed: a parent that no leaf before it is fails', async () => {
    const gate = new Process(key, 'trace')
    const [open, seen] = [gate.open(), gate.call('one')]
    const closed = [open, ...seen, ...gate.call('two', { parents: [seen[1].hash] })]
    expect(of(await verifyBundle(await newLog(closed).whole(), trust), 'lineage')).toMatch(/^pass/)
    const broken = [...closed, ...gate.call('three', { parents: [key.kid] })]
    const log = newLog(broken)
    expect(of(await verifyBundle(await log.whole(), trust), 'lineage')).toMatch(/^fail: it names a parent/)
    expect(of(await verifyBundle(await log.part([5]), trust), 'lineage')).toMatch(/^not_established/)
  })
})

describe('hostile bytes', () => {
  const gate = new Process(key, 'fuzz')
  // Nobody witnesses it: a line by a witness whose name was changed is a stranger's, and strangers may sign.
  const { signer } = newLog([])
  const log = new HandMadeLog([gate.open(), ...gate.call('one'), gate.seal()], { signer, witnesses: [] })
  const anchors = { ...trust, log: log.policy(), checkpoints: [log.note(2)] }
  const runs = Number(process.env['HOLDPOINT_FUZZ_RUNS'] ?? 300)

  it('never crash the verifier, and no change passes', async () => {
    // No earlier checkpoint: what a witness said of one counts for nothing here, so to lose it would be no harm.
    const text = (await log.whole()).join('\n')
    const bytes = Buffer.from(text)
    const change = fc.tuple(fc.nat(bytes.length - 1), fc.nat(40), fc.uint8Array({ maxLength: 40 }))
    await fc.assert(
      fc.asyncProperty(change, async ([at, drop, put]) => {
        const other = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + drop)])
        const report = await verifyBundle(other.toString('utf8').split('\n'), anchors)
        // White space between members is no change; whatever else differs is noticed.
        const isSame = sameMeaning(other.toString('utf8'), text)
        if (!isSame) expect([report.ok && report.complete, other.toString('utf8')]).toEqual([false, expect.anything()])
      }),
      { numRuns: runs },
    )
  })

  it('that are no bundle at all end in a report', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.string(), fc.json()), { maxLength: 5 }), async (lines) => {
        expect(await verifyBundle(lines, anchors)).toMatchObject({ ok: false, complete: false })
      }),
      { numRuns: runs },
    )
  })

  it.each([
    ['deep', `{"receipt":${'['.repeat(60_000)}`],
    ['wide', `{"receipt":"a","leaf":0,"proof":[${'"A",'.repeat(30_000)}"A"]}`],
    ['long', `{"receipt":"${'A'.repeat(2_000_000)}"}`],
    ['a number beyond all', '{"receipt":"a","leaf":1e400}'],
  ])('that are %s are refused at once', async (_, line) => {
    const head = (await log.whole())[0] ?? ''
    const report = await verifyBundle([head, line], anchors)
    expect(of(report, 'bundle')).toMatch(/^fail: line 2 /)
  })

  it('list no more failures than somebody can read', async () => {
    const other = new HandMadeLog(log.receipts, { signer: log.signer, witnesses: [] })
    async function* many(): AsyncGenerator<string> {
      yield '{"bundle":"holdpoint-bundle/1","origin":"shop","scope":"log","size":0}'
      for (let n = 0; n < 5_000; n += 1) yield '{"receipt":"no.receipt.here"}'
      yield '{"end":{"receipts":5000,"openings":0,"checkpoints":0}}'
    }
    const report = await verifyBundle(many(), { ...trust, checkpoints: [other.note()] })
    expect([report.count, report.verified, report.failures.length]).toEqual([5_000, 0, 1_000])
    expect(report.notes.at(-1)).toMatchObject({ about: 'not_listed' })
  })
})

/** Do two texts hold the same JSON line by line? */
function sameMeaning(one: string, other: string): boolean {
  try {
    const [left, right] = [one, other].map((text) =>
      text
        .replace(/\n+$/, '')
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
    return JSON.stringify(left) === JSON.stringify(right)
  } catch {
    return false
  }
}
