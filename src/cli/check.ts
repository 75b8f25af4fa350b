/** `holdpoint check`: what would the gate say to this call? Nothing is recorded and nothing runs. */

import { Command } from 'commander'
import { z } from 'zod'
import { isWrittenTool } from '../bytes/names.ts'
import { parseStrict } from '../bytes/strict-json.ts'
import type { LoadedConfig } from '../config/read.ts'
import { createGate } from '../create-gate.ts'
import { absenceOf } from '../policy/absent.ts'
import { type LoadedPolicy, loadPolicies } from '../policy/load.ts'
import { readReceipt } from '../receipt/read.ts'
import { generateSigner } from '../receipt/sign.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Admission, Gate, Json, JsonSchema, PolicyMisfit, ToolDefinition } from '../types.ts'
import { type CommandContext, situationOf } from './context.ts'
import { reasonOf, UnusableInput } from './exit.ts'
import { explain, requestIn } from './explain.ts'
import { decisionAsJson, type Explained, tellDecision } from './explanation.ts'
import { inferredSchema } from './inferred-schema.ts'
import { inputName, readInput } from './input.ts'
import { knownTools, toolsOption } from './policy/known-tools.ts'

const object = z.record(z.string(), z.json())

/** A call as a person writes it down. */
const callSchema = z.strictObject({
  tool: z.string().refine(isWrittenTool, 'must be a tool name'),
  server: z.string().optional(),
  input: object.optional(),
  user: z.string().optional(),
  agent: z.string().optional(),
  roles: z.array(z.string()).optional(),
  tenant: z.string().optional(),
  conversation: z.string().optional(),
  environment: object.optional(),
  /** Decide as if the person had said yes. */
  confirmed: z.boolean().optional(),
  /** What the tool says of itself, as in MCP's `tools/list`. */
  definition: z
    .strictObject({
      title: z.string().optional(),
      description: z.string().optional(),
      inputSchema: object.optional(),
      annotations: object.optional(),
    })
    .optional(),
})

type WrittenCall = z.infer<typeof callSchema>

const EXAMPLE = `{"tool":"refund","input":{"amount":900},"user":"ada"}`

export function checkCommand(context: CommandContext): Command {
  return new Command('check')
    .argument('[FILE]', 'the call as JSON; "-" or nothing reads stdin', '-')
    .addOption(toolsOption())
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nA call has "tool" (refund, or files/write_file) and may have input, server,\nuser, agent, roles, tenant, conversation, environment, confirmed and definition (description, inputSchema, annotations),\nwhich --tools gives too. Exits 1 when the call would be refused.\n\nExample:\n  echo '${EXAMPLE}' | holdpoint check`,
    )
    .action(async (file: string, flags: { tools?: readonly string[]; config?: string; json?: true }) => {
      const explained = await checkCall(await readCall(file, context), flags.tools ?? [], flags.config)
      if (flags.json === true) context.terminal.out(JSON.stringify(decisionAsJson(explained)))
      else tellDecision(explained, context.terminal)
      context.end(explained.claims.code === undefined ? 0 : 1)
    })
}

/** Takes the call through a real gate on a store that forgets. */
async function checkCall(
  call: WrittenCall,
  toolFiles: readonly string[],
  configFile: string | undefined,
): Promise<Explained> {
  const { config, policies } = situationOf(configFile)
  const store = createMemoryStore()
  const gate = createGate({
    config: config.file === undefined ? config.folder : { file: config.file },
    // Nobody signs in a rehearsal.
    approvals: {},
    effects: { store, signer: generateSigner() },
    // What does not fit is told below, once.
    events: [() => undefined],
  })
  const server = call.server ?? config.server
  const near = await neighbours(toolFiles, server, config)
  const { definition, misfits } = registered(gate, call, server, near, loadPolicies(policies).policies)
  const admission = await admitted(gate, call, server)
  const { receipt } = admission
  if (receipt === undefined) throw new Error('the gate left no receipt')
  const claims = readReceipt(receipt.jws)
  if (claims.kind !== 'decision') throw new Error('the gate left no decision')
  const request = requestIn(await store.sidecar(receipt.hash))
  await gate.close()
  const explained = explain({ receipt, claims }, request, policies, definition.inputSchema)
  return {
    ...explained,
    receipt: undefined,
    // What the caller would have been told; a gate that objects by itself has a sentence that no policy wrote.
    sentences: admission.outcome === 'refused' ? [admission.refusal.message] : explained.sentences,
    notes: [
      ...explained.notes,
      ...misfits.map(({ at, message }) => `${at}: ${message}`),
      ...(call.definition?.inputSchema === undefined && toolFiles.length === 0
        ? ['no input schema was given (--tools FILE), so one was guessed from the arguments']
        : []),
      ...(misfits.length > 0 && toolFiles.length === 0
        ? ['without --tools FILE the other tools of this server are not known, so a rule may seem not to fit']
        : []),
    ],
  }
}

interface Registered {
  readonly definition: ToolDefinition
  readonly misfits: readonly PolicyMisfit[]
}

/** What else is known of the call's server. */
interface Neighbours {
  /** Were they listed? Then a tool that is not among them does not exist. */
  readonly listed: boolean
  readonly definitions: readonly ToolDefinition[]
}

/**
 * The tools beside which a policy is read. Without a list, those that the configuration names, so that they are no
 * misspelling of this one; but of whose arguments a rule speaks, too little is known to say whether it fits.
 */
async function neighbours(toolFiles: readonly string[], server: string, config: LoadedConfig): Promise<Neighbours> {
  if (toolFiles.length > 0) {
    const known = await knownTools(toolFiles, config)
    const contracts = known.flatMap((tool) => ('contract' in tool ? [tool.contract] : []))
    const here = contracts.filter((contract) => contract.server === server)
    return { listed: true, definitions: here.map(({ definition }) => definition) }
  }
  const ids = [...config.words.keys()]
  const judged = new Set(
    config.shortRules.flatMap(({ tool, says }) =>
      says.kind === 'permit-when' && says.conditions.length > 0 ? [tool] : [],
    ),
  )
  const names = ids.filter((id) => !judged.has(id))
  const here = names.flatMap((name) => (name.startsWith(`${server}/`) ? [name.slice(server.length + 1)] : []))
  return { listed: false, definitions: here.map((name) => ({ name, origin: 'own' })) }
}

/** Tells the gate of the tools. Where nobody gives a schema, one is guessed that the policies can fit. */
function registered(
  gate: Gate,
  call: WrittenCall,
  server: string,
  { listed, definitions }: Neighbours,
  policies: readonly LoadedPolicy[],
): Registered {
  const id = `${server}/${call.tool}`
  const others = definitions.filter(({ name }) => name !== call.tool)
  const found = listed ? definitions.find(({ name }) => name === call.tool) : undefined
  if (listed && found === undefined && call.definition === undefined) {
    const ids = definitions.map(({ name }) => `${server}/${name}`)
    throw new UnusableInput(`${absenceOf(id, ids)} (of --tools)`)
  }
  const told = call.definition === undefined && found !== undefined ? found : definitionOf(call)
  const definition =
    told.inputSchema === undefined && found === undefined
      ? { ...told, inputSchema: inferredSchema(call.input ?? {}, policies, id) }
      : told
  return { definition, misfits: gate.register([definition, ...others], { server }) }
}

async function admitted(gate: Gate, call: WrittenCall, server: string): Promise<Admission> {
  const { user, agent, roles, tenant, conversation, environment } = call
  const view = gate.as(
    {
      ...(user === undefined ? {} : { user }),
      ...(agent === undefined ? {} : { agent }),
      ...(roles === undefined ? {} : { roles }),
      ...(tenant === undefined ? {} : { tenant }),
    },
    {
      ...(conversation === undefined ? {} : { conversation }),
      ...(environment === undefined ? {} : { environment }),
    },
  )
  const first = await view.admit({ tool: call.tool, server, input: call.input ?? {} }, { wait: false })
  if (first.outcome === 'permitted' || first.request === undefined || call.confirmed !== true) return first
  await view.answer(first.request.ref, 'approved', { channel: 'terminal' })
  return await view.admit({ tool: call.tool, server, input: call.input ?? {} }, { wait: false })
}

function definitionOf({ tool, definition }: WrittenCall): ToolDefinition {
  return {
    name: tool,
    origin: definition?.annotations === undefined ? 'own' : 'third-party',
    ...(definition?.title === undefined ? {} : { title: definition.title }),
    ...(definition?.description === undefined ? {} : { description: definition.description }),
    ...(definition?.inputSchema === undefined ? {} : { inputSchema: definition.inputSchema as JsonSchema }),
    ...(definition?.annotations === undefined ? {} : { annotations: definition.annotations }),
  }
}

async function readCall(file: string, { terminal }: CommandContext): Promise<WrittenCall> {
  const name = inputName(file)
  if (file === '-' && process.stdin.isTTY) terminal.note('holdpoint: reading the call from stdin; end with Ctrl-D')
  const bytes = await readInput(file)
  let value: Json
  try {
    value = parseStrict(bytes)
  } catch (error) {
    throw new UnusableInput(`${name}: ${reasonOf(error)}; a call looks like ${EXAMPLE}`)
  }
  const parsed = callSchema.safeParse(value)
  if (parsed.success) return withServer(parsed.data)
  const [issue] = parsed.error.issues
  const where = issue === undefined || issue.path.length === 0 ? '' : ` "${issue.path.join('.')}"`
  throw new UnusableInput(`${name}:${where} ${issue?.message ?? 'is not a call'}; a call looks like ${EXAMPLE}`)
}

/** `files/write_file` is how receipts name a tool: our own name of its server comes first. */
function withServer(call: WrittenCall): WrittenCall {
  const slash = call.tool.indexOf('/')
  if (call.server !== undefined || slash < 0) return call
  return { ...call, server: call.tool.slice(0, slash), tool: call.tool.slice(slash + 1) }
}
