import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { REFUSAL_KEY } from '../../adapters/mcp/index.ts'
import { openDesk } from '../../src/store/sqlite-reader.ts'
import { isGone } from '../adapters/mcp-proxy/stdio-session.ts'
import { answerBy } from '../support/approvals.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { type Ended, environment, MAIN, run } from './holdpoint.ts'
import { runHere } from './in-process.ts'

const ODD_SERVER = resolve(import.meta.dirname, '../support/odd-server-child.ts')
const folder = temporaryFolders()
const started: ChildProcess[] = []

afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
})

interface Frame {
  readonly id?: number
  readonly result?: {
    readonly content?: readonly { readonly text: string }[]
    readonly _meta?: Record<string, unknown>
  }
}

/** The proxy as a host starts it, and a client by hand. */
interface Proxy {
  readonly child: ChildProcess
  readonly lines: readonly string[]
  call(name: string, args?: object): Promise<Frame>
  ask(method: string, params: object): Promise<Frame>
  stderr(): string
  readonly ended: Promise<Ended>
}

interface Place {
  readonly cwd: string
  readonly state: string
}

function place(): Place {
  const at = folder()
  mkdirSync(join(at, 'cwd'))
  return { cwd: join(at, 'cwd'), state: join(at, 'state') }
}

async function startProxy(
  { cwd, state }: Place,
  flags: readonly string[] = [],
  ways: readonly string[] = [],
  node: readonly string[] = [],
): Promise<Proxy> {
  const server = [process.execPath, ODD_SERVER, join(state, '..', 'ran'), ...ways]
  const child = spawn(process.execPath, [...node, MAIN, 'mcp', '--name', 'odd', ...flags, '--', ...server], {
    cwd,
    env: environment(state),
  })
  started.push(child)
  const lines: string[] = []
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  child.stdin.on('error', () => undefined)
  const waiting = new Map<number, (frame: Frame) => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    const frame = JSON.parse(line) as Frame
    waiting.get(frame.id ?? -1)?.(frame)
  })
  const ended = new Promise<Ended>((done) => {
    child.once('close', (code) => done({ code, stdout: lines.join('\n'), stderr }))
  })
  let last = 0
  const ask = (method: string, params: object): Promise<Frame> => {
    last += 1
    const id = last
    const answer = new Promise<Frame>((done) => waiting.set(id, done))
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`)
    const gone = ended.then(({ code }) => Promise.reject(new Error(`ended with ${code}: ${stderr}`)))
    return Promise.race([answer, gone])
  }
  await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand' } })
  const call = (name: string, args = {}) => ask('tools/call', { name, arguments: args })
  return { child, lines, ask, call, stderr: () => stderr, ended }
}

function refusalIn({ result }: Frame): unknown {
  return result?._meta?.[REFUSAL_KEY]
}

describe('what cannot be served', () => {
  it.each([
    [['mcp'], 'which server? after -- comes the command'],
    [['mcp', '--name', 'files'], 'which command starts files?'],
    [['mcp', 'node', 'server.js'], 'what do you call this server?'],
    [['mcp', '--name', 'My Files', '--', 'x'], '--name: "My Files" is no name'],
    [['mcp', '--name', 'local', '--', 'x'], "tools of one's own"],
    [['mcp', '--nmae', 'files', '--', 'x'], "unknown option '--nmae'"],
    [['mcp', '--name', 'x', '--observe', '--', 'x'], '--observe needs an end'],
    [['mcp', '--name', 'x', '--until', '2026-01-01', '--', 'x'], '--until is for --observe'],
    [['mcp', '--name', 'x', '--observe', '--until', 'tomorrow', '--', 'x'], '--until must be a date, such as 20'],
    [['mcp', '--name', 'x', '--timeout', '0', '--', 'x'], '--timeout must be a whole number'],
    [['mcp', '--name', 'x', '--issuer', 'https://as.example', '--', 'x'], '--issuer is for HTTP'],
    [['mcp', '--upstream', 'shop=https://x.example/mcp'], 'say where to listen'],
    [['mcp', '--listen', '127.0.0.1:0', '--upstream', 'shop'], '--upstream must be NAME=URL'],
    [['mcp', '--listen', '127.0.0.1:0', '--upstream', 'shop=ftp://x'], 'is no http or https URL'],
    [
      ['mcp', '--listen', '127.0.0.1:0', '--upstream', 'shop=https://me:secret@x.example/'],
      'credentials do not belong',
    ],
    [['mcp', '--listen', 'nowhere', '--upstream', 'shop=https://x.example/'], '--listen must be HOST:PORT'],
    [
      ['mcp', '--listen', '127.0.0.1:0', '--upstream', 'a=https://x.example/', '--upstream', 'a=https://y.example/'],
      'cannot both be called a',
    ],
  ])('%j is one line and exit 2', async (args, said) => {
    const { code, stdout, stderr } = await runHere(...args)
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toContain(said)
    expect(stderr.trimEnd()).not.toContain('\n')
    expect(stderr).not.toContain('secret')
  })

  it.each([
    [
      'a command that is not there',
      [],
      ['no-such-program'],
      'no-such-program cannot be started: there is no such program',
    ],
    [
      'a policy that is not there',
      ['--policy', 'nowhere.cedar'],
      [process.execPath, ODD_SERVER],
      'cannot read the policy file',
    ],
    [
      'a shipped policy that is misspelt',
      ['--policy', 'strikt/v1'],
      [process.execPath, ODD_SERVER],
      'did you mean "strict/v1"?',
    ],
    [
      'a configuration that is not there',
      ['--config', 'no.yaml'],
      [process.execPath, ODD_SERVER],
      'no.yaml does not exist',
    ],
    ['an end beyond 30 days', ['--observe', '--until', '2999-01-01'], [process.execPath, ODD_SERVER], '30 days'],
  ])('%s is one line and exit 2, and nothing is answered', async (_, flags, command, said) => {
    const { cwd, state } = place()
    const { code, stdout, stderr } = await run([MAIN, 'mcp', '--name', 'odd', ...flags, '--', ...command], {
      cwd,
      state,
      input: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n',
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(said)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  it.each([
    ['an address that others can reach, without tokens', () => ['--listen', '0.0.0.0:0'], 'travel in the clear'],
    ['a port that is taken', (taken: number) => ['--listen', `127.0.0.1:${taken}`], 'is taken by another program'],
    [
      'a header whose secret is not set',
      () => ['--listen', '127.0.0.1:0', '--upstream-header', 'up=Authorization: Bearer $' + '{NO_SUCH_VARIABLE}'],
      'NO_SUCH_VARIABLE, which is not set',
    ],
  ])('over HTTP: %s ends in one line and exit 2', async (_, flags, said) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const args = [MAIN, 'mcp', '--upstream', 'up=http://127.0.0.1:1/mcp', ...flags(port)]
    const { code, stdout, stderr } = await run(args, place())
    other.close()
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(said)
    expect(stderr.trimEnd()).not.toContain('\n')
  })

  it('pins that somebody has damaged are told of, and no tool is served', async () => {
    const { cwd, state } = place()
    mkdirSync(join(state, 'pins'), { recursive: true, mode: 0o700 })
    writeFileSync(join(state, 'pins', 'odd.json'), '{"half', { mode: 0o600 })
    const args = [MAIN, 'mcp', '--name', 'odd', '--', process.execPath, ODD_SERVER]
    const { code, stdout, stderr } = await run(args, { cwd, state })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('odd.json')
  })
})

describe('with no configuration', () => {
  it('runs what is low, and refuses what needs a yes until somebody gives it; the store is where watch, why and verify look', async () => {
    const at = place()
    // What stands in the folder where a host starts it may be the agent's own work.
    writeFileSync(join(at.cwd, 'holdpoint.yaml'), 'this is not: [a configuration')
    mkdirSync(join(at.cwd, 'policies'))
    writeFileSync(join(at.cwd, 'policies', 'mine.cedar'), 'permit (principal, action, resource);')
    const proxy = await startProxy(at)
    expect((await proxy.call('get_note', { id: 1 })).result?.content?.[0]?.text).toBe('get_note {"id":1}')

    const first = await proxy.call('hang', { id: 1 })
    expect(refusalIn(first)).toMatchObject({ code: 'approval_required', remedy: { kind: 'request_approval' } })
    const { ref } = (refusalIn(first) as { readonly remedy: { readonly ref: string } }).remedy
    const again = await proxy.call('twice', {})
    expect(refusalIn(again)).toMatchObject({ code: 'approval_required' })
    expect(proxy.stderr().match(/holdpoint watch/g)).toHaveLength(1)
    expect(proxy.stderr()).toContain('holdpoint init')
    expect(proxy.stderr()).toContain(ref)

    const desk = openDesk(join(at.state, 'receipts'))
    const [, asked] = await desk.pending()
    await desk.answer(asked?.ref ?? '', answerBy('somebody'))
    await desk.close()
    expect((await proxy.call('twice', {})).result?.content?.[0]?.text).toBe('the first answer')
    proxy.child.stdin?.end()
    const { code } = await proxy.ended
    expect(code).toBe(0)
    expect(readFileSync(join(at.state, '..', 'ran'), 'utf8')).toBe('get_note\ntwice\n')

    const elsewhere = { cwd: folder(), state: at.state }
    const [why, verify, pins, coverage] = await Promise.all([
      run([MAIN, 'why', ref], elsewhere),
      run([MAIN, 'verify'], elsewhere),
      run([MAIN, 'pins', 'review', 'odd'], elsewhere),
      run([MAIN, 'coverage'], elsewhere),
    ])
    expect(coverage).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^mcp\n(.*\n)* {2}gated +odd\/get_note\n/),
    })
    expect(why).toMatchObject({ code: 0, stdout: expect.stringContaining(`user ${userInfo().username}`) })
    expect(verify.code).toBe(0)
    expect(pins.code).toBe(0)
  })
})

describe('stderr', () => {
  it('says loudly that observing protects nothing', async () => {
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const proxy = await startProxy(place(), ['--observe', '--until', until, '--policy', 'strict/v1'])
    expect(proxy.stderr()).toContain('NOTHING IS PROTECTED')
    expect((await proxy.call('get_note', { id: 1 })).result?.content?.[0]?.text).toBe('get_note {"id":1}')
    proxy.child.stdin?.end()
    expect((await proxy.ended).code).toBe(0)
  })

  it('says how a server ended by itself, and the exit code is 1', async () => {
    const at = place()
    const policy = join(at.cwd, 'all.cedar')
    writeFileSync(policy, '@id("all") permit (principal, action, resource);')
    const proxy = await startProxy(at, ['--policy', 'all.cedar'])
    await proxy.call('die')
    const { code, stderr } = await proxy.ended
    expect(code).toBe(1)
    expect(stderr).toContain('holdpoint: odd ended by itself, with exit code 3')
    // Valid, and every permit has its outcome: what was under way is on record as unknown.
    expect((await run([MAIN, 'verify'], at)).code).toBe(0)
  })
})

describe('a proxy that is told to end', () => {
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'by %s takes its server along, and what that one started',
    async (signal) => {
      const at = place()
      writeFileSync(join(at.cwd, 'all.cedar'), '@id("all") permit (principal, action, resource);')
      const proxy = await startProxy(at, ['--policy', 'all.cedar'], ['--stubborn'])
      const pid = Number((await proxy.call('leave_child')).result?.content?.[0]?.text)
      proxy.child.kill(signal)
      expect((await proxy.ended).code).toBe(0)
      expect(await isGone(pid)).toBe(true)
    },
  )

  it('by the death of its host takes its server along, and leaves no call without an outcome', async () => {
    const at = place()
    writeFileSync(join(at.cwd, 'all.cedar'), '@id("all") permit (principal, action, resource);')
    const proxy = await startProxy(at, ['--policy', 'all.cedar'], ['--stubborn'])
    const pid = Number((await proxy.call('leave_child')).result?.content?.[0]?.text)
    proxy.call('hang').catch(() => undefined)
    await proxy.call('get_note')
    for (const end of [proxy.child.stdin, proxy.child.stdout, proxy.child.stderr]) end?.destroy()
    await proxy.ended
    expect(proxy.child.exitCode).toBe(0)
    expect(await isGone(pid)).toBe(true)
    expect((await run([MAIN, 'verify'], at)).code).toBe(0)
  })

  it('by a defect of its own takes its server along', async () => {
    const at = place()
    writeFileSync(join(at.cwd, 'all.cedar'), '@id("all") permit (principal, action, resource);')
    const defect = 'data:text/javascript,process.on("SIGUSR2",()=>{throw new RangeError(["hunter","2"].join(""))})'
    const proxy = await startProxy(at, ['--policy', 'all.cedar'], ['--stubborn'], ['--import', defect])
    const pid = Number((await proxy.call('leave_child')).result?.content?.[0]?.text)
    proxy.child.kill('SIGUSR2')
    const { code, stderr } = await proxy.ended
    expect(code).toBe(1)
    expect(stderr).toContain('holdpoint: this is a defect of holdpoint, which ends here: RangeError')
    expect(stderr).not.toContain('hunter2')
    expect(await isGone(pid)).toBe(true)
  })
})

describe('several proxies of one account', () => {
  it('share the store, each with its own receipts, and none waits for another', async () => {
    const at = place()
    const proxies = await Promise.all(Array.from({ length: 3 }, () => startProxy(at)))
    const answers = await Promise.all(
      proxies.flatMap((proxy) => Array.from({ length: 20 }, (_, id) => proxy.call('get_note', { id }))),
    )
    expect(answers.filter(({ result }) => result?.content?.[0]?.text.startsWith('get_note'))).toHaveLength(60)
    for (const { child } of proxies) child.stdin?.end()
    const codes = await Promise.all(proxies.map(async ({ ended }) => (await ended).code))
    expect(codes).toEqual([0, 0, 0])
    expect((await run([MAIN, 'verify'], at)).code).toBe(0)
  })
})
