/** A receipt key that is elsewhere: nothing runs on its word alone, and nothing waits for it without end. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { createCedarPoint } from '../../src/policy/cedar.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import type { GateEvent, JsonObject, Store } from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { collect } from '../support/receipt-drafts.ts'
import { handClock } from '../support/scripted-point.ts'
import type { SignerFault } from '../support/signer-child.ts'
import { type SignerProcess, startSigner } from '../support/signer-process.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()
let kms: SignerProcess
let store: Store
let state: string
let executed: string[]

beforeEach(async () => {
  state = temporaryFolder()
  vi.stubEnv('HOLDPOINT_STATE', state)
  kms = await startSigner()
  store = createMemoryStore()
  executed = []
})
afterEach(() => {
  kms.end()
  vi.unstubAllEnvs()
})

function gateWith(options: Partial<GateOptions> = {}) {
  const events: GateEvent[] = []
  const gate = createGate({
    config: false,
    // It reads no session, so that calls are decided side by side.
    policy: createCedarPoint([{ path: 'all.cedar', text: '@id("all")\npermit (principal, action, resource);' }]),
    receipts: { signer: kms.signer, deadlineMs: 20_000 },
    effects: { store },
    events: [(event) => void events.push(event)],
    ...options,
  })
  gate.register(
    (['low', 'medium', 'high'] as const).map((materiality) => ({
      name: materiality,
      inputSchema: { type: 'object' },
      origin: 'own' as const,
      declared: { materiality },
    })),
  )
  const me = gate.as({ user: 'alice' }, { conversation: 'c' })
  const run = async (tool: string, callId: string) => {
    const ran = await me.run({ tool, callId, input: {} }, () => {
      executed.push(callId)
      return 'done'
    })
    return ran.outcome === 'refused' ? ran.refusal.code : ran.outcome
  }
  return { gate, run, events }
}

async function verified() {
  const receipts = await collect(store.receipts())
  const report = await verifyReceipts(
    receipts.map(({ jws }) => jws),
    { keys: [kms.signer.publicJwk] },
  )
  expect(report.failures).toEqual([])
  return receipts
}

describe('a receipt key in another process', () => {
  it('signs what many calls at once decide, in one chain without a hole', async () => {
    const { gate, run } = gateWith()
    const ran = await Promise.all(Array.from({ length: 40 }, (_, n) => run('high', `call ${n}`)))
    expect(new Set(ran)).toEqual(new Set(['ran']))
    await gate.close()
    const receipts = await verified()
    expect(receipts.map(({ seq }) => seq)).toEqual(Array.from({ length: 82 }, (_, seq) => seq))
    expect(new Set(receipts.map(({ stream }) => stream)).size).toBe(1)
  })

  const faults: readonly SignerFault[] = ['hang', 'throw', 'wrong', 'another key', 'short', 'no bytes']
  it.each(faults)(
    'I1: that answers with "%s" lets nothing run that needs a receipt, and heals by itself',
    async (fault) => {
      const deadlineMs = fault === 'hang' ? 600 : 20_000
      const { gate, run, events } = gateWith({ receipts: { signer: kms.signer, deadlineMs } })
      expect(await run('high', 'before')).toBe('ran')
      kms.fail(() => fault)
      const codes = await Promise.all([run('high', 'a'), run('medium', 'b'), run('low', 'c')])
      expect(codes).toEqual(Array(3).fill('receipt_unavailable'))
      expect(executed).toEqual(['before'])
      const failed = events.flatMap((event) => (event.event === 'receipt-failed' ? [event] : []))
      expect(new Set(failed.map(({ code }) => code))).toEqual(new Set(['ERR_SIGNER']))
      expect(JSON.stringify(events)).not.toContain('arn:aws')
      kms.fail(() => 'none')
      expect(await run('high', 'a')).toBe('ran')
      await gate.close()
      await verified()
    },
  )

  it('that hangs keeps nobody waiting for much longer than its deadline, however many wait', async () => {
    const { gate, run } = gateWith({ receipts: { signer: kms.signer, deadlineMs: 600 } })
    await gate.ready()
    kms.fail(() => 'hang')
    expect(new Set(await Promise.all(Array.from({ length: 30 }, (_, n) => run('high', `${n}`))))).toEqual(
      new Set(['receipt_unavailable']),
    )
    // Each asks once for its permit: that another's failed is no reason to wait again.
    expect(kms.asked()).toBe(30)
    expect(kms.aborted()).toBe(30)
    expect(kms.atOnce()).toBe(30)
    kms.fail(() => 'none')
    await gate.close()
    await verified()
  })

  it('that fails one of many refuses that one, and signs what stood on it anew', async () => {
    const { gate, run } = gateWith()
    await gate.ready()
    kms.fail((question) => (question === 3 ? 'wrong' : 'none'))
    const codes = await Promise.all(Array.from({ length: 10 }, (_, n) => run('high', `${n}`)))
    expect(codes.filter((code) => code === 'receipt_unavailable')).toHaveLength(1)
    expect(executed).toHaveLength(9)
    await gate.close()
    const receipts = await verified()
    expect(receipts.filter(({ kind }) => kind === 'decision')).toHaveLength(9)
    expect(new Set(receipts.map(({ stream }) => stream)).size).toBe(1)
  })

  it('that fails at random for a while leaves a chain that verifies, and a receipt for whatever ran', async () => {
    const { gate, run } = gateWith()
    await gate.ready()
    kms.fail((question) => (question % 5 === 0 ? (question % 2 === 0 ? 'throw' : 'wrong') : 'none'))
    const codes = await Promise.all(Array.from({ length: 60 }, (_, n) => run('high', `${n}`)))
    expect(codes.filter((code) => code === 'ran')).toHaveLength(executed.length)
    kms.fail(() => 'none')
    await gate.close()
    const receipts = await verified()
    expect(receipts.filter(({ kind }) => kind === 'decision')).toHaveLength(executed.length)
  })

  it('that is gone when the gate opens refuses, and says why at ready()', async () => {
    kms.fail(() => 'exit')
    const { gate, run } = gateWith()
    await expect(gate.ready()).rejects.toMatchObject({ code: 'ERR_SIGNER' })
    expect(await run('high', 'a')).toBe('receipt_unavailable')
    expect(await collect(store.receipts())).toEqual([])
  })

  it('whose signature is read late is late, though the timer had no time to say so', async () => {
    const clock = handClock()
    const slow = {
      ...kms.signer,
      sign: async (bytes: Uint8Array, options: { readonly signal: AbortSignal }) => {
        const signature = await kms.signer.sign(bytes, options)
        clock.advance(251)
        return signature
      },
    }
    const { run } = gateWith({ receipts: { signer: slow, deadlineMs: 250 }, effects: { store, clock } })
    expect(await run('high', 'a')).toBe('receipt_unavailable')
  })

  it('lets a low call run unrecorded only where the operator said so, and a high one never', async () => {
    const { gate, run } = gateWith({ onReceiptLoss: { low: 'run' } })
    await gate.ready()
    kms.fail(() => 'throw')
    expect(await run('low', 'a')).toBe('ran')
    expect(await run('high', 'b')).toBe('receipt_unavailable')
  })

  it('names a conversation alike after a restart, under a key that signs nothing', async () => {
    for (const call of ['a', 'b']) {
      const { gate, run } = gateWith()
      await run('high', call)
      await gate.close()
    }
    const traces = (await verified()).flatMap(({ jws }) => {
      const claims = readReceipt(jws)
      return claims.kind === 'decision' ? [claims.trace] : []
    })
    expect(traces).toHaveLength(2)
    expect(new Set(traces).size).toBe(1)
    expect(existsSync(join(state, 'keys', 'blinding-key'))).toBe(true)
    expect(existsSync(join(state, 'keys', 'receipt.pem'))).toBe(false)
  })
})

describe('createGate', () => {
  const privateJwk = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }) as JsonObject
  const point = { kty: 'OKP', crv: 'Ed25519', x: Buffer.concat([Buffer.of(1), Buffer.alloc(31)]).toString('base64url') }
  it.each([
    ['a private key', { publicJwk: privateJwk }, 'private part'],
    ['a key of another kind', { publicJwk: { kty: 'RSA', n: 'AQAB', e: 'AQAB' } }, 'no public JWK'],
    ['a key that nobody could have made', { publicJwk: point }, 'no public JWK'],
    ["a provider's own name of the key", { kid: 'arn:aws:kms:eu-west-1:1:key/2' }, 'leave "kid" out'],
    ['another algorithm', { alg: 'ES256' as const }, 'not of ES256'],
  ])('takes no signer with %s', (_, changes, why) => {
    const signer = { ...kms.signer, ...changes }
    expect(() => gateWith({ receipts: { signer } })).toThrow(why)
  })

  it('takes no deadline that is none', () => {
    expect(() => gateWith({ receipts: { signer: kms.signer, deadlineMs: Number.NaN } })).toThrow('deadlineMs')
  })
})
