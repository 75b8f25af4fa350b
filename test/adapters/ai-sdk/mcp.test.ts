import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport as StdioTransport } from '@ai-sdk/mcp/mcp-stdio'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardTools } from '../../../adapters/ai-sdk/index.ts'
import { type TestGateOptions, testGate } from '../../../src/testing.ts'
import { PERMIT, scriptedPoint } from '../../support/scripted-point.ts'
import { type Said, said, scriptedModel, sdkOf } from './sdk.ts'

const DENY = { kind: 'deny', sentence: 'Nothing is moved.', determining: ['script'], errors: [] } as const

/** The real filesystem server over stdio; every frame that leaves for it is counted. */
describe('tools of a real MCP server', () => {
  const called: unknown[] = []
  let folder = ''
  let client: Awaited<ReturnType<typeof createMCPClient>>
  let tools: Readonly<Record<string, object>>

  beforeAll(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'holdpoint-mcp-')))
    await writeFile(join(folder, 'note.txt'), 'hello')
    const server = new URL(
      '../../../node_modules/@modelcontextprotocol/server-filesystem/dist/index.js',
      import.meta.url,
    ).pathname
    const transport = new StdioTransport({ command: process.execPath, args: [server, folder], stderr: 'ignore' })
    const send = transport.send.bind(transport)
    transport.send = async (message) => {
      if ('method' in message && message.method === 'tools/call') called.push(message.params)
      await send(message)
    }
    client = await createMCPClient({ transport })
    tools = await client.tools()
  })
  afterAll(async () => {
    await client?.close()
    await rm(folder, { recursive: true, force: true })
  })

  const playOn = async (major: 6 | 7, steps: readonly (readonly Said[])[], options: TestGateOptions) => {
    called.length = 0
    const gate = testGate(options)
    const guarded = guardTools(tools, gate.as({ user: 'alice' }, { conversation: 'talk' }), { server: 'files' })
    const { model, prompts } = scriptedModel(major, steps)
    await sdkOf(major).generateText({ model, prompt: 'go', stopWhen: sdkOf(major).stepCountIs(5), ...guarded })
    return { gate, told: JSON.stringify(prompts().at(-1)) }
  }

  for (const major of [7, 6] as const) {
    const play = (steps: readonly (readonly Said[])[], options: TestGateOptions) => playOn(major, steps, options)

    describe(`on ai ${major}`, () => {
      it('runs a permitted call on the server, with its own rendering for the model', async () => {
        const { gate, told } = await play([[said('read_text_file', { path: join(folder, 'note.txt') })]], {})
        expect(called).toHaveLength(1)
        expect(told).toContain('hello')
        expect(gate.calls).toEqual([expect.objectContaining({ tool: 'files/read_text_file', outcome: 'permitted' })])
      })

      it('sends no frame for a refused call', async () => {
        const policy = scriptedPoint((request) => (request.resource.id === 'files/move_file' ? DENY : PERMIT))
        const { told } = await play(
          [[said('move_file', { source: join(folder, 'note.txt'), destination: join(folder, 'gone.txt') })]],
          { policy },
        )
        expect(called).toEqual([])
        expect(told).toContain('Nothing is moved.')
      })

      it('refuses arguments that miss the schema, which this client sends on unchecked', async () => {
        const { told } = await play([[said('read_text_file', { nope: 1, extra: true })]], {})
        expect(called).toEqual([])
        expect(told).toContain('arguments_rejected')
      })

      it('takes what the server says of its own tools for a hint: reading is not low because it says so', async () => {
        const { gate } = await play([[said('write_file', { path: join(folder, 'new.txt'), content: 'x' })]], {})
        const [written] = gate.calls
        expect(written?.materiality).not.toBe('low')
      })

      it('records a failure that the server reports inside its result as the tool’s error', async () => {
        const { gate, told } = await play([[said('read_text_file', { path: '/etc/passwd' })]], {})
        expect(called).toHaveLength(1)
        expect(told).toContain('denied')
        expect(gate.events.flatMap((event) => (event.event === 'call-settled' ? [event.status] : []))).toEqual([
          'tool_error',
        ])
      })
    })
  }
})
