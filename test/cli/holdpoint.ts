/** Runs the command line as a person's shell would: a process of its own. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { runAt } from './in-process.ts'

const built = resolve(import.meta.dirname, '../../dist/src/cli/main.js')
/** As it is published, which also starts in a third of the time; in a mutant's copy, where nothing is built, the sources. */
export const MAIN = existsSync(built) ? built : resolve(import.meta.dirname, '../../src/cli/main.ts')

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A machine of its own: a state folder and a working directory that no other test sees. */
export interface Machine {
  readonly folder: string
  readonly state: string
  /** In this process, which is quicker by the time that one takes to start. */
  here(args: readonly string[], input?: string): Promise<Ended>
  /** `input` comes `lateMs` after the start, as from a command that takes its time. */
  run(args: readonly string[], input?: string, lateMs?: number): Promise<Ended>
  remove(): void
}

export function createMachine(): Machine {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'holdpoint-cli-'))
  const state = join(folder, 'state')
  return {
    folder,
    state,
    here: (args, input = '') => runAt({ cwd: folder, state, input }, args),
    run: (args, input = '', lateMs = 0) => run([MAIN, ...args], { cwd: folder, state, input, lateMs }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

/** The environment of a command: no colour, no key of a real model, a state folder of its own. */
export function environment(state: string): NodeJS.ProcessEnv {
  const { OPENAI_API_KEY: _key, FORCE_COLOR: _colour, NODE_OPTIONS: _options, ...rest } = process.env
  return { ...rest, HOLDPOINT_STATE: state, NO_COLOR: '1' }
}

/** Runs this Node with arguments and waits for its end. */
export function run(
  args: readonly string[],
  terms: { readonly cwd: string; readonly state: string; readonly input?: string; readonly lateMs?: number },
): Promise<Ended> {
  return new Promise((settle, fail) => {
    const child = spawn(process.execPath, args, { cwd: terms.cwd, env: environment(terms.state) })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text
    })
    child.on('error', fail)
    child.on('close', (code) => settle({ code, stdout, stderr }))
    // A command that does not read its input may be gone before this arrives.
    child.stdin.on('error', () => {})
    setTimeout(() => child.stdin.end(terms.input ?? ''), terms.lateMs ?? 0)
  })
}
