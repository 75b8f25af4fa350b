/** Reading bundles: what they hold, one line after another. */
import { statSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { HoldpointError } from '../errors.ts'
import { BundleOrder, type PlacedPart } from '../verify/bundle-order.ts'
import { readBundlePart } from '../verify/bundle-text.ts'
import { UnusableInput } from './exit.ts'
import { bundleAt, type StoreAt, tokensAt } from './receipts.ts'

const BEGINNING = '{"bundle":'

/** Does a file begin as a bundle does? */
export async function isBundle(file: StoreAt): Promise<boolean> {
  if (typeof file !== 'string') return false
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false
  const handle = await open(file)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING.length), 0, BEGINNING.length, 0)
    return buffer.toString('latin1', 0, bytesRead) === BEGINNING
  } finally {
    await handle.close()
  }
}

/**
 * The receipts of a bundle, of an export (one JWS a line) or of a store folder, one string each.
 *
 * @throws UnusableInput when the path is missing, or the bundle is broken
 */
export async function* receiptsAt(path: StoreAt): AsyncGenerator<string> {
  if (typeof path !== 'string' || !(await isBundle(path))) {
    yield* tokensAt(path)
    return
  }
  for await (const part of partsOf(path)) if (part.kind === 'receipt') yield part.jws
}

/**
 * The parts of a bundle, each where it may stand. Nobody's signature is looked at: that is "holdpoint verify".
 *
 * @throws UnusableInput naming the line that is wrong, or that the file was cut off
 */
export async function* partsOf(file: string): AsyncGenerator<PlacedPart> {
  const order = new BundleOrder()
  let number = 0
  for await (const line of (await bundleAt(file)) ?? []) {
    number += 1
    yield placed(order, line, `${file}:${number}`)
  }
  if (!order.isWhole) throw new UnusableInput(`${file} was cut off behind line ${number}: its last line is missing`)
}

function placed(order: BundleOrder, line: string, at: string): PlacedPart {
  try {
    return order.take(readBundlePart(line))
  } catch (error) {
    if (error instanceof HoldpointError) throw new UnusableInput(`${at}: ${error.message}`)
    throw error
  }
}
