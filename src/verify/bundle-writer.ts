import { BundleOrder } from './bundle-order.ts'
import { type BundleHead, type BundleOpening, type BundlePart, writeBundlePart } from './bundle-text.ts'

/** What stands between the first and the last line of a bundle. */
export type BundleContent = Exclude<BundlePart, { readonly kind: 'head' | 'end' }>

/**
 * The lines of a bundle, each without its newline, as they are to be written one after another.
 *
 * Order of the content: receipts by leaf, each opening behind its receipt, an earlier checkpoint without a proof right behind
 * its last leaf (whole logs only), and last the checkpoint of the head's size.
 *
 * @throws HoldpointError ERR_FORMAT for what a reader would refuse: see `BundleOrder`, and 128 KiB a line
 */
export async function* bundleLines(
  head: BundleHead,
  content: Iterable<BundleContent> | AsyncIterable<BundleContent>,
): AsyncGenerator<string> {
  const order = new BundleOrder()
  const written = (part: BundlePart): string => {
    order.take(part)
    return writeBundlePart(part)
  }
  yield written({ kind: 'head', ...head })
  for await (const part of content) yield written(part)
  yield written({ kind: 'end', ...order.counts })
}

/** Does this opening fit into a line? What does not has to be handed over beside the bundle. */
export function fitsBundle(opening: BundleOpening): boolean {
  try {
    writeBundlePart({ kind: 'opening', ...opening })
    return true
  } catch {
    return false
  }
}
