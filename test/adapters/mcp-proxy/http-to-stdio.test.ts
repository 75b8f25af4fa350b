import { existsSync, readFileSync } from 'node:fs'
import http from 'node:http'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { RECEIPT_KEY } from '../../../adapters/mcp/index.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { eventually, type Frame, rest } from '../mcp/wire.ts'
import { META, modernHeaders, type Stage, startStage, textOf } from './http-stage.ts'

const folder = temporaryFolders()
const TELLING = [process.execPath, resolve(import.meta.dirname, '../../support/telling-server-child.ts')] as const

const call = (name: string, args: object = {}, meta?: object) => ({
  method: 'tools/call',
  params: { name, arguments: args, ...(meta === undefined ? {} : { _meta: meta }) },
})
const NO_DEATH = `
@id("all") permit (principal, action, resource);
@id("no-death") forbid (principal, action == Action::"notes/die", resource);
`
const isAnswer = ({ method }: Frame) => method === undefined
const SSE = { accept: 'text/event-stream' }

describe('a command over HTTP, in sessions', () => {
  it('has a process for each: what one client is told, the other never hears', async () => {
    const stage = await startStage({ command: TELLING })
    const [one, two] = [await stage.begin(), await stage.begin()]
    const slow = await stage.post({ id: 1, ...call('slow', { of: 'one' }, { progressToken: 't' }) }, one)
    await slow.until(({ method }) => method === 'notifications/progress')
    // The same id and the same token, and a tool that ends every wait of its own process.
    const go = await stage.post({ id: 1, ...call('go', { of: 'two' }, { progressToken: 't' }) }, two)
    expect(textOf(await go.until(isAnswer))).toBe('go {"of":"two"}')
    await rest()
    expect(slow.frames.filter(isAnswer)).toEqual([])
    await stage.post({ id: 2, ...call('go') }, one)
    const answer = await slow.until(isAnswer)
    expect(textOf(answer)).toBe('slow {"of":"one"}')
    expect(answer.result?.['_meta']).toHaveProperty([RECEIPT_KEY])
    expect(slow.frames.filter(({ method }) => method !== undefined)).toHaveLength(1)
  })

  it('never gives the process a call that is refused', async () => {
    const stage = await startStage({ command: TELLING, policy: NO_DEATH })
    const session = await stage.begin()
    const [refused] = (await (await stage.post({ id: 1, ...call('die') }, session)).whole()).frames
    expect(refused?.result?.['isError']).toBe(true)
    expect((await stage.post({ id: 2, method: 'tools/list' }, session)).status).toBe(200)
  })

  it('asks the client on the stream of its call, and hears the answer', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin({ elicitation: {} })
    const asking = await stage.post({ id: 1, ...call('ask') }, session)
    const { id } = await asking.until(({ method }) => method === 'elicitation/create')
    expect((await stage.post({ id, result: { action: 'decline' } }, session)).status).toBe(202)
    expect(textOf(await asking.until(isAnswer))).toBe('heard {"action":"decline"}')
  })

  it('lets a client that lost its stream take it up where it was, with the answer that came meanwhile', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const slow = await stage.post({ id: 1, ...call('slow', {}, { progressToken: 't' }) }, session)
    await slow.until(({ method }) => method === 'notifications/progress')
    const place = [...slow.text.matchAll(/^id: (.+)$/gm)].at(-1)?.[1]
    slow.leave()
    await (await stage.post({ id: 2, ...call('go') }, session)).whole()
    const resumed = await stage.send('GET', { ...SSE, ...session, 'last-event-id': String(place) })
    expect(textOf(await resumed.until(isAnswer))).toBe('slow {}')
    expect((await resumed.whole()).frames).toHaveLength(1)
    expect(await stage.outcomes(2)).toEqual(['ok', 'ok'])
  })

  it('leaves nobody waiting for a call that was cancelled', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const slow = await stage.post({ id: 1, ...call('slow') }, session)
    await stage.post({ method: 'notifications/cancelled', params: { requestId: 1 } }, session)
    expect((await slow.whole()).frames).toEqual([])
  })

  it('answers a message that it cannot take with 400, and not in a stream that nobody can match', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const slow = await stage.post({ id: 1, ...call('slow') }, session)
    const reused = await (await stage.post({ id: 1, ...call('go') }, session)).whole()
    expect([reused.status, reused.frames[0]?.id]).toEqual([400, null])
    slow.leave()
  })

  it('takes up no stream of another session', async () => {
    const stage = await startStage({ command: TELLING })
    const [one, two] = [await stage.begin(), await stage.begin()]
    await (await stage.post({ id: 1, ...call('get', { of: 'one' }) }, one)).whole()
    for (const place of ['2-1', '3-1', '4-0', 'nonsense']) {
      const resumed = await stage.send('GET', { ...SSE, ...two, 'last-event-id': place })
      expect(resumed.text).not.toContain('"of"')
      resumed.leave()
    }
  })

  it('ends the process with the session, and knows neither afterwards', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const [told = {}] = (await (await stage.post({ id: 1, ...call('pid') }, session)).whole()).frames
    expect((await stage.send('DELETE', session)).status).toBe(200)
    expect((await stage.post({ id: 2, method: 'tools/list' }, session)).status).toBe(404)
    expect((await stage.send('GET', { ...SSE, ...session })).status).toBe(404)
    await expect.poll(() => isAlive(Number(textOf(told)))).toBe(false)
  })

  it('ends the process of a client that left before it heard what its session is called', async () => {
    const at = join(folder(), 'pid')
    const script = `process.stdin.once('data', () => require('fs').writeFileSync(${JSON.stringify(at)}, String(process.pid)))`
    const stage = await startStage({ command: [process.execPath, '-e', script] })
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand', version: '1' } }
    const headers = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' }
    const asking = http.request(stage.url, { method: 'POST', headers, agent: false })
    asking.on('error', () => undefined)
    asking.end(JSON.stringify({ jsonrpc: '2.0', id: 0, method: 'initialize', params }))
    const pid = Number(await eventually(() => (existsSync(at) ? readFileSync(at, 'utf8') || undefined : undefined)))
    asking.destroy()
    await expect.poll(() => isAlive(pid)).toBe(false)
  })

  it('tells whoever waits when the process dies, and the outcome is unknown', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const slow = await stage.post({ id: 1, ...call('slow') }, session)
    const died = await stage.post({ id: 2, ...call('die') }, session)
    for (const answer of [slow, died])
      expect((await answer.until(isAnswer)).error?.message).toContain('holdpoint: notes: its process has ended')
    expect(await stage.outcomes(2)).toEqual(['unknown', 'unknown'])
    expect((await stage.post({ id: 3, method: 'tools/list' }, session)).status).toBe(404)
    expect(await stage.begin()).toHaveProperty('mcp-session-id')
  })

  it('begins only so many processes', async () => {
    const stage = await startStage({ command: TELLING, serve: { limits: { maxChildren: 1 } } })
    const session = await stage.begin()
    const params = { protocolVersion: '2025-11-25', capabilities: {} }
    const refused = await stage.post({ id: 0, method: 'initialize', params })
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '5'])
    await stage.send('DELETE', session)
    await expect.poll(async () => (await stage.post({ id: 0, method: 'initialize', params })).status).toBe(200)
  })

  it('ends a session that nobody uses', async () => {
    const stage = await startStage({ command: TELLING, serve: { limits: { idleMs: 1 } } })
    const session = await stage.begin()
    await expect
      .poll(async () => (await stage.post({ id: 2, method: 'tools/list' }, session)).status, { interval: 50 })
      .toBe(404)
  })

  it('answers in the revision of the session alone', async () => {
    const stage = await startStage({ command: TELLING })
    const session = await stage.begin()
    const other = { ...session, 'mcp-protocol-version': '2031-01-01' }
    expect((await stage.post({ id: 1, method: 'tools/list' }, other)).status).toBe(400)
    expect((await stage.post({ id: 1, method: 'tools/list' }, {})).status).toBe(400)
  })

  it('that cannot be started is not served', async () => {
    const start = startStage({ command: ['/no/such/program'] })
    await expect(start).rejects.toThrow(/notes: \/no\/such\/program did not start: there is no such program/)
  })
})

describe('a command over HTTP that', () => {
  const ways = [
    [
      'a session',
      async (stage: Stage, name: string) => await stage.post({ id: 1, ...call(name) }, await stage.begin()),
    ],
    ['no session', async (stage: Stage, name: string) => await stage.ask('tools/call', call(name).params)],
  ] as const

  it.each(ways)('answers in %s with what nobody can write leaves nobody waiting', async (_era, send) => {
    const stage = await startStage({ command: TELLING })
    const answer = await (await send(stage, 'deep')).whole()
    expect(answer.frames.at(-1)).toMatchObject({ id: 1, error: { message: expect.stringContaining('too deeply') } })
  })

  it.each(ways)(
    'says in %s what nobody can write loses that alone, and no other client loses anything',
    async (_era, send) => {
      const stage = await startStage({ command: TELLING })
      const answer = await send(stage, 'deep_note')
      expect(textOf(await answer.until(isAnswer))).toBe('noted')
      expect(stage.notes).toEqual(['notes: a message was lost: what it said is nested too deeply to be passed on'])
    },
  )

  it.each(ways)(
    'does not answer in %s while the operator would wait is given up, and is told so',
    async (_era, send) => {
      const stage = await startStage({ command: TELLING, serve: { limits: { answerMs: 300 } } })
      const answer = await (await send(stage, 'slow')).whole()
      expect(answer.frames.at(-1)).toMatchObject({
        id: 1,
        error: { message: expect.stringContaining('holdpoint: notes: there was no answer within 300 ms') },
      })
      expect(await stage.outcomes(1)).toEqual(['unknown'])
      expect(textOf((await (await send(stage, 'get')).whole()).frames.at(-1) ?? {})).toBe('get {}')
    },
  )

  it('tells of its progress a client that takes no stream gets that client its answer', async () => {
    const stage = await startStage({ command: TELLING })
    const meta = { ...META, progressToken: 't' }
    const params = { name: 'get', arguments: {}, _meta: meta }
    const headers = { ...modernHeaders('tools/call', params), accept: 'application/json' }
    const answer = await (await stage.post({ id: 1, method: 'tools/call', params }, headers)).whole()
    expect(answer.headers['content-type']).toBe('application/json')
    expect(textOf(answer.frames[0] ?? {})).toBe('get {}')
    const session = { ...(await stage.begin()), accept: 'application/json' }
    const later = await stage.post({ id: 1, ...call('get', {}, { progressToken: 't' }) }, session)
    expect(textOf((await later.whole()).frames[0] ?? {})).toBe('get {}')
    expect(stage.notes).toEqual([])
  })
})

describe('a command over HTTP, without sessions', () => {
  it('gives each client what is its own, though all count from one and use one token', async () => {
    const stage = await startStage({ command: TELLING })
    const clients = ['a', 'b', 'c'].map(async (of) => {
      const params = { name: 'slow', arguments: { of }, _meta: { ...META, progressToken: 1 } }
      const answer = await stage.post({ id: 1, method: 'tools/call', params }, modernHeaders('tools/call', params))
      return [await answer.until(({ method }) => method !== undefined), await answer.until(isAnswer)] as const
    })
    const told = await Promise.all([...clients, release(stage, 3)])
    for (const [index, of] of ['a', 'b', 'c'].entries()) {
      const [progress, answer] = told[index] as readonly [Frame, Frame]
      expect(progress.params).toMatchObject({ progressToken: 1, message: JSON.stringify({ of }) })
      expect([answer.id, textOf(answer)]).toEqual([1, `slow ${JSON.stringify({ of })}`])
    }
  })

  it('names a subscription as its client does', async () => {
    const stage = await startStage({ command: TELLING })
    await (await stage.ask('tools/list', {}, 'mine')).whole()
    const listening = await stage.ask('subscriptions/listen', {}, 'mine')
    const changed = await listening.until(({ method }) => method === 'notifications/tools/list_changed')
    expect(changed.params?.['_meta']).toEqual({ 'io.modelcontextprotocol/subscriptionId': 'mine' })
    listening.leave()
  })

  it('answers 404 to a method that the server does not have, as servers of that era do', async () => {
    const stage = await startStage({ command: TELLING })
    const answer = await (await stage.ask('acme/unknown', {}, 7)).whole()
    expect([answer.status, answer.frames[0]?.id, answer.frames[0]?.error?.code]).toEqual([404, 7, -32_601])
  })

  it('runs no call whose header says otherwise than its arguments', async () => {
    const stage = await startStage({ command: TELLING })
    const params = { name: 'get', arguments: { region: 'eu' }, _meta: META }
    const post = (headers: object) =>
      stage.post({ id: 1, method: 'tools/call', params }, { ...modernHeaders('tools/call', params), ...headers })
    for (const wrong of [{}, { 'mcp-param-region': 'us' }, { 'mcp-param-region': '=?base64?!?=' }]) {
      const answer = await (await post(wrong)).whole()
      expect([answer.status, answer.frames[0]?.error?.code]).toEqual([400, -32_020])
    }
    const encoded = `=?base64?${Buffer.from('eu').toString('base64')}?=`
    for (const right of ['eu', encoded]) {
      const [ran = {}] = (await (await post({ 'mcp-param-region': right })).whole()).frames
      expect(textOf(ran)).toBe('get {"region":"eu"}')
    }
  })

  it('starts a new process where the old one died', async () => {
    const stage = await startStage({ command: TELLING })
    const died = await (await stage.ask('tools/call', call('die').params)).whole()
    expect([died.status, died.frames[0]?.error?.message]).toEqual([
      502,
      expect.stringContaining('its process has ended'),
    ])
    const [ran = {}] = (await (await stage.ask('tools/call', call('get').params)).whole()).frames
    expect(textOf(ran)).toBe('get {}')
    expect(await stage.outcomes(2)).toEqual(['unknown', 'ok'])
  })
})

/** Lets every slow call of the shared process go, once so many have been heard of. */
async function release(stage: Awaited<ReturnType<typeof startStage>>, count: number): Promise<undefined> {
  await eventually(() => (stage.gate.calls.length >= count ? true : undefined))
  await rest()
  await (await stage.ask('tools/call', call('go').params)).whole()
  return undefined
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
