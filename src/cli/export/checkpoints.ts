/** The log's newest checkpoint, and those that others hold from before. */
import { counted } from '../../bytes/counted.ts'
import { sha256Bytes } from '../../bytes/digest.ts'
import { verifyConsistency } from '../../log/merkle.ts'
import type { StepReport } from '../../log/sequencer.ts'
import { writeVerifierKey } from '../../log/verifier-key.ts'
import { logKeyOf, logReaderOf } from '../../log-keeper/place.ts'
import { logSetup } from '../../log-keeper/setup.ts'
import type { LogReader } from '../../store/log-reader.ts'
import type { Situation } from '../context.ts'
import { AnswerIsNo, UnusableInput } from '../exit.ts'
import { stepped } from '../log/stepped.ts'
import { checkpointIn } from '../log-trust.ts'
import type { StoreAt } from '../receipts.ts'
import type { Terminal } from '../terminal.ts'
import type { HeldCheckpoint } from './content.ts'

type Head = NonNullable<Awaited<ReturnType<LogReader['head']>>>

/**
 * Takes a store's log as far as its receipts go, unless somebody else does that now.
 *
 * @returns the log, its head and its public key as a C2SP verifier key; `undefined` where there is no receipt
 * @throws HoldpointError ERR_LOG where the log cannot go on, ERR_KEY, ERR_STORE
 */
export async function logNow(
  at: StoreAt,
  { config, places }: Situation,
  terminal: Terminal,
): Promise<{ readonly log: ReturnType<typeof logReaderOf>; readonly head: Head; readonly key: string } | undefined> {
  const store = typeof at === 'string' ? ({ kind: 'folder', folder: at } as const) : at
  const setup = logSetup(config, { ...places, store })
  tell(await stepped(setup), terminal)
  const log = logReaderOf(setup)
  const head = await log.head()
  if (head !== undefined) return { log, head, key: writeVerifierKey(await logKeyOf({ ...setup, origin: head.origin })) }
  await log.close()
  return undefined
}

function tell(report: StepReport | undefined, { note }: Terminal): void {
  if (report === undefined) {
    note('a gate takes this log forward now: receipts of the last second may not be in it yet')
    return
  }
  const { changed, quorum, witnesses } = report
  if (changed.length > 0)
    note(`${counted(changed.length, 'file')} of receipts changed after they were logged: run holdpoint verify`)
  if (quorum === 'missed') {
    const silent = witnesses.filter(({ result }) => result !== 'cosigned').map(({ name }) => name)
    note(`too few witnesses have seen this checkpoint: ${silent.join(', ')} did not sign`)
  }
}

/**
 * Checkpoints that somebody holds from before, each to be shown to be of the same log.
 *
 * @throws UnusableInput for a file that is none, or is of another log
 * @throws AnswerIsNo where the log does not continue it, which is what must never be
 */
export async function heldCheckpoints(
  files: readonly string[],
  { log, head }: { readonly log: LogReader; readonly head: Head },
): Promise<readonly HeldCheckpoint[]> {
  const held: HeldCheckpoint[] = []
  for (const file of files) {
    const { note, says } = await checkpointIn(file)
    if (says.origin !== head.origin) {
      throw new UnusableInput(`${file} is a checkpoint of "${says.origin}", and this log is "${head.origin}"`)
    }
    // Every log continues the empty one.
    if (says.size === 0) continue
    if (says.size > head.size) {
      throw new AnswerIsNo(
        `the checkpoint in ${file} is of ${counted(says.size, 'leaf', 'leaves')}, and this log ends at ${head.size}: its tail was cut, or an old copy was restored. Keep both as evidence`,
      )
    }
    const proof = await log.proveConsistency(says.size, head.size)
    if (!verifyConsistency(sha256Bytes, { from: says, to: head, proof })) {
      throw new AnswerIsNo(
        `this log does not continue the checkpoint in ${file} (${counted(says.size, 'leaf', 'leaves')}): it is another history, forked from that one. Keep both as evidence`,
      )
    }
    if (says.size < head.size) held.push({ note, size: says.size })
  }
  return held.sort((a, b) => a.size - b.size)
}
