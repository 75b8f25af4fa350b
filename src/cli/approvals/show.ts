/** `holdpoint approvals show`: the question as everybody is asked it, and its digest. */
import { userInfo } from 'node:os'
import { Command } from 'commander'
import { brief, legible } from '../../bytes/legible.ts'
import type { ApprovalRecord } from '../../types.ts'
import { type CommandContext, situationOf } from '../context.ts'
import { readerOf, shown, storeOf } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'
import { cardOf } from '../watch/card.ts'
import { asJson, checkReference, objectionHere } from './request.ts'

export function showCommand({ terminal, end }: CommandContext): Command {
  return new Command('show')
    .argument('<REF>', 'the reference (hp_…)')
    .option('--store <FOLDER>', 'the store to read instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      '\nExits 1 when there is no such request.\n\nExample:\n  holdpoint approvals show hp_7f3k9qtm',
    )
    .action(async (ref: string, flags: { store?: string; config?: string; json?: true }) => {
      checkReference(ref)
      const folder = flags.store ?? storeOf(situationOf(flags.config))
      const reader = readerOf(folder)
      try {
        const record = await reader.get(ref)
        if (record === undefined) {
          terminal.note(`There is no request ${ref} in ${shown(folder)}.`)
          end(1)
          return
        }
        const by = userInfo().username
        if (flags.json === true) terminal.out(JSON.stringify(asJson(record, by)))
        else tell(record, by, terminal)
      } finally {
        await reader.close()
      }
    })
}

/** In one piece: nothing is asked here, so nothing has to stay on a screen. */
function tell(record: ApprovalRecord, by: string, terminal: Terminal): void {
  const { out, style, width } = terminal
  const unpaged: Terminal = { ...terminal, out, style, width, height: Number.MAX_SAFE_INTEGER }
  for (const page of cardOf(record, unpaged, Date.now())) out(page)
  const { previousText, state, answers, ref, shown } = record
  if (previousText !== undefined) {
    out('last approved before, for this tool and person:')
    for (const line of legible(previousText).split('\n')) out(`┆ ${line}`)
  }
  for (const { answer, by: who, channel, reason } of answers)
    out(`${answer} by ${brief(who)} through ${channel}${reason === undefined ? '' : ` (“${brief(reason)}”)`}`)
  if (state !== 'pending') {
    out(`it is ${state}`)
    return
  }
  out(`shown  ${shown}`)
  const objection = objectionHere(record, by, 'approved', shown)
  if (objection === undefined) out(`to say yes  holdpoint approvals approve ${ref} --shown ${shown}`)
  else out(style('yellow', `not from this terminal  ${objection.message}`))
}
