import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { canonicalText } from '../../src/bytes/canonical.ts'
import { crockford } from '../../src/bytes/crockford.ts'
import { sha256 } from '../../src/bytes/digest.ts'
import type { DecisionClaims, DecisionDraft, OutcomeClaims, ReceiptClaims } from '../../src/receipt/claims.ts'
import { createSigner, generateSigner, sealReceipt } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { Receipt, Signer } from '../../src/types.ts'
import { readReceipt, type VerifyReport, verifyReceipts } from '../../src/verify.ts'
import {
  claim,
  collect,
  DIGEST,
  decisionDraft,
  jwsOf,
  newChain,
  openDraft,
  outcomeDraft,
  refusedDraft,
} from '../support/receipt-drafts.ts'

const signer = generateSigner()
const trust = { keys: [signer.publicJwk] }

/** open, permit, outcome, refusal, permit, outcome, seal. */
async function story(by: Signer = signer): Promise<readonly Receipt[]> {
  const store = createMemoryStore()
  const chain = newChain(store, { signer: by })
  await chain.open(openDraft)
  for (const key of ['first', 'second']) {
    const { receipt } = await chain.commit(decisionDraft(), claim(key))
    await chain.append(outcomeDraft(receipt?.hash ?? ''))
    if (key === 'first') await chain.append(refusedDraft())
  }
  await chain.append({ kind: 'seal', count: 6, open_calls: 0, status: 'complete' })
  return await collect(store.receipts())
}

/** Signs claims as they are: what a gate that breaks its own promises could write. */
function chainOf(all: readonly Partial<ReceiptClaims>[], by: Signer = signer): readonly Receipt[] {
  const receipts: Receipt[] = []
  for (const [seq, claims] of all.entries()) {
    const prev = receipts.at(-1)?.hash
    receipts.push(
      sealReceipt(by, {
        v: 1,
        iss: 'test',
        stream: 'AAAAAAAAAAAAAAAAAAAAAA',
        seq,
        ...(prev === undefined ? {} : { prev }),
        ts: 1_700_000_000_000,
        mono: seq,
        ...claims,
      } as ReceiptClaims),
    )
  }
  return receipts
}

const opening = { ...openDraft, kid: signer.kid }
const check = (report: VerifyReport) => report.failures.map((failure) => failure.check)
const verify = (receipts: readonly Receipt[]) => verifyReceipts(jwsOf(receipts), trust)

let good: readonly Receipt[]
beforeAll(async () => {
  good = await story()
})

describe('verifying receipts', () => {
  it('passes what a gate wrote, with the public key alone', async () => {
    expect(await verify(good)).toEqual({
      ok: true,
      complete: true,
      settled: true,
      sealed: true,
      count: 7,
      verified: 7,
      failures: [],
      notes: [],
      enforced: true,
    })
  })

  it('reads a stream of strings as well as a list', async () => {
    async function* lines() {
      yield* jwsOf(good)
    }
    expect(await verifyReceipts(lines(), trust)).toMatchObject({ ok: true, verified: 7 })
  })

  it('passes receipts signed with ES256', async () => {
    const es256 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const report = await verifyReceipts(jwsOf(await story(es256)), { keys: [es256.publicJwk, signer.publicJwk] })
    expect(report).toMatchObject({ ok: true, verified: 7 })
  })

  it('does not pass an empty set: nothing was shown', async () => {
    expect(await verifyReceipts([], trust)).toMatchObject({
      ok: false,
      complete: false,
      count: 0,
      failures: [{ check: 'presence' }],
    })
  })

  it('does not pass without a trusted key, whatever the receipts carry', async () => {
    const report = await verifyReceipts(jwsOf(good), { keys: [] })
    expect(report).toMatchObject({ ok: false, verified: 0 })
    expect(new Set(check(report))).toEqual(new Set(['signature']))
    expect(report.failures[0]?.why).toContain(signer.kid)
  })

  it('does not believe a kid that came with a trusted key', async () => {
    const other = generateSigner()
    const report = await verifyReceipts(jwsOf(good), { keys: [{ ...other.publicJwk, kid: signer.kid }] })
    expect(report.verified).toBe(0)
  })

  it('refuses trust that holds a private key, a secret, or a key for something else', async () => {
    const pair = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
    for (const jwk of [
      { ...pair },
      { kty: 'oct', k: 'AAAA' },
      { ...signer.publicJwk, alg: 'ES256' },
      { ...signer.publicJwk, use: 'enc' },
      { kty: 'OKP', crv: 'X25519', x: signer.publicJwk['x'] },
    ]) {
      await expect(verifyReceipts(jwsOf(good), { keys: [jwk] })).rejects.toMatchObject({ code: 'ERR_KEY', at: '/0' })
    }
  })
})

describe('what was altered is found, and named', () => {
  it('a payload that was edited', async () => {
    const [head, payload = '', signature] = good[1]?.jws.split('.') ?? []
    const edited = Buffer.from(payload, 'base64url').toString('utf8').replace('"alice"', '"mallo"')
    const jws = [...jwsOf(good)]
    jws[1] = `${head}.${Buffer.from(edited).toString('base64url')}.${signature}`
    const report = await verifyReceipts(jws, trust)
    expect(report.ok).toBe(false)
    expect(report.failures[0]).toMatchObject({ index: 1, check: 'signature' })
  })

  it('a receipt that was taken out', async () => {
    for (const missing of [0, 1, 2, 3, 4, 5]) {
      const report = await verify(good.filter((_, index) => index !== missing))
      expect(report.failures, `without ${missing}`).toContainEqual(
        expect.objectContaining({ check: 'continuity', index: missing }),
      )
    }
  })

  it('how many receipts are missing, in so many words', async () => {
    const why = async (...missing: readonly number[]) =>
      (await verify(good.filter((_, index) => !missing.includes(index)))).failures.find(
        ({ check }) => check === 'continuity',
      )?.why
    expect(await why(3)).toBe('the receipt before it is missing')
    expect(await why(1, 2)).toBe('2 receipts before it are missing')
  })

  it('receipts that were swapped, and one that was repeated', async () => {
    const [a, b, c, d, ...rest] = good as [Receipt, Receipt, Receipt, Receipt, ...Receipt[]]
    expect(check(await verify([a, b, d, c, ...rest]))).toContain('continuity')
    expect(check(await verify([a, b, b, c, d, ...rest]))).toContain('continuity')
  })

  it('a second history for the same places', async () => {
    const forked = chainOf([opening, { ...refusedDraft() }, { ...refusedDraft() }])
    const other = chainOf([opening, { ...refusedDraft() }, { ...refusedDraft() }])
    expect(check(await verify([...forked.slice(0, 2), ...other.slice(1)]))).toContain('continuity')
  })

  it('a stream whose end was cut off, when a later stream saw it', async () => {
    const [first, second] = chainOf([opening, refusedDraft()])
    const last = { stream: 'AAAAAAAAAAAAAAAAAAAAAA', seq: 2, hash: DIGEST }
    const next = chainOf([{ ...opening, stream: 'BBBBBBBBBBBBBBBBBBBBBA', last }])
    expect(await verify([first, second, ...next] as Receipt[])).toMatchObject({
      ok: false,
      failures: [{ check: 'continuity', index: -1 }],
    })
    expect(await verify(next)).toMatchObject({
      ok: true,
      notes: [{ about: 'earlier_stream_absent' }, { about: 'stream_not_sealed' }],
    })
  })

  it('a stream that ends in another receipt than a later stream saw there', async () => {
    const earlier = chainOf([opening, refusedDraft()])
    const last = { stream: 'AAAAAAAAAAAAAAAAAAAAAA', seq: 1, hash: DIGEST }
    const next = chainOf([{ ...opening, stream: 'BBBBBBBBBBBBBBBBBBBBBA', last }])
    expect(await verify([...earlier, ...next])).toMatchObject({
      ok: false,
      sealed: false,
      failures: [{ check: 'continuity', index: -1, why: expect.stringContaining('another receipt') }],
    })
  })

  it('a stream that another key goes on with, even a trusted one', async () => {
    const other = generateSigner()
    const [first] = chainOf([opening])
    const [, second] = chainOf([opening, refusedDraft()], other)
    const report = await verifyReceipts(jwsOf([first, second] as Receipt[]), {
      keys: [signer.publicJwk, other.publicJwk],
    })
    expect(report.failures).toMatchObject([
      { index: 1, check: 'continuity', why: expect.stringContaining('another key') },
    ])
  })

  it('a stream that begins without its open receipt, or goes on after its seal', async () => {
    expect(check(await verify(chainOf([refusedDraft()])))).toEqual(['continuity'])
    const seal = { kind: 'seal', count: 1, open_calls: 0, status: 'complete' } as const
    expect(check(await verify(chainOf([opening, seal, refusedDraft()])))).toEqual(['continuity'])
  })
})

describe('what no gate that keeps its promises writes', () => {
  const permitted = decisionDraft({ call: sha256('call') })
  const hashOf = (receipts: readonly Receipt[], index: number) => receipts[index]?.hash ?? ''

  it('a permit on a denial, on silence, and a failing open above low', async () => {
    for (const changes of [
      { decision: 'deny' },
      { decision: 'silence' },
      { decision: 'silence', basis: 'fail_open', materiality: 'medium' },
      { decision: 'silence', basis: 'fail_open', materiality: 'high' },
      { code: 'denied_by_policy' },
    ] as const) {
      const report = await verify(chainOf([opening, { ...permitted, ...changes }]))
      expect(report.failures, JSON.stringify(changes)).toMatchObject([{ index: 1, check: 'grounds' }])
    }
    const open = await verify(
      chainOf([opening, { ...permitted, decision: 'silence', basis: 'fail_open', materiality: 'low' }]),
    )
    expect(open.ok).toBe(true)
  })

  it('an outcome of a refusal, of a decision nobody has, and a second outcome', async () => {
    const refused = chainOf([opening, refusedDraft()])
    const afterRefusal = chainOf([opening, { ...readReceipt(refused[1]?.jws ?? '') }, outcomeDraft(hashOf(refused, 1))])
    expect(await verify(afterRefusal)).toMatchObject({ ok: false, failures: [{ index: 2, check: 'pairing' }] })
    expect(check(await verify(chainOf([opening, outcomeDraft(DIGEST)])))).toEqual(['pairing'])
    const twice = chainOf([opening, permitted])
    const outcome = outcomeDraft(hashOf(twice, 1))
    expect(await verify(chainOf([opening, permitted, outcome, outcome]))).toMatchObject({
      failures: [{ index: 3, check: 'pairing' }],
    })
  })

  it('the same call permitted and run twice; one handed back may be permitted again', async () => {
    const first = chainOf([opening, permitted])
    const run = (status: 'ok' | 'unknown' | 'not_executed') => {
      const head = chainOf([opening, permitted, outcomeDraft(hashOf(first, 1), status), permitted])
      return chainOf([
        opening,
        permitted,
        outcomeDraft(hashOf(first, 1), status),
        permitted,
        outcomeDraft(hashOf(head, 3), 'ok'),
      ])
    }
    for (const status of ['ok', 'unknown'] as const) {
      expect(await verify(run(status)), status).toMatchObject({ ok: false, failures: [{ index: 3, check: 'spent' }] })
    }
    expect(await verify(run('not_executed'))).toMatchObject({ ok: true, settled: true })
  })
})

describe('what this set does not establish is said, and is not a failure', () => {
  it('a permit without an outcome makes the set incomplete', async () => {
    const report = await verify(good.slice(0, 2))
    expect(report).toMatchObject({ ok: true, complete: false, settled: false })
    expect(report.notes).toContainEqual(
      expect.objectContaining({ about: 'permit_without_outcome', receipt: good[1]?.id }),
    )
    expect(report.notes).toContainEqual(expect.objectContaining({ about: 'stream_not_sealed' }))
  })

  it('a stream without a seal makes the set incomplete: receipts at its end may be missing', async () => {
    for (const cut of [6, 4, 3]) {
      const report = await verify(good.slice(0, cut))
      expect(report, `the first ${cut}`).toMatchObject({ ok: true, settled: true, sealed: false, complete: false })
      expect(report.notes).toMatchObject([{ about: 'stream_not_sealed', stream: good[0]?.stream }])
    }
  })

  it('a stream of a process that died is whole where its successor says how far it came', async () => {
    const died = chainOf([opening, refusedDraft(), refusedDraft()])
    const last = { stream: 'AAAAAAAAAAAAAAAAAAAAAA', seq: 2, hash: died[2]?.hash ?? '' }
    const stream = 'BBBBBBBBBBBBBBBBBBBBBA'
    const seal = { kind: 'seal', count: 1, open_calls: 0, status: 'complete' } as const
    const next = chainOf([
      { ...opening, stream, last },
      { ...seal, stream },
    ])
    expect(await verify([...died, ...next])).toMatchObject({ ok: true, complete: true, sealed: true, notes: [] })
    expect(await verify([...died, ...next.slice(0, 1)])).toMatchObject({
      ok: true,
      complete: false,
      notes: [{ stream }],
    })
  })

  it('a call whose end nobody saw stays unknown', async () => {
    const [, decision] = chainOf([opening, decisionDraft({ call: DIGEST })])
    const receipts = chainOf([
      opening,
      readReceipt(decision?.jws ?? ''),
      { ...outcomeDraft(decision?.hash ?? '', 'unknown'), recovered: true },
    ])
    expect(await verify(receipts)).toMatchObject({
      ok: true,
      settled: true,
      notes: [{ about: 'outcome_unknown' }, { about: 'stream_not_sealed' }],
    })
  })

  it('decisions that were only observed are not passed off as enforced', async () => {
    const [first, observed] = chainOf([{ ...opening, mode: 'observe' }, refusedDraft({ enforced: false })])
    const receipts = chainOf([
      readReceipt(first?.jws ?? ''),
      readReceipt(observed?.jws ?? ''),
      outcomeDraft(observed?.hash ?? ''),
    ])
    expect(await verify(receipts)).toMatchObject({
      ok: true,
      enforced: false,
      notes: [{ about: 'stream_not_sealed' }, { about: 'not_enforced' }],
    })
  })
})

describe('an override', () => {
  const digest = sha256('an override')
  const override = {
    id: `ov_${crockford(Buffer.from(digest, 'base64url').subarray(0, 16))}`,
    digest,
    by: [DIGEST],
    reason: 'the policy service is down',
    ticket: 'OPS-1',
    most: 2,
  }
  const used = (changes: Partial<DecisionClaims> = {}): DecisionDraft => {
    const { pdp: _, ...draft } = decisionDraft({
      materiality: 'medium',
      decision: 'silence',
      basis: 'override',
      fault: 'timeout',
      override,
      ...changes,
    })
    return draft
  }
  /** `open`, then the permits, then their outcomes. */
  const ran = (permits: readonly DecisionDraft[], statuses: readonly OutcomeClaims['status'][]) => {
    const decided = chainOf([opening, ...permits])
    const outcomes = statuses.map((status, n) => outcomeDraft(decided[n + 1]?.hash ?? '', status))
    return chainOf([...decided.map(({ jws }) => readReceipt(jws)), ...outcomes])
  }

  it('may let a medium call run while no policy answers, and whoever verifies is told of it', async () => {
    const report = await verify(ran([used(), used({ fault: 'circuit_open' })], ['ok', 'ok']))
    expect(report).toMatchObject({ ok: true, settled: true })
    expect(report.notes[0]).toEqual({
      about: 'override_used',
      why: `the override ${override.id} let 2 of at most 2 calls run: the policy service is down (OPS-1); signed by ${DIGEST}`,
    })
  })

  it.each<[string, Partial<DecisionClaims>]>([
    ['a high call', { materiality: 'high' }],
    ['a low call', { materiality: 'low' }],
    ['a call that was denied', { decision: 'deny' }],
    ['a call that a policy permitted', { decision: 'permit' }],
    ['a wrong answer', { fault: 'policy_error' }],
    ['no fault at all', { fault: undefined as never }],
    ['no override by name', { override: undefined as never }],
    ['another basis', { basis: 'fail_open', materiality: 'low' }],
    ['the id of another', { override: { ...override, id: 'ov_00000000000000000000000000' } }],
  ])('is never grounds for %s', async (_what, changes) => {
    const report = await verify(chainOf([opening, JSON.parse(JSON.stringify(used(changes)))]))
    expect(report.failures).toMatchObject([{ index: 1, check: 'grounds' }])
  })

  it('stands in no refusal', async () => {
    const { permit: _, ...refused } = used({ code: 'policy_timeout' })
    expect(check(await verify(chainOf([opening, refused])))).toEqual(['grounds'])
  })

  it('that let more calls run than it was signed for is found out; one that never began does not count', async () => {
    const three = [used(), used(), used()]
    const report = await verify(ran(three, ['ok', 'unknown', 'tool_error']))
    expect(report.failures).toMatchObject([{ index: 3, check: 'grounds' }])
    expect(await verify(ran(three, ['ok', 'not_executed', 'tool_error']))).toMatchObject({ ok: true })
  })
})

describe('one string for one receipt', () => {
  const resigned = (header: object | string, payload: string, by: Signer = signer) => {
    const head = Buffer.from(typeof header === 'string' ? header : canonicalText(header)).toString('base64url')
    const signed = `${head}.${Buffer.from(payload).toString('base64url')}`
    return `${signed}.${Buffer.from(by.sign(Buffer.from(signed))).toString('base64url')}`
  }
  const header = { alg: signer.alg, kid: signer.kid, typ: 'holdpoint-receipt+jwt' }
  const claims = () => readReceipt(good[0]?.jws ?? '')
  const one = async (jws: string) => (await verifyReceipts([jws], trust)).failures[0]?.check

  it('accepts what it would write itself', async () => {
    expect(await one(resigned(header, canonicalText(claims())))).toBeUndefined()
  })

  it('refuses other spellings of the same signature', async () => {
    const jws = good[0]?.jws ?? ''
    const slack = jws.slice(0, -1) + (jws.endsWith('A') ? 'B' : String.fromCharCode(jws.charCodeAt(jws.length - 1) + 1))
    for (const spelt of [
      `${jws}=`,
      `${jws}==`,
      ` ${jws}`,
      `${jws}\n`,
      jws.replace('.', '..'),
      `${jws}.`,
      slack,
      jws.replaceAll('_', '/'),
    ]) {
      if (spelt !== jws) expect(await one(spelt), JSON.stringify(spelt.slice(-6))).toBe('envelope')
    }
  })

  it('refuses headers that could steer a verifier', async () => {
    const payload = canonicalText(claims())
    for (const odd of [
      { ...header, jwk: signer.publicJwk },
      { ...header, jku: 'https://attacker.example/keys' },
      { ...header, crit: ['b64'], b64: false },
      { ...header, typ: 'JWT' },
      { alg: 'none', kid: signer.kid, typ: header.typ, x: 1 },
      { alg: header.alg, typ: header.typ },
      JSON.stringify({ typ: header.typ, kid: header.kid, alg: header.alg }),
      `{"alg":"Ed25519","alg":"none","kid":"${signer.kid}","typ":"${header.typ}"}`,
    ]) {
      expect(await one(resigned(odd, payload)), JSON.stringify(odd)).toBe('envelope')
    }
    expect(await one(resigned({ ...header, alg: 'none' }, payload))).toBe('signature')
    expect(await one(resigned({ ...header, alg: 'ES256' }, payload))).toBe('signature')
    expect(await one(resigned({ ...header, alg: 'HS256' }, payload))).toBe('signature')
  })

  it('refuses payloads that are not canonical, though the signature is right', async () => {
    const payload = canonicalText(claims())
    for (const odd of [
      JSON.stringify(claims(), undefined, 1),
      payload.replace('"v":1', '"v":1.0'),
      payload.replace('"seq":0', '"seq":-0'),
      payload.replace('"v":1', '"v":1,"v":1'),
      `${payload} `,
      `\ufeff${payload}`,
    ]) {
      expect(await one(resigned(header, odd)), odd.slice(0, 40)).toBe('payload')
    }
  })

  it('refuses members that it does not know, null, fractions and unknown kinds', async () => {
    for (const odd of [
      { extra: 1 },
      { until: null },
      { ts: 1.5 },
      { kind: 'key' },
      { v: 2 },
      { seq: -1 },
      { iss: 'x'.repeat(300) },
    ]) {
      expect(await one(resigned(header, canonicalText({ ...claims(), ...odd }))), JSON.stringify(odd)).toBe('payload')
    }
  })

  it('survives anything that is not a receipt', async () => {
    for (const odd of ['', '.', '..', 'a.b.c', 'x'.repeat(200_000), '\0', '{}', 'null'])
      expect(await one(odd)).toBe('envelope')
    expect((await verifyReceipts([undefined as unknown as string], trust)).failures).toMatchObject([
      { check: 'envelope' },
    ])
  })
})
