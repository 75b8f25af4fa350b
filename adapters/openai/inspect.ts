import type { Gate } from '../../src/index.ts'
import { learnListings, settleMcp } from '../shared/held-mcp.ts'
import type { HostItem } from './host.ts'
import { markHosted } from './hosted.ts'
import { HOST } from './surroundings.ts'

/** What a response brings beside the calls that are run here: listings, outcomes of approved calls, and uses of ungated tools. */
export async function inspect(items: readonly HostItem[], gate: Gate): Promise<void> {
  learnListings(items, gate, HOST)
  const approved = await settleMcp(items, gate, HOST)
  await markHosted(items, gate, (item) => approved.has(item))
}
