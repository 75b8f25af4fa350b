/** A gate for the length of one receipt. */
import { createGate } from '../../create-gate.ts'
import type { Gate, Receipt } from '../../types.ts'
import type { Situation } from '../context.ts'
import { UnusableInput } from '../exit.ts'

/** @throws UnusableInput where the store keeps nothing */
export function refuseForgetful({ places }: Situation): void {
  if (places.store.kind === 'memory')
    throw new UnusableInput('store: memory forgets receipts, so nothing there says which key came after which')
}

/**
 * Opens the configured store, has something written, and seals the stream.
 *
 * @throws HoldpointError ERR_STORE when the receipt may not be durable
 */
export async function writeWith(config: string | undefined, write: (gate: Gate) => Promise<Receipt>): Promise<Receipt> {
  const gate = createGate(config === undefined ? {} : { config: { file: config } })
  try {
    return await write(gate)
  } finally {
    await gate.close()
  }
}
