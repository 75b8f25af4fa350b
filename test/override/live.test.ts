import { describe, expect, it } from 'vitest'
import { createOverrides, type OverrideFile, type OverrideShelf, type Overrides } from '../../src/override/live.ts'
import { readOverride } from '../../src/override/signed.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import type { Signer } from '../../src/types.ts'
import { ABSENT, ALICE, MINUTE_MS, NOW, signedBy, trusting } from '../support/overrides.ts'

const [alice, bob] = [generateSigner(), generateSigner()]

/** Overrides on a shelf and under clocks that the test moves. */
function table(keys: readonly Signer[] = [alice, bob]) {
  const files = new Map<string, OverrideFile>()
  const revoked = new Set<string>()
  const warnings: string[] = []
  const clock = { at: NOW, mono: 0 }
  let readings = 0
  let fault: (() => Promise<never>) | undefined
  const shelf: OverrideShelf = {
    read: async () => {
      readings += 1
      return fault === undefined ? { overrides: new Map(files), revoked: new Set(revoked) } : await fault()
    },
  }
  const overrides: Overrides = createOverrides({
    shelf,
    keys: trusting(...keys),
    clock: { now: () => clock.at, monotonic: () => clock.mono },
    warn: (message) => warnings.push(message),
  })
  return {
    clock,
    files,
    revoked,
    warnings,
    readings: () => readings,
    fail: (how: () => Promise<never>) => {
      fault = how
    },
    put: (text: string) => {
      const { id } = readOverride(text)
      files.set(id, { text })
      return id
    },
    pass: (ms: number) => {
      clock.at += ms
      clock.mono += ms
    },
    overrides,
    find: async (tool = 'shop/restock') =>
      await overrides.find({ decision: ABSENT, materiality: 'medium', tool, scope: ALICE }),
  }
}

describe('a gate that looks for an override', () => {
  it('finds the one that covers the call, with what a receipt says of it', async () => {
    const { put, find } = table()
    const id = put(signedBy([alice]))
    put(signedBy([alice], { tools: ['shop/other'], nonce: 'AAAAAAAAAAAAAAAAAAAAAQ' }))
    expect(await find()).toEqual({
      id,
      digest: readOverride(signedBy([alice])).digest,
      by: [alice.kid],
      reason: 'the policy service is down',
      ticket: 'OPS-1',
      most: 20,
    })
    expect(await find('shop/refund')).toBeUndefined()
  })

  it('takes the one that ends first, and the next once that has had its uses', async () => {
    const { overrides, put, find, warnings } = table()
    const later = put(signedBy([alice]))
    const sooner = put(signedBy([alice], { expires: NOW + MINUTE_MS, most: 3 }))
    expect((await find())?.id).toBe(sooner)
    overrides.spent({ id: sooner, most: 3 })
    expect((await find())?.id).toBe(later)
    overrides.spent({ id: later, most: 20 })
    expect(await find()).toBeUndefined()
    expect(warnings).toEqual([`the override ${sooner} has had its 3 uses`, `the override ${later} has had its 20 uses`])
  })

  it('never looks when no key is trusted: overrides are off', async () => {
    const { put, find, readings } = table([])
    put(signedBy([alice]))
    expect([await find(), readings()]).toEqual([undefined, 0])
  })

  it('notices within a second that one was installed or revoked, and reads once for many calls', async () => {
    const { put, find, pass, revoked, readings } = table()
    await Promise.all([find(), find(), find()])
    expect(readings()).toBe(1)
    const id = put(signedBy([alice]))
    pass(1_000)
    expect((await find())?.id).toBe(id)
    revoked.add(id)
    pass(1_000)
    expect(await find()).toBeUndefined()
    expect(readings()).toBe(3)
  })

  it('tells the operator once why one is not used', async () => {
    const { files, put, find, pass, warnings } = table()
    const wide = put(signedBy([alice, generateSigner()], { tools: ['*'] }))
    files.set('ov_broken', { text: '{}' })
    files.set('ov_unreadable', { unreadable: '/overrides/ov_unreadable.json cannot be read (EACCES)' })
    for (let round = 0; round < 3; round += 1) {
      expect(await find()).toBeUndefined()
      pass(1_000)
    }
    expect(warnings).toEqual([
      'the override ov_broken is not used: the override must have exactly payload, signatures',
      'the override ov_unreadable is not used: /overrides/ov_unreadable.json cannot be read (EACCES)',
      `the override ${wide} is not used: 1 of 2 trusted keys signed it`,
    ])
  })

  it('takes none for another that it is installed as: a revocation of that one would miss it', async () => {
    const { files, find, warnings } = table()
    files.set('ov_00000000000000000000000000', { text: signedBy([alice]) })
    expect(await find()).toBeUndefined()
    expect(warnings[0]).toContain('it is installed under the id ov_00000000000000000000000000')
  })

  it('believes nothing any longer when the folder cannot be read or does not answer', async () => {
    const rejecting = table()
    rejecting.put(signedBy([alice]))
    expect(await rejecting.find()).toBeDefined()
    rejecting.fail(() => Promise.reject(new Error('the disk is gone')))
    rejecting.pass(1_000)
    expect(await rejecting.find()).toBeUndefined()
    expect(rejecting.warnings).toEqual(['no override is used: the disk is gone'])

    const hanging = table()
    hanging.put(signedBy([alice]))
    hanging.fail(() => new Promise(() => undefined))
    expect(await hanging.find()).toBeUndefined()
    expect(hanging.warnings[0]).toContain('was not read within 1000 ms')
  })

  it('revives none by a clock that is set back, and says so', async () => {
    const { clock, put, find, pass, warnings } = table()
    put(signedBy([alice]))
    pass(31 * MINUTE_MS)
    expect(await find()).toBeUndefined()
    clock.at = NOW
    clock.mono += 1_000
    expect(await find()).toBeUndefined()
    expect(warnings).toEqual([
      'the clock was set back by 1861 s: until it has caught up, overrides count as older than they are',
    ])
  })

  it('revives none by a clock that is set back before anybody needed one', async () => {
    const { clock, put, find, pass, warnings } = table()
    put(signedBy([alice], { notBefore: NOW + 60 * MINUTE_MS, expires: NOW + 90 * MINUTE_MS }))
    pass(48 * 60 * MINUTE_MS)
    clock.at = NOW + 75 * MINUTE_MS
    expect(await find()).toBeUndefined()
    expect(warnings).toEqual([expect.stringContaining('the clock was set back by')])
  })

  it('lets none live longer than it was signed for by a clock that stands still', async () => {
    const { clock, put, find } = table()
    put(signedBy([alice]))
    clock.at = NOW + 10 * MINUTE_MS
    expect(await find()).toBeDefined()
    clock.mono += 20 * MINUTE_MS - 1
    expect(await find()).toBeDefined()
    clock.mono += 1
    expect(await find()).toBeUndefined()
  })
})
