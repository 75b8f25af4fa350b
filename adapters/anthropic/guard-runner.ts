import type { Gate } from '../../src/index.ts'
import { methodOf } from '../shared/host-shape.ts'
import { type GuardOptions, guardTools, isGuarded } from './guard-tools.ts'
import { type HostTool, nameOf } from './host.ts'
import { HOST, PACKAGE } from './passage.ts'
import { markServerTools } from './server-tools.ts'

/** `client.beta.messages.toolRunner(…)`. */
export interface HostToolRunner extends AsyncIterable<unknown> {
  done(): Promise<unknown>
  addTools?(...tools: never[]): void
  setMessagesParams?(params: never): void
  readonly params?: Params
}

/** What a runner sends. */
interface Params {
  readonly tools?: readonly HostTool[]
}

/** A message, or the stream of one. */
interface Turn {
  readonly content?: unknown
  readonly on?: (event: 'contentBlock', hear: (block: object) => void) => unknown
}

/**
 * The tool runner with the gate beside it: it marks what Anthropic ran by itself, and guards the tools that are added later. The tools
 * that it was made with are guarded by `guardTools`; they are the enforcement.
 *
 * @returns the runner, to be awaited or iterated as before
 * @throws HoldpointError ERR_HOST for what is no tool runner of this major
 * @example
 * const runner = guardRunner(client.beta.messages.toolRunner({ model, max_tokens, messages, tools: guardTools(tools, me) }), me)
 */
export function guardRunner<R extends HostToolRunner>(runner: R, gate: Gate, options: GuardOptions = {}): R {
  for (const name of ['runUntilDone', 'done', 'addTools']) methodOf(PACKAGE, runner, 'the tool runner', name)
  seeBare(runner.params, gate)
  let isRead = false
  async function* turns(): AsyncGenerator<unknown, void, undefined> {
    isRead = true
    for await (const turn of runner) {
      const marking = hear(turn as Turn, gate)
      // A reply in one piece is marked before the loop's own body may leave.
      if ((turn as Turn).on === undefined) await Promise.all(marking)
      yield turn
      await Promise.all(marking)
    }
  }
  async function runUntilDone(): Promise<unknown> {
    if (!isRead) for await (const _ of turns());
    return await runner.done()
  }
  const own = new Map<PropertyKey, unknown>([
    [Symbol.asyncIterator, turns],
    ['runUntilDone', runUntilDone],
    ['then', (kept: never, lost: never) => runUntilDone().then(kept, lost)],
    ['addTools', (...tools: readonly HostTool[]) => addGuarded(runner, tools, gate, options)],
    ['setMessagesParams', (next: unknown) => setGuarded(runner, next, gate, options)],
  ])
  // The runner keeps its state where only its own methods find it, so each is called on the runner itself.
  return new Proxy(runner, {
    get: (target, key) => {
      if (own.has(key)) return own.get(key)
      const value: unknown = Reflect.get(target, key, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
    set: (target, key, value) => Reflect.set(target, key, value, target),
  })
}

/** INVARIANT I4: a tool that comes later is no way past the gate. */
function addGuarded(runner: HostToolRunner, tools: readonly HostTool[], gate: Gate, options: GuardOptions): void {
  const fresh = tools.filter((tool) => !isGuarded(tool))
  const guarded = new Map(guardTools(fresh, gate, options).map((tool, index) => [fresh[index], tool]))
  runner.addTools?.(...(tools.map((tool) => guarded.get(tool) ?? tool) as never[]))
}

/** The same of tools that stand in new params. Those that have no run here stay as they are: nothing here runs them. */
function setGuarded(runner: HostToolRunner, next: unknown, gate: Gate, options: GuardOptions): void {
  runner.setMessagesParams?.(((old: never) => {
    const params: Params = typeof next === 'function' ? next(old) : next
    if (params.tools === undefined) return params
    const fresh = params.tools.filter(isBare)
    const guarded = new Map(guardTools(fresh, gate, options).map((tool, index) => [fresh[index], tool]))
    return { ...params, tools: params.tools.map((tool) => guarded.get(tool) ?? tool) }
  }) as never)
}

/** Runs here, and went past `guardTools`. */
function isBare(tool: HostTool): boolean {
  return typeof tool.run === 'function' && !isGuarded(tool)
}

/** Tools that the runner was made with and that run here past the gate: an operator finds them in the coverage. */
function seeBare(params: Params | undefined, gate: Gate): void {
  const bare = (params?.tools ?? []).filter(isBare).map((tool) => String(nameOf(tool)))
  gate.cover(
    HOST,
    bare.map((tool) => ({ tool, standing: 'unknown', because: 'it did not go through guardTools' })),
  )
}

/** What is being marked: all of it at once, or while the reply streams, since calls may start meanwhile. */
function hear(turn: Turn, gate: Gate): readonly Promise<void>[] {
  if (turn.on === undefined) return [markServerTools(turn.content, gate)]
  const marking: Promise<void>[] = []
  turn.on('contentBlock', (block) => {
    const marked = markServerTools([block], gate)
    // It is awaited once the reply is over; until then nobody hears of a rejection.
    marked.catch(() => undefined)
    marking.push(marked)
  })
  return marking
}
