/** `npm run gameday`, as an SRE runs it: an outage of a real OPA, and what the fault matrix says of it. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enginesInstalled } from '../support/engines.ts'

const ROOT = resolve(import.meta.dirname, '../..')

async function run(script: string, ...args: readonly string[]) {
  const { FORCE_COLOR: _colour, ...env } = process.env
  const child = spawn(process.execPath, [resolve(ROOT, 'scripts', script), ...args], {
    env: { ...env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const code = new Promise<number | null>((done) => child.on('close', done))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await code, stdout, stderr }
}

interface Day {
  readonly ok: boolean
  readonly phases: readonly {
    readonly title: string
    readonly breaker: string
    readonly calls: readonly { readonly materiality: string; readonly outcome: string; readonly expected: string }[]
  }[]
  readonly counters: { readonly failureOpenings: number; readonly overrideUses: number; readonly holds: number }
  readonly receipts: { readonly ok: boolean; readonly failureOpenings: number; readonly overrideUses: number }
  readonly folder: string
}

beforeAll(async () => {
  expect(await run('build.mjs')).toEqual({ code: 0, stdout: '', stderr: '' })
}, 120_000)

describe.skipIf(!enginesInstalled())('the gameday', () => {
  let day: Day
  let ended: Awaited<ReturnType<typeof run>>
  beforeAll(async () => {
    ended = await run('gameday.mjs', '--json')
    day = JSON.parse(ended.stdout)
  }, 120_000)
  afterAll(() => {
    if (dirname(day.folder) === tmpdir() && basename(day.folder).startsWith('holdpoint-'))
      rmSync(day.folder, { recursive: true })
  })

  it('goes as the matrix says, and prints one JSON object and nothing else', () => {
    expect(ended).toMatchObject({ code: 0, stderr: '' })
    expect(ended.stdout.trim().split('\n')).toHaveLength(1)
    expect(day.ok).toBe(true)
    for (const { calls } of day.phases)
      expect(calls.map(({ outcome }) => outcome)).toEqual(calls.map(({ expected }) => expected))
  })

  it('shows high refused in the whole outage, and everything running again after it', () => {
    const seen = day.phases.map(({ title, breaker, calls }) => [
      title,
      breaker,
      ...calls.map(({ materiality, outcome }) => `${materiality}: ${outcome}`),
    ])
    expect(seen).toEqual([
      ['Healthy', 'closed', 'low: run', 'medium: run', 'high: run'],
      ['Slow', 'closed', 'low: run', 'medium: run', 'high: run'],
      ['Hung', 'open', 'low: run, fail_open', 'medium: refuse policy_timeout', 'high: refuse policy_timeout'],
      ['Open', 'open', 'low: run, fail_open', 'medium: refuse circuit_open', 'high: refuse circuit_open'],
      ['Killed', 'open', 'low: run, fail_open', 'medium: run, override', 'high: refuse circuit_open'],
      ['Held', expect.any(String), 'high: run'],
      ['Healed', 'closed', 'low: run', 'medium: run', 'high: run'],
    ])
  })

  it('I5: counts as many openings and overrides as there are receipts of them', () => {
    expect(day.counters).toMatchObject({ failureOpenings: 3, overrideUses: 1, holds: 1 })
    expect(day.receipts).toMatchObject({ ok: true, failureOpenings: 3, overrideUses: 1 })
  })
})

describe('the command', () => {
  it('says what it is, and what it does not know', async () => {
    expect(await run('gameday.mjs', '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('--json') })
    expect(await run('gameday.mjs', '--jsn')).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('--jsn'),
    })
  })
})
