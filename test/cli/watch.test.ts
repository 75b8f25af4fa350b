import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openDesk } from '../../src/store/sqlite-reader.ts'
import type { Admission, Gate } from '../../src/types.ts'
import { createMachine, environment, MAIN, type Machine } from './holdpoint.ts'
import { configure, openGate } from './recorded.ts'

// `script` gives the command a terminal of its own, so that these are key presses and not a pipe.
const hasScript = spawnSync('script', ['--version']).status === 0
if (!hasScript) console.log('skipped: watch with key presses, because "script" (util-linux) is not installed')

const RLO = '\u202e'

let machine: Machine
let gate: Gate
let watcher: Watcher | undefined

interface Watcher {
  readonly child: ChildProcess
  seen(): string
  type(keys: string): void
  readonly closed: Promise<number | null>
}

beforeEach(async () => {
  machine = createMachine()
  configure(machine)
  gate = openGate(machine)
  await gate.ready()
})
afterEach(async () => {
  watcher?.child.kill('SIGKILL')
  watcher = undefined
  await gate.close()
  machine.remove()
})

function watch(command: string, args: readonly string[], on = machine): Watcher {
  const child = spawn(command, args, { cwd: on.folder, env: environment(on.state) })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    text += chunk
  })
  return {
    child,
    seen: () => text,
    type: (keys) => void child.stdin.write(keys),
    closed: new Promise((settle) => child.on('close', settle)),
  }
}

/** `holdpoint watch` in a terminal of 80 columns. */
function watchInTerminal(on = machine): Watcher {
  const quoted = [process.execPath, MAIN, 'watch'].map((word) => `'${word}'`).join(' ')
  return watch('script', ['-qefc', `stty cols 80 rows 40; ${quoted}`, '/dev/null'], on)
}

async function until(condition: () => boolean | Promise<boolean>, meanwhile: () => void = () => {}): Promise<void> {
  while (!(await condition())) {
    meanwhile()
    await pause(150)
  }
}

/** A call that needs the person's yes. It waits as soon as the watcher is there. */
async function sendMail(text: string): Promise<{ readonly settled: Promise<Admission> }> {
  const me = gate.as({ user: 'ada' }, { conversation: 'c1' })
  return { settled: me.admit({ tool: 'send_mail', input: { to: 'bob', text }, callId: text }) }
}

/** The watcher has said that it is there: from now on calls wait for it. */
async function attended(there: Watcher, on = machine): Promise<void> {
  await until(() => there.seen().includes('watching'))
  const desk = openDesk(`${on.state}/receipts`)
  await until(() => desk.attended().catch(() => false))
  await desk.close()
}

describe.skipIf(!hasScript)('watch in a terminal', () => {
  it('lets a call run once after the person’s own y, and shows exactly what it runs with', async () => {
    const there = watchInTerminal()
    watcher = there
    await attended(there)
    const { settled } = await sendMail(`pay${RLO}eve`)
    await until(() => there.seen().includes('[y/n]'))
    expect(there.seen()).toContain('"text":"pay⟨U+202E⟩eve"')
    expect(there.seen()).not.toContain(RLO)
    expect(there.seen()).toContain('shop/send_mail')
    let admission: Admission | undefined
    void settled.then((value) => {
      admission = value
    })
    await until(
      () => admission !== undefined,
      () => there.type('y'),
    )
    expect(admission?.outcome).toBe('permitted')
    if (admission?.outcome === 'permitted') {
      expect(admission.begin()).toEqual({ outcome: 'begun', input: { to: 'bob', text: `pay${RLO}eve` } })
      await admission.settle({ status: 'ok' })
    }
    await until(() => there.seen().includes('mail-needs-a-yes'))
    there.type('\u0003')
    expect(await there.closed).toBe(0)
  })

  it('takes a y only below the last page: nobody says yes to what they were not shown', async () => {
    const there = watchInTerminal()
    watcher = there
    await attended(there)
    const words = Array.from({ length: 500 }, (_, n) => `word ${n}`).join(' ')
    const { settled } = await sendMail(words)
    let admission: Admission | undefined
    void settled.then((value) => {
      admission = value
    })
    await until(() => there.seen().includes('page 1 of 2'))
    await pause(600)
    there.type('y')
    await pause(1_000)
    expect(admission).toBeUndefined()
    expect(there.seen()).not.toContain('[y/n]')
    await until(
      () => there.seen().includes('[y/n]'),
      () => there.type(' '),
    )
    await until(
      () => admission !== undefined,
      () => there.type('y'),
    )
    expect(admission?.outcome).toBe('permitted')
    if (admission?.outcome === 'permitted') await admission.settle({ status: 'not_executed' })
  })

  it('is there for the very first call of a machine, when it was started before it', async () => {
    const first = createMachine()
    configure(first)
    const there = watchInTerminal(first)
    watcher = there
    await attended(there, first)
    const later = openGate(first)
    const settled = later.as({ user: 'ada' }).admit({ tool: 'send_mail', input: { to: 'bob' } })
    await until(
      () => there.seen().includes('\nno') || there.seen().includes('no\r'),
      () => there.type('n'),
    )
    expect(await settled).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_declined' } })
    there.child.kill('SIGKILL')
    await later.close()
    first.remove()
  })

  it('refuses after an n', async () => {
    const there = watchInTerminal()
    watcher = there
    await attended(there)
    const { settled } = await sendMail('hello')
    await until(() => there.seen().includes('[y/n]'))
    await until(
      () => there.seen().includes('\nno') || there.seen().includes('no\r'),
      () => there.type('n'),
    )
    expect(await settled).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_declined' } })
  })

  it('takes no other key, no paste, no escape sequence and no Ctrl-C for a yes', async () => {
    const there = watchInTerminal()
    watcher = there
    await attended(there)
    const stop = new AbortController()
    const me = gate.as({ user: 'ada' }, { conversation: 'c1' })
    const settled = me.admit({ tool: 'send_mail', input: { to: 'bob' } }, { signal: stop.signal })
    await until(() => there.seen().includes('[y/n]'))
    await pause(600)
    for (const keys of ['\r', 'x', 'yes\n', '\u001b[Ay', ' ', 'Y\n']) {
      there.type(keys)
      await pause(200)
    }
    there.type('\u0003')
    expect(await there.closed).toBe(0)
    expect(there.seen()).toContain('not answered, so it does not run')
    stop.abort()
    expect((await settled).outcome).toBe('refused')
  })
})

describe('watch without a terminal', () => {
  it('shows calls as data and asks nobody, so that no call waits for it', async () => {
    const there = watch(process.execPath, [MAIN, 'watch', '--json', '--all'])
    watcher = there
    const me = gate.as({ user: 'ada' }, { conversation: 'c1' })
    const { settled } = await sendMail('hello')
    expect(await settled).toMatchObject({ outcome: 'refused', refusal: { code: 'approval_required' } })
    await me.run({ tool: 'list_orders', input: {} }, () => [])
    await until(() => there.seen().includes('"status":"ok"'))
    const lines = there
      .seen()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { readonly tool?: string; readonly decision?: string; readonly code?: string })
    expect(lines).toContainEqual(expect.objectContaining({ tool: 'shop/send_mail', code: 'approval_required' }))
    expect(lines).toContainEqual(
      expect.objectContaining({ tool: 'shop/list_orders', outcome: 'permitted', decision: 'permit' }),
    )
    there.child.kill('SIGINT')
    expect(await there.closed).toBe(0)
  })
})
