/** Runs the command line in this process, for commands that need no process of their own. */
import { runCommand } from '../../src/cli/program.ts'
import type { Ended } from './holdpoint.ts'

/** A terminal without colour, 100 columns wide, on which everything that was printed stands. */
export async function runHere(...args: readonly string[]): Promise<Ended> {
  const [out, notes]: [string[], string[]] = [[], []]
  const code = await runCommand(args, {
    out: (text) => out.push(text),
    note: (text) => notes.push(text),
    progress: () => undefined,
    style: (_, text) => text,
    width: 100,
    height: 24,
    interactive: false,
  })
  const joined = (lines: readonly string[]): string => lines.map((line) => `${line}\n`).join('')
  return { code, stdout: joined(out), stderr: joined(notes) }
}
