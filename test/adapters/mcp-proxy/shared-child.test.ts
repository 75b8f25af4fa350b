import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { eventually, rest } from '../mcp/wire.ts'
import { startStage } from './http-stage.ts'

const TELLING = [process.execPath, resolve(import.meta.dirname, '../../support/telling-server-child.ts')] as const
const GET = { name: 'get', arguments: {} }

/** A process that all requests share, and a call of it that is held until it is let go. */
async function holding() {
  const { promise, resolve: letGo } = Promise.withResolvers<void>()
  let asked = 0
  const policy = scriptedPoint(async ({ resource }) => {
    if (resource.id !== 'notes/get') return PERMIT
    asked += 1
    await promise
    return PERMIT
  })
  const stage = await startStage({ command: TELLING, policy, gate: { timeoutMs: 20_000 } })
  const held = stage.ask('tools/call', GET)
  await eventually(() => asked === 1 || undefined)
  return { stage, held, letGo, call: async (name: string) => await stage.ask('tools/call', { ...GET, name }, 2) }
}

describe('while a call is held, the process of everybody', () => {
  it('makes another tool of it and tells nobody in particular: it does not run', async () => {
    const { stage, held, letGo, call } = await holding()
    await (await call('change')).whole()
    await eventually(() => stage.notes.length > 0 || undefined)
    letGo()
    const [answer] = (await (await held).whole()).frames
    expect(answer?.result?.['_meta']).toMatchObject({ [REFUSAL_KEY]: { code: 'tool_changed' } })
    expect(await stage.outcomes(2)).toEqual(['ok', 'not_executed'])
  })

  it('ends: whoever waits is told at once, and the call never runs', async () => {
    const { stage, held, letGo, call } = await holding()
    await (await call('die')).whole()
    const answer = await (await held).whole()
    expect([answer.status, answer.frames[0]?.error?.message]).toEqual([502, 'holdpoint: notes: its process has ended'])
    letGo()
    await rest()
    expect(stage.gate.calls.filter(({ outcome }) => outcome === 'permitted').map(({ tool }) => tool)).toEqual([
      'notes/die',
    ])
    expect(await stage.outcomes(1)).toEqual(['unknown'])
  })
})

describe('a request that was given up', () => {
  it('may be what its process talks of until it has its answer: nobody else hears that', async () => {
    const stage = await startStage({ command: TELLING, serve: { limits: { answerMs: 500 } } })
    const call = async (name: string) => (await (await stage.ask('tools/call', { ...GET, name })).whole()).frames
    expect((await call('murmur')).map(({ method }) => method)).toEqual(['notifications/message', undefined])
    expect(await call('slow')).toMatchObject([{ error: { message: expect.stringContaining('within 500 ms') } }])
    expect((await call('murmur')).map(({ method }) => method)).toEqual([undefined])
    await call('go')
    await eventually(() => stage.notes.length > 1 || undefined)
    expect((await call('murmur')).map(({ method }) => method)).toEqual(['notifications/message', undefined])
  })
})

describe('a process that ends', () => {
  it('before it lists its tools leaves nobody waiting', async () => {
    const stage = await startStage({
      command: [process.execPath, '-e', 'process.stdin.once("data", () => process.exit(3))'],
    })
    const answer = await (await stage.ask('tools/call', GET)).whole()
    expect([answer.status, answer.frames[0]?.id]).toEqual([502, 1])
  })
})
