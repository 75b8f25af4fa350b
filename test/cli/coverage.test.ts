/** `holdpoint coverage`: in another process than the gate, and over all gates of an account. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import type { Gate } from '../../src/types.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const temporary = temporaryFolders()
let state: string
let gates: Gate[]

beforeEach(() => {
  state = temporary()
  gates = []
  vi.stubEnv('HOLDPOINT_STATE', state)
})
afterEach(async () => {
  for (const gate of gates) await gate.close()
  vi.unstubAllEnvs()
})

function gateOf(server = 'shop'): Gate {
  const gate = createGate({ config: false, server, policy: () => 'permit', events: [] })
  gates.push(gate)
  return gate
}
const coverage = (...args: readonly string[]) => runHere('coverage', ...args)
const read = async (...args: readonly string[]) => JSON.parse((await coverage('--json', ...args)).stdout)

/** A gate with a tool of each standing, closed as its program ends. */
async function runProgram(): Promise<void> {
  const gate = gateOf()
  gate.cover('openai', [
    { tool: 'lookup_order', standing: 'gated' },
    { tool: 'web_search', standing: 'ungated', because: 'runs on the provider' },
  ])
  gate.cover('mcp', [{ tool: 'read_file', standing: 'gated', because: 'quarantined: tool_changed' }], {
    server: 'files',
  })
  const me = gate.as({ user: 'alice' }, { conversation: 'talk' })
  for (const callId of ['c1', 'c2']) await me.markUngated({ tool: 'web_search', callId }, 'runs on the provider')
  me.reportRun('openai', { tool: 'erase', callId: 'c3' })
  await gate.close()
}

describe('holdpoint coverage', () => {
  it('explains itself', async () => {
    const { code, stdout } = await coverage('--help')
    expect(code).toBe(0)
    for (const words of ['Usage: holdpoint coverage', '--since', '--json', 'Exits 1', 'Examples:'])
      expect(stdout).toContain(words)
  })

  it('says where nothing was seen what to do about it', async () => {
    const { code, stdout, stderr } = await coverage()
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^No host has shown a gate its tools since .*\nRun your program once with guardTools/)
    expect(await read()).toMatchObject({ tools: [], gated: 0, ungated: 0, unknown: 0 })
  })

  it('lists every tool by host, counts the uses that no gate held, and ends with 1 while one is unknown', async () => {
    await runProgram()
    const { code, stdout } = await coverage()
    expect(code).toBe(1)
    expect(stdout.replace(/seen \S+/, 'seen NOW')).toBe(
      `mcp
  gated    files/read_file    quarantined: tool_changed
openai
  unknown  shop/erase         ran without an admission; seen NOW
  gated    shop/lookup_order
  ungated  shop/web_search    runs on the provider; used 2 times
4 tools: 2 gated, 1 ungated, 1 unknown
Pass what is unknown to guardTools, with every other tool of its host, or take it away.
A tool that was mended is listed until --since leaves its last sight out.
`,
    )
    const { tools, ...counts } = await read()
    expect(counts).toMatchObject({ folder: join(state, 'coverage'), gated: 2, ungated: 1, unknown: 1 })
    expect(tools[3]).toEqual({
      host: 'openai',
      server: 'shop',
      tool: 'web_search',
      standing: 'ungated',
      because: 'runs on the provider',
      gates: ['shop'],
      seenAt: expect.any(Number),
      uses: 2,
    })
  })

  it('ends with 0 where everything is gated, or runs elsewhere by leave', async () => {
    const gate = gateOf()
    gate.cover('openai', [
      { tool: 'read', standing: 'gated' },
      { tool: 'search', standing: 'ungated' },
    ])
    await gate.close()
    expect(await coverage()).toMatchObject({ code: 0, stdout: expect.stringContaining('used 0 times') })
  })

  it('takes the worst of what several gates saw of a tool, whichever came last', async () => {
    for (const [name, standing] of [
      ['one', 'gated'],
      ['two', 'unknown'],
      ['three', 'gated'],
    ] as const) {
      const gate = gateOf(name)
      gate.cover('openai', [{ tool: 'erase', standing }], { server: 'shop' })
      await gate.close()
    }
    expect(readdirSync(join(state, 'coverage'))).toHaveLength(3)
    expect((await read()).tools).toMatchObject([{ tool: 'erase', standing: 'unknown', gates: ['one', 'three', 'two'] }])
  })

  it('leaves out what was seen before --since', async () => {
    await runProgram()
    const later = Date.now() + 3_600_000
    vi.spyOn(Date, 'now').mockReturnValue(later)
    expect((await read('--since', '2h')).tools).toHaveLength(4)
    expect(await coverage('--since', '30m')).toMatchObject({ code: 0, stdout: expect.stringContaining('No host has') })
    vi.restoreAllMocks()
  })

  it('leaves nothing behind of a gate whose receipts are in memory', async () => {
    const gate = createGate({ config: false, store: 'memory', policy: () => 'permit', events: [] })
    gates.push(gate)
    gate.cover('openai', [{ tool: 'read', standing: 'gated' }])
    await gate.close()
    expect((await read()).tools).toEqual([])
  })

  it('obeys no word of a tool: what would move the cursor is marked', async () => {
    const gate = gateOf()
    gate.cover('openai', [{ tool: 'read\u001b[2J', standing: 'unknown', because: 'x\u0007' }])
    await gate.close()
    const { stdout } = await coverage()
    expect(stdout).toContain('read⟨U+001B⟩[2J')
    for (const obeyed of ['\u0007', '\u001b']) expect(stdout).not.toContain(obeyed)
  })

  it.each([
    [['--since', 'yesterday'], '"yesterday" is neither an age'],
    [['--config', '/nowhere.yaml'], '/nowhere.yaml'],
    [['--colour'], "unknown option '--colour'"],
  ])('answers %j with one line and exit 2', async (args, words) => {
    const { code, stdout, stderr } = await coverage(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(words)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  it('does not call a file that nobody can read a good one', async () => {
    mkdirSync(join(state, 'coverage'))
    const file = join(state, 'coverage', `${'A'.repeat(43)}.json`)
    writeFileSync(file, '{}')
    expect(await coverage()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${file} is not what a gate wrote`),
    })
  })
})
