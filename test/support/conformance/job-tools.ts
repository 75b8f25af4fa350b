import { setTimeout as sleep } from 'node:timers/promises'
import { type CallToolResult, inputRequired, type McpServer } from '@modelcontextprotocol/server'
import { z } from 'zod'
import { accepted, question, said } from './parts.ts'
import { allowsTasks, startTask, type TaskAtWork } from './tasks.ts'

/** The tools that may become tasks (SEP-2663), where the client allows it, and one that never does. */
export function registerJobTools(server: McpServer): void {
  server.registerTool(
    'greet',
    { description: 'Greets by name, at once', inputSchema: z.object({ name: z.string().default('World') }) },
    ({ name }) => said(`Hello, ${name}!`),
  )
  server.registerTool(
    'slow_compute',
    { description: 'Takes as many seconds as it is told', inputSchema: SECONDS },
    ({ seconds }, context) => {
      const compute = async (signal?: AbortSignal) => {
        await sleep(seconds * 1000, undefined, { signal })
        return said(`Computed for ${seconds} s.`)
      }
      return allowsTasks(context) && seconds > 0 ? startTask(({ signal }) => compute(signal)) : compute()
    },
  )
  for (const [name, description, job] of JOBS) {
    server.registerTool(name, { description }, (context) =>
      allowsTasks(context) ? startTask(job) : said('This needs a client that knows tasks.'),
    )
  }
  server.registerTool('test_tool_with_task', { description: 'Asks for a name, then becomes a task' }, (context) => {
    const user = accepted(context, 'user_name', NAME)
    if (user === undefined) return inputRequired({ inputRequests: { user_name: question('What is your name?', NAME) } })
    return allowsTasks(context) ? startTask(async () => said(`Hello, ${user.name}!`)) : said(`Hello, ${user.name}!`)
  })
}

const SECONDS = z.object({ seconds: z.number().min(0).max(60).default(0), label: z.string().optional() })
const NAME = z.object({ name: z.string() })
const YES = z.object({ confirm: z.boolean() })

const JOBS: readonly (readonly [
  name: string,
  description: string,
  job: (task: TaskAtWork) => Promise<CallToolResult>,
])[] = [
  ['failing_job', 'Fails, as a tool does', failAsTool],
  ['protocol_error_job', 'Fails, as a server does', failAsServer],
  ['confirm_delete', 'Asks before it would delete', confirmDelete],
  ['multi_input', 'Asks two things at once', askTwo],
]

async function failAsTool({ signal }: TaskAtWork): Promise<CallToolResult> {
  await sleep(300, undefined, { signal })
  return { ...said('The job ran, and failed.'), isError: true }
}

async function failAsServer(): Promise<CallToolResult> {
  throw new Error('The job could not be run')
}

async function confirmDelete(task: TaskAtWork): Promise<CallToolResult> {
  const answers = await task.ask({ confirm: question('Delete it?', YES) })
  return said(`Answered: ${JSON.stringify(answers.get('confirm'))}`)
}

async function askTwo(task: TaskAtWork): Promise<CallToolResult> {
  const answers = await task.ask({ first: question('First?', YES), second: question('Second?', YES) })
  return said(`Answered: ${[...answers.keys()].join(', ')}`)
}
