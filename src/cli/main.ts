#!/usr/bin/env node
/** The process behind `holdpoint`: runs the program and ends with its exit code. */
import { runCommand } from './program.ts'
import { processTerminal } from './terminal.ts'

// Whoever reads along may stop early, as `head` does; that is no fault of the command.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

process.exitCode = await runCommand(process.argv.slice(2), processTerminal())
