import type { ToolDefinition } from '../../src/index.ts'
import { isLegible } from '../shared/arguments-text.ts'
import { cloneWith } from '../shared/clone.ts'
import { methodOf } from '../shared/host-shape.ts'
import type { Surroundings } from '../shared/surroundings.ts'
import { type HostDeclaration, type HostRunner, type HostTool, member } from './host.ts'
import { ask } from './passage.ts'
import { inMessages, isStandIn, noteUnparsed, type PendingCall, take } from './pending.ts'
import { definitionOf, PACKAGE } from './surroundings.ts'

/** Tools whose arguments reach us as text: `runTools` and typed tools of the Responses API. */
export interface Parsing {
  readonly definition: ToolDefinition
  /** The tool's own parser; absent where its callback reads the text itself. */
  readonly parse: ((text: string) => unknown) | undefined
  readonly call: (parsed: unknown, ...rest: readonly unknown[]) => unknown
}

/** Made by `zodFunction`, `zodResponsesFunction`, `standardFunction`…: parser and callback are hidden members. */
export function isTyped(tool: HostTool): boolean {
  return tool.$brand === 'auto-parseable-tool'
}

/** What a typed tool tells the model: nested for chat completions, flat for responses. */
function declarationOf(tool: HostTool): HostDeclaration {
  return (typeof tool.function === 'object' && tool.function !== null ? tool.function : tool) as HostDeclaration
}

/** A typed tool, behind the gate. */
export function typedTool(
  tool: HostTool,
  around: Surroundings,
): { readonly tool: object; readonly definition: ToolDefinition } {
  const definition = definitionOf(declarationOf(tool))
  const parse = methodOf(PACKAGE, tool, `the tool "${definition.name}"`, '$parseRaw') as (text: string) => unknown
  const callback = tool.$callback as Parsing['call']
  const gated = new ParsingGate(around, {
    definition,
    parse: (text) => parse.call(tool, text),
    call: (parsed, ...rest) => callback.call(tool, parsed, ...rest),
  })
  const members = new Map<string, unknown>([
    ['$parseRaw', (text: string) => gated.parse(text)],
    ['$callback', (parsed: unknown, ...rest: readonly unknown[]) => gated.call(parsed, ...rest)],
  ])
  return { tool: cloneWith(tool, members), definition }
}

/** A plain runnable tool, `{ type: 'function', function: { function, parse?, … } }`, behind the gate. */
export function runnableTool(
  tool: HostTool,
  around: Surroundings,
): { readonly tool: object; readonly definition: ToolDefinition } {
  const spec = tool.function as object
  const callback = member(spec, 'function') as Parsing['call']
  const parse = member(spec, 'parse')
  const name = member(spec, 'name')
  // The SDK falls back to the callback's own name; the guarded callback has another.
  const named = typeof name === 'string' && name !== '' ? name : callback.name
  const declared = { name: named, description: member(spec, 'description'), parameters: member(spec, 'parameters') }
  const definition = definitionOf(declared, spec)
  const gated = new ParsingGate(around, {
    definition,
    parse: typeof parse === 'function' ? (text) => parse.call(spec, text) : undefined,
    call: (parsed, ...rest) => callback.call(spec, parsed, ...rest),
  })
  const members = new Map<string, unknown>([
    ['name', named],
    ['function', (parsed: unknown, ...rest: readonly unknown[]) => gated.call(parsed, ...rest)],
    ...(typeof parse === 'function' ? ([['parse', (text: string) => gated.parse(text)]] as const) : []),
  ])
  return { tool: cloneWith(tool, new Map([['function', cloneWith(spec, members)]])), definition }
}

/** Stands for arguments that no two readers agree about: the callback brings them before the gate as they are. */
class Illegible {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** What the tool's own parser makes of a text that strict reading refuses. */
class Parsed {
  readonly value: unknown

  constructor(value: unknown) {
    this.value = value
  }
}

/** The parser and the callback of one tool. Between them the SDK carries what the parser made. */
class ParsingGate {
  readonly #around: Surroundings
  readonly #own: Parsing
  /** What was parsed out of which text. */
  readonly #texts = new WeakMap<object, string>()

  constructor(around: Surroundings, own: Parsing) {
    this.#around = around
    this.#own = own
  }

  /** The tool's own parser, which may refuse the arguments as it would without us; never for text that has two readings. */
  parse(text: string): unknown {
    const { parse } = this.#own
    if (parse === undefined || !isLegible(text) || isStandIn(text)) return new Illegible(text)
    try {
      const parsed = parse(text)
      if (!(parsed instanceof Promise)) return this.#keep(parsed, text)
      return parsed.then(
        (value) => this.#keep(value, text),
        (error: unknown) => this.#unparsed(text, error),
      )
    } catch (error) {
      return this.#unparsed(text, error)
    }
  }

  /** What the SDK calls for a call. Never throws for what the gate decided. */
  async call(parsed: unknown, ...rest: readonly unknown[]): Promise<unknown> {
    const { definition, parse } = this.#own
    const isText = parsed instanceof Illegible || (parse === undefined && typeof parsed === 'string')
    const text = isText ? textIn(parsed) : this.#textOf(parsed)
    const [runner] = rest
    const { rejected, ...identity } = this.#identify(text, runner)
    return await ask(this.#around, {
      tool: rejected?.tool ?? definition.name,
      definition: rejected?.definition ?? definition,
      // INVARIANT I3: what the tool's own parser makes of the arguments is what is decided; text alone only where it cannot be parsed.
      said: isText ? { inputText: rejected?.text ?? text } : { input: parsed },
      identity,
      signal: (runner as HostRunner | undefined)?.controller?.signal,
      // INVARIANT I4: a tool never runs in the place of one that is not there.
      execute:
        rejected?.definition === undefined
          ? async (decided) => await this.#own.call(await this.#asItWas(decided, isText), ...rest)
          : undefined,
      ...(parse === undefined ? {} : { reads: async (unread) => new Parsed(await parse(unread)) }),
    })
  }

  /** The host tells the model what the parser says, and nothing runs. */
  #unparsed(text: string, error: unknown): never {
    noteUnparsed(this.#around.gate, this.#own.definition.name, text)
    throw error
  }

  #keep(parsed: unknown, text: string): unknown {
    if (typeof parsed === 'object' && parsed !== null) this.#texts.set(parsed, text)
    return parsed
  }

  #textOf(parsed: unknown): string {
    return (
      (typeof parsed === 'object' && parsed !== null ? this.#texts.get(parsed) : undefined) ?? JSON.stringify(parsed)
    )
  }

  /** What the callback expects of the decided arguments: text where it reads that itself. */
  #asItWas(decided: unknown, isText: boolean): unknown {
    if (decided instanceof Parsed) return decided.value
    if (!isText) return decided
    const { parse } = this.#own
    const text = JSON.stringify(decided)
    return parse === undefined ? text : parse(text)
  }

  #identify(text: string, runner: unknown): PendingCall {
    const { gate } = this.#around
    const { parse, definition } = this.#own
    const { name } = definition
    const isOfChat = typeof runner === 'object' && runner !== null
    const call: PendingCall = isOfChat ? inMessages(gate, runner, name, text) : take(gate, name, text)
    // INVARIANT I3: the parser was passed by for what looks like a stand-in. One that the model wrote would meet it after the decision.
    const isForged = parse !== undefined && isStandIn(text) && call.rejected === undefined
    return isForged ? { ...call, rejected: { tool: name, text: 'unread' } } : call
  }
}

function textIn(parsed: Illegible | string): string {
  return typeof parsed === 'string' ? parsed : parsed.text
}
