import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { Coverage } from '../src/coverage.ts'
import { testGate } from '../src/testing.ts'
import type { GateEvent } from '../src/types.ts'

/** What is in memory still once all that nobody holds has gone, bytes. */
function held(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  return process.memoryUsage().heapUsed
}

const ALICE = { user: 'alice' }
const READ = { name: 'read', origin: 'own', inputSchema: { type: 'object' } } as const

describe('which tools a gate can stand in front of', () => {
  it('lists every tool by host, and keeps the worst that was seen of it', () => {
    const coverage = new Coverage(() => undefined)
    coverage.cover('openai', 'local', [
      { tool: 'search', standing: 'ungated', because: 'runs on the provider' },
      { tool: 'read', standing: 'gated' },
    ])
    coverage.cover('openai', 'local', [{ tool: 'search', standing: 'gated' }])
    expect(coverage.list()).toEqual([
      { host: 'openai', server: 'local', tool: 'read', standing: 'gated' },
      { host: 'openai', server: 'local', tool: 'search', standing: 'ungated', because: 'runs on the provider' },
    ])
  })

  it('goes no further than ten thousand tools, and says so once', () => {
    const events: GateEvent[] = []
    const coverage = new Coverage((event) => events.push(event))
    coverage.cover(
      'openai',
      'local',
      Array.from({ length: 10_002 }, (_, n) => ({ tool: `t${n}`, standing: 'gated' as const })),
    )
    expect(coverage.list()).toHaveLength(10_000)
    expect(events).toMatchObject([{ event: 'programmer-warned', code: 'coverage_full' }])
  })

  it('lists what is open though a server has listed no end of tools before it', () => {
    const coverage = new Coverage(() => undefined)
    const many = Array.from({ length: 10_000 }, (_, n) => ({ tool: `t${n}`, standing: 'gated' as const }))
    coverage.cover('mcp', 'stranger', many)
    coverage.reportRun('here', 'openai', 'local', 'rm', 'c1')
    coverage.cover('openai', 'local', [{ tool: 'search', standing: 'ungated' }])
    coverage.cover('openai', 'local', [{ tool: 'late', standing: 'gated' }])
    expect(coverage.list()).toHaveLength(10_000)
    expect(coverage.list().filter(({ host }) => host === 'openai')).toEqual([
      { host: 'openai', server: 'local', tool: 'rm', standing: 'unknown', because: 'ran without an admission' },
      { host: 'openai', server: 'local', tool: 'search', standing: 'ungated' },
    ])
  })

  it('is no other list where two reasons for the same standing take turns', () => {
    const coverage = new Coverage(() => undefined)
    const seen = (because?: string) =>
      coverage.cover('anthropic', 'local', [
        { tool: 'search', standing: 'ungated', ...(because === undefined ? {} : { because }) },
      ])
    seen()
    seen('runs at Anthropic')
    const { edition } = coverage
    for (const because of ['runs there, or in your own code', 'runs at Anthropic', undefined]) seen(because)
    expect([coverage.edition, coverage.list()[0]?.because]).toEqual([edition, 'runs at Anthropic'])
  })

  it('keeps no more of a stranger’s names and reasons than other processes will read', () => {
    const coverage = new Coverage(() => undefined)
    const long = 'x'.repeat(5_000)
    coverage.cover('mcp', long, [{ tool: long, standing: 'ungated', because: long }])
    const [seen] = coverage.list()
    expect([seen?.server.length, seen?.tool.length, seen?.because?.length]).toEqual([128, 128, 256])
  })
})

describe('the tripwire', () => {
  it('is silent about a call that was admitted, and about one that runs elsewhere by the operator’s leave', async () => {
    const gate = testGate({})
    const me = gate.as(ALICE, { conversation: 'talk' })
    me.register([READ])
    await me.run({ tool: 'read', input: {}, callId: 'c1' }, () => 'x')
    await me.markUngated({ tool: 'search', callId: 'c2' }, 'runs on the provider')
    expect(me.reportRun('openai', { tool: 'read', callId: 'c1' })).toBe(true)
    expect(me.reportRun('openai', { tool: 'search', callId: 'c2' })).toBe(true)
    expect(gate.events.filter((event) => event.event === 'programmer-warned')).toEqual([])
  })

  it('keeps nothing of how long the ids are that a client chooses', () => {
    const events: GateEvent[] = []
    const coverage = new Coverage((event) => events.push(event))
    const call = (n: number) => ({ server: 'local', tool: 'read', callId: `${n}`.padEnd(1_000_000, 'x') })
    const before = held()
    for (let n = 0; n < 50; n += 1) coverage.admitted('here', call(n))
    expect(held() - before).toBeLessThan(25_000_000)
    expect(coverage.reportRun('here', 'mcp', 'local', 'read', call(0).callId)).toBe(true)
    expect(coverage.reportRun('here', 'mcp', 'local', 'read', call(50).callId)).toBe(false)
    expect(JSON.stringify(events).length).toBeLessThan(1_000)
  })

  it('warns of a call that nobody asked about, of a refused one, and of another conversation’s', async () => {
    const gate = testGate({ tools: { read: { materiality: 'high' } } })
    gate.outage('refused')
    const me = gate.as(ALICE, { conversation: 'talk' })
    me.register([READ])
    await me.admit({ tool: 'read', input: {}, callId: 'c1' })
    gate.heal()
    await me.run({ tool: 'read', input: {}, callId: 'c2' }, () => 'x')
    expect(me.reportRun('openai', { tool: 'read', callId: 'c0' })).toBe(false)
    expect(me.reportRun('openai', { tool: 'read', callId: 'c1' })).toBe(false)
    expect(gate.as(ALICE, { conversation: 'other' }).reportRun('openai', { tool: 'read', callId: 'c2' })).toBe(false)
    expect(me.coverage()).toEqual([
      { host: 'openai', server: 'test', tool: 'read', standing: 'unknown', because: 'ran without an admission' },
    ])
    expect(gate.events.filter((event) => event.event === 'programmer-warned')).toHaveLength(3)
  })
})
