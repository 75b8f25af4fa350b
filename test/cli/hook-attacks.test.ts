/** What hosts, agents and machines may do to `holdpoint hook`: every way out is a no, and no outcome is invented. */
import { spawn } from 'node:child_process'
import fs, {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { BriefGate } from '../../src/cli/hook/gate.ts'
import { readSaid } from '../../src/cli/hook/said.ts'
import { MAIN } from './holdpoint.ts'
import { asking, CONFIG, stage, told } from './hook-stage.ts'

const { renameSync } = fs
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
  fs.renameSync = renameSync
  syncBuiltinESMExports()
})

const handedIn = (state: string) => path.join(state, 'receipts', 'handed')
const notesIn = (state: string) => readdirSync(handedIn(state)).filter((name) => name.endsWith('.json'))

/** What a write of a note does instead. */
function whenNoted(instead: (from: string, to: string) => void): void {
  fs.renameSync = ((from: string, to: string) =>
    to.includes('/handed/') ? instead(from, to) : renameSync(from, to)) as typeof renameSync
  syncBuiltinESMExports()
}

describe('arguments that a host says have run', () => {
  it('are those that were decided, or the outcome is unknown and whoever set up the host is told', async () => {
    const { say, receipts, covered, state } = stage()
    await say(asking('echo sesame'))
    const [note = ''] = notesIn(state)
    const noted = () => readFileSync(path.join(handedIn(state), note), 'utf8')
    // No note holds arguments: a salted digest stands for them, and that no longer than the call runs.
    expect(noted()).toContain('"given"')
    expect(noted()).not.toContain('sesame')
    const otherwise = await say(told('rm -r /'), '--json')
    expect(otherwise).toMatchObject({ code: 0, stderr: expect.stringContaining('with other arguments') })
    expect(JSON.parse(otherwise.stdout)).toMatchObject({ recorded: false, warning: 'ran_with_other_arguments' })
    const [outcome, ...more] = (await receipts()).filter(({ kind }) => kind === 'outcome')
    expect(more).toEqual([])
    expect(outcome).toMatchObject({ status: 'unknown' })
    expect(outcome).not.toHaveProperty('result')
    expect((await covered()).stdout).toContain('ran with other arguments than were decided')
    expect(noted()).not.toContain('"given"')
    // It has its outcome: what comes now changes nothing.
    expect(await say(told('echo sesame'))).toEqual({ code: 0, stdout: '', stderr: '' })
  })

  it('are those that policy made of them', async () => {
    const limit = `@id("some") @obligation("limit:{\\"path\\":\\"/amount\\",\\"max\\":10}") permit (principal is User, action, resource);`
    const call = (id: string, amount: number) => ({
      tool: 'refund',
      server: 'shop',
      input: { amount },
      call: id,
      session: 's',
    })
    const { say, outcomes, file } = stage()
    writeFileSync(path.join(path.dirname(file), 'rules.cedar'), limit)
    for (const id of ['a', 'b']) await say({ event: 'before', ...call(id, 40) })
    const asAsked = await say({ event: 'after', ...call('a', 40), status: 'ok' })
    expect(asAsked.stderr).toContain('Run the "input" of the answer')
    expect(await say({ event: 'after', ...call('b', 10), status: 'ok' })).toMatchObject({ code: 0, stderr: '' })
    expect(await outcomes()).toEqual(['unknown', 'ok'])
  })

  it('are nobody’s to vouch for where the note was written by a version that kept none of them', async () => {
    const { say, outcomes, state } = stage()
    await say(asking('ls'))
    const [note = ''] = notesIn(state)
    const { given, ...old } = JSON.parse(readFileSync(path.join(handedIn(state), note), 'utf8'))
    expect(given).toEqual({ salt: expect.any(String), digest: expect.any(String) })
    writeFileSync(path.join(handedIn(state), note), JSON.stringify(old))
    expect((await say(told('ls'))).stderr).toContain('with other arguments')
    expect(await outcomes()).toEqual(['unknown'])
  })
})

describe('a note that says what was handed over', () => {
  it('is there, or the call does not run', async () => {
    const { say, outcomes, state } = stage()
    mkdirSync(path.join(state, 'receipts'), { mode: 0o700 })
    writeFileSync(handedIn(state), 'no folder', { mode: 0o600 })
    expect(await say(asking('ls'))).toMatchObject({ code: 2, stdout: '' })
    expect(await outcomes()).toEqual(['unknown'])
    rmSync(handedIn(state))
    // Whoever runs it all the same is seen.
    expect((await say(told('ls'))).stderr).toContain('no hook permitted it')
    expect(await outcomes()).toEqual(['unknown'])
  })

  it('does not speak for a call that was refused because writing it failed after it had persisted', async () => {
    const { say, outcomes, state } = stage()
    whenNoted((from, to) => {
      renameSync(from, to)
      throw new Error('EIO: i/o error')
    })
    expect(await say(asking('ls'))).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('EIO') })
    expect(notesIn(state)).toEqual([])
    fs.renameSync = renameSync
    syncBuiltinESMExports()
    expect((await say(told('ls'))).stderr).toContain('no hook permitted it')
    expect(await outcomes()).toEqual(['unknown'])
  })

  it('does not speak for a call either whose end the store knows already', async () => {
    const { say, outcomes, state } = stage()
    await say(asking('ls'))
    const [note = ''] = notesIn(state)
    const kept = readFileSync(path.join(handedIn(state), note))
    await say(told('ls'))
    for (const name of readdirSync(handedIn(state))) rmSync(path.join(handedIn(state), name))
    // As it was before: out of a copy, or because nobody could remove it.
    writeFileSync(path.join(handedIn(state), note), kept, { mode: 0o600 })
    expect((await say(told('ls'))).stderr).toContain('no hook permitted it')
    expect(await outcomes()).toEqual(['ok'])
  })

  it('names its call by a digest, whatever the host calls it', async () => {
    const { say, outcomes, state, root } = stage()
    const id = '../../../../own/holdpoint.yaml'
    const before = { ...asking('ls', id), session_id: '../../x\u0000/COM1' }
    expect((await say(before)).code).toBe(0)
    expect(notesIn(state)).toEqual([expect.stringMatching(/^[A-Za-z0-9_-]{43}\.json$/)])
    expect(readFileSync(path.join(root, 'own', 'holdpoint.yaml'), 'utf8')).toBe(CONFIG)
    // Another call, whatever makes names of files alike.
    await say({ ...told('ls', id.toUpperCase()), session_id: before.session_id })
    expect(await outcomes()).toEqual([])
  })

  it('goes where nobody else can write, or the call does not run', async () => {
    const { say, state, root } = stage()
    await say(asking('ls'))
    const open = path.join(root, 'open')
    mkdirSync(open)
    chmodSync(open, 0o777)
    rmSync(handedIn(state), { recursive: true })
    symlinkSync(open, handedIn(state))
    expect(await say(asking('ls', 'c2'))).toMatchObject({ code: 2, stdout: '' })
    expect(readdirSync(open)).toEqual([])
    rmSync(handedIn(state))
    chmodSync(path.join(state, 'receipts'), 0o777)
    expect(await say(asking('ls', 'c3'))).toMatchObject({ code: 2, stdout: '' })
  })

  it('is good whichever way the clock is set, and for a day', async () => {
    const { say, outcomes } = stage()
    const hour = 60 * 60_000
    for (const id of ['a', 'b']) await say(asking('ls', id))
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - hour })
    expect(await say(told('ls', 'a'))).toMatchObject({ code: 0, stderr: '' })
    vi.setSystemTime(Date.now() + 26 * hour)
    expect((await say(told('ls', 'b'))).stderr).toContain('no hook permitted it')
    expect((await outcomes()).slice(0, 1)).toEqual(['ok'])
  })
})

describe('two events of one call', () => {
  const said = (event: object) => readSaid(Buffer.from(JSON.stringify(event)), { servers: {} }).asked

  it('at once are permitted once', async () => {
    const { file, state } = stage()
    vi.stubEnv('HOLDPOINT_STATE', state)
    const gates = [new BriefGate(file), new BriefGate(file)]
    const never = new AbortController().signal
    const decided = await Promise.all(gates.map((gate) => gate.decide(said(asking('ls')), never)))
    expect(decided.map(({ outcome }) => outcome).sort()).toEqual(['permitted', 'refused'])
    await Promise.all(gates.map((gate) => gate.close()))
  })

  it('that has ended are one outcome', async () => {
    const { file, state, say, outcomes } = stage()
    await say(asking('ls'))
    vi.stubEnv('HOLDPOINT_STATE', state)
    const gates = [new BriefGate(file), new BriefGate(file)]
    const ended = await Promise.all(gates.map((gate) => gate.end(said(told('ls')), 'ok', undefined)))
    await Promise.all(gates.map((gate) => gate.close()))
    expect(ended.map(({ outcome }) => outcome).sort()).toEqual(['known', 'recorded'])
    expect(await outcomes()).toEqual(['ok'])
  })

  it('with other arguments under its id are one call, and its outcome is of the first', async () => {
    const { say, outcomes } = stage()
    await say(asking('ls'))
    expect(await say(asking('ls -a'))).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringContaining('key_reuse'),
    })
    expect(await say(told('ls'))).toMatchObject({ code: 0, stderr: '' })
    expect(await outcomes()).toEqual(['ok'])
  })
})

describe('what comes on stdin', () => {
  const bytes = (text: string) => Buffer.from(text)
  const event = JSON.stringify(asking('ls'))

  it.each([
    ['begins with a byte order mark', bytes(`\ufeff${event}`)],
    ['is no UTF-8', Buffer.concat([bytes(event.slice(0, -2)), Buffer.from([0xff]), bytes(event.slice(-2))])],
    ['holds a NUL', bytes(event.replace('ls', 'l\0s'))],
    ['goes on with another event', bytes(`${event}\n${event}`)],
    ['says one thing twice', bytes(event.replace('"Bash"', '"Bash","tool_\\u006eame":"Read"'))],
    ['reaches prototypes', bytes(event.replace('"command"', '"__proto__":{},"command"'))],
    ['has half a character in an id', bytes(event.replace('toolu_1', '\\ud800'))],
    ['has an id without an end', bytes(event.replace('toolu_1', 'x'.repeat(257)))],
    ['is nested without an end', bytes(event.replace('"ls"', '['.repeat(100_000)))],
    ['is UTF-16', Buffer.from(event, 'utf16le')],
  ])('and %s is no event', (_, stdin) => {
    expect(() => readSaid(stdin, { servers: {} })).toThrow(/^stdin: /)
  })

  it('may be a result as large as hosts have them, with numbers that no call may have', async () => {
    const { say, outcomes } = stage()
    await say(asking('ls'))
    const large = told('ls', 'toolu_1', {
      tool_response: { stdout: 'x'.repeat(2_000_000), lines: Array(20_000).fill(1) },
    })
    await say(JSON.stringify(large).replace('"stdout":', '"id":12345678901234567890,"stdout":'))
    expect(await outcomes()).toEqual(['ok'])
    const refused = await say(JSON.stringify(asking('ls', 'c')).replace('"ls"', '"ls","id":12345678901234567890'))
    expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('arguments_rejected') })
  })
})

describe('the process behind holdpoint hook', () => {
  function start(
    { file, state }: ReturnType<typeof stage>,
    stdout: 'pipe' | number = 'pipe',
    more: readonly string[] = [],
  ) {
    const env = { PATH: process.env['PATH'], HOLDPOINT_STATE: state }
    const child = spawn(process.execPath, [...more, MAIN, 'hook', '--config', file], {
      env,
      stdio: ['pipe', stdout, 'pipe'],
    })
    const stderr: Buffer[] = []
    child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk))
    const ended = new Promise<{ code: number | null; stderr: string }>((resolve) =>
      child.on('close', (code) => resolve({ code, stderr: Buffer.concat(stderr).toString() })),
    )
    return { child, ended }
  }

  it('says no where its host has stopped to listen', async () => {
    const { child, ended } = start(stage())
    child.stdout?.destroy()
    child.stdin?.end(JSON.stringify(asking('ls')))
    expect((await ended).code).toBe(2)
  })

  it.skipIf(process.platform !== 'linux')('says no where its answer finds no room, or nobody to take it', async () => {
    for (const device of ['/dev/full', '/dev/null']) {
      const stdout = openSync(device, 'w')
      const { child, ended } = start(stage(), stdout)
      child.stdin?.end(JSON.stringify(asking('ls')))
      expect((await ended).code, device).toBe(2)
      closeSync(stdout)
    }
  })

  it.skipIf(process.platform !== 'linux')('says no when it is told to end', async () => {
    const { child, ended } = start(stage())
    // It can be told once it listens: bit 0 of what it catches is SIGHUP, which Node by itself does not.
    const catches = () => /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? '0'
    await vi.waitUntil(() => (BigInt(`0x${catches()}`) & 1n) !== 0n, { timeout: 20_000 })
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 2, stderr: expect.stringContaining('SIGTERM') })
  })

  it('that dies between its decision and its note has run nothing, and nothing runs under that id again', async () => {
    const here = stage()
    const dying = path.join(here.root, 'dying.mjs')
    writeFileSync(
      dying,
      `import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
const { renameSync } = fs
fs.renameSync = (from, to) => (to.includes('/handed/') ? process.kill(process.pid, 'SIGKILL') : renameSync(from, to))
syncBuiltinESMExports()
`,
    )
    const { child, ended } = start(here, 'pipe', ['--import', dying])
    child.stdin?.end(JSON.stringify(asking('ls')))
    const said: Buffer[] = []
    child.stdout?.on('data', (chunk: Buffer) => said.push(chunk))
    expect((await ended).code).toBe(null)
    expect(said).toEqual([])
    expect(await here.say(asking('ls'))).toMatchObject({ code: 2, stderr: expect.stringContaining('outcome_unknown') })
    expect(await here.outcomes()).toEqual(['unknown'])
  })
})
