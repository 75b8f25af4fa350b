import type { Gate } from '../../src/index.ts'
import type { HostItem } from './host.ts'
import { learnListings, markHosted } from './hosted.ts'
import { settleMcp } from './mcp-approval.ts'

/** What a response brings beside the calls that are run here: listings, outcomes of approved calls, and uses of ungated tools. */
export async function inspect(items: readonly HostItem[], gate: Gate): Promise<void> {
  learnListings(items, gate)
  const approved = await settleMcp(items, gate)
  await markHosted(items, gate, (item) => approved.has(item))
}
