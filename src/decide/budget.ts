import type { Clock } from '../types.ts'

/**
 * The policy budget of one admission, on the monotonic clock: it runs while the gate works on the call, and stands while a person
 * thinks or while other calls of the same session have their turn.
 */
export class Budget {
  readonly #clock: Pick<Clock, 'monotonic'>
  #leftMs: number
  #resumedAt: number | undefined

  constructor(budgetMs: number, clock: Pick<Clock, 'monotonic'>) {
    this.#leftMs = budgetMs
    this.#clock = clock
  }

  resume(): void {
    this.#resumedAt ??= this.#clock.monotonic()
  }

  rest(): void {
    this.#leftMs = this.leftMs
    this.#resumedAt = undefined
  }

  /** ms; 0 or less when nothing is left. */
  get leftMs(): number {
    return this.#resumedAt === undefined ? this.#leftMs : this.#leftMs - (this.#clock.monotonic() - this.#resumedAt)
  }
}
