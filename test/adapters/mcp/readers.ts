/** Whoever reads what an MCP server says of a call: two SDKs, two agent frameworks, and a person at a command line. */
import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createMCPClient } from '@ai-sdk/mcp'
import { StreamableHTTPClientTransport as ClientHttpV2, Client as ClientV2 } from '@modelcontextprotocol/client'
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js'
import { StreamableHTTPClientTransport as ClientHttpV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js'
import { Agent, MCPServerStreamableHttp, type Model, Runner, setTracingDisabled } from '@openai/agents'
import { said, scriptedModel, sdkOf } from '../ai-sdk/sdk.ts'

export type Arguments = Record<string, unknown>

/** Calls a tool at an address once; `between` happens after the tools were listed and before the call is made. */
export type Reader = (at: URL, tool: string, args: Arguments, between: () => void) => Promise<Read>

/** What there is to read. */
export interface Read {
  readonly text: string
  /** All that a model is given of the tool's answer, as JSON: whatever stands here takes place in its prompt. */
  readonly whole: string
}

const app = { name: 'app', version: '1.0.0' }

const textIn = (content: unknown) =>
  (content as readonly { readonly text?: string }[]).map(({ text = '' }) => text).join('\n')

async function throughV1(at: URL, tool: string, args: Arguments, between: () => void): Promise<Read> {
  const client = new ClientV1(app)
  await client.connect(new ClientHttpV1(at) as never)
  await client.listTools()
  between()
  const { content } = await client.callTool({ name: tool, arguments: args })
  await client.close()
  return { text: textIn(content), whole: JSON.stringify(content) }
}

function throughV2(era: object): Reader {
  return async (at, tool, args, between) => {
    const client = new ClientV2(app, era)
    await client.connect(new ClientHttpV2(at))
    await client.listTools()
    between()
    const { content } = await client.callTool({ name: tool, arguments: args })
    await client.close()
    return { text: textIn(content), whole: JSON.stringify(content) }
  }
}

/** What stands in the prompt after an agent of the AI SDK has called the tool. */
async function throughAiSdk(at: URL, tool: string, args: Arguments, between: () => void): Promise<Read> {
  const client = await createMCPClient({ transport: { type: 'http', url: at.href } })
  const tools = await client.tools()
  between()
  const { model, prompts } = scriptedModel(7, [[said(tool, args)]])
  const { generateText, stepCountIs } = sdkOf(7)
  await generateText({ model, prompt: 'go', tools, stopWhen: stepCountIs(3) })
  await client.close()
  const content = prompts().at(-1)?.at(-1)?.content ?? []
  const [answer] = content as readonly { readonly output: Record<string, unknown> }[]
  const { type, value } = answer?.output ?? {}
  return { text: type === 'content' ? textIn(value) : String(value), whole: JSON.stringify(answer) }
}

/** The same of an agent of OpenAI's. */
async function throughOpenAiAgents(at: URL, tool: string, args: Arguments, between: () => void): Promise<Read> {
  setTracingDisabled(true)
  const server = new MCPServerStreamableHttp({ url: at.href, name: 'notes', cacheToolsList: true })
  await server.connect()
  const read: unknown[] = []
  const usage = { requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 }
  const model = {
    getResponse: async ({ input }: { readonly input: unknown }) => {
      const answers = Array.isArray(input) ? input.filter(({ type }) => type === 'function_call_result') : []
      read.push(...answers)
      // The runner has listed the tools by now.
      if (answers.length === 0) between()
      const output =
        answers.length > 0
          ? [
              {
                type: 'message',
                role: 'assistant',
                status: 'completed',
                content: [{ type: 'output_text', text: 'done' }],
              },
            ]
          : [{ type: 'function_call', callId: 'c1', name: tool, arguments: JSON.stringify(args), status: 'completed' }]
      return { usage, output }
    },
  } as unknown as Model
  await new Runner({ tracingDisabled: true }).run(new Agent({ name: 'a', model, mcpServers: [server] }), 'go')
  await server.close()
  const [answer] = read as readonly { readonly output: unknown }[]
  const { output } = answer ?? {}
  const parts = (Array.isArray(output) ? output : [output]) as readonly (string | { readonly text?: string })[]
  return {
    text: parts.map((part) => (typeof part === 'string' ? part : (part?.text ?? ''))).join('\n'),
    whole: JSON.stringify(answer),
  }
}

/** What a person sees in a terminal: the Inspector prints the whole result as JSON, and ends with 5 for a tool that failed. */
export async function throughInspector(at: URL, tool: string, args: Arguments): Promise<Seen> {
  const require = createRequire(import.meta.url)
  const manifest = require.resolve('@modelcontextprotocol/inspector/package.json')
  const program = join(dirname(manifest), 'clients', 'launcher', 'build', 'index.js')
  const call = ['--method', 'tools/call', '--tool-name', tool, '--tool-arg']
  const pairs = Object.entries(args).map(([name, value]) => `${name}=${value}`)
  const given = ['--cli', at.href, '--transport', 'http', ...call, ...pairs]
  const child = spawn(process.execPath, [program, ...given], { stdio: ['ignore', 'pipe', 'ignore'] })
  const said: Buffer[] = []
  child.stdout.on('data', (chunk) => said.push(chunk))
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve))
  const result = JSON.parse(Buffer.concat(said).toString())
  return { result, text: textIn(result.content), status }
}

export interface Seen {
  readonly result: Record<string, unknown>
  readonly text: string
  readonly status: number | null
}

/** Each of those through which a model reads. */
export const READERS: readonly (readonly [string, Reader])[] = [
  ['SDK v1', throughV1],
  ['SDK v2, earlier era', throughV2({})],
  ['SDK v2, 2026-07-28', throughV2({ versionNegotiation: { mode: { pin: '2026-07-28' } } })],
  ['AI SDK', throughAiSdk],
  ['OpenAI Agents', throughOpenAiAgents],
]
