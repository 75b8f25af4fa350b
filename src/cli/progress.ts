import type { Terminal } from './terminal.ts'

const EVERY = 1_000

/** Says on the way how many receipts were read. */
export async function* readingAlong<T>(receipts: AsyncIterable<T>, { progress }: Terminal): AsyncGenerator<T> {
  let count = 0
  for await (const one of receipts) {
    count += 1
    if (count % EVERY === 0) progress(`${count} receipts read`)
    yield one
  }
}
