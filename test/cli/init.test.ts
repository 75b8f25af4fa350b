import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { askServer } from '../../src/cli/init/mcp-server.ts'
import { createGate } from '../../src/create-gate.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createMachine, environment, MAIN, type Machine } from './holdpoint.ts'
import { runHere } from './in-process.ts'

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/server-filesystem/package.json')
const FILESYSTEM = join(dirname(manifest), 'dist', 'index.js')

let machine: Machine
beforeAll(() => {
  machine = createMachine()
})

/** Where the servers of these tests wrote down which processes they are. */
const servers: string[] = []

afterAll(() => {
  // Also where a test found them alive: nothing of it outlives the run.
  for (const pid of servers.flatMap((pids) => (existsSync(pids) ? JSON.parse(readFileSync(pids, 'utf8')) : [])))
    if (isAlive(pid)) process.kill(pid, 'SIGKILL')
  machine.remove()
})

function file(name: string, text: string): string {
  const path = join(machine.folder, name)
  writeFileSync(path, text)
  return path
}

/** What a gate makes of a configuration and the tools that were saved beside it. */
async function openGate(config: string, tools: string, server: string): Promise<void> {
  const gate = createGate({
    config: { file: config },
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  const lines = readFileSync(tools, 'utf8').trimEnd().split('\n')
  const listed = lines.map((line) => ({ ...JSON.parse(line).tool, origin: 'third-party' as const }))
  expect(gate.register(listed, { server })).toEqual([])
  await gate.close()
}

/** A server that speaks as `answers` says, and writes down its own process and that of a helper which will not leave. */
function server(name: string, answers: string): { readonly command: readonly string[]; readonly pids: string } {
  const pids = join(machine.folder, `${name}.pids`)
  servers.push(pids)
  const script = `
    import { spawn } from 'node:child_process'
    import { writeFileSync } from 'node:fs'
    import { createInterface } from 'node:readline'
    process.on('SIGTERM', () => {})
    const stubborn = "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"
    const helper = spawn(process.execPath, ['-e', stubborn], { stdio: 'inherit' })
    writeFileSync(${JSON.stringify(pids)}, JSON.stringify([process.pid, helper.pid]))
    setInterval(() => {}, 1000)
    const say = (id, result) => console.log(JSON.stringify({ jsonrpc: '2.0', id, result }))
    const answers = ${answers}
    for await (const line of createInterface(process.stdin)) {
      const { id, method, params } = JSON.parse(line)
      answers[method]?.(id, params)
    }`
  return { command: [process.execPath, file(`${name}.mjs`, script)], pids }
}

const HELLO = `initialize: (id) => say(id, { protocolVersion: '2025-06-18', capabilities: {}, serverInfo: { name: 'Shop MCP Server' } })`

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

/** The processes in the file are gone: at once, or as soon as the system has noticed. */
async function expectGone(pids: string): Promise<void> {
  const all: readonly number[] = JSON.parse(readFileSync(pids, 'utf8'))
  expect(all).toHaveLength(2)
  await expect.poll(() => all.filter(isAlive), { timeout: 5_000 }).toEqual([])
}

describe('init from a server', () => {
  it('writes what a gate reads, and lint finds nothing wrong with it', async () => {
    const { code, stdout, stderr } = await machine.run([
      ...['init', '--server', 'files', '--save-tools', 'files.jsonl'],
      ...['--', process.execPath, FILESYSTEM, machine.folder],
    ])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('holdpoint.yaml  14 tools: 3 high, 1 medium, 10 low')
    const text = readFileSync(join(machine.folder, 'holdpoint.yaml'), 'utf8')
    expect(text).toContain(
      '  # high, internal-write: the name says "write"; its server calls it destructive\n' +
        '  files/write_file: {} # { materiality: high, surface: internal-write }\n',
    )
    await openGate(join(machine.folder, 'holdpoint.yaml'), join(machine.folder, 'files.jsonl'), 'files')
    const linted = await machine.here(['policy', 'lint', '--tools', 'files.jsonl'])
    expect(linted).toMatchObject({ code: 0, stdout: '3 policies, 14 tools: 0 mistakes, 0 advice\n' })
  })

  it('suggests a call that fits the tool, and what becomes of it is not that it does not fit', async () => {
    const out = join(machine.folder, 'steps.yaml')
    const { stdout } = await machine.here(['init', '--out', out, '--tools', join(machine.folder, 'files.jsonl')])
    const [, call] = /^ {2}echo '([^']+)' \| npx holdpoint check --tools FILE$/m.exec(stdout) ?? []
    expect(JSON.parse(call ?? '{}')).toEqual({
      tool: 'files/write_file',
      input: { path: 'x', content: 'x' },
      user: 'you',
    })
    const checked = await machine.here(['check', '--json', '--tools', 'files.jsonl'], call)
    expect(JSON.parse(checked.stdout)).toMatchObject({ code: 'approval_required' })
  })

  it('leaves a suggestion that holds once the braces in front of it are deleted', async () => {
    const from = readFileSync(join(machine.folder, 'holdpoint.yaml'), 'utf8')
    const edited = file('edited.yaml', from.replaceAll('{} # {', '{'))
    await openGate(edited, join(machine.folder, 'files.jsonl'), 'files')
    const { stdout } = await machine.here(['classify', '--json', '--config', edited, 'files.jsonl'])
    for (const row of stdout.trimEnd().split('\n')) expect(JSON.parse(row).evidence[0].source).toBe('operator')
  })

  it('overwrites nothing, and starts no server to find that out', async () => {
    const [mine, list] = [file('mine.yaml', 'server: mine\n'), file('mine.json', '{"name":"send_mail"}')]
    const again = await runHere('init', '--out', mine, '--tools', list)
    expect(again).toMatchObject({
      code: 2,
      stdout: '',
      stderr: expect.stringMatching(/mine\.yaml exists and is not overwritten.*second server.*--stdout.*\n$/),
    })
    const saved = await runHere('init', '--stdout', '--save-tools', mine, '--', 'no-such-program')
    expect(saved).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('mine.yaml exists and is not') })
    expect(readFileSync(mine, 'utf8')).toBe('server: mine\n')
  })

  it('reads every page, past log lines and questions, and gives the server a name of ours', async () => {
    const tool = (name: string) => `{ name: '${name}', inputSchema: { type: 'object' } }`
    const { command, pids } = server(
      'pages',
      `{ ${HELLO.replace('=> say', '=> (console.log("starting…"), console.log(\'{"id":"q","method":"roots/list"}\'), say').concat(')')},
        'tools/list': (id, { cursor }) => say(id, cursor === 'two' ? { tools: [${tool('get_order')}] } : { tools: [${tool('wipe')}], nextCursor: 'two' }) }`,
    )
    const { code, stdout } = await runHere('init', '--json', '--stdout', '--', ...command)
    expect(code).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.tools.map(({ tool }: { tool: string }) => tool)).toEqual(['shop/wipe', 'shop/get_order'])
    expect(report.yaml).toContain('  shop/get_order: {} # { materiality: low, surface: read }\n')
    await expectGone(pids)
  })

  it('ends a server that does not answer in time, and the helpers that it started', async () => {
    const { command, pids } = server('silent', `{ ${HELLO} }`)
    const asking = askServer(command, 3_000)
    await expect(asking).rejects.toThrow(/silent\.mjs" did not list its tools within 3 s$/)
    await expectGone(pids)
  })

  it('takes the server along when a person interrupts it', async () => {
    const { command, pids } = server('interrupted', `{ ${HELLO} }`)
    const child = spawn(process.execPath, [MAIN, 'init', '--stdout', '--', ...command], {
      cwd: machine.folder,
      env: environment(machine.state),
      stdio: 'ignore',
    })
    const ended = new Promise((settle) => child.once('close', (_code, signal) => settle(signal)))
    await expect.poll(() => existsSync(pids) && readFileSync(pids, 'utf8') !== '', { timeout: 10_000 }).toBe(true)
    await delay(50)
    child.kill('SIGINT')
    expect(await ended).toBe('SIGINT')
    await expectGone(pids)
  })

  it('says in one harmless line why a server could not be asked', async () => {
    const dying = file('dying.mjs', `console.error('no TOKEN \\u001b[31mset'); process.exit(3)`)
    const died = await runHere('init', '--stdout', '--', process.execPath, dying)
    expect(died).toMatchObject({ code: 2, stdout: '' })
    expect(died.stderr).toMatch(
      /^holdpoint: the server ".*dying\.mjs" ended \(3\) .*it said: no TOKEN ⟨U\+001B⟩\[31mset\n$/,
    )
    const absent = await runHere('init', '--stdout', '--', 'no-such-program')
    expect(absent).toMatchObject({ code: 2, stderr: expect.stringContaining('cannot be started') })
    const odd = server('odd', `{ ${HELLO}, 'tools/list': (id) => say(id, { tools: 'none' }) }`)
    const answered = await runHere('init', '--stdout', '--', ...odd.command)
    expect(answered).toMatchObject({ code: 2, stderr: expect.stringContaining('that is no list of tools') })
    await expectGone(odd.pids)
  })
})

describe('init from a list', () => {
  it('keeps what servers say in comments, where it is harmless', async () => {
    const hostile = 'Reads.\r\n  evil: { materiality: low }\u2028x: 1\u0085y: 2 \u001b[2J\u202e{} # "'
    const list = file(
      'hostile.json',
      JSON.stringify([
        { name: 'get_x', description: hostile, inputSchema: { type: 'object' } },
        { name: 'true', description: 'x'.repeat(100_000) },
        { name: 'a\npolicies: none', description: hostile },
        { name: 'constructor' },
        { name: '__proto__' },
        { name: 'get_x' },
        { name: 'GET_X' },
      ]),
    )
    const { code, stdout } = await runHere('init', '--stdout', '--tools', list)
    expect(code).toBe(0)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202e]/)
    expect(stdout.split('\n').filter((line) => line !== '' && !/^ *#/.test(line))).toEqual([
      'tools:',
      '  "true": { materiality: high } # DECIDE: what can it do? Then say its tier, and its surface',
      '  get_x: {} # { materiality: high, surface: read }',
    ])
    for (const why of ['is listed twice', 'differs from local/get_x only in case', 'has a name that is not usable'])
      expect(stdout.replace(/\n *# /g, ' ')).toContain(why)
  })

  it('names file and line of what is no tool, and what was not asked for clearly', async () => {
    const broken = file('broken.json', '{"tools":[{"title":"nameless"}]}')
    const empty = file('empty.json', '{"tools":[]}')
    const unwritten = join(machine.folder, 'unwritten.yaml')
    for (const [args, says] of [
      [['--tools', broken], 'broken.json, tool 1: is no tool'],
      [['--tools', empty], 'there are no tools in'],
      [[], 'which tools?'],
      [['tools.ts'], 'name what it exports (tools.ts#tools)'],
      [['tools.json'], 'say --tools tools.json'],
      [['--tools', broken, 'x'], 'which of the two?'],
      [['--server', 'Shop', '--tools', broken], '--server "Shop": must be'],
    ] as const) {
      const { code, stdout, stderr } = await runHere('init', '--out', unwritten, ...args)
      expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: '', stderr: expect.stringContaining(says) })
      expect(stderr.trimEnd()).not.toContain('\n')
    }
    expect(existsSync(unwritten)).toBe(false)
  })

  it('suggests no call whose text would end the quotes around it, or that it cannot know to fit', async () => {
    const taking = (schema: object) => ({ type: 'object', properties: { a: schema }, required: ['a'] })
    const tools = [
      { name: 'send_a', inputSchema: taking({ enum: ["'; rm -rf ~ #"] }) },
      { name: 'send_b', inputSchema: taking({ type: 'string', pattern: '^[0-9]{8}$' }) },
      { name: 'send_c', inputSchema: taking({ $ref: '#/nowhere' }) },
    ]
    const list = (name: string, listed: readonly object[]) => file(name, JSON.stringify(listed))
    const out = (name: string) => ['--out', join(machine.folder, name)]
    const none = await runHere('init', ...out('none.yaml'), '--tools', list('none.json', tools))
    expect(none.stdout).not.toContain('echo')
    expect(none.stdout).toContain('npx holdpoint check --help')
    const last = { name: 'send_d', inputSchema: taking({ type: 'array', items: { enum: [7] }, minItems: 1 }) }
    const some = await runHere('init', ...out('some.yaml'), '--tools', list('some.json', [...tools, last]))
    expect(some.stdout).toContain(`  echo '{"tool":"send_d","input":{"a":[7]},"user":"you"}' | npx holdpoint check`)
  })

  it('says of a name that tells nothing that a description lowers nothing', async () => {
    const list = file('zork.json', '[{"name":"zork","description":"Reads."},{"name":"blarg"}]')
    const { stdout } = await runHere('init', '--stdout', '--tools', list)
    const unwrapped = stdout.replace(/\n *# /g, ' ')
    expect(unwrapped.match(/its name does not say what it does/g)).toHaveLength(2)
    expect(unwrapped.match(/its own words lower nothing/g)).toHaveLength(1)
  })

  it('prints instead of writing when it is asked to', async () => {
    const list = file('one.json', '{"name":"send_mail"}')
    const before = readdirSync(machine.folder)
    const { stdout } = await runHere('init', '--stdout', '--tools', list)
    expect(stdout).toContain('  send_mail: {} # { materiality: high, surface: communication }\n')
    expect(readdirSync(machine.folder)).toEqual(before)
  })
})

describe('init from a tool set', () => {
  const zod = import.meta.resolve('zod')

  it('sees its tools as the adapter does, whatever its module prints and keeps open', async () => {
    const module = file(
      'tools.ts',
      `import { z } from ${JSON.stringify(zod)}
       console.log('module is loaded')
       setInterval(() => {}, 1000)
       const inputSchema = z.object({ command: z.string() })
       export const tools: object = {
         refund: { inputSchema, execute: async () => 1 },
         tidy: { description: 'Tidies up', inputSchema, execute: async () => 1, metadata: { holdpoint: { materiality: 'high', surface: 'code-execution' } } },
         ask_in_browser: { inputSchema },
       }`,
    )
    file('package.json', '{"type":"module"}')
    const { code, stdout, stderr } = await machine.run(['init', '--json', '--stdout', `${module}#tools`])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report = JSON.parse(stdout)
    expect(report.ungated).toEqual(['ask_in_browser'])
    expect(report.tools).toMatchObject([
      { tool: 'refund', materiality: 'high', undecided: false },
      { tool: 'tidy', surface: 'code-execution', because: ['the operator says so'] },
    ])
    expect(report.tools[0].because.join()).toContain('something to run')
    expect(report.yaml).toContain('# No gate can stand in front of these, they have no execute: ask_in_browser.')
  })

  it('says what is wrong with a module in one line', async () => {
    const module = file('odd.mjs', 'export const tools = [1]; export const count = 3')
    const throwing = file('throwing.mjs', "throw new Error('no DATABASE_URL')")
    const bare = file('bare.mjs', "import { x } from './lib'; export const tools = { x }")
    file('lib.js', 'export const x = 1')
    const scripts = join(machine.folder, 'scripts')
    mkdirSync(scripts)
    writeFileSync(join(scripts, 'package.json'), '{"type":"commonjs"}')
    writeFileSync(join(scripts, 'tools.js'), 'export const tools = {}')
    for (const [place, says] of [
      [`${module}#tools`, 'tools is no tool set'],
      [`${module}#toolz`, 'exports no toolz; it has: count, tools'],
      [`${throwing}#tools`, 'throwing.mjs: no DATABASE_URL'],
      ['absent.mjs#tools', 'absent.mjs does not exist'],
      [`${bare}#tools`, 'relative imports need their file ending'],
      [`${bare}#tools`, 'say --tools FILE'],
      [`${join(scripts, 'tools.js')}#tools`, '"type": "module", or let the program itself write its tools to a file'],
    ] as const) {
      const { code, stderr } = await runHere('init', '--stdout', place)
      expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(says) })
      expect(stderr.trimEnd()).not.toContain('\n')
    }
  })
})
