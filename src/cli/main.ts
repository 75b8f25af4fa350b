#!/usr/bin/env node
/** The process behind `holdpoint`: runs the program and ends with its exit code. */
import { runCommand } from './program.ts'
import { processTerminal } from './terminal.ts'

process.exitCode = await runCommand(process.argv.slice(2), processTerminal())
