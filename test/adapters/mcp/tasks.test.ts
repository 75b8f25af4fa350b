import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { InMemoryTaskStore } from '@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js'
import { InMemoryTransport } from '@modelcontextprotocol/sdk/inMemory.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { guardServer } from '../../../adapters/mcp/index.ts'
import type { Message } from '../../../adapters/mcp/message.ts'
import { testGate } from '../../../src/testing.ts'
import { eventually, MODERN, rest, Wire } from './wire.ts'

const done = { content: [{ type: 'text', text: 'done' }] }
const DENY =
  '@id("no-writes") forbid (principal, action == Action::"notes/write_note", resource); @id("rest") permit (principal, action, resource);'
const task = (taskId: string, status = 'working') => ({
  taskId,
  status,
  ttl: 60_000,
  createdAt: '2026-01-01T00:00:00Z',
  lastUpdatedAt: '2026-01-01T00:00:00Z',
})

/** A permitted call that goes on as a task of the server's. */
async function running(taskId = 'theirs', wire = new Wire()): Promise<Wire> {
  const id = wire.call('write_note', { id: taskId }, { task: { ttl: 60_000 } })
  await wire.reached('tools/call')
  wire.fromServer({ id, result: { task: task(taskId) } })
  expect(await wire.resultOf(id)).toMatchObject({
    task: { taskId },
    _meta: { 'dev.holdpoint/receipt': { kind: 'decision' } },
  })
  return wire
}

function ask(wire: Wire, method: string, taskId: string, result: Message): string | number {
  const id = wire.ask(method, { taskId })
  wire.fromServer({ id, result })
  return id
}

describe('a call that was asked for as a task, and is refused', () => {
  it('is a task that is completed, and whose result is the refusal; the server hears of none of it', async () => {
    const wire = new Wire({ policy: DENY })
    const id = wire.call('write_note', { id: '7' }, { task: { ttl: 1_000 } })
    const { task: made } = (await wire.resultOf(id)) as { readonly task: { readonly taskId: string } }
    expect(made).toEqual({
      taskId: expect.stringMatching(/^holdpoint-/),
      status: 'completed',
      ttl: 1_000,
      createdAt: expect.any(String),
      lastUpdatedAt: expect.any(String),
    })
    const { taskId } = made
    expect(await wire.resultOf(wire.ask('tasks/get', { taskId }))).toEqual(made)
    expect(await wire.resultOf(wire.ask('tasks/result', { taskId }))).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('notes/write_note did not run.') }],
      _meta: {
        'io.modelcontextprotocol/related-task': { taskId },
        'dev.holdpoint/refusal': { code: 'denied_by_policy' },
      },
    })
    expect(wire.toServer).toEqual([])
  })

  it('is read by the client of SDK v1 as what it is', async () => {
    const gate = testGate({ policy: DENY, server: 'notes' })
    const store = new InMemoryTaskStore()
    const server = new McpServer(
      { name: 'notes', version: '1.0.0' },
      { capabilities: { tasks: { requests: { tools: { call: {} } } } }, taskStore: store },
    )
    const ran: string[] = []
    for (const name of ['write_note', 'read_note']) {
      server.experimental.tasks.registerToolTask(
        name,
        { description: name, inputSchema: { id: z.string() }, execution: { taskSupport: 'required' } },
        {
          createTask: async (_args, { taskStore }) => {
            ran.push(name)
            const made = await taskStore.createTask({ ttl: 60_000, pollInterval: 5 })
            await taskStore.storeTaskResult(made.taskId, 'completed', {
              content: [{ type: 'text', text: `${name} done` }],
            })
            return { task: made }
          },
          getTask: async (_args, { taskId, taskStore }) => await taskStore.getTask(taskId),
          getTaskResult: async (_args, { taskId, taskStore }) =>
            (await taskStore.getTaskResult(taskId)) as z.infer<typeof CallToolResultSchema>,
        },
      )
    }
    const [near, far] = InMemoryTransport.createLinkedPair()
    await guardServer(server, gate.as({ user: 'alice' })).connect(far)
    const client = new Client({ name: 'app', version: '1.0.0' })
    await client.connect(near)
    await client.listTools()
    const stream = async (name: string) => {
      const said: unknown[] = []
      for await (const message of client.experimental.tasks.callToolStream({ name, arguments: { id: '7' } })) {
        said.push(message.type === 'result' ? message.result : message.type)
      }
      return said
    }
    expect(await stream('write_note')).toEqual([
      'taskCreated',
      expect.anything(),
      expect.objectContaining({
        isError: true,
        content: [{ type: 'text', text: expect.stringContaining('notes/write_note did not run.') }],
      }),
    ])
    expect((await stream('read_note')).at(-1)).toMatchObject({ content: [{ type: 'text', text: 'read_note done' }] })
    expect(ran).toEqual(['read_note'])
    const outcome = await eventually(() => gate.events.find(({ event }) => event === 'call-settled'))
    expect(outcome).toMatchObject({ status: 'ok' })
    store.cleanup()
    await client.close()
  })
})

/** A client since 2026-07-28 that says that it takes tasks. */
const TAKES_TASKS = {
  ...MODERN,
  'io.modelcontextprotocol/clientCapabilities': { extensions: { 'io.modelcontextprotocol/tasks': {} } },
}

describe('a call that runs as a task', () => {
  it('has its outcome once the result is fetched, and the receipt beside it', async () => {
    const wire = await running()
    await rest()
    expect(wire.gate.events.some(({ event }) => event === 'call-settled')).toBe(false)
    ask(wire, 'tasks/get', 'theirs', task('theirs', 'completed'))
    const fetched = ask(wire, 'tasks/result', 'theirs', done)
    expect(await wire.resultOf(fetched)).toMatchObject({
      ...done,
      _meta: { 'dev.holdpoint/receipt': { kind: 'decision' } },
    })
    expect(await wire.settled(1)).toEqual(['ok'])
  })

  it.each([
    ['failed', 'tool_error'],
    ['cancelled', 'cancelled'],
  ] as const)('that the server calls %s has that outcome, whether it was asked or not', async (status, outcome) => {
    const asked = await running()
    ask(asked, status === 'failed' ? 'tasks/get' : 'tasks/cancel', 'theirs', task('theirs', status))
    expect(await asked.settled(1)).toEqual([outcome])
    const unasked = await running()
    unasked.fromServer({ method: 'notifications/tasks/status', params: task('theirs', status) })
    expect(await unasked.settled(1)).toEqual([outcome])
  })

  it('that failed as a tool has the outcome of one', async () => {
    const wire = await running()
    ask(wire, 'tasks/result', 'theirs', { ...done, isError: true })
    expect(await wire.settled(1)).toEqual(['tool_error'])
  })

  it('is unknown where the server is gone, or names another task like it', async () => {
    const gone = await running()
    gone.upstream.close()
    expect(await gone.settled(1)).toEqual(['unknown'])
    const renamed = await running()
    const id = renamed.call('write_note', { id: '8' }, { task: {} })
    await renamed.reached('tools/call', 1)
    renamed.fromServer({ id, result: { task: task('theirs') } })
    expect(await renamed.settled(1)).toEqual(['unknown'])
  })

  it('is no task where nobody asked for one, whatever its result holds', async () => {
    const wire = new Wire()
    const id = wire.call('write_note')
    await wire.reached('tools/call')
    wire.fromServer({ id, result: { ...done, task: task('theirs') } })
    expect(await wire.settled(1)).toEqual(['ok'])
    expect(await wire.resultOf(id)).toMatchObject({ task: { taskId: 'theirs' } })
  })

  it.each([
    ['of the earlier era', {}],
    ['of the earlier era that asked for a task otherwise', { task: {} }],
    ['since 2026-07-28 that takes no tasks', { _meta: MODERN }],
  ])('is none for a client %s: a server that answers cannot take back that it did', async (_name, more) => {
    const wire = new Wire()
    const id = wire.call('write_note', { id: '7' }, more)
    await wire.reached('tools/call')
    wire.fromServer({ id, result: { ...done, resultType: 'task', taskId: 'theirs' } })
    wire.fromServer({ method: 'notifications/tasks/status', params: task('theirs', 'cancelled') })
    expect(await wire.resultOf(id)).toMatchObject(done)
    expect(await wire.settled(1)).toEqual(['ok'])
  })

  it('has no outcome because somebody else asked for its result in vain', async () => {
    const wire = await running()
    const id = wire.ask('tasks/result', { taskId: 'theirs' })
    wire.fromServer({ id, error: { code: -32_602, message: 'no such task' } })
    await wire.answered(id)
    ask(wire, 'tasks/result', 'theirs', done)
    expect(await wire.settled(1)).toEqual(['ok'])
  })

  it("since 2026-07-28 is the server's own choice, and brings its result along when it is asked", async () => {
    const wire = new Wire()
    const id = wire.call('write_note', { id: '7' }, { _meta: TAKES_TASKS })
    await wire.reached('tools/call')
    wire.fromServer({ id, result: { resultType: 'task', taskId: 'theirs', status: 'working' } })
    expect(await wire.resultOf(id)).toMatchObject({ resultType: 'task', taskId: 'theirs' })
    await rest()
    expect(wire.gate.events.some(({ event }) => event === 'call-settled')).toBe(false)
    ask(wire, 'tasks/get', 'theirs', { resultType: 'complete', ...task('theirs', 'completed'), result: done })
    expect(await wire.settled(1)).toEqual(['ok'])
  })
})
