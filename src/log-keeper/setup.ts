/** What a configuration says of its log, checked once at the start. */
import { readFileSync } from 'node:fs'
import { sha256Bytes } from '../bytes/digest.ts'
import type { LoadedConfig } from '../config/read.ts'
import type { Places, StorePlace } from '../config/state-folder.ts'
import { HoldpointError } from '../errors.ts'
import { keyFromEnvironment } from '../receipt/key-env.ts'
import { loadOrCreateKey } from '../receipt/key-file.ts'
import { readAskedWitnesses } from '../witness/policy.ts'

/** How a store's log is kept. Plain data: a thread is given it as it is. */
export interface LogSetup {
  readonly store: Exclude<StorePlace, { readonly kind: 'memory' }>
  readonly keyFile: string
  /** The environment variable that holds the log's key instead. */
  readonly keyEnv?: string
  readonly everyMs: number
  readonly origin?: string
  /** The witness policy as it was read at the start, with its name. */
  readonly witnesses?: { readonly file: string; readonly bytes: Uint8Array }
}

/** How often a log is taken forward where nobody says, ms. */
const DEFAULT_EVERY_MS = 1_000

/**
 * Reads what a log needs, and makes its key where there is none.
 *
 * @param receiptKey id of the key that signs receipts: a key has one role
 * @throws HoldpointError ERR_CONFIG with file and line; ERR_KEY
 */
export function logSetup(
  { options, logAt, witnessPolicy }: LoadedConfig,
  places: Places,
  receiptKey?: string,
  environment: NodeJS.ProcessEnv = process.env,
): LogSetup {
  const { store, logKeyFile } = places
  if (store.kind === 'memory') {
    throw new HoldpointError(
      'ERR_CONFIG',
      `${logAt}: a log is kept beside a store in a folder or in PostgreSQL that the configuration names, and the receipts here are in none`,
      {
        at: logAt,
      },
    )
  }
  const { everyMs = DEFAULT_EVERY_MS, origin, key } = options.log ?? {}
  const held = key === undefined ? `the key file ${logKeyFile}` : `the environment variable ${key.env}`
  const { alg, kid } = key === undefined ? loadOrCreateKey(logKeyFile) : keyFromEnvironment(key.env, environment)
  if (alg !== 'Ed25519') throw unfit(held, 'is no Ed25519 key, and witnesses take no other')
  if (kid === receiptKey) throw unfit(held, 'is the key that signs receipts: a log has a key of its own')
  return {
    store,
    keyFile: logKeyFile,
    ...(key === undefined ? {} : { keyEnv: key.env }),
    everyMs,
    ...(origin === undefined ? {} : { origin }),
    ...(witnessPolicy === undefined ? {} : { witnesses: readWitnesses(witnessPolicy, logAt) }),
  }
}

function unfit(held: string, why: string): HoldpointError {
  return new HoldpointError('ERR_KEY', `${held} ${why}`, { at: held })
}

function readWitnesses(file: string, logAt: string): NonNullable<LogSetup['witnesses']> {
  let bytes: Uint8Array
  try {
    bytes = readFileSync(file)
  } catch (cause) {
    const code = (cause as { readonly code?: string }).code ?? 'failed'
    throw new HoldpointError('ERR_CONFIG', `${logAt}: the witness policy ${file} cannot be read (${code})`, {
      at: logAt,
      cause,
    })
  }
  readAskedWitnesses(sha256Bytes, bytes, file)
  return { file, bytes }
}
