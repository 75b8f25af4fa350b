/** `holdpoint approvals`: the calls that wait for a person, and their answer, from this terminal. */
import { Command } from 'commander'
import { answerCommand } from './approvals/answer.ts'
import { listCommand } from './approvals/list.ts'
import { showCommand } from './approvals/show.ts'
import type { CommandContext } from './context.ts'

export function approvalsCommand(context: CommandContext): Command {
  return new Command('approvals')
    .addCommand(listCommand(context).description('list the calls that wait for a person'))
    .addCommand(showCommand(context).description('show what is asked, exactly, and the digest of it'))
    .addCommand(answerCommand(context, 'approve').description('let one call run once, as it was shown'))
    .addCommand(answerCommand(context, 'decline').description('say no: it is final for this request'))
}
