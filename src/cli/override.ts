/** `holdpoint override`: lets medium calls run while no policy answers, by people who sign for it. */
import { Command } from 'commander'
import type { CommandContext } from './context.ts'
import { createCommand } from './override/create.ts'
import { installCommand } from './override/install.ts'
import { keyCommand } from './override/key.ts'
import { listCommand } from './override/list.ts'
import { revokeCommand } from './override/revoke.ts'
import { showCommand } from './override/show.ts'
import { signCommand } from './override/sign.ts'

export function overrideCommand(context: CommandContext): Command {
  return new Command('override')
    .addCommand(keyCommand(context).description('make a key that signs overrides, for a person to keep'))
    .addCommand(createCommand(context).description('sign a new override: which tools, where, for whom, how long, why'))
    .addCommand(signCommand(context).description('add the second signature that a wider override needs'))
    .addCommand(showCommand(context).description('say what an override would let run, and whether it counts here'))
    .addCommand(installCommand(context).description('put an override where the gates of this machine look'))
    .addCommand(listCommand(context).description('list what is installed: live, used, expired, revoked'))
    .addCommand(revokeCommand(context).description('end an override before its time'))
}
