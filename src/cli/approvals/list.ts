/** `holdpoint approvals list`: the calls that wait for a person, oldest first. */
import { userInfo } from 'node:os'
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { brief } from '../../bytes/legible.ts'
import type { ApprovalRecord } from '../../types.ts'
import { type CommandContext, situationOf } from '../context.ts'
import { readerOf, shown, storeOf } from '../receipts.ts'
import { asJson, objectionHere } from './request.ts'

const LONGEST_NAME = 40

export function listCommand({ terminal }: CommandContext): Command {
  return new Command('list')
    .option('--store <FOLDER>', 'the store to read instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  holdpoint approvals list')
    .action(async (flags: { store?: string; config?: string; json?: true }) => {
      const folder = flags.store ?? storeOf(situationOf(flags.config))
      const reader = readerOf(folder)
      try {
        const waiting = await reader.pending()
        const by = userInfo().username
        if (flags.json === true) {
          terminal.out(
            JSON.stringify({
              folder: typeof folder === 'string' ? folder : shown(folder),
              requests: waiting.map((one) => asJson(one, by)),
            }),
          )
          return
        }
        const verb = waiting.length === 1 ? 'waits' : 'wait'
        terminal.out(`${counted(waiting.length, 'call')} ${verb} for a person in ${shown(folder)}`)
        for (const one of waiting) terminal.out(lineOf(one, by, Date.now()))
      } finally {
        await reader.close()
      }
    })
}

function lineOf(record: ApprovalRecord, by: string, now: number): string {
  const { ref, tool, materiality, requires, principal, quorum, answers, expiresAt } = record
  const names = [tool, principal.id, requires].map((name) => brief(name, LONGEST_NAME))
  const yeses = quorum > 1 ? ` (${answers.length} of ${quorum})` : ''
  const minutes = Math.max(1, Math.ceil((expiresAt - now) / 60_000))
  const isHere = objectionHere(record, by, 'approved', record.shown) === undefined
  return `${ref}  ${names[0]}  ${materiality}  for ${names[1]}  asks ${names[2]}${yeses}  ${minutes} min${isHere ? '' : '  not from a terminal'}`
}
