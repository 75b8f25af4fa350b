/** The shop: an order database, and the two tools over it. Nothing here knows of a gate. */
import { DatabaseSync } from 'node:sqlite'
import { tool } from 'ai'
import { z } from 'zod'

/** One order, sums in EUR. */
export interface Order {
  readonly id: string
  readonly customer: string
  readonly item: string
  readonly paid: number
  readonly refunded: number
}

const ORDERS: readonly (readonly [id: string, customer: string, item: string, paidCents: number])[] = [
  ['A-1041', 'Mira Santos', 'walking boots', 18_900],
  ['A-1042', 'Jonas Weber', 'four-person tent', 64_900],
  ['A-1043', 'Ines Duarte', 'touring bicycle', 189_000],
  ['A-1044', 'Pavel Novak', 'sleeping bag', 22_900],
]

/** The orders of a shop, in memory, for as long as the process runs. */
export class Orders {
  readonly #database = new DatabaseSync(':memory:')

  constructor() {
    this.#database.exec(`
      create table orders (id text primary key, customer text, item text, paid integer) strict;
      create table refunds (id integer primary key, order_id text references orders, cents integer) strict;`)
    const insert = this.#database.prepare('insert into orders values (?, ?, ?, ?)')
    for (const order of ORDERS) insert.run(...order)
  }

  all(): readonly Order[] {
    const rows = this.#database
      .prepare(`
        select id, customer, item, paid / 100.0 as paid,
          (select coalesce(sum(cents), 0) / 100.0 from refunds where order_id = orders.id) as refunded
        from orders order by id`)
      .all()
    return rows as unknown as readonly Order[]
  }

  find(id: string): Order {
    const order = this.all().find((each) => each.id === id)
    if (order === undefined) throw new Error(`There is no order ${id}.`)
    return order
  }

  refund(id: string, amount: number): Order {
    const { paid, refunded } = this.find(id)
    if (refunded + amount > paid) throw new Error(`Only ${(paid - refunded).toFixed(2)} EUR of ${id} are left.`)
    this.#database.prepare('insert into refunds (order_id, cents) values (?, ?)').run(id, Math.round(amount * 100))
    return this.find(id)
  }
}

/** What the assistant can do. */
export function supportTools(orders: Orders) {
  return {
    order: tool({
      description: 'Look up an order by its id, such as A-1041',
      inputSchema: z.object({ id: z.string() }),
      execute: async ({ id }) => orders.find(id),
    }),
    refund: tool({
      description: 'Pay part of an order, or all of it, back to the customer, in EUR',
      inputSchema: z.object({ order: z.string(), amount: z.number().positive() }),
      execute: async ({ order, amount }) => orders.refund(order, amount),
    }),
  }
}
