import { MOST_ENTRY_BYTES } from './bundle.ts'
import { malformed } from './encoding.ts'
import type { Sha256, TileStorage } from './ports.ts'
import { RightEdge } from './right-edge.ts'
import { MOST_LEAVES } from './size.ts'
import type { TreeHead } from './tiles.ts'

/**
 * Writes entries behind those of a tree, and gives the head of the tree that then is. The checkpoint is the caller's to sign,
 * and to write last: until then nobody may rely on the files, and writing other entries over them after a crash is no fork.
 *
 * INVARIANT I6: the right edge is first held against the head. Built upon a torn tile, the log would sign a root for which
 * nobody can ever make a proof.
 *
 * @param log one writer at a time: two would overwrite each other
 * @throws HoldpointError ERR_FORMAT when an entry is above 65 535 bytes, or the files do not have the head's root
 */
export async function appendEntries(
  { storage, sha256 }: { readonly storage: TileStorage; readonly sha256: Sha256 },
  head: TreeHead,
  entries: readonly Uint8Array[],
): Promise<TreeHead> {
  const tooLarge = entries.findIndex((entry) => entry.length > MOST_ENTRY_BYTES)
  if (tooLarge !== -1) throw malformed(`entry ${tooLarge + 1}`, `has more than ${MOST_ENTRY_BYTES} bytes`)
  if (head.size > MOST_LEAVES - entries.length) throw malformed('the log', 'is full')
  const edge = new RightEdge(storage, sha256)
  await edge.load(head)
  for (const entry of entries) await edge.push(entry)
  await edge.writePartial()
  return edge.head()
}
