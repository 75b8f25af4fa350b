/** The gate as a user gets it: the built package, its defaults, the policy of `policies/refund.cedar`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createGate } from '../dist/src/index.js'
import { refund, refundInput, refundTool } from './refund.mjs'

const policies = path.join(import.meta.dirname, 'policies')

/**
 * A gate of its own with a view for alice, in a temporary folder that goes with it.
 * @param {'memory' | 'durable'} store
 * @param {object} settings What differs from the defaults of this bench, as `createGate` takes it.
 */
export async function openGate(store, settings = {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-gate-'))
  const gate = createGate({
    config: false,
    policies,
    server: 'shop',
    tools: { refund: { materiality: 'high', surface: 'financial' } },
    store: store === 'memory' ? 'memory' : { folder: path.join(folder, 'receipts') },
    keyFile: path.join(folder, 'key.jwk'),
    ...settings,
  })
  const view = gate.as({ user: 'alice', agent: 'support', roles: ['support'] }, { conversation: 'conversation-1' })
  await gate.ready()
  const close = async () => {
    await gate.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { gate, view, folder, close }
}

/** One whole gated call: decided, claimed and recorded, run, recorded. */
export async function openGatedCall(store) {
  const { view, close } = await openGate(store)
  const misfits = view.register([{ ...refundTool, origin: 'own' }])
  if (misfits.length > 0) throw new Error(`refund.cedar does not fit: ${misfits[0].message}`)
  const call = async (n) => {
    const ran = await view.run({ tool: 'refund', input: refundInput(n), callId: `call-${n}`, step: 1 }, refund)
    if (ran.outcome !== 'ran') throw new Error(`call ${n} was refused: ${ran.refusal.code} ${ran.refusal.message}`)
    return ran
  }
  return { call, close }
}
