import { describe, expect, it } from 'vitest'
import type { Receipt } from '../../src/types.ts'
import { type BundleReport, type BundleTrust, type Check, verifyBundle } from '../../src/verify.ts'
import { gateKey, HandMadeLog, newLog, Process, unlogged } from '../support/bundles.ts'

/**
 * Somebody has a receipt key that was retired, and everything else of the operator but the witnesses; he wants a payment to
 * look as if it had been decided while that key was good.
 */
const [key, fresh] = [gateKey(), gateKey()]
const before = new Process(key, 'before')
const after = new Process(fresh, 'after')
const early = [before.open(), ...before.call('one'), before.addKey(fresh)]
const last = before.seal()
const handedOver = [...early, last, after.open(last)]
const retirement = after.retireKey(key.kid)
const history = [...handedOver, retirement, ...after.call('two'), after.seal()]
const log = newLog(history)
/** The size at which the retirement was in the log and witnessed. */
const SEEN = handedOver.length + 1

/** What the thief writes, at times of his choice: all before the retirement. */
function stolen(): readonly Receipt[] {
  const thief = new Process(key, 'thief')
  return [thief.open(), ...thief.call('payment'), thief.seal()]
}

const trust: BundleTrust = { keys: [key.publicJwk], log: log.policy() }
/** An auditor who has kept the checkpoint of then. */
const returning: BundleTrust = { ...trust, checkpoints: [log.note(SEEN)] }

function of(report: BundleReport, check: Check): string {
  const found = report.checks.find((one) => one.check === check)
  return `${found?.result}: ${found?.why}`
}

/** The log with other receipts in it, signed anew; the witnesses cosign only what continues what they saw. */
const signedAnew = (receipts: readonly Receipt[]) => new HandMadeLog(receipts, { signer: log.signer, witnesses: [] })

describe('a retired key that was stolen', () => {
  it('is good for what it signed in its time', async () => {
    const report = await verifyBundle(await log.whole([SEEN]), returning)
    expect([report.ok, report.complete, report.failures]).toEqual([true, true, []])
    expect(of(report, 'keys')).toMatch(/^pass: .*1 added, 1 retired, nothing signed after that/)
  })

  it('dates nothing back by what its receipts say of the time: their leaves come behind the retirement', async () => {
    const longer = new HandMadeLog([...history, ...stolen()], log)
    const report = await verifyBundle(await longer.whole([SEEN]), returning)
    expect(of(report, 'keys')).toMatch(new RegExp(`^fail: signed by the key ${key.kid} after ${retirement.id} had`))
    expect([report.ok, report.verified]).toEqual([false, history.length])
  })

  it('brings in no key of the thief’s own', async () => {
    const mine = gateKey()
    const thief = new Process(key, 'thief')
    const receipts = [...history, thief.open(), thief.addKey(mine), new Process(mine, 'mine').open()]
    const report = await verifyBundle(await new HandMadeLog(receipts, log).whole(), trust)
    expect(of(report, 'keys')).toMatch(/^fail: signed by the key/)
    expect(of(report, 'signature')).toMatch(/^fail: signed by a key that is not trusted/)
  })

  it('dates nothing back below a size that was witnessed: not in the log that the witnesses saw', async () => {
    const replaced = [...early, ...stolen(), ...history.slice(early.length + stolen().length)]
    const same = await verifyBundle(await new HandMadeLog(replaced, log).whole([], log.note()), trust)
    expect(of(same, 'inclusion')).toMatch(/^fail: the receipts do not have the root of the last checkpoint/)
  })

  it('dates nothing back below a witnessed size in a log that is signed anew', async () => {
    const inserted = signedAnew([...early, ...stolen(), ...history.slice(early.length)])
    const stranger = await verifyBundle(await inserted.whole(), trust)
    expect(of(stranger, 'witnesses')).toMatch(/^not_established: too few of the witnesses/)
    expect(stranger.complete).toBe(false)
    const known = await verifyBundle(await inserted.whole(), returning)
    expect(of(known, 'consistency')).toMatch(/^fail: .*contradicts this log: two histories were signed/)
  })

  it('dates nothing back by a log from which the retirement is gone', async () => {
    const without = signedAnew([...handedOver, ...stolen()])
    const known = await verifyBundle(await without.whole(), returning)
    expect(of(known, 'consistency')).toMatch(/^fail: .*contradicts this log/)
    const stranger = await verifyBundle(await without.whole(), trust)
    expect([stranger.complete, of(stranger, 'witnesses').slice(0, 15)]).toEqual([false, 'not_established'])
  })

  it('dates nothing back by a proof of a leaf that another receipt has', async () => {
    const [payment] = stolen().slice(1)
    const lines = await log.part([1, 2])
    const swapped = lines.map((line, at) => {
      if (at !== 1) return line
      return JSON.stringify({ ...JSON.parse(line), receipt: payment?.jws })
    })
    const report = await verifyBundle(swapped, trust)
    expect(of(report, 'inclusion')).toMatch(/^fail: /)
  })

  it('is not said to be good where the leaf that retires it may have been left out', async () => {
    const longer = new HandMadeLog([...history, ...stolen()], log)
    const leaves = stolen().map((_, at) => history.length + at)
    const shown = await verifyBundle(await longer.part(leaves), trust)
    expect(of(shown, 'inclusion')).toMatch(/^pass/)
    expect(of(shown, 'keys')).toMatch(/^not_established: only some leaves of the log are here/)
    const whole = await verifyBundle(await longer.part([early.length - 1, SEEN - 1, ...leaves]), trust)
    expect(of(whole, 'keys')).toMatch(/^fail: signed by the key/)
  })

  it('is not said to be good, nor bad, where no log says what came first', async () => {
    const report = await verifyBundle(await unlogged([...history, ...stolen()]), trust)
    expect(of(report, 'keys')).toMatch(/^not_established: .*only a log shows which came first/)
  })
})
