import type { LoadedPolicy } from './load.ts'
import { chainOf, innerTerms, type Term } from './term.ts'

/** Which parts of a record somebody reads: all of it, or these members. */
export type Reads = 'all' | ReadonlyMap<string, Reads>

type Growing = 'all' | Map<string, Growing>

/**
 * Which parts of `context` the policies read. What no policy reads cannot change the answer, so it never crosses into the
 * engine: a megabyte of file content costs nothing under policies that look at its path.
 */
export function readsOf(policies: readonly LoadedPolicy[]): Reads {
  let reads: Growing = new Map()
  for (const { body } of policies.flatMap((policy) => policy.clauses)) {
    for (const path of pathsRead(body)) reads = grow(reads, path)
  }
  return reads
}

/** Do they read this member of the record? */
export function readsMember(reads: Reads, member: string): boolean {
  return reads === 'all' || reads.has(member)
}

/** What they read inside this member. */
export function readsInside(reads: Reads, member: string): Reads | undefined {
  return reads === 'all' ? 'all' : reads.get(member)
}

/** Paths into `context`. A chain counts in full; used any other way, what it leads to is read whole. */
function pathsRead(term: Term): readonly (readonly string[])[] {
  const [read, rest] = term.kind === 'has' ? [chainOf(term.of), term.path] : [chainOf(term), []]
  if (read !== undefined) return read.variable === 'context' ? [[...read.path, ...rest]] : []
  return innerTerms(term).flatMap((inner) => pathsRead(inner))
}

function grow(reads: Growing, path: readonly string[]): Growing {
  const [member, ...rest] = path
  if (member === undefined || reads === 'all') return 'all'
  reads.set(member, grow(reads.get(member) ?? new Map(), rest))
  return reads
}
