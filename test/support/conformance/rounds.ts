import {
  type CallToolResult,
  type ClientCapabilities,
  createRequestStateCodec,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
  type ToolCallback,
} from '@modelcontextprotocol/server'
import { z } from 'zod'
import { accepted, declaredIn, question, said, sampling, textOf } from './parts.ts'

/** What the server remembers between two rounds of one call, sealed into `requestState`. */
interface Memory {
  readonly asked: string
  readonly name?: string
}

/** One key for every process of the fixture: the rounds of a call may reach different ones. It protects nothing. */
export const requestStates = createRequestStateCodec<Memory>({ key: 'the conformance fixture has nothing to hide' })

/** The tools and the prompt that need more than one round with the client (`input_required`, 2026-07-28). */
export function registerRounds(server: McpServer): void {
  for (const [name, description, run] of ROUNDS) {
    server.registerTool(`test_input_required_result_${name}`, { description }, run)
  }
  server.registerTool(
    'test_input_required_result_capabilities',
    { description: 'Asks for nothing that the client did not declare' },
    ({ mcpReq }) => askWhatIsDeclared(declaredIn(mcpReq.envelope) ?? server.server.getClientCapabilities() ?? {}),
  )
  server.registerPrompt(
    'test_input_required_result_prompt',
    { description: 'A prompt that needs a context first' },
    (context) => {
      const given = accepted(context, 'user_context', CONTEXT)
      if (given === undefined) return ask({ user_context: question('What context should the prompt use?', CONTEXT) })
      return { messages: [{ role: 'user', content: { type: 'text', text: `Context: ${given.context}` } }] }
    },
  )
}

type Answer = CallToolResult | InputRequiredResult

const NAME = z.object({ name: z.string() })
const OK = z.object({ ok: z.boolean() })
const COLOR = z.object({ color: z.string() })
const CONTEXT = z.object({ context: z.string() })

const ROUNDS: readonly (readonly [name: string, description: string, run: ToolCallback])[] = [
  ['elicitation', 'Asks for a name', greet],
  ['sampling', "Asks the client's model for a capital", askCapital],
  ['list_roots', "Asks for the client's roots", askRoots],
  ['request_state', 'Asks for a yes, and remembers that it asked', confirm],
  ['tampered_state', 'Asks for a yes, and notices a changed memory', confirm],
  ['multiple_inputs', 'Asks for three things at once', askThree],
  ['multi_round', 'Asks for a name, then for a color', askTwice],
]

function greet(context: ServerContext): Answer {
  const user = accepted(context, 'user_name', NAME)
  if (user === undefined) return ask({ user_name: question('What is your name?', NAME) })
  return said(`Hello, ${user.name}!`)
}

function askCapital({ mcpReq }: ServerContext): Answer {
  const capital = inputResponse(mcpReq.inputResponses, 'capital_question')
  if (capital.kind !== 'sampling') return ask({ capital_question: sampling('What is the capital of France?', 100) })
  return said(textOf(capital.result.content))
}

function askRoots({ mcpReq }: ServerContext): Answer {
  const answer = inputResponse(mcpReq.inputResponses, 'client_roots')
  if (answer.kind !== 'roots') return ask({ client_roots: inputRequired.listRoots() })
  return said(`Roots: ${answer.roots.map(({ uri }) => uri).join(', ')}`)
}

async function confirm(context: ServerContext): Promise<Answer> {
  const memory = context.mcpReq.requestState<Memory>()
  const answer = accepted(context, 'confirm', OK)
  if (memory?.asked !== 'confirm' || answer === undefined) {
    return ask({ confirm: question('Please confirm', OK) }, { asked: 'confirm' })
  }
  return said(`state-ok: ${answer.ok}`)
}

async function askThree(context: ServerContext): Promise<Answer> {
  const { inputResponses } = context.mcpReq
  const user = accepted(context, 'user_name', NAME)
  const greeting = inputResponse(inputResponses, 'greeting')
  const roots = inputResponse(inputResponses, 'client_roots')
  if (user === undefined || greeting.kind !== 'sampling' || roots.kind !== 'roots') {
    const requests = {
      user_name: question('What is your name?', NAME),
      greeting: sampling('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    }
    return ask(requests, { asked: 'all three' })
  }
  return said(`${textOf(greeting.result.content)} ${user.name}, with ${roots.roots.length} roots`)
}

async function askTwice(context: ServerContext): Promise<Answer> {
  const memory = context.mcpReq.requestState<Memory>()
  const first = accepted(context, 'step1', NAME)
  const second = accepted(context, 'step2', COLOR)
  if (memory?.name !== undefined && second !== undefined) return said(`${memory.name} likes ${second.color}.`)
  if (memory?.asked === 'name' && first !== undefined) {
    const color = question('Step 2: What is your favorite color?', COLOR)
    return ask({ step2: color }, { asked: 'color', name: first.name })
  }
  return ask({ step1: question('Step 1: What is your name?', NAME) }, { asked: 'name' })
}

function askWhatIsDeclared(declared: ClientCapabilities): Answer {
  return ask({
    ...(declared.elicitation === undefined ? {} : { user_name: question('What is your name?', NAME) }),
    ...(declared.sampling === undefined ? {} : { greeting: sampling('Generate a greeting', 50) }),
    ...(declared.roots === undefined ? {} : { client_roots: inputRequired.listRoots() }),
  })
}

function ask(inputRequests: Readonly<Record<string, InputRequest>>): InputRequiredResult
function ask(inputRequests: Readonly<Record<string, InputRequest>>, memory: Memory): Promise<InputRequiredResult>
function ask(inputRequests: Readonly<Record<string, InputRequest>>, memory?: Memory) {
  if (memory === undefined) return inputRequired({ inputRequests })
  return requestStates.mint(memory).then((requestState) => inputRequired({ inputRequests, requestState }))
}
