import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { MOST_BYTES, readWithin } from '../../src/cli/hook/stdin.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { asking, CONFIG, RULES, stage, told } from './hook-stage.ts'
import { runAt } from './in-process.ts'

describe('holdpoint hook', () => {
  it('lets a permitted call run with the decided arguments, and hears in another process how it went', async () => {
    const { say, receipts, state } = stage()
    const permitted = await say(asking('ls'))
    expect(permitted).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(permitted.stdout)).toEqual({
      hookSpecificOutput: { hookEventName: 'PreToolUse', updatedInput: { command: 'ls' } },
    })
    expect(await say(told('ls'))).toEqual({ code: 0, stdout: '', stderr: '' })
    const outcomes = (await receipts()).filter(({ kind }) => kind === 'outcome')
    expect(outcomes).toEqual([expect.objectContaining({ status: 'ok', result: expect.anything() })])
    expect(outcomes[0]).not.toHaveProperty('recovered')
    const verified = await runAt({ cwd: state, state, input: '' }, ['verify'])
    expect(verified, verified.stdout).toMatchObject({ code: 0 })
  })

  it('says no by exit code 2 and in words that the model reads', async () => {
    const { say } = stage()
    const refused = await say(asking('rm -r /'))
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).toContain('Nothing is removed here.')
    expect(refused.stderr).not.toContain('eyJ')
  })

  it('says nothing to the model of tools of which this one process has not heard', async () => {
    const { say, file } = stage(
      `${CONFIG}  claude-code/Basch: { materiality: high }\n  shop/other: { materiality: low }\n`,
    )
    const rules = `${RULES}@id("others")\nforbid (principal, action == Action::"shop/other", resource) when { context.arguments.x > 1 };\n`
    writeFileSync(path.join(path.dirname(file), 'rules.cedar'), rules)
    const warned: string[] = []
    const hear = (warning: Error) => warned.push(warning.message)
    process.on('warning', hear)
    try {
      await say({ event: 'before', tool: 'refund', server: 'shop', input: {}, call: 'c1', session: 's1' })
      await say(asking('rm -r /'))
    } finally {
      process.off('warning', hear)
    }
    expect(warned).toEqual([])
  })

  it('leaves a call open that is still running while others come and go, and settles it at last', async () => {
    const { say, receipts } = stage()
    await say(asking('sleep 60', 'long'))
    await say(asking('ls', 'short'))
    await say(told('ls', 'short'))
    await say(told('sleep 60', 'long', { hook_event_name: 'PostToolUseFailure', error: 'Exit code 1' }))
    const outcomes = (await receipts()).flatMap((claims) => (claims.kind === 'outcome' ? [claims.status] : []))
    expect(outcomes).toEqual(['ok', 'tool_error'])
  })

  it('settles a call whose place in the store somebody else has taken meanwhile', async () => {
    const { say, state } = stage()
    const folder = path.join(state, 'receipts')
    await say(asking('ls'))
    const other = createSqliteStore({ folder })
    expect((await other.open()).stranded).toEqual([])
    expect(await say(told('ls'))).toMatchObject({ code: 0, stderr: '' })
    expect(await say(asking('ls'))).toMatchObject({ code: 2, stderr: expect.stringContaining('already_executed') })
    await other.close()
    const next = createSqliteStore({ folder })
    expect((await next.open()).stranded).toEqual([])
    await next.close()
  })

  it('calls a call unknown of which nothing was heard for a day', async () => {
    const { say, state } = stage()
    await say(asking('ls'))
    const later = createSqliteStore({ folder: path.join(state, 'receipts'), now: () => Date.now() + 25 * 60 * 60_000 })
    expect((await later.open()).stranded).toEqual([expect.objectContaining({ status: 'unknown' })])
    await later.close()
  })

  it('permits a call once, however often its host asks', async () => {
    const { say } = stage()
    expect((await say(asking('ls'))).code).toBe(0)
    expect(await say(asking('ls'))).toMatchObject({ code: 2, stderr: expect.stringContaining('in_progress') })
    await say(told('ls'))
    expect(await say(asking('ls'))).toMatchObject({ code: 2, stderr: expect.stringContaining('already_executed') })
  })

  it('settles a call once, and marks what ran without having been permitted', async () => {
    const { say, receipts, covered } = stage()
    await say(asking('ls'))
    await say(told('ls'))
    expect(await say(told('ls'))).toMatchObject({ code: 0, stderr: '' })
    expect(await say(told('ls', 'never-seen'))).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('no hook permitted it'),
    })
    const read = await receipts()
    expect(read.filter(({ kind }) => kind === 'outcome')).toHaveLength(1)
    const seen = await covered()
    expect(seen.stdout).toContain('"standing":"unknown"')
    expect(read.flatMap((claims) => (claims.kind === 'decision' ? [claims.code] : []))).toEqual([
      undefined,
      'ungated_tool',
    ])
  })

  it('answers a host of any kind in its own form', async () => {
    const { say } = stage()
    const call = { tool: 'refund', server: 'shop', input: { amount: 40 }, call: 'c1', session: 's1' }
    const permitted = await say({ event: 'before', ...call })
    expect(JSON.parse(permitted.stdout)).toEqual({
      holdpoint: 'hook/v1',
      decision: 'permit',
      input: { amount: 40 },
      receipt: expect.stringMatching(/^r_/),
    })
    expect(await say({ event: 'after', ...call, status: 'ok' }, '--json')).toMatchObject({ code: 0 })
    const refused = await say(asking('rm x'), '--json')
    expect(refused.code).toBe(2)
    expect(JSON.parse(refused.stdout)).toMatchObject({ decision: 'refuse', refusal: { code: 'denied_by_policy' } })
  })

  it('says "allow" to Claude Code only where it is told to', async () => {
    const { say } = stage()
    const allowed = await say(asking('ls'), '--allow')
    expect(JSON.parse(allowed.stdout).hookSpecificOutput.permissionDecision).toBe('allow')
  })

  it('records how a call went whose folder is gone since', async () => {
    const { root, say, outcomes } = stage()
    const cwd = path.join(root, 'gone')
    mkdirSync(cwd)
    expect(await say({ ...asking('ls'), cwd })).toMatchObject({ code: 0 })
    rmSync(cwd, { recursive: true })
    expect(await say({ ...told('ls'), cwd })).toMatchObject({ code: 0, stderr: '' })
    expect(await outcomes()).toEqual(['ok'])
  })

  it.each([
    ['nothing', ''],
    ['no JSON', 'Bash ls'],
    ['a member twice', '{"hook_event_name":"PreToolUse","tool_name":"Bash","tool_name":"Read"}'],
    ['bytes behind it', `${JSON.stringify(asking('ls'))} {}`],
    ['a list', '[]'],
    ['null', 'null'],
    ['an event that is none of a tool', { ...asking('ls'), hook_event_name: 'Stop' }],
    ['no call id', { ...asking('ls'), tool_use_id: undefined }],
    ['an empty tool', { ...asking('ls'), tool_name: '' }],
    ['arguments that are text', { ...asking('ls'), tool_input: 'ls' }],
    ['a folder that is not there', { ...asking('ls'), cwd: '/no/such/folder' }],
    ['a member that is not known', { event: 'before', tool: 'x', input: {}, call: 'c', session: 's', inputs: {} }],
    ['an outcome without a status', { event: 'after', tool: 'x', input: {}, call: 'c', session: 's' }],
    ['a tool that no tool may be', { ...asking('ls'), tool_name: 'B ash' }],
    ['arguments about holdpoint’s own files', asking('cat $HOLDPOINT_STATE/keys/receipt.pem')],
  ])('refuses %s', async (_, event) => {
    const { say } = stage()
    const refused = await say(event)
    expect(refused).toMatchObject({ code: 2, stdout: '' })
    expect(refused.stderr).not.toBe('')
  })

  it.each([
    ['no --config', []],
    ['a configuration that is named from where the agent works', ['--config', 'holdpoint.yaml']],
    ['a configuration that is not there', ['--config', '/no/such/holdpoint.yaml']],
    ['an unknown option', ['--confg', 'x']],
    ['a time that is none', ['--timeout', 'soon']],
  ])('refuses with %s', async (_, flags) => {
    const { work, state } = stage()
    // One that lies where the agent works is not looked for.
    writeFileSync(path.join(work, 'holdpoint.yaml'), CONFIG)
    writeFileSync(path.join(work, 'rules.cedar'), RULES)
    const refused = await runAt({ cwd: work, state, input: JSON.stringify(asking('ls')) }, ['hook', ...flags])
    expect(refused).toMatchObject({ code: 2, stdout: '' })
  })

  it('tells the model beside a permitted call what policy made of its arguments', async () => {
    const here = stage(CONFIG)
    const limit = `@id("some") @obligation("limit:{\\"path\\":\\"/amount\\",\\"max\\":10}") permit (principal is User, action, resource);`
    writeFileSync(path.join(path.dirname(here.file), 'rules.cedar'), limit)
    const answered = await here.say({
      event: 'before',
      tool: 'refund',
      server: 'shop',
      input: { amount: 40 },
      call: 'c',
      session: 's',
    })
    expect(JSON.parse(answered.stdout)).toMatchObject({ input: { amount: 10 }, note: expect.stringContaining('10') })
  })

  it('refuses where the store would be forgotten, is broken, or its policy is', async () => {
    expect(await stage(`${CONFIG}store: memory\n`).say(asking('ls'))).toMatchObject({ code: 2, stdout: '' })
    expect(await stage(`${CONFIG}nonsense: 1\n`).say(asking('ls'))).toMatchObject({ code: 2, stdout: '' })
    const here = stage()
    writeFileSync(path.join(here.state, 'receipts'), 'no folder')
    expect(await here.say(asking('ls'))).toMatchObject({ code: 2, stdout: '' })
  })

  it('refuses when nothing ends on stdin in time, or too much comes', async () => {
    const ending = new AbortController()
    const endless = readWithin(new Readable({ read: () => undefined }), ending.signal)
    ending.abort()
    await expect(endless).rejects.toThrow()
    const much = Readable.from(Array.from({ length: 9 }, () => Buffer.alloc(MOST_BYTES / 8)))
    await expect(readWithin(much, new AbortController().signal)).rejects.toThrow(/more than 8388608 bytes/)
  })
})

describe('the program behind holdpoint hook', () => {
  const bin = path.join(import.meta.dirname, '../../bin/holdpoint.js')

  /** As a host starts it; what it prints, and its exit code. */
  async function start(args: readonly string[], env: NodeJS.ProcessEnv, input: string | undefined) {
    const child = spawn(process.execPath, [...args], { env: { PATH: process.env['PATH'], ...env } })
    const said: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => said.push(chunk))
    if (input !== undefined) child.stdin.end(input)
    const code = await new Promise<number | null>((resolve) => child.on('close', resolve))
    return { code, stdout: Buffer.concat(said).toString() }
  }

  it('ends with 2 when its host never closes stdin', async () => {
    const { state, file } = stage()
    const args = [bin, 'hook', '--config', file, '--timeout', '0.3']
    expect(await start(args, { HOLDPOINT_STATE: state }, undefined)).toEqual({ code: 2, stdout: '' })
  })

  it('ends with 2 when it cannot even be loaded', async () => {
    const { root, state, file } = stage()
    // A copy beside which nothing was built.
    mkdirSync(path.join(root, 'bin'))
    writeFileSync(path.join(root, 'bin', 'package.json'), '{"type":"module"}')
    writeFileSync(path.join(root, 'bin', 'holdpoint.js'), readFileSync(bin))
    const args = [path.join(root, 'bin', 'holdpoint.js'), 'hook', '--config', file]
    expect(await start(args, { HOLDPOINT_STATE: state }, '{}')).toEqual({ code: 2, stdout: '' })
    expect(existsSync(path.join(root, 'dist'))).toBe(false)
  })

  it('is settled by another process although the first one has left no lock', async () => {
    const { state, file, receipts } = stage()
    const args = [bin, 'hook', '--config', file]
    const env = { HOLDPOINT_STATE: state }
    expect((await start(args, env, JSON.stringify(asking('ls')))).code).toBe(0)
    expect((await start(args, env, JSON.stringify(told('ls')))).code).toBe(0)
    expect((await receipts()).flatMap((claims) => (claims.kind === 'outcome' ? [claims.status] : []))).toEqual(['ok'])
    expect(readdirSync(path.join(state, 'receipts', 'handed'))).toHaveLength(2)
  })
})
