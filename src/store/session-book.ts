import { readDecimal, writeDecimal } from '../bytes/decimal.ts'
import type { Counted, SessionClaim, SessionFacts, SessionSeen, Sums } from '../types.ts'

/**
 * How sessions are counted, whatever keeps the lines: a claim moves a few of them, and facts are read off them.
 *
 * A line of a conversation never lapses. A line of a principal holds five minutes (`since` and after), so that an hour is some
 * 13 lines a name and a day some 289, however many calls there were.
 */
export interface Line {
  /** The conversation's or the principal's. */
  readonly key: string
  /** Start of its five minutes; 0 in a conversation. */
  readonly since: number
  /** `server/tool`, `surface-financial` or `reads-private`: a tool's always has a slash. */
  readonly name: string
  readonly calls: number
  /** Ten-thousandths. */
  readonly spent: bigint
}

const LINE_MS = 5 * 60_000
const HOUR_MS = 60 * 60_000
const DAY_MS = 24 * HOUR_MS
const SURFACE = 'surface-'
const READS = 'reads-'

/**
 * What a claim adds to the lines (1), or takes back when its call provably never began (-1). What a conversation has read stays
 * for its whole life: of all reservations this is the one that a mistake must not free.
 */
export function movesOf(claim: SessionClaim, by: 1 | -1): readonly Line[] {
  const moved = { calls: by, spent: BigInt(by) * amountOf(claim) }
  const names = [claim.tool, SURFACE + claim.surface]
  const since = claim.at - (claim.at % LINE_MS)
  const reads = by === 1 ? (claim.reads ?? []) : []
  return [
    ...names.map((name) => ({ key: claim.conversation, since: 0, name, ...moved })),
    ...names.map((name) => ({ key: claim.principal, since, name, ...moved })),
    ...reads.map((label) => ({ key: claim.conversation, since: 0, name: READS + label, calls: 1, spent: 0n })),
  ]
}

/** The line with a move made; `undefined` when no call is left on it. */
export function moved(line: Pick<Line, 'calls' | 'spent'> | undefined, move: Line): Line | undefined {
  const calls = (line?.calls ?? 0) + move.calls
  return calls <= 0 ? undefined : { ...move, calls, spent: (line?.spent ?? 0n) + move.spent }
}

/**
 * How many lapsed lines of a principal are kept all the same. A clock that runs ahead and is put back must not have erased what
 * was spent: nothing goes because of the time alone.
 */
export const MOST_LAPSED = 2_000

/** Lines of a principal that begin before this are in no window any more. */
export function lapsedBefore(now: number): number {
  return firstOf(DAY_MS, now)
}

/** Facts, as policies read them. */
export function factsOf(conversation: readonly Line[], principal: readonly Line[], now: number): SessionFacts {
  const has = (label: string): boolean => conversation.some(({ name }) => name === READS + label)
  const within = (ms: number): Counted => countedIn(principal.filter(({ since }) => since >= firstOf(ms, now)))
  return {
    ...countedIn(conversation),
    hour: within(HOUR_MS),
    day: within(DAY_MS),
    private_data_read: has('private'),
    untrusted_content_read: has('untrusted'),
  }
}

/** Did one of the versions that a decision rests on move? */
export function isStale({ seen }: SessionClaim, now: SessionSeen): boolean {
  const moved = (of: keyof SessionSeen): boolean => seen?.[of] !== undefined && seen[of] !== now[of]
  return moved('conversation') || moved('principal')
}

/** The amount that a claim adds to its session, in ten-thousandths; 0 where it names none. */
function amountOf({ amount }: SessionClaim): bigint {
  return amount === undefined ? 0n : (readDecimal(amount) ?? 0n)
}

/** Start of the first five minutes that reach into the last `ms`. */
function firstOf(ms: number, now: number): number {
  return now - ms - LINE_MS + 1
}

function countedIn(lines: readonly Line[]): Counted {
  const tools = lines.filter(({ name }) => name.includes('/'))
  const surfaces = lines
    .filter(({ name }) => name.startsWith(SURFACE))
    .map((line) => ({ ...line, name: line.name.slice(SURFACE.length) }))
  return { ...sumsOf(tools), surfaces: sumsOf(surfaces) }
}

function sumsOf(lines: readonly Line[]): Sums {
  const sums = new Map<string, { readonly calls: number; readonly spent: bigint }>()
  for (const { name, calls, spent } of lines) {
    const before = sums.get(name)
    sums.set(name, { calls: (before?.calls ?? 0) + calls, spent: (before?.spent ?? 0n) + spent })
  }
  return {
    calls: Object.fromEntries([...sums].map(([name, { calls }]) => [name, calls])),
    spent: Object.fromEntries([...sums].map(([name, { spent }]) => [name, writeDecimal(spent)])),
  }
}
