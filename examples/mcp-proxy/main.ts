/**
 * The filesystem server from npm behind `holdpoint mcp`, as a host starts it: driven by the MCP SDK's client with a person at it,
 * and by an agent of the AI SDK with nobody there.
 *
 * Run it with `npm run examples`, or `node examples/mcp-proxy/main.ts` after `npm run build`. No key and no network: the model is
 * the AI SDK's own mock, scripted. Processes, pipes and files are real. The story checks itself.
 */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { createMCPClient } from '@ai-sdk/mcp'
import { Experimental_StdioMCPTransport } from '@ai-sdk/mcp/mcp-stdio'
import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { generateText, isStepCount } from 'ai'
import { MockLanguageModelV4 } from 'ai/test'

const notes = realpathSync(mkdtempSync(path.join(tmpdir(), 'holdpoint-notes-')))
const state = mkdtempSync(path.join(tmpdir(), 'holdpoint-state-'))
const todo = path.join(notes, 'todo.txt')
const plan = path.join(notes, 'plan.txt')
writeFileSync(todo, 'water the plants\n')

// ── What a host's configuration says ──────────────────────────────────────────────────────────────
// As a reader would write it: npx -y holdpoint mcp --name files --config holdpoint.yaml -- npx -y @modelcontextprotocol/server-filesystem NOTES

const installed = (file: string) => fileURLToPath(import.meta.resolve(file))
const holdpoint = path.join(path.dirname(installed('holdpoint/package.json')), 'bin', 'holdpoint.js')
const server = path.join(
  path.dirname(installed('@modelcontextprotocol/server-filesystem/package.json')),
  'dist',
  'index.js',
)
const config = path.join(import.meta.dirname, 'holdpoint.yaml')
const started = {
  command: process.execPath,
  args: [holdpoint, 'mcp', '--name', 'files', '--config', config, '--', process.execPath, server, notes],
  env: { ...process.env, HOLDPOINT_STATE: state } as Record<string, string>,
  stderr: 'ignore' as const,
}

// ── The SDK's client, and a person at it ──────────────────────────────────────────────────────────

async function withPerson(): Promise<void> {
  const client = new Client({ name: 'app', version: '1.0.0' }, { capabilities: { elicitation: { form: {} } } })
  const questions: string[] = []
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    questions.push(params.message)
    return { action: 'accept', content: { approve: true } }
  })
  await client.connect(new StdioClientTransport(started))
  const call = async (name: string, input: Record<string, unknown>) => {
    const { content } = await client.callTool({ name, arguments: input })
    const [{ text } = { text: '' }] = content as readonly { readonly text: string }[]
    console.log(`${name.padEnd(15)} ${text.trimEnd().split('\n').slice(0, 2).join(' ')}`)
    return text
  }
  assert.equal(await call('read_text_file', { path: todo }), 'water the plants\n')
  assert.match(await call('move_file', { source: todo, destination: plan }), /Notes stay where they are\./)
  await call('write_file', { path: plan, content: 'buy more plants\n' })
  await client.close()

  assert.equal(readFileSync(todo, 'utf8'), 'water the plants\n', 'what was refused did not happen')
  assert.equal(readFileSync(plan, 'utf8'), 'buy more plants\n', 'what the person said yes to did')
  assert.equal(questions.length, 1)
  assert.match(questions[0] ?? '', /buy more plants/, 'and they saw what would be written')
}

// ── An agent of the AI SDK, and nobody at it ──────────────────────────────────────────────────────

async function withAgent(): Promise<void> {
  const client = await createMCPClient({ transport: new Experimental_StdioMCPTransport(started) })
  await generateText({ model, prompt: 'Tidy up.', tools: await client.tools(), stopWhen: isStepCount(4) })
  await client.close()

  const told = JSON.stringify(model.doGenerateCalls.at(-1)?.prompt)
  assert.match(told, /water the plants/, 'the model has read the note')
  assert.match(told, /Writing a note needs your yes\./, 'and was told why it may not empty it')
  assert.doesNotMatch(told, /eyJ/, 'it got no receipt')
  assert.equal(readFileSync(todo, 'utf8'), 'water the plants\n')
  console.log('agent           was told: Writing a note needs your yes.')
}

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
}
const script = [
  [call('read_text_file', { path: todo }, 'c1')],
  [call('write_file', { path: todo, content: '' }, 'c2')],
  [{ type: 'text' as const, text: 'I may not write there.' }],
]
let step = 0
const model = new MockLanguageModelV4({
  doGenerate: async () => {
    const content = script[step++] ?? []
    const unified = content.some(({ type }) => type === 'tool-call') ? ('tool-calls' as const) : ('stop' as const)
    return { content, finishReason: { unified, raw: undefined }, usage, warnings: [] }
  },
})

function call(toolName: string, input: object, toolCallId: string) {
  return { type: 'tool-call' as const, toolCallId, toolName, input: JSON.stringify(input) }
}

// ── The story ─────────────────────────────────────────────────────────────────────────────────────

try {
  await withPerson()
  await withAgent()
  assert.ok(existsSync(path.join(state, 'pins', 'files.json')), 'the tools are pinned as they were first listed')
} finally {
  rmSync(notes, { recursive: true })
  rmSync(state, { recursive: true })
}
