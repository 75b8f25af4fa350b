import type { Readable } from 'node:stream'
import { UnusableInput } from '../exit.ts'

/** More than any tool's arguments may have (1 MiB), and most results. */
export const MOST_BYTES = 8 * 1024 * 1024

/**
 * Everything that is piped in, to its end.
 *
 * @throws UnusableInput for more than `MOST_BYTES`, or when the signal comes before the end
 */
export async function readWithin(input: Readable, signal: AbortSignal): Promise<Uint8Array> {
  const left = () => input.destroy()
  signal.addEventListener('abort', left, { once: true })
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of input as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > MOST_BYTES) throw new UnusableInput(`stdin: more than ${MOST_BYTES} bytes`)
      chunks.push(chunk)
    }
  } finally {
    signal.removeEventListener('abort', left)
  }
  if (signal.aborted) throw new UnusableInput('stdin: it did not end in time')
  return Buffer.concat(chunks)
}
