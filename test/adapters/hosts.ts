import type { HostDriver } from '../support/adapter-conformance.ts'

/** A host with an adapter, and what the seventeen behaviours are shown on. */
export interface Host {
  /** Its folder in `adapters/` and in `test/adapters/`, its entry `holdpoint/…`, its page in `docs/`. */
  readonly name: string
  /** What people call it. */
  readonly title: string
  /** Its packages among our peers, and under which names they are installed here. */
  readonly packages: readonly {
    readonly peer: string
    readonly installed: readonly string[]
    /** Its oldest release need not go with the oldest of the package before it: npm finds one that does. */
    readonly led?: true
  }[]
  /** Its folders in `examples/`, where that is not the one of its own name. */
  readonly examples?: readonly string[]
  /** For `npm run compat`: what is installed beside or instead of the newest release of each. */
  readonly newest?: Readonly<Record<string, string>>
  readonly overrides?: Readonly<Record<string, Readonly<Record<string, string>>>>
  /** One driver for each way in which it runs tools. Loaded when asked for: no test pays for hosts that it does not use. */
  readonly drivers: () => Promise<readonly HostDriver[]>
}

/** Every host with an adapter, in the order of the tables. */
export const HOSTS: readonly Host[] = [
  {
    name: 'ai-sdk',
    title: 'Vercel AI SDK',
    packages: [{ peer: 'ai', installed: ['ai', 'ai-v6'] }],
    newest: { 'ai-v6': 'npm:ai@6', '@ai-sdk/code-mode': 'latest' },
    // It pins the very version that it was released with.
    overrides: { '@ai-sdk/code-mode': { ai: '$ai' } },
    drivers: async () => {
      const { aiSdkDriver } = await import('./ai-sdk/driver.ts')
      const modes = ['generateText', 'streamText', 'ToolLoopAgent', 'ToolLoopAgent.stream'] as const
      return ([7, 6] as const).flatMap((major) => modes.map((mode) => aiSdkDriver(major, mode)))
    },
  },
  {
    name: 'openai',
    title: 'OpenAI SDK',
    packages: [{ peer: 'openai', installed: ['openai'] }],
    drivers: async () => {
      const { openaiDriver } = await import('./openai/driver.ts')
      const chat = ['runTools', 'runTools stream', 'runToolCalls'] as const
      const responses = ['responses', 'responses eager', 'runFunctionCalls'] as const
      return [...chat, ...responses].map(openaiDriver)
    },
  },
  {
    name: 'openai-agents',
    title: 'OpenAI Agents',
    packages: [{ peer: '@openai/agents', installed: ['@openai/agents'] }],
    drivers: async () => {
      const { openaiAgentsDriver } = await import('./openai-agents/driver.ts')
      return (['run', 'stream'] as const).map(openaiAgentsDriver)
    },
  },
  {
    name: 'langchain',
    title: 'LangChain',
    packages: [
      { peer: 'langchain', installed: ['langchain'] },
      { peer: '@langchain/core', installed: ['@langchain/core'], led: true },
    ],
    newest: { '@langchain/langgraph': 'latest' },
    drivers: async () => {
      const { langchainDriver } = await import('./langchain/driver.ts')
      const modes = ['createAgent, holdpointMiddleware', 'createAgent, guardTools', 'ToolNode, guardTools'] as const
      return modes.map(langchainDriver)
    },
  },
  {
    name: 'mastra',
    title: 'Mastra',
    packages: [{ peer: '@mastra/core', installed: ['@mastra/core'] }],
    drivers: async () => {
      const { mastraDriver } = await import('./mastra/driver.ts')
      return (['generate, guardTools', 'stream, guardTools', 'generate, holdpointHooks'] as const).map(mastraDriver)
    },
  },
  {
    name: 'anthropic',
    title: 'Anthropic SDK',
    packages: [{ peer: '@anthropic-ai/sdk', installed: ['@anthropic-ai/sdk'] }],
    drivers: async () => {
      const { anthropicDriver } = await import('./anthropic/driver.ts')
      return (['toolRunner', 'toolRunner stream', 'toolRunner eager'] as const).map(anthropicDriver)
    },
  },
  {
    name: 'claude-agent',
    title: 'Claude Agent SDK',
    packages: [{ peer: '@anthropic-ai/claude-agent-sdk', installed: ['@anthropic-ai/claude-agent-sdk'] }],
    drivers: async () => {
      const { ClaudeDriver } = await import('./claude-agent/driver.ts')
      return [new ClaudeDriver()]
    },
  },
  {
    name: 'mcp',
    title: 'MCP',
    packages: [
      { peer: '@modelcontextprotocol/sdk', installed: ['@modelcontextprotocol/sdk'] },
      { peer: '@modelcontextprotocol/server', installed: ['@modelcontextprotocol/server'] },
      { peer: '@modelcontextprotocol/client', installed: ['@modelcontextprotocol/client'] },
    ],
    examples: ['mcp-server', 'mcp-proxy'],
    drivers: async () => {
      const { McpDriver } = await import('./mcp/driver.ts')
      const places = ['guardServer', 'guardClient', 'holdpoint mcp over stdio', 'holdpoint mcp over HTTP'] as const
      return [
        ...places.map((place) => new McpDriver(1, place)),
        ...places.map((place) => new McpDriver(2, place)),
        new McpDriver(2, 'guardServer in createMcpHandler'),
      ]
    },
  },
]

/** The drivers of one host, for its own conformance test. */
export async function driversOf(name: string): Promise<readonly HostDriver[]> {
  const host = HOSTS.find((one) => one.name === name)
  if (host === undefined) throw new Error(`${name} is not in test/adapters/hosts.ts`)
  return await host.drivers()
}
