/** `holdpoint watch`: each call as it happens, and the question when one needs a person. */
import { randomUUID } from 'node:crypto'
import { userInfo } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { Command } from 'commander'
import { signedAnswer } from '../answer.ts'
import { randomBytes } from '../bytes/digest.ts'
import { connectionOf } from '../config/state-folder.ts'
import { loadOrCreateKey } from '../receipt/key-file.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import { type Cursor, hasStore, type StoreReader } from '../store/sqlite-reader.ts'
import type { ApprovalRecord, Receipt, Signer } from '../types.ts'
import { type CommandContext, situationOf } from './context.ts'
import { type Desk, deskOf } from './desk.ts'
import { readerOf, type StoreAt, shown, storeOf } from './receipts.ts'
import type { Terminal } from './terminal.ts'
import { ask } from './watch/ask.ts'
import { cardOf } from './watch/card.ts'
import { type Keys, readKeys } from './watch/keys.ts'
import { dataOf, lineOf } from './watch/line.ts'

const GLANCE_MS = 250
/** A watcher that is not heard of for so long is gone: calls then no longer wait for it. */
const HEARTBEAT_MS = 3_000

export function watchCommand(context: CommandContext): Command {
  return new Command('watch')
    .option('--store <FOLDER>', 'the store to watch instead of the configured one')
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--all', 'show the calls of the past first')
    .option('--json', 'print one JSON object a line, and never ask')
    .addHelpText(
      'after',
      '\nSilence, a timeout and Ctrl-C are never a yes. Without a terminal, calls are shown and nobody is asked.\n\nExample:\n  holdpoint watch',
    )
    .action(async (flags: { store?: string; config?: string; all?: true; json?: true }) => {
      const situation = situationOf(flags.config)
      const folder = flags.store ?? storeOf(situation)
      const asks = context.terminal.interactive && flags.json !== true
      const ending = new AbortController()
      const leave = (): void => ending.abort()
      process.once('SIGINT', leave)
      process.once('SIGTERM', leave)
      const keys = asks ? readKeys(process.stdin, leave) : undefined
      try {
        if (flags.json !== true) {
          context.terminal.note(
            `watching ${shown(folder)}; Ctrl-C ends${asks ? '' : '; nobody is asked here, because this is not a terminal'}`,
          )
        }
        await watch(
          {
            folder,
            isOurs: flags.store === undefined,
            keys,
            json: flags.json === true,
            all: flags.all === true,
            approver: () => loadOrCreateKey(situation.places.approvalKeyFile),
          },
          context.terminal,
          ending.signal,
        )
      } finally {
        keys?.close()
        process.off('SIGINT', leave)
        process.off('SIGTERM', leave)
      }
    })
}

interface Watching {
  readonly folder: StoreAt
  /** The configured store, and not one that was named here and may be a mistake. */
  readonly isOurs: boolean
  /** Absent when nobody can be asked. */
  readonly keys: Keys | undefined
  readonly json: boolean
  readonly all: boolean
  /** Signs what is answered here: the key of the gates of this configuration. */
  readonly approver: () => Signer
}

async function watch(terms: Watching, terminal: Terminal, ending: AbortSignal): Promise<void> {
  // Whoever is there before the first call must be there for it too.
  if (terms.keys !== undefined && terms.isOurs) await makeStore(terms.folder)
  await untilStoreExists(terms.folder, ending)
  if (ending.aborted) return
  const reader = readerOf(terms.folder)
  const desk = terms.keys === undefined ? undefined : deskOf(terms.folder)
  const watcher = randomUUID()
  const heart = setInterval(() => void attend(desk, watcher), HEARTBEAT_MS / 3)
  const answered = new Set<string>()
  try {
    await attend(desk, watcher)
    let cursor = await start(reader, terms.all)
    while (!ending.aborted) {
      const { receipts, cursor: next } = await reader.newer(cursor)
      cursor = next
      for (const receipt of receipts) show(receipt, terms.json, terminal)
      if (desk !== undefined && terms.keys !== undefined)
        await answerPending(desk, { ...terms, keys: terms.keys }, answered, terminal, ending)
      await rest(ending)
    }
  } finally {
    clearInterval(heart)
    // Gone at once: calls must not wait for somebody who left.
    await desk?.attend(watcher, 0).catch(() => {})
    await desk?.close()
    await reader.close()
  }
}

/** A heartbeat that fails is made up for by the next one; after `HEARTBEAT_MS` without, this watcher counts as gone. */
async function attend(desk: Desk | undefined, watcher: string): Promise<void> {
  await desk?.attend(watcher, Date.now() + HEARTBEAT_MS).catch(() => {})
}

async function makeStore(folder: StoreAt): Promise<void> {
  if (typeof folder === 'string' && hasStore(folder)) return
  const store =
    typeof folder === 'string' ? createSqliteStore({ folder }) : postgresStore(connectionOf(folder, process.env))
  await store.open()
  await store.close()
}

async function untilStoreExists(folder: StoreAt, ending: AbortSignal): Promise<void> {
  while (typeof folder === 'string' && !hasStore(folder) && !ending.aborted) await rest(ending)
}

async function start(reader: StoreReader, all: boolean): Promise<Cursor | undefined> {
  if (all) return undefined
  let cursor: Cursor | undefined
  for (;;) {
    const page = await reader.newer(cursor)
    cursor = page.cursor
    if (page.receipts.length === 0) return cursor
  }
}

function show(receipt: Receipt, json: boolean, terminal: Terminal): void {
  if (json) {
    terminal.out(JSON.stringify(dataOf(receipt)))
    return
  }
  const line = lineOf(receipt, terminal)
  if (line !== undefined) terminal.out(line)
}

/** Asks about every pending request, oldest first. One that the person did not answer is not asked about again. */
async function answerPending(
  desk: Desk,
  { keys, approver }: { readonly keys: Keys; readonly approver: () => Signer },
  seen: Set<string>,
  terminal: Terminal,
  ending: AbortSignal,
): Promise<void> {
  for (const request of await desk.pending()) {
    // A request for another person's role is not this person's to answer.
    if (seen.has(request.ref) || request.requires !== 'confirmation' || ending.aborted) continue
    seen.add(request.ref)
    const elsewhere = elsewhereOf(request)
    if (elsewhere !== undefined) {
      const [card] = cardOf(request, terminal, Date.now())
      terminal.out(`\n${card}`)
      for (const line of elsewhere) terminal.out(terminal.style('yellow', line))
      continue
    }
    const answer = await ask(request, desk, keys, terminal, ending)
    if (answer === undefined) {
      terminal.out(terminal.style('yellow', 'not answered, so it does not run'))
      continue
    }
    const by = userInfo().username
    const said = { answer, by, channel: 'terminal', at: Date.now() } as const
    const recorded = await desk.answer(request.ref, signedAnswer(approver(), request, said, randomBytes))
    if (!recorded) terminal.out(terminal.style('yellow', 'too late: it is no longer open'))
    else terminal.out(answer === 'approved' ? terminal.style('green', 'yes, once') : terminal.style('red', 'no'))
  }
}

/** Why no yes of this terminal counts, in lines for whoever sits there. */
function elsewhereOf({ separate, passkey }: ApprovalRecord): readonly string[] | undefined {
  if (passkey === true)
    return ['not yours to answer here: the yes has to be signed by a passkey, on the page of approvals']
  if (separate !== true) return undefined
  return [
    'not yours to answer here: a tool of this agent runs code under this account,',
    'so the yes must come from the chat of the person it acts for',
  ]
}

async function rest(ending: AbortSignal): Promise<void> {
  await pause(GLANCE_MS, undefined, { signal: ending }).catch(() => {})
}
