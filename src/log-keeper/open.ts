/** Opening a log as its configuration says. */
import { sha256Bytes } from '../bytes/digest.ts'
import { Witnesses } from '../log/witnesses.ts'
import { keyFromEnvironment } from '../receipt/key-env.ts'
import { loadKey } from '../receipt/key-file.ts'
import type { LogTerms } from '../store/log-book.ts'
import { verifyEd25519 } from '../store/log-crypto.ts'
import { witnessClient } from '../witness/client.ts'
import { readAskedWitnesses } from '../witness/policy.ts'
import type { LogSetup } from './setup.ts'

/** How long a witness has to answer, ms. */
const WITNESS_DEADLINE_MS = 3_000

/**
 * The terms of a log: its key, its name, its witnesses. Made once for as long as the log is kept, because witnesses are
 * remembered.
 *
 * @throws HoldpointError ERR_KEY, ERR_CONFIG
 */
export function logTerms({ keyFile, keyEnv, origin, witnesses }: LogSetup): LogTerms {
  return {
    signer: keyEnv === undefined ? loadKey(keyFile) : keyFromEnvironment(keyEnv, process.env),
    ...(origin === undefined ? {} : { origin }),
    ...(witnesses === undefined ? {} : { witnesses: witnessesOf(witnesses) }),
  }
}

function witnessesOf({ file, bytes }: NonNullable<LogSetup['witnesses']>): Witnesses {
  return new Witnesses({
    policy: readAskedWitnesses(sha256Bytes, bytes, file),
    ask: witnessClient({ fetch: globalThis.fetch, schedule, deadlineMs: WITNESS_DEADLINE_MS }),
    verifyEd25519,
    monotonic: () => performance.now(),
  })
}

function schedule(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}
