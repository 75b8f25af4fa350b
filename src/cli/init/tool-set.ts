/** An AI SDK tool set, as `FILE.ts#export` names it. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { ToolDefinition } from '../../types.ts'
import { reasonOf, UnusableInput } from '../exit.ts'

/** A module and the name of what it exports. */
export interface ToolSetPlace {
  readonly file: string
  readonly name: string
}

/** What the thread found; `ungated` tools have no `execute` here, so no gate can stand in front of them. */
export type ToolSetAnswer = ToolSet | { readonly problem: string }

export interface ToolSet {
  readonly definitions: readonly ToolDefinition[]
  readonly ungated: readonly string[]
}

const PLACE = /^(.+\.[cm]?[jt]s)#([A-Za-z_$][\w$]*)$/s

/** The place that an argument names, or `undefined` when it names none. */
export function toolSetPlace(argument: string): ToolSetPlace | undefined {
  const [, file, name] = PLACE.exec(argument) ?? []
  return file === undefined || name === undefined ? undefined : { file: resolve(file), name }
}

/**
 * Imports the module, which runs its code, and describes the tools that it exports.
 *
 * @throws UnusableInput when it cannot be imported, exports no such tool set or is not done in time
 */
export async function readToolSet(place: ToolSetPlace, deadlineMs: number): Promise<ToolSet> {
  if (!existsSync(place.file)) throw new UnusableInput(`${place.file} does not exist`)
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  const worker = new Worker(new URL(`./tool-set-worker.${extension}`, import.meta.url), {
    workerData: place,
    // Why a module cannot be imported is told in one line, below.
    execArgv: ['--no-warnings'],
    // What the module prints is not the answer.
    stdout: true,
    name: 'holdpoint-init',
  })
  worker.stdout.resume()
  try {
    const answer = await answered(worker, deadlineMs)
    if ('problem' in answer) throw new UnusableInput(`${place.file}: ${answer.problem}${hintOf(answer.problem)}`)
    return answer
  } finally {
    await worker.terminate()
  }
}

function answered(worker: Worker, deadlineMs: number): Promise<ToolSetAnswer> {
  return new Promise((settle) => {
    const fail = (problem: string): void => settle({ problem })
    const timer = setTimeout(() => fail(`was not imported within ${deadlineMs / 1_000} s`), deadlineMs)
    worker.once('message', (text: string) => settle(JSON.parse(text) as ToolSetAnswer))
    worker.once('error', (error) => fail(reasonOf(error)))
    worker.once('exit', () => {
      clearTimeout(timer)
      fail('ended before its tools were described')
    })
  })
}

const WAY_OUT =
  'or let the program itself write its tools to a file, and say --tools FILE ("Beginning" in docs/policies.md has the lines)'

function hintOf(problem: string): string {
  const hint = importHint(problem)
  return hint === undefined ? '' : `; ${hint}, ${WAY_OUT}`
}

/** What is needed for Node to import a module that a bundler, or the application's own start, takes. */
function importHint(problem: string): string | undefined {
  if (/import statement outside a module|Unexpected token 'export'|exports is not defined/.test(problem))
    return 'to Node it is no module: its package.json needs "type": "module"'
  if (/Unknown file extension|Unexpected token|strip-only/.test(problem))
    return 'Node imports TypeScript from 22.18 on, without enums and namespaces: else name the compiled .js'
  if (/Cannot find module|Cannot find package|Directory import/.test(problem))
    return 'Node imports it as it stands: relative imports need their file ending, and packages must be installed'
  return undefined
}
