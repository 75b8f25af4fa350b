#!/usr/bin/env node
/** The process behind `holdpoint`: runs the program and ends with its exit code. */
import { runCommand } from './program.ts'
import { processTerminal } from './terminal.ts'

// Whoever reads along may stop early, as `head` does; that is no fault of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// A hook that dies must say no: to Claude Code any other code than 2 is none, and the tool would run.
if (process.argv[2] === 'hook') {
  process.exitCode = 2
  const dying = (cause: unknown): void => {
    process.stderr.write(
      `holdpoint hook: ${cause instanceof Error ? cause.message : 'it failed'}; the tool must not run\n`,
    )
    process.exit(2)
  }
  process.on('uncaughtException', dying)
  process.on('unhandledRejection', dying)
}

const code = await runCommand(process.argv.slice(2), processTerminal())
process.exitCode = code
// What a hook left behind when its time was up holds up no host.
if (process.argv[2] === 'hook') process.stdout.write('', () => process.exit(code))
