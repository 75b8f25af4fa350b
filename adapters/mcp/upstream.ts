import type { Gate } from '../../src/index.ts'
import type { Origin } from './definition.ts'
import { Listing } from './listing.ts'
import { Rounds } from './rounds.ts'
import { Tasks } from './tasks.ts'

/** What is kept of one server beyond one request: what it lists, the questions between two rounds, and its tasks. */
export class Upstream {
  readonly listing: Listing
  readonly rounds = new Rounds()
  readonly tasks = new Tasks()

  /** @param server our own name of it, none for the gate's own; what it calls itself is a stranger's word */
  constructor(gate: Gate, server: string | undefined, origin: Origin) {
    this.listing = new Listing(gate, server, origin)
  }

  /** It is gone: tasks that were under way are never heard of again. */
  close(): void {
    this.tasks.close()
  }
}
