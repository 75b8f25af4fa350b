import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMachine, type Ended, environment, MAIN, type Machine } from './holdpoint.ts'

interface Told {
  readonly tool: string
  readonly code?: string
  readonly input: Readonly<Record<string, unknown>>
  readonly materiality: string
  readonly receipt: string
  readonly failedOpen?: boolean
}

interface Summary {
  readonly executed: readonly Told[]
  readonly refused: readonly Told[]
  readonly receipts: { readonly path: string; readonly count: number; readonly verified: number }
  readonly tampered: { readonly detected: boolean; readonly path: string }
  readonly server: { readonly frames: number }
}

let machine: Machine
let ended: Ended
let summary: Summary

beforeAll(async () => {
  machine = createMachine()
  ended = await machine.run(['demo', '--json'])
  summary = JSON.parse(ended.stdout)
})
afterAll(() => {
  rmSync(dirname(summary.receipts.path), { recursive: true })
  machine.remove()
})

const short = ({ tool, code }: Told): string => (code === undefined ? tool : `${tool} ${code}`)

describe('the demo', () => {
  it('prints one JSON object and nothing else', () => {
    expect(ended.code).toBe(0)
    expect(ended.stderr).toBe('')
    expect(ended.stdout.trim().split('\n')).toHaveLength(1)
  })

  it('runs what the policy permits, once', () => {
    expect(summary.executed.map(short)).toEqual([
      'files/read_text_file',
      'files/write_file',
      'files/read_text_file',
      'files/move_file',
    ])
    const notes = join(dirname(summary.receipts.path), 'notes')
    expect(readFileSync(join(notes, 'summary.txt'), 'utf8')).toBe('Two things to do: Ada, Basel.\n')
    expect(existsSync(join(notes, 'paid.txt'))).toBe(true)
  })

  it('refuses the rest itself: the server is sent nothing but what ran', () => {
    expect(summary.refused.map(short)).toEqual([
      'files/write_file denied_by_policy',
      'files/write_file denied_by_policy',
      'files/move_file approval_required',
      'files/delete_everything tool_unknown',
      'files/edit_file policy_timeout',
      'files/move_file already_executed',
    ])
    expect(summary.server.frames).toBe(summary.executed.length)
    const base = dirname(summary.receipts.path)
    expect(existsSync(join(base, 'outside.txt'))).toBe(false)
    expect(readFileSync(join(base, 'notes', 'todo.txt'), 'utf8')).toContain('Basel')
  })

  it('refuses the high call in an outage, and lets only a low one through, marked', () => {
    expect(summary.refused.find(({ code }) => code === 'policy_timeout')?.materiality).toBe('high')
    expect(summary.executed.filter(({ failedOpen }) => failedOpen).map(({ materiality }) => materiality)).toEqual([
      'low',
    ])
  })

  it('leaves receipts that verify here without further words, and a copy that does not', async () => {
    expect(summary.receipts.count).toBeGreaterThan(0)
    expect(summary.receipts.verified).toBe(summary.receipts.count)
    expect(summary.tampered.detected).toBe(true)
    expect(readFileSync(summary.receipts.path, 'utf8').trim().split('\n')).toHaveLength(summary.receipts.count)
    expect(await machine.here(['verify', summary.receipts.path])).toMatchObject({ code: 0 })
    expect(await machine.here(['verify', summary.tampered.path])).toMatchObject({ code: 1 })
  })

  it('gives every call a receipt that can be explained', async () => {
    const config = join(dirname(summary.receipts.path), 'holdpoint.yaml')
    const { receipt } = summary.refused[1] ?? { receipt: '' }
    const { code, stdout } = await machine.here(['why', receipt, '--config', config])
    expect(code).toBe(0)
    expect(stdout).toContain('/notes/../outside.txt')
    expect(stdout).toMatch(/filesystem\/path-inside {2}forbids/)
    expect(stdout).toContain(`inside "${dirname(summary.receipts.path)}/notes"`)
    expect(stdout).toContain('materiality: low or medium')
    const ids = [...summary.executed, ...summary.refused].map((told) => told.receipt)
    expect(new Set(ids).size).toBe(ids.length)
  })
})

describe('why a call of the demo was refused', () => {
  const why = async (code: string) => {
    const receipt = summary.refused.find((told) => told.code === code)?.receipt ?? ''
    const config = join(dirname(summary.receipts.path), 'holdpoint.yaml')
    return (await machine.here(['why', receipt, '--config', config])).stdout
  }

  it('is not put on a policy where the call had run before; the receipt of that is named', async () => {
    const said = await why('already_executed')
    const moved = summary.executed.find(({ tool }) => tool === 'files/move_file')?.receipt
    expect(said).toContain('because     This very call has already run.')
    expect(said).toContain(`note        it was permitted before: ${moved}`)
    expect(said).not.toContain('does not permit')
  })

  it('is not put on a policy where none was heard', async () => {
    const said = await why('policy_timeout')
    expect(said).toContain('because     The policy point did not answer in time.')
    expect(said).not.toMatch(/had nothing to say|does not permit/)
  })
})

describe('the story as a person reads it', () => {
  it('leaves nothing among the tools of the account', async () => {
    expect(await machine.here(['coverage'])).toMatchObject({ code: 0, stdout: expect.stringMatching(/^no /i) })
  })

  it('ends with the command that verifies what it left behind', async () => {
    const { code, stdout } = await machine.run(['demo'])
    const last = stdout.trimEnd().split('\n').at(-1) ?? ''
    const path = /verify (\S+\.jsonl)$/.exec(last)?.[1] ?? ''
    try {
      expect(code).toBe(0)
      expect(await machine.here(['verify', path])).toMatchObject({ code: 0 })
      for (const line of stdout.split('\n').slice(0, -2)) expect(line.length, line).toBeLessThanOrEqual(80)
      expect(stdout).toContain('None of this reached the server.')
    } finally {
      rmSync(dirname(path), { recursive: true })
    }
  })
})

/** The demo, ended in the middle of its second scene. */
async function endedInTheMiddle(end: (child: ChildProcess) => unknown) {
  const child = spawn(process.execPath, [MAIN, 'demo'], { cwd: machine.folder, env: environment(machine.state) })
  let said = ''
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    complaints += text
  })
  child.stdout.setEncoding('utf8').on('data', (text) => {
    const before = said
    said += text
    if (said.includes('2  A note') && !before.includes('2  A note')) end(child)
  })
  const [code, signal] = await new Promise<readonly [number | null, NodeJS.Signals | null]>((settle) =>
    child.on('exit', (...how) => settle(how)),
  )
  const base = /work in (\S+)\/notes/.exec(said)?.[1] ?? ''
  expect(base).toMatch(/holdpoint-demo-/)
  return { code, signal, complaints, base }
}

describe('a demo that is not watched to its end', () => {
  const ends: readonly (readonly [what: string, code: number, end: (child: ChildProcess) => unknown])[] = [
    ['Ctrl-C', 130, (child) => child.kill('SIGINT')],
    ['a kill', 143, (child) => child.kill('SIGTERM')],
    ['a reader that stops early', 0, (child) => child.stdout?.destroy()],
  ]
  it.each(ends)('leaves neither a folder nor a server behind after %s', async (_what, expected, end) => {
    const { code, signal, complaints, base } = await endedInTheMiddle(end)
    expect({ code, signal, complaints }).toEqual({ code: expected, signal: null, complaints: '' })
    expect(existsSync(base)).toBe(false)
    await expect.poll(() => execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain(base)
  })
})
