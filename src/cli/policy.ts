/** `holdpoint policy`: what is in force, whether it fits, whether it says what it should. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { lintCommand } from './policy/lint.ts'
import { replayCommand } from './policy/replay.ts'
import { showCommand } from './policy/show.ts'
import { testCommand } from './policy/test.ts'

export function policyCommand(context: CommandContext): Command {
  return new Command('policy')
    .addCommand(
      showCommand(context).description('print the Cedar of everything in force, and where each rule comes from'),
    )
    .addCommand(
      lintCommand(context).description('look for rules that do not fit, never apply, or leave something open'),
    )
    .addCommand(testCommand(context).description('run tables of calls and what the policies must say to them'))
    .addCommand(
      replayCommand(context).description('take recorded runs, or the receipts of a store, through policies again'),
    )
}
