import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { OverrideUse } from '../types.ts'

/** How often overrides were used: the SQL behind it, inside the caller's transaction. */
export class SqliteOverrides {
  readonly #find: StatementSync
  readonly #count: StatementSync

  /** @param schema the name under which the connection has `claims.db` */
  constructor(db: DatabaseSync, schema: 'main' | 'claims') {
    this.#find = db.prepare(`SELECT uses FROM ${schema}.overrides WHERE id = ?`)
    this.#count = db.prepare(
      `INSERT INTO ${schema}.overrides (id, uses) VALUES (?, 1) ON CONFLICT (id) DO UPDATE SET uses = uses + 1 RETURNING uses`,
    )
  }

  uses(id: string): number {
    return Number(this.#find.get(id)?.['uses'] ?? 0)
  }

  isSpent({ id, most }: OverrideUse): boolean {
    return this.uses(id) >= most
  }

  /** Counts one use and says which it is, from 1. */
  use({ id }: OverrideUse): number {
    return Number(this.#count.get(id)?.['uses'])
  }
}
