import mastra from '@mastra/core/package.json' with { type: 'json' }
import type { Gate, Json, Refusal } from '../../src/index.ts'
import { carryOut, giveBack } from '../shared/carry-out.ts'
import { type HostPackage, refuseOlder } from '../shared/host-shape.ts'
import { journalOf, partitionOf } from '../shared/journal.ts'
import { warnOnce } from '../shared/warnings.ts'
import { definitionOf, parsed } from './definition.ts'
import { isGuarded } from './gated-tool.ts'
import { coverTools, type Tools } from './guard-tools.ts'
import { type HostTool, originOf } from './host.ts'
import { refusedResult } from './refusal.ts'

const PACKAGE: HostPackage = { name: '@mastra/core', range: '^1.71.0' }
/** The oldest release on which the hooks were seen to be called: 1.34.0 takes them, calls none, and runs the tools. */
const OLDEST = '1.71.0'

/** What `holdpointHooks` may be told. */
export interface HookOptions {
  /** Every tool that the agent has: guarded ones (`guardTools`), and others, which the hooks gate. Any other is refused. */
  readonly tools: Tools
  /** Tools that run where no gate can stand and are accepted as such. */
  readonly ungated?: readonly string[]
  /** Our own name of the server of the tools that are not guarded. */
  readonly server?: string
}

/** What Mastra tells a hook. */
export interface HookContext {
  readonly toolName: string
  readonly input: unknown
  readonly context: unknown
}

/** Hooks for `new Agent({ hooks })`. */
export interface HoldpointHooks {
  beforeToolCall(asked: HookContext): Promise<{ readonly proceed: false; readonly output: unknown } | undefined>
  afterToolCall(ended: HookContext & { readonly output?: unknown; readonly error?: unknown }): Promise<void>
}

/** How the host says that a call went. */
type Ended = { readonly result: unknown } | { readonly error: unknown }

/** A call that runs under a hook's permit. */
interface Running {
  /** As the host had them before the call: it hands the very same over after it. */
  readonly input: unknown
  readonly context: unknown
  end(ended: Ended): Promise<void>
}

/**
 * A gate for the tools that an agent gets elsewhere: from memory, a workspace, an MCP client. Guarded tools pass by it, since they ask
 * by themselves. The enforcement is `guardTools`: hooks do not see code mode, workflows and bare calls, and hooks of a single run take
 * the place of the agent's.
 *
 * @throws HoldpointError as `guardTools`; ERR_HOST for a release that calls no hooks
 * @example
 * const tools = { ...guardTools({ refund }, me), ...(await memory.listTools()) }
 * const agent = new Agent({ ..., tools, hooks: holdpointHooks(me, { tools }) })
 */
export function holdpointHooks(gate: Gate, options: HookOptions): HoldpointHooks {
  refuseOlder(
    PACKAGE,
    mastra.version,
    OLDEST,
    'it may take these hooks and call none of them, so its tools would run ungated',
  )
  const entries: readonly (readonly [string, HostTool])[] = Object.entries(options.tools)
  const guarded = new Set(entries.filter(([, tool]) => isGuarded(tool)).map(([name]) => name))
  const others = new Map(entries.filter(([, tool]) => !isGuarded(tool)))
  coverTools([...others], gate, options)
  const hooks = new Hooks(gate, guarded, others, options.server)
  return {
    beforeToolCall: async (asked) => await hooks.before(asked),
    afterToolCall: async (ended) => await hooks.after(ended),
  }
}

class Hooks {
  readonly #gate: Gate
  readonly #guarded: ReadonlySet<string>
  readonly #others: ReadonlyMap<string, HostTool>
  readonly #server: string | undefined
  /** By whose call it is, the tool and the host's id. What has no id shares its place with others of the tool. */
  readonly #running = new Map<string, Running[]>()

  constructor(
    gate: Gate,
    guarded: ReadonlySet<string>,
    others: ReadonlyMap<string, HostTool>,
    server: string | undefined,
  ) {
    this.#gate = gate
    this.#guarded = guarded
    this.#others = others
    this.#server = server
  }

  async before(asked: HookContext) {
    const { toolName, input, context } = asked
    if (this.#guarded.has(toolName)) return undefined
    const { callId, step, signal } = originOf(context)
    const admission = await this.#gate.admit(
      {
        tool: toolName,
        input: await this.#parse(toolName, input),
        definition: this.#definitionOf(toolName),
        ...(callId === undefined ? {} : { callId }),
        ...(step === undefined ? {} : { step }),
        ...(this.#server === undefined ? {} : { server: this.#server }),
      },
      { wait: false, ...(signal === undefined ? {} : { signal }) },
    )
    const record = journalOf(this.#gate).note(callId ?? admission.callKey ?? toolName, toolName, admission)
    if (admission.outcome === 'refused') return refused(admission.refusal)
    if (admission.failedOpen) {
      // INVARIANT I5: the model has to hear of it, and a hook cannot add to a result.
      await giveBack(admission)
      return { proceed: false as const, output: { error: true, message: UNTOLD } }
    }
    const ended = Promise.withResolvers<unknown>()
    let hasBegun = false
    const carried = carryOut(admission, {
      execute: (_: Json) => {
        hasBegun = true
        return ended.promise
      },
      signal,
      settled: (receipt) => {
        if (receipt !== undefined) record.receipts.push(receipt)
      },
      lapsed: (refusal) => {
        record.refusal = refusal
      },
    })
    // Whoever waits for it meets the rejection: the joined duplicate below, and nobody while the host runs the tool.
    carried.catch(() => undefined)
    if (!hasBegun) return await carried.then(joined)
    this.#add(asked, async (end) => {
      if ('error' in end) ended.reject(end.error)
      else ended.resolve(end.result)
      // The tool's own error is with the host already; what is waited for is its outcome on record.
      await carried.catch(() => undefined)
    })
    return undefined
  }

  #add(asked: HookContext, end: Running['end']): void {
    const { input, context } = asked
    const key = this.#keyOf(asked)
    this.#running.set(key, [...(this.#running.get(key) ?? []), { input, context, end }])
  }

  /** The call that ended. Of several that the host does not tell apart, none: nobody knows how that one went. */
  #take(ended: HookContext): Running | undefined {
    const key = this.#keyOf(ended)
    const running = this.#running.get(key) ?? []
    const same = running.find(({ input, context }) => input === ended.input && context === ended.context)
    const found = same ?? (running.length === 1 ? running[0] : undefined)
    const left = running.filter((each) => each !== found)
    if (left.length === 0) this.#running.delete(key)
    else this.#running.set(key, left)
    return found
  }

  async after(ended: HookContext & { readonly output?: unknown; readonly error?: unknown }): Promise<void> {
    const { toolName, context, output, error } = ended
    const running = this.#take(ended)
    if (running !== undefined) return await running.end(error === undefined ? { result: output } : { error })
    const { callId } = originOf(context)
    const isRefused = typeof output === 'object' && output !== null && Reflect.get(output, 'error') === true
    if (callId === undefined || error !== undefined || isRefused) return
    // The tripwire: a tool of another place may have taken a guarded one's name.
    this.#gate.reportRun('mastra', { tool: toolName, callId })
  }

  /** As the host will parse them: what runs is what was decided. */
  async #parse(name: string, input: unknown): Promise<unknown> {
    const tool = this.#others.get(name)
    return (tool === undefined ? input : await parsed(tool, input)) ?? {}
  }

  /** A tool that was not shown to us is one that nobody registered: the gate does not know it. */
  #definitionOf(name: string) {
    const tool = this.#others.get(name)
    if (tool !== undefined) return definitionOf(name, tool)
    warnOnce(
      this.#gate,
      this,
      'stray_tool',
      `The agent calls "${name}", which holdpointHooks was not shown, so it is refused. Name every tool of the agent: holdpointHooks(gate, { tools }).`,
    )
    return { name, origin: 'third-party' as const }
  }

  #keyOf({ toolName, context }: HookContext): string {
    return JSON.stringify([partitionOf(this.#gate), toolName, originOf(context).callId ?? null])
  }
}

const UNTOLD =
  'No policy answered for this call. It could have run unchecked, but here nobody could have told you so: it did not run.'

function refused(refusal: Refusal) {
  return { proceed: false as const, output: refusedResult(refusal) }
}

/** A duplicate of a live call gets what the first one gives. */
function joined(carried: Awaited<ReturnType<typeof carryOut>>) {
  return carried.outcome === 'refused' ? refused(carried.refusal) : { proceed: false as const, output: carried.result }
}
