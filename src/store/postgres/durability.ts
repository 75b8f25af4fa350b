/** What a server says of itself at the start of each transaction that writes. */
export interface Settings {
  readonly pid: number
  /** What the session has left in it; none where that was wiped. */
  readonly mark: string | null
  readonly synchronous_commit: string
  readonly fsync: string
  readonly full_page_writes: string
}

/** What it says when a store opens. */
export interface ServerSettings {
  readonly encoding: string
  readonly recovery: boolean
  readonly read_only: string
}

/**
 * Why what this server acknowledges may be lost in a crash, in a sentence that says what to change; absent where it may not.
 *
 * INVARIANT I6: what is acknowledged was synced, so nothing is written to a server that says it would not be.
 */
export function weakness({ synchronous_commit, fsync, full_page_writes }: Settings): string | undefined {
  if (synchronous_commit === 'off')
    return 'PostgreSQL acknowledges commits before they are on disk (synchronous_commit = off): set it to on, for this role at least'
  if (fsync !== 'on') return `PostgreSQL does not sync to disk (fsync = ${fsync}): set fsync = on in postgresql.conf`
  if (full_page_writes !== 'on')
    return `PostgreSQL cannot mend a page that a crash has torn (full_page_writes = ${full_page_writes}): set it to on in postgresql.conf`
  return undefined
}

/** Why this server cannot hold a store, in a sentence. */
export function unfitness({ encoding, recovery, read_only }: ServerSettings): string | undefined {
  if (recovery) return 'this PostgreSQL is a standby, which takes no writes: connect to the primary'
  if (read_only === 'on') return 'this database takes no writes (default_transaction_read_only = on)'
  if (encoding !== 'UTF8')
    return `this database cannot hold every text (its encoding is ${encoding}): make one with ENCODING 'UTF8'`
  return undefined
}
