import { type LogSetup, logSetup } from '../../log-keeper/setup.ts'
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
  if (setup.store.kind === 'folder' && !hasStore(setup.store.folder)) {
    throw new UnusableInput(`there is no store at ${setup.store.folder}: nothing has been decided there yet`)
  }
  return setup
}
