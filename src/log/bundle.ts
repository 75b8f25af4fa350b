/** Entry bundles (C2SP tlog-tiles): entries one after another, each behind its length in two bytes. */
import { HoldpointError } from '../errors.ts'
import { joined, malformed } from './encoding.ts'

/** The most that two bytes of length can say. */
export const MOST_ENTRY_BYTES = 65_535
const LENGTH_BYTES = 2

/** @throws HoldpointError ERR_FORMAT for an entry above 65 535 bytes */
export function writeBundle(entries: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  return joined(...entries.flatMap((entry) => [lengthOf(entry), entry]))
}

/**
 * UNTRUSTED: reads exactly `width` entries, with nothing behind them.
 *
 * @throws HoldpointError ERR_FORMAT; `at` is the path
 */
export function readBundle(bytes: Uint8Array, width: number, path: string): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const entries: Uint8Array[] = []
  let at = 0
  while (entries.length < width) {
    if (at + LENGTH_BYTES > bytes.length)
      throw malformed(path, `ends after ${entries.length} of ${width} entries`, path)
    const from = at + LENGTH_BYTES
    at = from + view.getUint16(at)
    if (at > bytes.length) throw malformed(path, `ends within entry ${entries.length + 1} of ${width}`, path)
    entries.push(bytes.subarray(from, at))
  }
  if (at !== bytes.length) throw malformed(path, `goes on after its ${width} entries`, path)
  return entries
}

function lengthOf(entry: Uint8Array): Uint8Array {
  if (entry.length > MOST_ENTRY_BYTES) {
    throw new HoldpointError('ERR_FORMAT', `an entry of a log may have ${MOST_ENTRY_BYTES} bytes, not ${entry.length}`)
  }
  const bytes = new Uint8Array(LENGTH_BYTES)
  new DataView(bytes.buffer).setUint16(0, entry.length)
  return bytes
}
