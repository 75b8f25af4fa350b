/** A gate for the length of one receipt. */
import { createGate } from '../../create-gate.ts'
import type { Gate, Receipt } from '../../types.ts'
import { situationOf } from '../context.ts'
import { UnusableInput } from '../exit.ts'

/**
 * Opens the configured store, has something written, and seals the stream.
 *
 * @throws UnusableInput where the store keeps nothing; HoldpointError ERR_STORE when the receipt may not be durable
 */
export async function writeWith(config: string | undefined, write: (gate: Gate) => Promise<Receipt>): Promise<Receipt> {
  if (situationOf(config).places.store.kind === 'memory')
    throw new UnusableInput('store: memory forgets receipts, so nothing there says which key came after which')
  const gate = createGate(config === undefined ? {} : { config: { file: config } })
  try {
    return await write(gate)
  } finally {
    await gate.close()
  }
}
