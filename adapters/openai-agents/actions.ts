import { renderForModel } from '../../src/index.ts'
import { cloneWith } from '../shared/clone.ts'
import { authorAsks } from './author.ts'
import { customDataFor } from './custom-data.ts'
import { type HostNeedsApproval, type HostRunContext, type HostToolCall, member } from './host.ts'
import { callIdOf, type Passage } from './passage.ts'

/** A local shell, as the host runs it. */
export interface HostShell {
  readonly run: (action: object) => unknown
}

const OPERATIONS = ['createFile', 'updateFile', 'deleteFile'] as const

/** What applies the patches. */
export type HostEditor = { readonly [operation in (typeof OPERATIONS)[number]]: HostOperation }

type HostOperation = (operation: object, context?: object) => unknown

export function isShell(value: unknown): value is HostShell {
  return typeof member(value, 'run') === 'function'
}

export function isEditor(value: unknown): value is HostEditor {
  return OPERATIONS.every((operation) => typeof member(value, operation) === 'function')
}

/** Whose call an action is: the host tells its hooks, and hands the shell or editor the very same object without a word of it. */
interface Told {
  readonly context: HostRunContext
  readonly callId: string | undefined
}

const told = new WeakMap<object, Told>()

/** The host starts a call of a shell or an editor. */
export function noteStart(context: HostRunContext, call: HostToolCall): void {
  for (const action of [call.action, call.operation]) {
    if (typeof action === 'object' && action !== null) told.set(action, { context, callId: callIdOf(call) })
  }
}

/** The members of a shell tool that stand behind the gate. */
export function gatedShell(passage: Passage, shell: HostShell): ReadonlyMap<string, unknown> {
  const run = async (action: object) => {
    const crossed = await cross(passage, action, (decided) => shell.run(decided))
    if (crossed.outcome === 'refused') return { output: [line('stderr', renderForModel(crossed.refusal), null)] }
    const { result, note } = crossed
    const output = member(result, 'output')
    if (note === undefined || !Array.isArray(output)) return result
    return { ...(result as object), output: [...output, line('stdout', note, 0)] }
  }
  return new Map<string, unknown>([
    ['shell', cloneWith(shell, new Map([['run', run]]))],
    ['needsApproval', actionHook(passage)],
  ])
}

/** The members of a tool that applies patches. */
export function gatedEditor(passage: Passage, editor: HostEditor): ReadonlyMap<string, unknown> {
  const gated = OPERATIONS.map((name) => {
    const apply = async (operation: object, context?: object) => {
      const crossed = await cross(passage, operation, (decided) => editor[name](decided, context))
      if (crossed.outcome === 'refused') return { status: 'failed', output: renderForModel(crossed.refusal) }
      const { result, note } = crossed
      if (note === undefined) return result
      const output = member(result, 'output')
      return { ...Object(result), output: typeof output === 'string' ? `${output}\n\n${note}` : note }
    }
    return [name, apply] as const
  })
  return new Map<string, unknown>([
    ['editor', cloneWith(editor, new Map(gated))],
    ['needsApproval', actionHook(passage)],
    ['customDataExtractor', customDataFor(passage)],
  ])
}

/**
 * One action through the gate. Where no hook told whose call it is, a saved run goes on after its approval, or so it says: then it
 * runs on nothing but a yes in our own store, which counts once.
 */
async function cross(passage: Passage, action: object, execute: (decided: object) => unknown) {
  const known = told.get(action)
  const wantsYes = known === undefined ? true : await authorAsks(passage.tool, known.context, action, known.callId)
  const asked = { arguments: { input: action }, callId: known?.callId, wantsYes }
  return await passage.cross(known?.context, asked, {
    execute: (decided) => execute(decided as object),
    failed: (result) => member(result, 'status') === 'failed',
  })
}

function actionHook(passage: Passage): HostNeedsApproval {
  return async (context, action, callId) => {
    if (typeof action !== 'object' || action === null) return true
    told.set(action, { context, callId })
    const wantsYes = await authorAsks(passage.tool, context, action, callId)
    if (!wantsYes && !passage.asksPeople) return false
    return await passage.waits({ arguments: { input: action }, callId, wantsYes })
  }
}

/** One line of a shell's output, in the host's shape. */
function line(stream: 'stdout' | 'stderr', text: string, exitCode: number | null): object {
  return { stdout: '', stderr: '', [stream]: text, outcome: { type: 'exit', exitCode } }
}
