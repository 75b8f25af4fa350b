import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { eventually } from '../mcp/wire.ts'
import { isAlive, isGone, startSession, textOf } from './stdio-session.ts'

const folder = temporaryFolders()
const NO_DEATH = `
@id("all") permit (principal, action, resource);
@id("no-death") forbid (principal, action == Action::"odd/die", resource);
`

describe('a call through the proxy', () => {
  it('runs when it is permitted, and never reaches the server when it is refused', async () => {
    const session = await startSession(folder(), { policy: NO_DEATH })
    expect(textOf(await session.call('get_note', { id: 7 }))).toBe('get_note {"id":7}')
    const refused = await session.call('die')
    expect(refused.result?.['_meta']).toMatchObject({ [REFUSAL_KEY]: { code: 'denied_by_policy', tool: 'odd/die' } })
    expect(session.ran()).toEqual(['get_note'])
    expect(await session.leave()).toEqual({ kind: 'ended', because: undefined })
    expect(await session.outcomes()).toEqual(['ok'])
  })

  it('runs with the arguments that policy made of it, and shows nothing of what policy keeps back', async () => {
    const policy = String.raw`
@id("few") @obligation("limit:{\"path\":\"/max\",\"max\":5}") permit (principal, action, resource);
@id("kept") @obligation("redact_output:{\"paths\":[\"/rows/*/email\"]}") permit (principal, action, resource);`
    const session = await startSession(folder(), { policy })
    const rows = [{ name: 'Eve', email: 'eve@example.com' }]
    const { result } = await session.call('get_note', { max: 900, structured: true, rows })
    const shown = { max: 5, structured: true, rows: [{ name: 'Eve', email: '[redacted]' }] }
    expect(result?.['structuredContent']).toEqual(shown)
    const { content } = (result ?? {}) as { readonly content: readonly { readonly text: string }[] }
    const texts = content.map(({ text }) => text)
    expect(texts.map((text) => (text.startsWith('{') ? JSON.parse(text) : text))).toEqual(
      expect.arrayContaining([
        shown,
        expect.stringContaining('it ran with /max = 5'),
        expect.stringContaining("Policy keeps parts of this call's result back: /rows/*/email."),
      ]),
    )
    expect(JSON.stringify(session.frames)).not.toContain('eve@example.com')
    await session.leave()
    expect(await session.outcomes()).toEqual(['ok'])
  })

  it('that is cancelled while it runs has the outcome that the server still gave, or none that anybody invents', async () => {
    const session = await startSession(folder())
    session.write('{"jsonrpc":"2.0","id":"h","method":"tools/call","params":{"name":"hang","arguments":{}}}')
    await session.call('get_note')
    session.write('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"h"}}')
    await session.call('get_note')
    await session.leave()
    expect([...(await session.outcomes())].sort()).toEqual(['ok', 'ok', 'unknown'])
  })
})

describe('frames that are no calls', () => {
  it('pass as they are: an unknown method gets the server’s own error, a notification with odd members arrives', async () => {
    const session = await startSession(folder())
    const told = await session.ask('acme/unknown', { anything: [1, { deep: true }] })
    expect(told.error).toEqual({ code: -32_601, message: 'no acme/unknown here' })
    await session.leave()
  })

  it('that cannot be read are answered and not passed on, and the connection stays', async () => {
    const session = await startSession(folder())
    const call = '"method":"tools/call","params":{"name":"get_note","arguments":{}}'
    const unreadable = [
      'this is no JSON',
      `{"jsonrpc":"2.0","id":91,"id":92,${call}}`,
      `[{"jsonrpc":"2.0","id":93,${call}}]`,
      `{"jsonrpc":"2.0","id":94,"Method":"x",${call}}`,
      `{"jsonrpc":"2.0","id":95,${call}} {}`,
      `\ufeff{"jsonrpc":"2.0","id":96,${call}}`,
      `{"jsonrpc":"2.0",${call}}`,
    ]
    for (const line of unreadable) session.write(line)
    expect(textOf(await session.call('get_note', { id: 1 }))).toBe('get_note {"id":1}')
    expect(session.frames.filter(({ error }) => error !== undefined)).toHaveLength(unreadable.length)
    expect(session.ran()).toEqual(['get_note'])
    await session.leave()
  })

  it('that are longer than a frame may be are answered, thrown away as they come, and the next one is read', async () => {
    const session = await startSession(folder())
    session.write(`{"jsonrpc":"2.0","id":90,"method":"tools/call","params":{"name":"${'x'.repeat(5 * 1_048_576)}"}}`)
    expect((await session.until(({ id }) => id === null)).error?.message).toMatch(/longer than 4194304 bytes/)
    expect(textOf(await session.call('get_note'))).toBe('get_note {}')
    expect(session.ran()).toEqual(['get_note'])
    await session.leave()
  })
})

describe('a server that', () => {
  it('dies leaves nobody waiting: calls under way get an error, their outcome is unknown', {
    timeout: 15_000,
  }, async () => {
    const session = await startSession(folder())
    const [hanging, died] = await Promise.all([session.call('hang'), session.call('die')])
    const because = 'odd ended by itself, with exit code 3'
    for (const { error } of [hanging, died])
      expect(error).toEqual({ code: 1, message: expect.stringContaining(`holdpoint: ${because}. If this was a call`) })
    expect(await session.served).toEqual({ kind: 'ended', because })
    expect(await session.outcomes()).toEqual(['unknown', 'unknown'])
  })

  it('never answers holds up nothing else, and is told when the time is up', async () => {
    const session = await startSession(folder(), { timeoutMs: 300 })
    const [hanging, note] = await Promise.all([session.call('hang'), session.call('get_note')])
    expect(textOf(note)).toBe('get_note {}')
    expect(hanging.error).toMatchObject({ code: 1, message: expect.stringMatching(/no answer within 300 ms/) })
    await session.leave()
    expect([...(await session.outcomes())].sort()).toEqual(['ok', 'unknown'])
  })

  it('answers twice is heard once', async () => {
    const session = await startSession(folder())
    expect(textOf(await session.call('twice'))).toBe('the first answer')
    await session.call('get_note')
    expect(session.frames.filter(({ result }) => result?.['content'] !== undefined)).toHaveLength(2)
    expect(session.notes).toEqual([expect.stringMatching(/answer to no request/)])
    await session.leave()
    expect(await session.outcomes()).toEqual(['ok', 'ok'])
  })

  it('writes to stdout what is no JSON does not break the connection', async () => {
    const session = await startSession(folder())
    expect(textOf(await session.call('chatter'))).toBe('chatted')
    expect(new Set(session.notes)).toEqual(new Set(['odd wrote a line to its stdout that is no JSON; not passed on']))
    await session.leave()
  })

  it('writes a line without an end is ended, and the proxy with it', async () => {
    const session = await startSession(folder())
    const because = 'odd was ended, because it wrote a line longer than 4194304 bytes'
    expect((await session.call('long_line')).error?.message).toContain(because)
    expect(await session.served).toEqual({ kind: 'ended', because })
    expect(await session.outcomes()).toEqual(['unknown'])
  })

  it('answers with what can be read and not be written gets its client an error, and the proxy stays', async () => {
    const session = await startSession(folder())
    const told = await session.call('deep')
    expect(told.result ?? told.error).toBeDefined()
    expect(textOf(await session.call('get_note'))).toBe('get_note {}')
    await session.leave()
  })

  it('floods a client that does not read waits for it: nothing is piled up here', async () => {
    const session = await startSession(folder())
    session.output.pause()
    const flooded = session.call('flood', { lines: 400 })
    await eventually(() => session.output.readableLength > 0 || undefined)
    await pause(1_000)
    // 26 MB are on their way; of them the pipe's own buffers and one chunk may be here.
    expect(session.output.writableLength).toBeLessThan(1_048_576)
    session.output.resume()
    expect(textOf(await flooded)).toBe('flooded')
    expect(session.frames.filter(({ method }) => method === 'notifications/message')).toHaveLength(400)
    await session.leave()
  })

  it('reads nothing does not make the proxy pile up what it is sent', async () => {
    const session = await startSession(folder(), { ways: ['--deaf'] })
    const line = JSON.stringify({ jsonrpc: '2.0', method: 'notifications/x', params: { said: 'x'.repeat(65_000) } })
    for (let sent = 0; sent < 300; sent += 1) session.write(line)
    await pause(1_000)
    // What the pipe to it does not hold is still with the client.
    expect(session.input.readableLength + session.input.writableLength).toBeGreaterThan(18_000_000)
    session.stop()
    expect(await session.served).toEqual({ kind: 'ended', because: undefined })
  })

  it('lives on and takes nothing more is ended, and nobody waits for it in vain', async () => {
    const session = await startSession(folder())
    expect(textOf(await session.call('shut_ears'))).toBe('heard the last of it')
    const because = 'odd was ended, because it no longer reads what it is sent'
    const unheard = [session.call('get_note', { id: 1 }), session.call('get_note', { id: 2 })]
    for (const { error } of await Promise.all(unheard)) expect(error?.message).toContain(because)
    expect(await session.served).toEqual({ kind: 'ended', because })
    expect(await session.outcomes()).toEqual(['ok', 'unknown', 'unknown'])
  })

  it('changes its tools after they were pinned loses those that changed, and the new ones', async () => {
    const session = await startSession(folder())
    const names = async () => {
      const { result = {} } = await session.ask('tools/list')
      return (result['tools'] as readonly { readonly name: string }[]).map(({ name }) => name)
    }
    expect(await names()).toContain('get_note')
    await session.call('relist')
    await session.until(({ method }) => method === 'notifications/tools/list_changed')
    const changed = await session.call('get_note')
    expect(changed.result?.['_meta']).toMatchObject({ [REFUSAL_KEY]: { code: 'tool_changed' } })
    const unknown = await session.call('new_tool')
    expect(unknown.result?.['_meta']).toMatchObject({ [REFUSAL_KEY]: { code: 'tool_unknown' } })
    expect(await names()).not.toContain('new_tool')
    expect(session.ran()).toEqual(['relist'])
    await session.leave()
  })
})

describe('at the end', () => {
  it('the server is gone, and whatever it started in its group, though it heeds no SIGTERM', {
    timeout: 15_000,
  }, async () => {
    const session = await startSession(folder())
    const pid = Number(textOf(await session.call('leave_child')))
    expect(isAlive(pid)).toBe(true)
    await session.leave()
    expect(await isGone(pid)).toBe(true)
  })

  it('a server that heeds neither the end of its input nor SIGTERM is gone all the same', async () => {
    const session = await startSession(folder(), { ways: ['--stubborn'] })
    const pid = Number(textOf(await session.call('leave_child')))
    session.stop()
    expect(await session.served).toEqual({ kind: 'ended', because: undefined })
    expect(await isGone(pid)).toBe(true)
  })

  it('a client that writes a few lines and closes its pipe gets its answers from a server that takes its time to begin', async () => {
    const session = await startSession(folder(), { ways: ['--late'] })
    const told = session.call('get_note', { id: 'early' })
    await session.leave()
    expect(textOf(await told)).toBe('get_note {"id":"early"}')
  })

  it('a client that has said all it had to say still gets the answer to its last call', async () => {
    const session = await startSession(folder())
    const told = session.call('get_note', { id: 'last' })
    await session.leave()
    expect(textOf(await told)).toBe('get_note {"id":"last"}')
  })
})
