/** `holdpoint approvals approve` and `decline`: one person's answer, bound to what they were shown. */
import { userInfo } from 'node:os'
import { Command } from 'commander'
import { signedAnswer } from '../../answer.ts'
import { closed, notAsked, notFound, type Objection } from '../../approval/entitled.ts'
import { randomBytes } from '../../bytes/digest.ts'
import { loadOrCreateKey } from '../../receipt/key-file.ts'
import type { ApprovalRecord } from '../../types.ts'
import { type CommandContext, type Situation, situationOf } from '../context.ts'
import { type Desk, deskOf } from '../desk.ts'
import { UnusableInput } from '../exit.ts'
import { readerOf, storeOf } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'
import { ask } from '../watch/ask.ts'
import { readKeys } from '../watch/keys.ts'
import { checkReference, objectionHere } from './request.ts'

interface Flags {
  readonly shown?: string
  readonly reason?: string
  readonly store?: string
  readonly config?: string
  readonly json?: true
}

type Word = 'approve' | 'decline'
/** What became of it; `unanswered` where the person said nothing. */
type Ended =
  | { readonly outcome: 'recorded'; readonly record: ApprovalRecord }
  | { readonly outcome: 'unanswered' }
  | Objection

const LONGEST_REASON = 512

export function answerCommand({ terminal, end }: CommandContext, word: Word): Command {
  return new Command(word)
    .argument('<REF>', 'the reference (hp_…)')
    .option('--shown <DIGEST>', 'the digest of what you were shown, as "approvals show" prints it')
    .option('--reason <TEXT>', 'in your own words; whoever asked reads it, the model too')
    .option('--store <FOLDER>', 'the store of the request instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object, and never ask')
    .addHelpText('after', `\n${HELP[word]}\n\nExits 1 when the answer was not taken.\n\nExample:\n  ${EXAMPLE[word]}`)
    .action(async (ref: string, flags: Flags) => {
      checkReference(ref)
      checkFlags(flags)
      const situation = situationOf(flags.config)
      const folder = flags.store ?? storeOf(situation)
      await readerOf(folder).close()
      const desk = deskOf(folder)
      try {
        const ended = await answered(desk, situation, ref, word, flags, terminal)
        tell(ended, word, flags, terminal)
        if (ended.outcome !== 'recorded') end(1)
      } finally {
        await desk.close()
      }
    })
}

const HELP = {
  approve:
    'Without --shown you are asked here, below the whole question; without a terminal --shown is needed. A yes for a\nrole is never given from a terminal: whoever has this OS account can claim any role.',
  decline: 'A no is final for the request, and for the same call in its conversation.',
}
const EXAMPLE = {
  approve: 'holdpoint approvals approve hp_7f3k9qtm',
  decline: 'holdpoint approvals decline hp_7f3k9qtm --reason "not this customer"',
}

/** @throws UnusableInput */
function checkFlags({ shown, reason }: Flags): void {
  if (shown !== undefined && !/^[A-Za-z0-9_-]{43}$/.test(shown))
    throw new UnusableInput('--shown must be the 43 characters that "holdpoint approvals show" prints')
  if (reason !== undefined && (reason.trim() === '' || reason.length > LONGEST_REASON))
    throw new UnusableInput(`--reason must have 1 to ${LONGEST_REASON} characters`)
}

async function answered(
  desk: Desk,
  situation: Situation,
  ref: string,
  word: Word,
  { shown, reason, json }: Flags,
  terminal: Terminal,
): Promise<Ended> {
  const record = await desk.get(ref)
  if (record === undefined) return notFound(ref)
  const by = userInfo().username
  const meant = word === 'approve' ? 'approved' : 'declined'
  const objection = objectionHere(record, by, meant, shown)
  if (objection !== undefined) return objection
  // INVARIANT I3: nobody says yes to what they were not shown.
  const answer =
    meant === 'approved' && shown === undefined ? await asked(desk, record, terminal, json === true) : meant
  if (answer === undefined) return { outcome: 'unanswered' }
  const signer = loadOrCreateKey(situation.places.approvalKeyFile)
  const said = { answer, by, channel: 'terminal', at: Date.now(), reason } as const
  const isTaken = await desk.answer(ref, signedAnswer(signer, record, said, randomBytes))
  const now = (await desk.get(ref)) ?? record
  if (isTaken) return { outcome: 'recorded', record: now }
  return notAsked(now, { answer, by, channel: 'terminal', shown: record.shown }) ?? closed(now)
}

/** @throws UnusableInput where nobody can be asked */
async function asked(
  desk: Desk,
  record: ApprovalRecord,
  terminal: Terminal,
  json: boolean,
): Promise<'approved' | 'declined' | undefined> {
  if (json || !terminal.interactive)
    throw new UnusableInput(
      `nobody can be asked here: say what you were shown with --shown (holdpoint approvals show ${record.ref})`,
    )
  const ending = new AbortController()
  const keys = readKeys(process.stdin, () => ending.abort())
  try {
    return await ask(record, desk, keys, terminal, ending.signal)
  } finally {
    keys.close()
  }
}

function tell(ended: Ended, word: Word, { json }: Flags, { out, note, style }: Terminal): void {
  if (json === true) {
    const told =
      ended.outcome === 'recorded' ? { outcome: 'recorded', ref: ended.record.ref, state: ended.record.state } : ended
    out(JSON.stringify(told))
    return
  }
  switch (ended.outcome) {
    case 'recorded': {
      const { ref, state } = ended.record
      out(
        state === 'declined' ? style('red', `no: ${ref} is declined`) : style('green', `yes, once: ${ref} is ${state}`),
      )
      return
    }
    case 'unanswered':
      note('Not answered, so it does not run.')
      return
    case 'refused':
      note(`Not taken as ${word === 'approve' ? 'a yes' : 'a no'}: ${ended.code}. ${ended.message}`)
  }
}
