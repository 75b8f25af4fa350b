import { type Gate, HoldpointError, type JsonSchema, renderForModel, type ToolDefinition } from '../../src/index.ts'
import { isLegible } from '../shared/arguments-text.ts'
import type { Crossed } from '../shared/cross.ts'
import { annotationsIn } from '../shared/declared.ts'
import { journalOf, partitionOf } from '../shared/journal.ts'
import { BLOCKS_BY_CLIENT, WHOLE_BY_CLIENT } from '../shared/mcp-result.ts'
import { dataOf } from '../shared/part.ts'
import { readLoosely } from './author.ts'
import type { Guardrail, GuardrailData } from './guardrail.ts'
import { member } from './host.ts'
import { delegating } from './hosted.ts'
import { type Arguments, callIdOf, Passage, type Surroundings } from './passage.ts'

/** What `guardMcpServer` is told. */
export interface McpServerOptions {
  /** Our own name of the server, `files`: what it calls itself must get nobody's permits. */
  readonly server: string
  /** What a medium or high call does while no policy answers. Default `refuse`. */
  readonly onSilence?: 'refuse' | 'hold'
  /** The longest that a held call waits, ms, at most 10 minutes. Default 60000. */
  readonly holdMs?: number
}

/** Where a call's id travels from the server's result to the host's place for receipts. Neither server nor model sees it. */
const CALL = 'dev.holdpoint/call'

/** Calls that the guardrail saw and the server was not asked for yet. */
const MOST_NOTED = 256

/** The host cuts longer names of tools, and ends them in a hash. */
const LONGEST_WHOLE_NAME = 55

const guardrails = new WeakSet<object>()
const servers = new WeakSet<object>()

/** Is this the guardrail of a guarded server? */
export function isGuardrailOfOurs(guardrail: unknown): boolean {
  return typeof guardrail === 'object' && guardrail !== null && guardrails.has(guardrail)
}

/** Did this server come out of `guardMcpServer`? */
export function isGuardedServer(server: object): boolean {
  return servers.has(server)
}

/**
 * Puts a gate in front of an MCP server of an agent. `callTool` is the enforcement; the guardrail tells whose call it is. Its tools
 * are a third party's: the first listing is pinned, and what differs later is quarantined.
 *
 * @throws HoldpointError ERR_TOOL for what is no MCP server, one that is guarded already, or a name that no server may have
 * @example
 * const files = guardMcpServer(new MCPServerStdio({ name: 'Files', command: 'mcp-files' }), me, { server: 'files' })
 * const agent = new Agent({ name: 'Support', mcpServers: [files] })
 */
export function guardMcpServer<S extends object>(server: S, gate: Gate, options: McpServerOptions): S {
  if (typeof member(server, 'callTool') !== 'function' || typeof member(server, 'listTools') !== 'function')
    throw new HoldpointError(
      'ERR_TOOL',
      'guardMcpServer takes an MCP server of an agent: something with listTools and callTool.',
    )
  if (servers.has(server))
    throw new HoldpointError(
      'ERR_TOOL',
      `The MCP server "${options.server}" is guarded already. Pass the original, once.`,
    )
  const guarded = new GuardedServer(server, gate, options).facade as S
  servers.add(guarded)
  return guarded
}

/** A call as the guardrail saw it. */
interface Noted {
  /** Whose: a server of a module serves several people at once, and their calls may be alike. */
  readonly partition: string
  readonly callId: string
  readonly name: string
  readonly text: string
}

class GuardedServer {
  readonly facade: object
  readonly #server: object
  readonly #around: Surroundings
  readonly #known = new Map<string, ToolDefinition>()
  #noted: readonly Noted[] = []

  constructor(server: object, gate: Gate, { server: name, onSilence = 'refuse', holdMs }: McpServerOptions) {
    // A name that no server may have is the programmer's to hear of now, not the first call's.
    gate.register([], { server: name })
    this.#server = server
    this.#around = { gate, server: name, pauseFor: 'chat', onSilence, holdMs }
    const guardrail: Guardrail = { type: 'tool_input', name: 'holdpoint', run: (data) => this.#note(data) }
    guardrails.add(guardrail)
    const own = member(server, 'toolInputGuardrails')
    const replaced = new Map<PropertyKey, unknown>([
      ['toolInputGuardrails', [...(Array.isArray(own) ? own : []), guardrail]],
      ['listTools', () => this.#list()],
      ['callTool', (...asked: readonly unknown[]) => this.#call(asked)],
    ])
    if (typeof member(server, 'callToolResult') === 'function') {
      replaced.set('callToolResult', (...asked: readonly unknown[]) => this.#callWhole(asked))
      replaced.set('customDataExtractor', (context: object) => this.#customData(context))
    }
    this.facade = delegating(server, replaced)
  }

  async #list(): Promise<unknown> {
    const listed: unknown = await Reflect.get(this.#server, 'listTools').call(this.#server)
    const { gate, server = '' } = this.#around
    const definitions = (Array.isArray(listed) ? listed : []).flatMap(read)
    try {
      gate.register(definitions, { server, pinned: true })
      for (const definition of definitions) this.#known.set(definition.name, definition)
      gate.cover(
        'openai-agents',
        definitions.map(({ name }) => ({ tool: name, standing: 'gated' })),
        { server },
      )
    } catch (cause) {
      // INVARIANT I4: tools that cannot be learned are tools that nobody knows.
      this.#known.clear()
      if (!(cause instanceof HoldpointError)) throw cause
      gate.warn('tool_unknown', `no tool of ${server} can be called: ${cause.message}`)
    }
    return listed
  }

  /** The last of the server's guardrails: what another one refuses is nobody's call. */
  async #note({ toolCall }: GuardrailData) {
    const callId = callIdOf(toolCall)
    const [name, text] = [member(toolCall, 'name'), member(toolCall, 'arguments')]
    if (callId !== undefined && typeof name === 'string' && typeof text === 'string')
      this.#noted = [{ partition: partitionOf(this.#around.gate), callId, name, text }, ...this.#noted].slice(
        0,
        MOST_NOTED,
      )
    return { behavior: { type: 'allow' as const } }
  }

  async #call([name, args, ...rest]: readonly unknown[]): Promise<unknown> {
    const { crossed } = await this.#cross('callTool', name, args, rest)
    if (crossed.outcome === 'refused') return [textBlock(renderForModel(crossed.refusal))]
    const { result, note } = crossed
    return note === undefined || !Array.isArray(result) ? result : [...result, textBlock(note)]
  }

  async #callWhole([name, args, ...rest]: readonly unknown[]): Promise<unknown> {
    const { crossed, callId } = await this.#cross('callToolResult', name, args, rest)
    const mark = callId === undefined ? {} : { [CALL]: callId }
    if (crossed.outcome === 'refused')
      return { content: [textBlock(renderForModel(crossed.refusal))], isError: true, _meta: mark }
    const { result, note } = crossed
    if (typeof result !== 'object' || result === null) return result
    const content = member(result, 'content')
    const told = note === undefined || !Array.isArray(content) ? {} : { content: [...content, textBlock(note)] }
    return { ...result, ...told, _meta: { ...Object(member(result, '_meta')), ...mark } }
  }

  async #cross(
    method: 'callTool' | 'callToolResult',
    name: unknown,
    args: unknown,
    rest: readonly unknown[],
  ): Promise<{ readonly crossed: Crossed; readonly callId: string | undefined }> {
    const tool = String(name)
    const noted = this.#take(tool, args)
    const passage = new Passage(tool, this.#server, this.#around, this.#known.get(tool))
    const asked = {
      arguments: noted === undefined ? { input: args ?? {} } : argumentsOf(noted.text, args),
      callId: noted?.callId,
      wantsYes: false,
    }
    const signal = member(rest[1], 'signal')
    const crossed = await passage.cross(undefined, asked, {
      execute: (decided) => Reflect.get(this.#server, method).call(this.#server, tool, decided, ...rest),
      signal: signal instanceof AbortSignal ? signal : undefined,
      failed: (result) => member(result, 'isError') === true,
      ...(method === 'callTool' ? BLOCKS_BY_CLIENT : WHOLE_BY_CLIENT),
    })
    return { crossed, callId: noted?.callId }
  }

  /**
   * The newest call of this tool with these arguments: of one person's calls that are alike, any is the other. INVARIANT I2: a tool whose
   * longer name ends alike is another one, and keeps its call's id.
   */
  #take(tool: string, args: unknown): Noted | undefined {
    const whose = partitionOf(this.#around.gate)
    const own = this.#noted.filter(({ partition }) => partition === whose)
    const alike = own.filter(({ name, text }) => isNameOf(name, tool) && isAlike(text, args))
    const [found] = alike.toSorted((one, other) => one.name.length - other.name.length)
    this.#noted = this.#noted.filter((each) => each !== found)
    return found
  }

  /** What a server's own extractor gives, and what became of the call. */
  async #customData(context: object): Promise<unknown> {
    const extractor = member(this.#server, 'customDataExtractor')
    const own: unknown = typeof extractor === 'function' ? await extractor.call(this.#server, context) : undefined
    const callId = member(member(context, 'resultMeta'), CALL)
    const record = typeof callId === 'string' ? journalOf(this.#around.gate).find(callId) : undefined
    return record === undefined ? own : { ...Object(own ?? {}), holdpoint: dataOf(record) }
  }
}

function textBlock(text: string) {
  return { type: 'text', text }
}

/** The host writes names in letters, digits and underscores, and may put the server's before them. */
function isNameOf(name: string, tool: string): boolean {
  return name.endsWith(tool.replace(/[^a-zA-Z0-9]/g, '_')) || name.length >= LONGEST_WHOLE_NAME
}

/** Are these the arguments that the host read out of the text? It may leave out members that are null. */
function isAlike(text: string, args: unknown): boolean {
  const read = readLoosely(text)
  return read !== undefined && withoutNulls(read.value) === withoutNulls(args ?? {})
}

/** The text, where it is what the host read, or where nobody can read it in one way alone: the gate refuses that in its own words. */
function argumentsOf(text: string, args: unknown): Arguments {
  const isSame = JSON.stringify(readLoosely(text)?.value) === JSON.stringify(args ?? {})
  return isSame || !isLegible(text) ? { inputText: text } : { input: args ?? {} }
}

function withoutNulls(value: unknown): string {
  return JSON.stringify(value, (_name, each) => (each === null ? undefined : each)) ?? ''
}

/** UNTRUSTED: what a server says of its own tool. */
function read(tool: unknown): readonly ToolDefinition[] {
  const name = member(tool, 'name')
  if (typeof name !== 'string') return []
  const [title, description] = ['title', 'description'].map((each) => member(tool, each))
  const hints = annotationsIn(member(tool, 'annotations'))
  const [inputSchema, outputSchema] = [schemaIn(tool, 'inputSchema'), schemaIn(tool, 'outputSchema')]
  return [
    {
      name,
      origin: 'third-party',
      ...(typeof title === 'string' ? { title } : {}),
      ...(typeof description === 'string' ? { description } : {}),
      ...(inputSchema === undefined ? {} : { inputSchema }),
      ...(outputSchema === undefined ? {} : { outputSchema }),
      ...(hints === undefined ? {} : { annotations: hints }),
    },
  ]
}

function schemaIn(tool: unknown, name: string): JsonSchema | undefined {
  const schema = member(tool, name)
  return typeof schema === 'object' && schema !== null ? (JSON.parse(JSON.stringify(schema)) as JsonSchema) : undefined
}
