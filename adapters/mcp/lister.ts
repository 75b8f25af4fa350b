import { metaLike } from './era.ts'
import { type Inquiries, NoAnswer } from './inquiries.ts'
import { type Listing, MOST_LISTED } from './listing.ts'
import { type Message, textOf } from './message.ts'

/** How long a server may take to list its tools to us, page by page, and in how many pages. */
const LONGEST_LISTING_MS = 10_000
const MOST_PAGES = 100

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
  #listing: Promise<void> | undefined

  constructor(terms: ListerTerms) {
    this.#terms = terms
  }

  /**
   * Never rejects: a server that does not list its tools has none that could be called.
   *
   * @param like the request that the listing is made for; it is of the same era
   */
  list(like: Message, send: Send): Promise<void> {
    this.#listing ??= this.#all(like, send)
      .catch((cause: unknown) => {
        const { listing, note } = this.#terms
        const because = cause instanceof Error ? cause.message : 'it failed'
        // INVARIANT I4: what it listed long ago says nothing of now.
        listing.expire()
        note(`${listing.label} does not list its tools, so none can be called: ${because}`)
      })
      .finally(() => {
        this.#listing = undefined
      })
    return this.#listing
  }

  async #all(like: Message, send: Send): Promise<void> {
    const { listing, inquiries } = this.#terms
    const { edition } = listing
    const signal = AbortSignal.any([this.#terms.signal, AbortSignal.timeout(LONGEST_LISTING_MS)])
    const tools: unknown[] = []
    let cursor: string | undefined
    for (let page = 0; page < MOST_PAGES; page += 1) {
      const params = { ...metaLike(like), ...(cursor === undefined ? {} : { cursor }) }
      const request = { method: 'tools/list', params }
      const listed = await inquiries.ask(request, send, { deadlineMs: LONGEST_LISTING_MS, signal })
      if (!Array.isArray(listed['tools'])) throw new NoAnswer('a page of it has no list of tools')
      tools.push(...listed['tools'])
      cursor = textOf(listed['nextCursor'])
      if (cursor === undefined || tools.length >= MOST_LISTED) return listing.learn(tools, edition)
    }
    throw new NoAnswer(`it has more than ${MOST_PAGES} pages`)
  }
}
