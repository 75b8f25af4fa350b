/** `holdpoint approvals approve` on a terminal of its own: key presses, below the whole question. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMachine, environment, MAIN, type Machine } from './holdpoint.ts'
import { openGate, record } from './recorded.ts'

const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) console.log('skipped: approvals with key presses, because "script" (util-linux) is not installed')

let machine: Machine
let ref: string
let child: ChildProcess | undefined
beforeEach(async () => {
  machine = createMachine()
  ref = (await record(machine)).waiting.ref
})
afterEach(() => {
  child?.kill('SIGKILL')
  machine.remove()
})

/** Answers with this key as often as it takes until the command ends; its exit code, and all that stood on the terminal. */
async function answering(key: string): Promise<{ readonly code: number | null; readonly text: string }> {
  const quoted = [process.execPath, MAIN, 'approvals', 'approve', ref].map((word) => `'${word}'`).join(' ')
  const terminal = spawn('script', ['-qefc', `stty cols 80 rows 40; ${quoted}`, '/dev/null'], {
    cwd: machine.folder,
    env: environment(machine.state),
  })
  child = terminal
  let text = ''
  terminal.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  let code: number | null | undefined
  terminal.on('close', (status) => {
    code = status
  })
  while (code === undefined) {
    if (text.includes('[y/n]')) terminal.stdin.write(key)
    await pause(150)
  }
  return { code, text }
}

async function fate(): Promise<string> {
  const gate = openGate(machine)
  const me = gate.as({ user: 'ada', agent: 'support' }, { conversation: 'c1' })
  const result = await me.run({ tool: 'send_mail', input: { to: 'bob@example.org' } }, () => 'sent')
  await gate.close()
  return result.outcome === 'ran' ? result.result : result.refusal.code
}

describe.skipIf(!hasScript)('approvals approve in a terminal', () => {
  it('takes the person’s own y below the whole question, and the call runs once', async () => {
    const { code, text } = await answering('y')
    expect(text).toContain('"to":"bob@example.org"')
    expect(text.indexOf('"to":"bob@example.org"')).toBeLessThan(text.indexOf('[y/n]'))
    expect([code, text]).toEqual([0, expect.stringContaining(`yes, once: ${ref} is approved`)])
    expect([await fate(), await fate()]).toEqual(['sent', 'approval_required'])
  })

  it('takes an n for the no that it is, for good', async () => {
    const { code, text } = await answering('n')
    expect([code, text]).toEqual([0, expect.stringContaining(`no: ${ref} is declined`)])
    expect(await fate()).toBe('approval_declined')
  })

  it('takes nothing else for an answer: whoever leaves has said nothing', async () => {
    const { code, text } = await answering('\u0003')
    expect([code, text]).toEqual([1, expect.stringContaining('Not answered, so it does not run.')])
    expect(await fate()).toBe('approval_pending')
  })
})
