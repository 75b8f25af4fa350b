import { existsSync } from 'node:fs'
import { counted } from '../../bytes/counted.ts'
import { logReaderOf } from '../../log-keeper/place.ts'
import { type LogSetup, logSetup } from '../../log-keeper/setup.ts'
import type { Situation } from '../context.ts'
import type { Finding } from '../doctor.ts'
import { reasonOf } from '../exit.ts'

/** What the doctor says of the log: nothing where none is kept. */
export async function logFindings({ config, places }: Situation): Promise<readonly Finding[]> {
  if (config.options.log === undefined) return []
  try {
    // Looked at, not made: the key comes with the first gate.
    if (existsSync(places.logKeyFile)) logSetup(config, places)
    const { store } = places
    const head = store.kind === 'memory' ? undefined : await headOf(store)
    const says =
      head === undefined ? 'nothing is logged yet' : `${counted(head.size, 'receipt')} under a signed checkpoint`
    if (config.options.log.witnesses !== undefined) return [{ about: 'log', state: 'good', says }]
    return [
      {
        about: 'log',
        state: 'warning',
        says: `${says}; without witnesses (log.witnesses) nobody else remembers it, and its end can be cut off`,
      },
    ]
  } catch (error) {
    return [{ about: 'log', state: 'problem', says: reasonOf(error) }]
  }
}

async function headOf(store: LogSetup['store']) {
  const log = logReaderOf({ store })
  return await log.head().finally(() => log.close())
}
