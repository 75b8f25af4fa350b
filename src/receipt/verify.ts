import { Intake } from './intake.ts'
import { Keyring } from './keyring.ts'
import { importTrustedKeys, type Jwk } from './keys.ts'
import { type Looked, look } from './look.ts'
import type { VerifyReport } from './verify-report.ts'
import { Ledger } from './verify-set.ts'

/** Signatures that are verified at a time: they run on other threads. */
export const AT_ONCE = 64

/**
 * Verifies receipts offline, with nothing but the public keys that the caller trusts. Runs in browsers and in Node.
 *
 * A key that stands in a receipt is believed only where a believed key vouches for it (kind `key`), from there on in the input.
 * Receipts of one stream must come in their order; streams may be mixed. An empty input is not a pass.
 *
 * What a pass means: the holder of a trusted key signed these statements, in this order, without a hole. What it does not
 * mean: that nothing was cut off at the end of a stream that has no seal, or that the world did what a receipt says.
 *
 * @throws HoldpointError ERR_KEY when the trusted keys themselves are unusable
 */
export async function verifyReceipts(
  input: readonly string[] | Iterable<string> | AsyncIterable<string>,
  trust: { readonly keys: readonly Jwk[] },
): Promise<VerifyReport> {
  const keyring = new Keyring(await importTrustedKeys(trust.keys))
  const ledger = new Ledger()
  const intake = new Intake(keyring, ledger)
  for await (const batch of batches(input, AT_ONCE)) {
    const looked: readonly Looked[] = await Promise.all(batch.map((jws) => look(jws, keyring)))
    for (const one of looked) await intake.take(one)
  }
  return ledger.report(intake.count)
}

/** Items in groups, so that what is slow about each runs side by side. */
export async function* batches<T>(input: Iterable<T> | AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let batch: T[] = []
  for await (const item of input) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
