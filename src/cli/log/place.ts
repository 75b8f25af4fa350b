import { sha256Bytes } from '../../bytes/digest.ts'
import { logSigner } from '../../log/log-signer.ts'
import type { VerifierKey } from '../../log/verifier-key.ts'
import { type LogSetup, logSetup } from '../../log-keeper/setup.ts'
import { loadKey } from '../../receipt/key-file.ts'
import { storeId } from '../../store/log-source.ts'
import { hasStore } from '../../store/sqlite-reader.ts'
import { situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'

/**
 * How the log of this configuration is kept; its key is made where there is none.
 *
 * @throws HoldpointError ERR_CONFIG, ERR_KEY
 */
export function setupOf(config: string | undefined): LogSetup {
  const { config: loaded, places } = situationOf(config)
  return logSetup(loaded, places)
}

/** The same, of a store that is there. @throws UnusableInput where nothing has been decided yet */
export function setupOfStore(config: string | undefined): LogSetup {
  const setup = setupOf(config)
  if (!hasStore(setup.storeFolder)) {
    throw new UnusableInput(`there is no store at ${setup.storeFolder}: nothing has been decided there yet`)
  }
  return setup
}

/** The log's public key, under its name. @throws HoldpointError ERR_STORE where neither a store nor `log.origin` names it */
export function publicKeyOf({ storeFolder, keyFile, origin }: LogSetup): VerifierKey {
  return logSigner(sha256Bytes, loadKey(keyFile), origin ?? `holdpoint/${storeId(storeFolder)}`).key
}
