import { openSlot } from './sqlite-files.ts'
import { allFailed, answered, type Job, type Reply } from './sqlite-messages.ts'
import { OpenBook } from './sqlite-open-book.ts'

/** The writing side of one slot: open or not, it answers every job. */
export class SlotBook {
  readonly #folder: string
  readonly #busyMs: number
  #book: OpenBook | undefined

  constructor(folder: string, busyMs: number) {
    this.#folder = folder
    this.#busyMs = busyMs
  }

  /** Does `claims.db` still have to hear of outcomes? */
  get owes(): boolean {
    return (this.#book?.owed ?? 0) > 0
  }

  run(jobs: readonly Job[]): readonly Reply[] {
    const [first] = jobs
    if (first === undefined) return []
    if (first.work.do === 'open') return [this.#open(first.id, first.work), ...this.run(jobs.slice(1))]
    if (first.work.do === 'close') return [this.#close(first.id)]
    const closing = jobs.findIndex(({ work }) => work.do === 'close')
    if (closing > 0) return [...this.run(jobs.slice(0, closing)), ...this.run(jobs.slice(closing))]
    if (this.#book === undefined) return allFailed(jobs, new Error('the store is not open'))
    try {
      return this.#book.run(jobs)
    } catch (cause) {
      return allFailed(jobs, cause)
    }
  }

  /** Tells `claims.db` what it owes, off everybody's path. */
  tell(): void {
    this.#book?.tell()
  }

  #open(id: number, { slot, now }: Extract<Job['work'], { do: 'open' }>): Reply {
    return answered(id, () => {
      this.#book ??= new OpenBook(openSlot(this.#folder, this.#busyMs, slot), this.#folder)
      return { ...this.#book.opening(now), place: this.#folder }
    })
  }

  #close(id: number): Reply {
    return answered(id, () => {
      this.#book?.close()
      this.#book = undefined
      return undefined
    })
  }
}
