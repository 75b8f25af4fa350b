import { metaLike } from './era.ts'
import { type Inquiries, NoAnswer } from './inquiries.ts'
import type { Listing } from './listing.ts'
import type { Message } from './message.ts'
import { type Entry, readPage } from './page.ts'

/** How long a server may take to list its tools to us, page by page; in how many pages, and how much, in characters of JSON. */
const LONGEST_LISTING_MS = 10_000
const MOST_PAGES = 100
const LARGEST_LISTING = 16 * 1_048_576

interface ListerTerms {
  readonly listing: Listing
  readonly inquiries: Inquiries
  readonly note: (text: string) => void
  /** Ends with the connection. */
  readonly signal: AbortSignal
}

type Send = (message: Message) => void | Promise<void>

/** Has a server list all of its tools to the gate, once for however many calls wait for it. */
export class Lister {
  readonly #terms: ListerTerms
  #underWay: { readonly edition: number; readonly done: Promise<void> } | undefined

  constructor(terms: ListerTerms) {
    this.#terms = terms
  }

  /**
   * Never rejects: a server that does not list its tools has none that could be called. Whoever asks after the tools have
   * changed waits for no listing that was begun before.
   *
   * @param like the request that the listing is made for; it is of the same era
   */
  list(like: Message, send: Send): Promise<void> {
    const { listing, note } = this.#terms
    const { edition } = listing
    if (this.#underWay?.edition === edition) return this.#underWay.done
    const done = this.#all(like, send)
      .catch((cause: unknown) => {
        const because = cause instanceof Error ? cause.message : 'it failed'
        // INVARIANT I4: what it listed long ago says nothing of now.
        if (listing.edition === edition) listing.expire()
        note(`${listing.label} does not list its tools, so none can be called: ${because}`)
      })
      .finally(() => {
        if (this.#underWay?.done === done) this.#underWay = undefined
      })
    this.#underWay = { edition, done }
    return done
  }

  async #all(like: Message, send: Send): Promise<void> {
    const { listing, inquiries } = this.#terms
    const { edition } = listing
    const signal = AbortSignal.any([this.#terms.signal, AbortSignal.timeout(LONGEST_LISTING_MS)])
    let entries: readonly Entry[] = []
    let weight = 0
    let cursor: string | undefined
    for (let nth = 0; nth < MOST_PAGES; nth += 1) {
      const params = { ...metaLike(like), ...(cursor === undefined ? {} : { cursor }) }
      const request = { method: 'tools/list', params }
      const result = await inquiries.ask(request, send, { deadlineMs: LONGEST_LISTING_MS, signal })
      weight += weightOf(result)
      if (weight > LARGEST_LISTING) throw new NoAnswer('they are longer than 16 MiB')
      const page = readPage(result, listing.origin)
      if (page === undefined) throw new NoAnswer('a page of it has no list of tools')
      // What the gate makes of a tool is kept, and not what else the server sent with it.
      entries = entries.concat(page.entries.map(({ definition }) => ({ listed: undefined, definition })))
      cursor = page.next
      if (cursor === undefined) return listing.learn(entries, edition)
    }
    throw new NoAnswer(`it has more than ${MOST_PAGES} pages`)
  }
}

function weightOf(result: Message): number {
  try {
    return JSON.stringify(result).length
  } catch {
    throw new NoAnswer('a page of it is nested too deeply')
  }
}
