#!/usr/bin/env node
/** The process behind `holdpoint`: runs the program and ends with its exit code. */
import { runCommand } from './program.ts'
import { processTerminal } from './terminal.ts'

const isHook = process.argv[2] === 'hook'

// Whoever reads along may stop early, as `head` does; that is no fault of the command. A hook whose answer was cut says no.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

// A hook that dies must say no: to Claude Code any other code than 2 is none, and the tool would run.
if (isHook) {
  process.exitCode = 2
  const dying = (cause: unknown): void => {
    process.stderr.write(
      `holdpoint hook: ${cause instanceof Error ? cause.message : 'it failed'}; the tool must not run\n`,
    )
    process.exit(2)
  }
  process.on('uncaughtException', dying)
  process.on('unhandledRejection', dying)
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const)
    process.on(signal, () => dying(new Error(`it was ended by ${signal}`)))
}

const code = await runCommand(process.argv.slice(2), processTerminal())
// INVARIANT I4: until all of its answer is with the host, a hook's is a no. What it left behind when its time was up holds up no host.
if (isHook) process.stdout.write('', (error) => process.exit(error == null && code === 0 ? 0 : 2))
else process.exitCode = code
