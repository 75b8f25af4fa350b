import { McpServer } from '@modelcontextprotocol/server'
import { registerAskingTools } from './asking-tools.ts'
import { registerJobTools } from './job-tools.ts'
import { registerPlainTools } from './plain-tools.ts'
import { registerPrompts } from './prompts.ts'
import { registerResources } from './resources.ts'
import { registerRounds, requestStates } from './rounds.ts'
import { registerTasks, TASKS } from './tasks.ts'

/** How a server tells its clients that a list may have changed. Over HTTP no connection outlives a modern request. */
export interface Announcer {
  readonly toolsChanged: () => void
  readonly promptsChanged: () => void
}

/**
 * An MCP server with everything that the scenarios of `@modelcontextprotocol/conformance` 0.2.0-alpha.12 call by name. Each
 * handler is written once and serves both eras: what it asks of the client it returns as `input_required`, which the SDK turns
 * into requests of its own for a client of 2025-11-25 and before.
 *
 * @param announcer Needed where the server lives for one request; without it, the server tells its own connection.
 */
export function createFixture(announcer?: Announcer): McpServer {
  const server = new McpServer(
    { name: 'holdpoint-conformance-fixture', version: '1.0.0' },
    {
      capabilities: {
        completions: {},
        extensions: { [TASKS]: {} },
        logging: {},
        prompts: { listChanged: true },
        resources: { listChanged: true, subscribe: true },
        tools: { listChanged: true },
      },
      requestState: { verify: requestStates.verify },
    },
  )
  registerPlainTools(server)
  registerAskingTools(server)
  registerRounds(server)
  registerJobTools(server)
  registerTasks(server)
  registerResources(server)
  registerPrompts(server)
  registerChanges(server, announcer ?? ownAnnouncer(server))
  return server
}

function ownAnnouncer(server: McpServer): Announcer {
  return { toolsChanged: () => server.sendToolListChanged(), promptsChanged: () => server.sendPromptListChanged() }
}

/** The lists stay as they are, so that scenarios can run beside one another: what is tested is that the word gets around. */
function registerChanges(server: McpServer, announcer: Announcer): void {
  const changes = [
    ['test_trigger_tool_change', 'tools', announcer.toolsChanged],
    ['test_trigger_prompt_change', 'prompts', announcer.promptsChanged],
  ] as const
  for (const [name, what, announce] of changes) {
    server.registerTool(name, { description: `Announces that the list of ${what} changed` }, () => {
      announce()
      return { content: [{ type: 'text', text: `The list of ${what} was announced as changed.` }] }
    })
  }
}
