import type { Gate } from '../../src/index.ts'
import type { Origin } from './definition.ts'
import { Listing } from './listing.ts'
import { Rounds } from './rounds.ts'
import { Tasks } from './tasks.ts'

/** What goes on from one request to the next, whichever connection that comes on: questions between two rounds, and tasks. */
export interface Lasting {
  readonly rounds: Rounds
  readonly tasks: Tasks
}

/** What is kept of one server beyond one request. */
export class Upstream implements Lasting {
  readonly listing: Listing
  readonly rounds: Rounds
  readonly tasks: Tasks

  /**
   * @param server our own name of it, none for the gate's own; what it calls itself is a stranger's word
   * @param lasting where a connection is made for each request: what is kept beyond it
   */
  constructor(gate: Gate, server: string | undefined, origin: Origin, lasting: Partial<Lasting> = {}) {
    this.listing = new Listing(gate, server, origin)
    this.rounds = lasting.rounds ?? new Rounds()
    this.tasks = lasting.tasks ?? new Tasks()
  }

  /** It is gone: tasks that were under way are never heard of again. */
  close(): void {
    this.tasks.close()
  }
}
