// A client that knows no scenario: it connects, uses everything that the server lists, once, and goes. The suite appends the
// server's URL to the command and says the revision in the environment.
import { Client, StreamableHTTPClientTransport, type Tool } from '@modelcontextprotocol/client'
import { z } from 'zod'

const LEGACY = '2025-11-25'
const url = new URL(process.argv[2] ?? '')
const isLegacy = (process.env['MCP_CONFORMANCE_PROTOCOL_VERSION'] ?? LEGACY) <= LEGACY

const client = new Client(
  { name: 'holdpoint-conformance-client', version: '1.0.0' },
  {
    capabilities: { elicitation: { form: { applyDefaults: true } }, roots: {}, sampling: {} },
    versionNegotiation: { mode: isLegacy ? 'legacy' : 'auto' },
  },
)
client.setRequestHandler('elicitation/create', () => ({ action: 'accept', content: {} }))
client.setRequestHandler('roots/list', () => ({ roots: [{ uri: 'file:///conformance' }] }))
client.setRequestHandler('sampling/createMessage', () => ({
  role: 'assistant',
  model: 'none',
  content: { type: 'text', text: 'Paris' },
}))

await client.connect(new StreamableHTTPClientTransport(url))
const offered = client.getServerCapabilities()
const { tools } = await client.listTools()
for (const call of readCalls() ?? tools.map((tool) => ({ name: tool.name, arguments: argumentsFor(tool) }))) {
  const result = await client.callTool(call).catch(String)
  if (typeof result === 'string' || result.isError === true) say(result)
}
if (offered?.resources !== undefined) {
  for (const { uri } of (await client.listResources()).resources) await client.readResource({ uri })
}
if (offered?.prompts !== undefined) {
  for (const { name } of (await client.listPrompts()).prompts) await client.getPrompt({ name })
}
await client.close()

/** Some tools are there to fail; the others are still to be called. */
function say(failure: unknown): void {
  process.stderr.write(`${JSON.stringify(failure)}\n`)
}

/** The calls that a scenario wants, where it says so. */
function readCalls() {
  const wanted = z.object({
    toolCalls: z.array(z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) })),
  })
  return wanted.safeParse(JSON.parse(process.env['MCP_CONFORMANCE_CONTEXT'] ?? '{}')).data?.toolCalls
}

/** One value for every required argument. What wants a schema is given the one of the tool before it. */
function argumentsFor(tool: Tool): Record<string, unknown> {
  const required = tool.inputSchema.required ?? []
  return Object.fromEntries(required.map((name) => [name, valueFor(tool.inputSchema.properties?.[name], tool)]))
}

function valueFor(schema: unknown, tool: Tool): unknown {
  const { data } = z.object({ type: z.string() }).safeParse(schema)
  switch (data?.type) {
    case 'number':
    case 'integer':
      return 2
    case 'boolean':
      return true
    case 'object':
      return tools[tools.indexOf(tool) - 1]?.inputSchema ?? {}
    default:
      return 'conformance'
  }
}
