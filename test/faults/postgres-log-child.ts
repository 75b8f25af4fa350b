import { appendFileSync, writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { loadKey } from '../../src/receipt/key-file.ts'
import { postgresLog } from '../../src/store/postgres/log-book.ts'

/**
 * A process that takes the log of a store in PostgreSQL forward whenever it has the lease, one step after another. Whatever it signs it
 * writes down before anybody else can know of it.
 */
flushCompileCache()

const [folder = '', connectionString = ''] = process.argv.slice(2)
const key = loadKey(join(folder, 'log-key'))
const signer = {
  ...key,
  sign: (bytes: Uint8Array) => {
    appendFileSync(
      join(folder, 'signed.txt'),
      `${Buffer.from(bytes).toString('utf8').split('\n').slice(1, 3).join(' ')}\n`,
    )
    return key.sign(bytes)
  },
}
const seat = postgresLog({ connectionString, schema: 'holdpoint', deadlineMs: 5_000 }, { signer })
for (;;) {
  const book = await seat.take().catch(() => undefined)
  if (book === undefined) {
    writeSync(1, 'waiting\n')
    await delay(50)
    continue
  }
  writeSync(1, `took ${Date.now()}\n`)
  try {
    for (;;) writeSync(1, `stepped ${(await book.step()).head?.size ?? 0}\n`)
  } catch {
    await book.close()
  }
}
