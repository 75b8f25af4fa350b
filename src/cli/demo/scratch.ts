/** The folder of one run. */
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary folder that is gone when this process ends before `keep` was called, however it ends. */
export interface Scratch {
  readonly base: string
  /** The story was told to its end: the folder stays, so that a person can look. */
  keep(): void
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
/** What a shell expects of a process that a signal ended: 128 and the signal's number. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const

/** Makes the folder. Its real path, because the server resolves links and would not recognise its own root otherwise. */
export function createScratch(): Scratch {
  const base = mkdtempSync(join(realpathSync(tmpdir()), 'holdpoint-demo-'))
  const remove = (): void => rmSync(base, { recursive: true, force: true, maxRetries: 3 })
  // A server on stdio ends when this process does, because its input ends.
  const leave = (signal: (typeof SIGNALS)[number]): void => process.exit(EXIT_CODES[signal])
  process.once('exit', remove)
  for (const signal of SIGNALS) process.once(signal, leave)
  return {
    base,
    keep: () => {
      process.off('exit', remove)
      for (const signal of SIGNALS) process.off(signal, leave)
    },
  }
}
