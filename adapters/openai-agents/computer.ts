import { type Refusal, renderForModel } from '../../src/index.ts'
import type { Crossed } from '../shared/cross.ts'
import { authorAsks } from './author.ts'
import { customDataFor } from './custom-data.ts'
import { type HostNeedsApproval, type HostRunContext, type HostToolCall, member } from './host.ts'
import { delegating } from './hosted.ts'
import { callIdOf, type Passage } from './passage.ts'
import { pictureOf } from './picture.ts'

/** One thing to do at a computer, as the model says it. UNTRUSTED. */
type Action = Readonly<Record<string, unknown>> & { readonly type: string }

/** What was decided to be done. */
interface Decided {
  readonly actions: readonly Action[]
}

/** How the host calls the computer for an action: the method, and the members of the action that are its arguments. */
const METHODS: ReadonlyMap<string, { readonly method: string; readonly given: readonly string[] }> = new Map([
  ['click', { method: 'click', given: ['x', 'y', 'button'] }],
  ['double_click', { method: 'doubleClick', given: ['x', 'y'] }],
  ['drag', { method: 'drag', given: ['path'] }],
  ['keypress', { method: 'keypress', given: ['keys'] }],
  ['move', { method: 'move', given: ['x', 'y'] }],
  ['scroll', { method: 'scroll', given: ['x', 'y', 'scroll_x', 'scroll_y'] }],
  ['type', { method: 'type', given: ['text'] }],
  ['wait', { method: 'wait', given: [] }],
])

export function isComputer(value: unknown): value is object {
  return typeof member(value, 'screenshot') === 'function' && typeof member(value, 'click') === 'function'
}

/** A computer, a function that makes one for a run, or a provider of such. */
export function isComputerConfig(value: unknown): boolean {
  return isComputer(value) || typeof value === 'function' || typeof member(value, 'create') === 'function'
}

/** One call: all its actions are one question, since they are one plan. */
class ComputerCall {
  readonly callId: string | undefined
  readonly actions: Action[] = []
  readonly asks: Promise<boolean>[] = []
  /** A hook has asked whether it waits for a person. */
  waits: Promise<boolean> | undefined
  readonly #leaving = new AbortController()
  readonly #begun = Promise.withResolvers<Decided | undefined>()
  readonly #done = Promise.withResolvers<unknown>()
  #crossed: Promise<Crossed> | undefined
  #next = 0

  constructor(callId: string | undefined) {
    this.callId = callId
    // The call's own pass waits for it, and meets the rejection; of a call that was refused nobody does.
    this.#done.promise.catch(() => undefined)
  }

  /** What may be done; `undefined` where it was refused. Asked once, with the first action. */
  async begin(passage: Passage, context: HostRunContext): Promise<Decided | undefined> {
    this.#crossed ??= this.#cross(passage, context)
    return await this.#begun.promise
  }

  /** The decided action of this type that comes next. Screenshots are taken at the end of a call, whatever it asks for. */
  next({ actions }: Decided, type: string): Action | undefined {
    while (actions[this.#next]?.type === 'screenshot') this.#next += 1
    const action = actions[this.#next]
    this.#next += 1
    return action?.type === type ? action : undefined
  }

  /** The picture that ends the call; one of the refusal where there was one, and then nobody looks at the screen. */
  async end(decided: Decided | undefined, take: () => unknown): Promise<unknown> {
    try {
      if (decided !== undefined) this.#done.resolve(await take())
    } catch (error) {
      this.#done.reject(error)
    }
    const crossed = await this.#crossed
    return crossed?.outcome === 'ran' ? crossed.result : pictureOf(wordsOn(crossed?.refusal))
  }

  async fail(error: unknown): Promise<never> {
    this.#done.reject(error)
    await this.#crossed
    throw error
  }

  /** The host went on to another call: this one was left. */
  leave(): void {
    this.#leaving.abort(new Error('the host went on'))
    this.#done.reject(this.#leaving.signal.reason)
  }

  async #cross(passage: Passage, context: HostRunContext): Promise<Crossed> {
    const wantsYes = (await Promise.all(this.asks)).includes(true)
    const asked = { arguments: { input: { actions: this.actions } }, callId: this.callId, wantsYes }
    const crossed = passage.cross(context, asked, {
      execute: (decided) => {
        this.#begun.resolve(decided as unknown as Decided)
        return this.#done.promise
      },
      signal: this.#leaving.signal,
    })
    crossed.then(() => this.#begun.resolve(undefined), this.#begun.reject)
    crossed.catch(() => undefined)
    return await crossed
  }
}
/** What the model reads, without the line for programs: there is no reader for it in a picture. */
function wordsOn(refusal: Refusal | undefined): string {
  if (refusal === undefined) return 'holdpoint refused this call.'
  return [...renderForModel(refusal).split('\n').slice(0, -1), `(${refusal.code})`].join('\n')
}

/** The call that each run is at: the host does one after the other. */
type Calls = WeakMap<HostRunContext, ComputerCall>

const underWay = new WeakMap<Passage, Calls>()

/** The members of a computer tool that stand behind the gate. */
export function gatedComputer(passage: Passage): ReadonlyMap<string, unknown> {
  const calls: Calls = new WeakMap()
  underWay.set(passage, calls)
  return new Map<string, unknown>([
    ['computer', gatedConfig(passage, calls, passage.tool.computer)],
    ['needsApproval', computerHook(passage, calls)],
    ['customDataExtractor', customDataFor(passage)],
  ])
}

function gatedConfig(passage: Passage, calls: Calls, config: unknown): unknown {
  if (isComputer(config)) return gatedComputerOf(passage, calls, config)
  if (typeof config === 'function')
    return async (...asked: readonly unknown[]) => gatedComputerOf(passage, calls, await config(...asked))
  const originals = new WeakMap<object, object>()
  const provider = config as object
  const create = async (...asked: readonly unknown[]) => {
    const made: object = await Reflect.get(provider, 'create').apply(provider, asked)
    const gated = gatedComputerOf(passage, calls, made)
    originals.set(gated, made)
    return gated
  }
  const dispose = member(provider, 'dispose')
  return delegating(
    provider,
    new Map<PropertyKey, unknown>([
      ['create', create],
      ...(typeof dispose === 'function'
        ? ([
            [
              'dispose',
              (asked: { readonly computer: object }) =>
                dispose.call(provider, { ...asked, computer: originals.get(asked.computer) ?? asked.computer }),
            ],
          ] as const)
        : []),
    ]),
  )
}

function gatedComputerOf(passage: Passage, calls: Calls, computer: object): object {
  const stray = {}
  /** The call that the host is at: it tells its hooks first, and does one call after the other. */
  const callIn = (context: unknown, action: Action): ComputerCall => {
    const known = typeof context === 'object' && context !== null ? calls.get(context) : undefined
    // Nobody told whose call it is: it runs on nothing but a yes in our own store.
    return known ?? planned(calls, Object(context ?? stray), undefined, [action], Promise.resolve(true))
  }
  const gated = Array.from(METHODS, ([type, { method, given }]) => {
    const act = async (...asked: readonly unknown[]) => {
      const context = asked[given.length]
      const call = callIn(context, { type, ...Object.fromEntries(given.map((name, at) => [name, asked[at]])) })
      const decided = await call.begin(passage, Object(context ?? stray))
      // Nothing is done, and the picture at the end says so.
      if (decided === undefined) return undefined
      const action = call.next(decided, type)
      if (action === undefined) return await call.fail(new Error(`${type} is not what was decided`))
      try {
        return await Reflect.get(computer, method).call(computer, ...argumentsOf(action, given), context)
      } catch (error) {
        return await call.fail(error)
      }
    }
    return [method, act] as const
  })
  const screenshot = async (context?: unknown) => {
    const call = callIn(context, { type: 'screenshot' })
    if (typeof context === 'object' && context !== null) calls.delete(context)
    const decided = await call.begin(passage, Object(context ?? stray))
    return await call.end(decided, () => Reflect.get(computer, 'screenshot').call(computer, context))
  }
  return delegating(computer, new Map<PropertyKey, unknown>([...gated, ['screenshot', screenshot]]))
}

/** INVARIANT I3: what is done is the decided action. The protocol draws a path in points, the computer in pairs. */
function argumentsOf(action: Action, given: readonly string[]): readonly unknown[] {
  return given.map((name) => {
    const value = action[name]
    if (name !== 'path' || !Array.isArray(value)) return value
    return value.map((point: unknown) => (Array.isArray(point) ? point : [member(point, 'x'), member(point, 'y')]))
  })
}

/** The host asks for the actions of a call side by side: the question is about all of them. */
function computerHook(passage: Passage, calls: Calls): HostNeedsApproval {
  return async (context, action, callId) => {
    const asks = authorAsks(passage.tool, context, action, callId)
    asks.catch(() => undefined)
    const known = calls.get(context)
    const call =
      known !== undefined && known.callId === callId && known.waits === undefined
        ? known
        : planned(calls, context, callId, [], undefined)
    call.actions.push(action as Action)
    call.asks.push(asks)
    await Promise.resolve()
    call.waits ??= waitsFor(passage, call)
    return await call.waits
  }
}

async function waitsFor(passage: Passage, call: ComputerCall): Promise<boolean> {
  const wantsYes = (await Promise.all(call.asks)).includes(true)
  if (!wantsYes && !passage.asksPeople) return false
  return await passage.waits({ arguments: { input: { actions: call.actions } }, callId: call.callId, wantsYes })
}

/** A resumed run starts a call without asking the hook again: the agent that it belongs to tells of it. */
export function noteComputerStart(passage: Passage, context: HostRunContext, toolCall: HostToolCall): void {
  const callId = callIdOf(toolCall)
  const calls = underWay.get(passage)
  if (calls === undefined || calls.get(context)?.callId === callId) return
  const actions = (Array.isArray(toolCall.actions) ? toolCall.actions : [toolCall.action]) as readonly Action[]
  const asks = actions.map((action) => authorAsks(passage.tool, context, action, callId))
  planned(
    calls,
    context,
    callId,
    actions,
    Promise.all(asks).then((all) => all.includes(true)),
  )
}

function planned(
  calls: Calls,
  context: HostRunContext,
  callId: string | undefined,
  actions: readonly Action[],
  asks: Promise<boolean> | undefined,
): ComputerCall {
  calls.get(context)?.leave()
  const call = new ComputerCall(callId)
  call.actions.push(...actions)
  // Whoever begins the call meets it.
  asks?.catch(() => undefined)
  if (asks !== undefined) call.asks.push(asks)
  calls.set(context, call)
  return call
}
