/** The command line: which commands there are, and how any of them ends. */
import { Command, CommanderError } from 'commander'
import { HoldpointError } from '../errors.ts'
import { checkCommand } from './check.ts'
import { demoCommand } from './demo.ts'
import { doctorCommand } from './doctor.ts'
import { type ExitCode, reasonOf, UnusableInput } from './exit.ts'
import type { Terminal } from './terminal.ts'
import { verifyCommand } from './verify.ts'
import { visible } from './visible.ts'
import { watchCommand } from './watch.ts'
import { whyCommand } from './why.ts'

const ABOUT = `Checks every tool call of an LLM before it runs, and leaves signed receipts.

Exit codes: 0 good, 1 the answer is no, 2 unusable input (verify also: 3 valid but incomplete).`

/**
 * Runs one command and says how it ended. Never throws: what goes wrong becomes one line on stderr and an exit code.
 *
 * @param argv arguments after the program's name
 */
export async function runCommand(argv: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = 0
  const end = (with_: ExitCode): void => {
    code = with_
  }
  const context = { terminal, end }
  const program = new Command('holdpoint').description(ABOUT).configureHelp({ sortOptions: true })
  for (const command of [demoCommand, watchCommand, whyCommand, checkCommand, verifyCommand, doctorCommand]) {
    program.addCommand(command(context))
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: (text) => terminal.out(text.trimEnd()), writeErr: () => {} })
  }
  try {
    if (argv.length === 0) {
      terminal.note(program.helpInformation().trimEnd())
      return 2
    }
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0
    terminal.note(`holdpoint: ${lineOf(error)}`)
    return 2
  }
}

function lineOf(error: unknown): string {
  const reason = visible(reasonOf(error).replace(/^error: /, ''))
  if (error instanceof CommanderError) return `${reason} (see holdpoint --help)`
  if (error instanceof HoldpointError || error instanceof UnusableInput) return reason
  return `unexpected: ${reason}`
}
