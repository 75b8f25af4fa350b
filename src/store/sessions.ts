import type { SessionClaim, SessionKeys, SessionReading, SessionSeen } from '../types.ts'
import { factsOf, isStale, type Line, lapsedBefore, MOST_LAPSED, moved, movesOf } from './session-book.ts'

/** What each session has reserved and spent, in memory. */
export class Sessions {
  readonly #seen = new Map<string, number>()
  readonly #lines = new Map<string, Map<string, Line>>()

  read(session: SessionKeys, now: number): SessionReading {
    const facts = factsOf(this.#linesOf(session.conversation), this.#linesOf(session.principal), now)
    return { seen: this.#seenOf(session), facts }
  }

  isStale(session: SessionClaim): boolean {
    return isStale(session, this.#seenOf(session))
  }

  reserve(session: SessionClaim): void {
    this.#forgetLapsed(session)
    this.#move(session, 1)
  }

  release(session: SessionClaim): void {
    this.#move(session, -1)
  }

  #move(session: SessionClaim, by: 1 | -1): void {
    for (const move of movesOf(session, by)) {
      const lines = this.#lines.get(move.key) ?? new Map<string, Line>()
      const place = `${move.since} ${move.name}`
      const line = moved(lines.get(place), move)
      if (line === undefined) lines.delete(place)
      else lines.set(place, line)
      this.#lines.set(move.key, lines)
    }
    for (const key of [session.conversation, session.principal]) this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1)
  }

  #forgetLapsed({ principal, at }: SessionClaim): void {
    const lines = this.#lines.get(principal)
    if (lines === undefined || lines.size <= MOST_LAPSED) return
    const lapsed = [...lines].filter(([, { since }]) => since < lapsedBefore(at))
    const oldest = lapsed.sort(([, one], [, other]) => one.since - other.since)
    for (const [place] of oldest.slice(0, Math.max(0, lapsed.length - MOST_LAPSED))) lines.delete(place)
  }

  #linesOf(key: string): readonly Line[] {
    return [...(this.#lines.get(key)?.values() ?? [])]
  }

  #seenOf({ conversation, principal }: SessionKeys): SessionSeen {
    return { conversation: this.#seen.get(conversation) ?? 0, principal: this.#seen.get(principal) ?? 0 }
  }
}
