/** Runs the command line in this process, for commands that need no process of their own. */
import { Readable } from 'node:stream'
import { vi } from 'vitest'
import { runCommand } from '../../src/cli/program.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import type { Ended } from './holdpoint.ts'

/** A terminal without colour, 100 columns wide, on which everything that was printed stands. */
export function plainTerminal(): { readonly terminal: Terminal; readonly out: string[]; readonly notes: string[] } {
  const [out, notes]: [string[], string[]] = [[], []]
  const terminal: Terminal = {
    out: (text) => out.push(text),
    note: (text) => notes.push(text),
    progress: () => undefined,
    style: (_, text) => text,
    width: 100,
    height: 24,
    interactive: false,
  }
  return { terminal, out, notes }
}

/** Runs a command on a plain terminal. */
export async function runHere(...args: readonly string[]): Promise<Ended> {
  const { terminal, out, notes } = plainTerminal()
  const code = await runCommand(args, terminal)
  const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
  return { code, stdout: joined(out), stderr: joined(notes) }
}

/** The same as from a shell in that folder, with this on stdin. One at a time: a process has one working directory. */
export async function runAt(
  { cwd, state, input }: { readonly cwd: string; readonly state: string; readonly input: string },
  args: readonly string[],
): Promise<Ended> {
  const before = process.cwd()
  const stdin = vi
    .spyOn(process, 'stdin', 'get')
    .mockReturnValue(Readable.from([Buffer.from(input)]) as typeof process.stdin)
  vi.stubEnv('HOLDPOINT_STATE', state)
  process.chdir(cwd)
  try {
    return await runHere(...args)
  } finally {
    process.chdir(before)
    vi.unstubAllEnvs()
    stdin.mockRestore()
  }
}
