import { describe, expect, it } from 'vitest'
import type { Receipt } from '../../src/types.ts'
import { type BundleReport, type BundleTrust, type Check, verifyBundle } from '../../src/verify.ts'
import { attackedLog } from '../support/attacked-log.ts'
import { gateKey, ORIGIN, Process } from '../support/bundles.ts'
import { noteSigner } from '../support/log-keys.ts'

/**
 * What an operator who holds every key could try, each against an auditor who trusts the gate's key, the log's key and two
 * witnesses: the bundle that he is shown, and how it comes out.
 */
const { key, receipts, second, log, rewritten } = attackedLog()
const trust: BundleTrust = { keys: [key.publicJwk], log: log.policy() }

function of(report: BundleReport, check: Check): string {
  const found = report.checks.find((one) => one.check === check)
  return `${found?.result}: ${found?.why}`
}

const without = (at: number): readonly Receipt[] => receipts.toSpliced(at, 1)
/** An auditor who was there before, when the log had nine leaves. */
const returning: BundleTrust = { ...trust, checkpoints: [log.note(9)] }

describe('a bundle of a whole log', () => {
  it('passes where nothing was done to it, and says what nobody vouches for', async () => {
    const report = await verifyBundle(await log.whole([4, 9]), returning)
    expect(report.failures).toEqual([])
    expect(report).toMatchObject({ ok: true, complete: true, sealed: true, settled: true, count: 14, verified: 14 })
    expect(report.log).toMatchObject({ origin: ORIGIN, size: 14 })
    expect(report.checks.filter(({ result }) => result !== 'pass').map(({ check }) => check)).toEqual([
      'definitions',
      'policies',
      'openings',
    ])
    expect(of(report, 'consistency')).toContain('the 1 checkpoint that you hold')
  })

  it('is not established, and never good, by keys and logs that it brings itself', async () => {
    const report = await verifyBundle(await log.whole([4]), { keys: [] })
    expect(report).toMatchObject({ ok: false, complete: false, verified: 0, failures: [] })
    const passed = report.checks.filter(({ result }) => result === 'pass').map(({ check }) => check)
    expect(passed).toEqual(['bundle', 'envelope', 'presence'])
    expect(of(report, 'signature')).toContain(key.kid)
    expect(of(report, 'inclusion')).toMatch(/^not_established: no log is trusted: get this log’s verifier key/)
  })
})

describe('an operator who holds every key but those of the witnesses', () => {
  it('cannot cut the tail: what was witnessed is longer', async () => {
    const cut = rewritten(receipts.slice(0, 10), { witnesses: [] })
    const report = await verifyBundle(await cut.whole(), trust)
    expect(of(report, 'witnesses')).toMatch(/^not_established: too few of the witnesses/)
    expect(report.complete).toBe(false)
    const known = await verifyBundle(await cut.whole(), { ...trust, checkpoints: [log.note()] })
    expect(of(known, 'consistency')).toMatch(/^fail: you hold a checkpoint of 14 leaves, and this bundle ends at 10/)
    const torn = await verifyBundle((await log.whole()).toSpliced(11, 4), trust)
    expect(of(torn, 'bundle')).toMatch(
      /^fail: line 12 .*14 leaves, and 10 receipts came: the last 4 are missing, the tail was cut/,
    )
  })

  it.each([2, 5, 8])('cannot drop a receipt (leaf %i)', async (at) => {
    const report = await verifyBundle(await rewritten(without(at)).whole([], log.note(13)), returning)
    expect(report.ok).toBe(false)
    expect(of(report, 'inclusion')).toMatch(/^fail: the receipts do not have the root of the last checkpoint/)
    const hole = await verifyBundle((await log.whole()).toSpliced(at + 1, 1), trust)
    expect(of(hole, 'bundle')).toContain(`leaf ${at} is missing before it`)
    // Signed anew, the log is whole again and no longer the one that the auditor saw; and the chain has a hole.
    const anew = await verifyBundle(await rewritten(without(at), { witnesses: [] }).whole(), returning)
    expect(of(anew, 'consistency')).toMatch(/^fail: the checkpoint that you hold of 9 leaves contradicts this log/)
    expect(of(anew, 'continuity')).toMatch(/^fail: the receipt before it is missing/)
  })

  it('cannot reorder receipts', async () => {
    const [one, other] = [receipts[2], receipts[3]] as [Receipt, Receipt]
    const swapped = receipts.with(2, other).with(3, one)
    const report = await verifyBundle(await rewritten(swapped).whole([], log.note()), trust)
    expect(of(report, 'inclusion')).toMatch(/^fail: .*changed, dropped, moved or put in/)
    const anew = await verifyBundle(await rewritten(swapped, { witnesses: [] }).whole(), returning)
    expect(of(anew, 'consistency')).toMatch(/^fail: .*two histories were signed/)
    const lines = await log.whole()
    const moved = await verifyBundle(lines.with(3, lines[4] ?? '').with(4, lines[3] ?? ''), trust)
    expect(of(moved, 'bundle')).toMatch(/^fail: line 4 is of leaf 3, and leaf 2 is missing before it/)
  })

  it('cannot show two readers two logs: their checkpoints contradict', async () => {
    const fork = rewritten([...receipts.slice(0, 12), new Process(key, 'elsewhere').open(), receipts[12] as Receipt])
    const mine = await verifyBundle(await log.whole(), trust)
    const yours = await verifyBundle(await fork.whole(), trust)
    expect([mine.ok, of(yours, 'inclusion').slice(0, 4)]).toEqual([true, 'pass'])
    const compared = await verifyBundle(await log.whole(), { ...trust, checkpoints: [fork.note()] })
    expect(of(compared, 'consistency')).toMatch(
      /^fail: the checkpoint that you hold of 14 leaves contradicts this log: two/,
    )
    const earlier = await verifyBundle(await log.whole(), { ...trust, checkpoints: [fork.note(13)] })
    expect(of(earlier, 'consistency')).toMatch(/^fail: the checkpoint that you hold of 13 leaves contradicts/)
  })

  it('cannot restore an old backup: the auditor has seen more', async () => {
    const old = rewritten(receipts.slice(0, 6))
    const report = await verifyBundle(await old.whole(), returning)
    expect(of(report, 'consistency')).toMatch(/^fail: you hold a checkpoint of 9 leaves.*an old copy was restored/)
    const after = rewritten([...receipts.slice(0, 6), ...receipts.slice(10), new Process(key, 'new').open()])
    const report2 = await verifyBundle(await after.whole(), returning)
    expect(of(report2, 'consistency')).toMatch(/^fail: the checkpoint that you hold of 9 leaves contradicts this log/)
  })

  it('cannot sign receipts again with another key, nor the log with another', async () => {
    const other = gateKey()
    const forged = new Process(other, 'first')
    const resigned = [forged.open(), ...forged.call('refund 1'), forged.seal()]
    const report = await verifyBundle(await rewritten(resigned).whole(), trust)
    expect(of(report, 'signature')).toMatch(/^fail: /)
    expect(report.failures.map(({ why }) => why).join()).toContain(other.kid)
    const relogged = rewritten(receipts, { signer: noteSigner(ORIGIN, 'ed25519') })
    const logged = await verifyBundle(await relogged.whole(), trust)
    expect(logged.ok).toBe(false)
    expect(of(logged, 'inclusion')).toMatch(/^fail: the last checkpoint is not signed by the key that you trust/)
    const earlier = await log.whole([4])
    const at = earlier.findIndex((line) => line.startsWith('{"checkpoint"'))
    const mixed = earlier.with(at, JSON.stringify({ checkpoint: relogged.note(4) }))
    expect(of(await verifyBundle(mixed, trust), 'consistency')).toMatch(
      /^fail: the earlier checkpoint of 4 leaves is not/,
    )
  })

  it('cannot leave out the receipts of one process', async () => {
    const kept = receipts.filter(({ stream }) => stream !== second.stream)
    const report = await verifyBundle(await rewritten(kept, { witnesses: [] }).whole(), trust)
    expect(report.ok).toBe(false)
    expect(of(report, 'completeness')).toMatch(
      /^fail: stream .* is not in the log: the receipts of one process were left out/,
    )
    expect(of(report, 'witnesses')).toMatch(/^not_established/)
    const lines = await log.whole()
    const named = new Set(receipts.flatMap(({ stream }, leaf) => (stream === second.stream ? [leaf + 1] : [])))
    const torn = await verifyBundle(
      lines.filter((_, at) => !named.has(at)),
      trust,
    )
    expect(of(torn, 'bundle')).toMatch(/^fail: line 3 is of leaf 2, and leaf 1 is missing before it/)
  })
})

describe('a bundle of some leaves', () => {
  it('shows that they are in the log, and does not pass for all', async () => {
    const report = await verifyBundle(await log.part([2, 4, 11], [9]), returning)
    expect(report).toMatchObject({ ok: true, complete: false, failures: [], scope: 'part' })
    const results = Object.fromEntries(report.checks.map(({ check, result }) => [check, result]))
    expect(results).toMatchObject({
      inclusion: 'pass',
      consistency: 'pass',
      witnesses: 'pass',
      completeness: 'not_established',
      continuity: 'not_established',
      pairing: 'not_established',
      spent: 'not_established',
    })
  })

  it('does not show another receipt at the place of one, nor a path of another leaf', async () => {
    const lines = await log.part([2, 4])
    const { proof } = JSON.parse(lines[1] ?? '')
    const swapped = JSON.stringify({ receipt: receipts[6]?.jws, leaf: 2, proof })
    expect(of(await verifyBundle(lines.with(1, swapped), trust), 'inclusion')).toMatch(/^fail: /)
    const alone = await log.part([2])
    const other = JSON.stringify({ receipt: receipts[6]?.jws, leaf: 2, proof })
    expect(of(await verifyBundle(alone.with(1, other), trust), 'inclusion')).toMatch(/^fail: .*do not have the root/)
    const short = JSON.stringify({ receipt: receipts[2]?.jws, leaf: 2, proof: proof.slice(1) })
    expect(of(await verifyBundle(alone.with(1, short), trust), 'inclusion')).toMatch(
      /^fail: the proof of leaf 2 is not/,
    )
  })

  it('does not pass as the continuation of what the auditor holds without a proof', async () => {
    expect(of(await verifyBundle(await log.part([2]), returning), 'consistency')).toMatch(
      /^not_established: nothing here/,
    )
    const fork = rewritten([...receipts.slice(0, 6), receipts[13] as Receipt, ...receipts.slice(6, 13)])
    expect(of(await verifyBundle(await fork.part([2], [9]), returning), 'consistency')).toMatch(/^fail: .*contradicts/)
  })

  it('notices a chain that contradicts itself across the holes', async () => {
    const twin = new Process(key, 'first')
    twin.open()
    const [fork] = twin.call('another past')
    const forked = rewritten([...receipts.slice(0, 10), fork])
    expect(of(await verifyBundle(await forked.part([2, 10]), trust), 'continuity')).toMatch(
      /^fail: place 1 .*filled before/,
    )
  })
})
