import type { LoadedPolicy } from './load.ts'
import { entitiesNamed, type NamedEntity } from './names.ts'
import { chainOf, innerTerms, type Term, walk } from './term.ts'

/** Which parts of a record somebody reads: all of it, or these members. */
export type Reads = 'all' | ReadonlyMap<string, Reads>

type Growing = 'all' | Map<string, Growing>

/** Everything of a request that can change what a policy set answers. */
export interface PolicyReads {
  readonly context: Reads
  /** Entities that policies name. A role or an action group that none names cannot matter. */
  readonly named: ReadonlySet<string>
  /** Does one look at the principal's tenant? */
  readonly tenant: boolean
}

/**
 * What the policies read. What no policy reads cannot change the answer, so it never crosses into the engine: a megabyte
 * of file content costs nothing under policies that look at its path.
 */
export function readsOf(policies: readonly LoadedPolicy[]): PolicyReads {
  let context: Growing = new Map()
  let tenant = false
  const named = new Set<string>()
  for (const { json, clauses } of policies) {
    for (const entity of entitiesNamed(json, clauses)) named.add(entityKey(entity))
    for (const { body } of clauses) {
      for (const path of pathsRead(body)) context = grow(context, path)
      walk(body, (term) => {
        tenant ||=
          (term.kind === 'get' && term.attribute === 'tenant') || (term.kind === 'has' && term.path[0] === 'tenant')
      })
    }
  }
  return { context, named, tenant }
}

/** One text for one entity. */
export function entityKey({ type, id }: NamedEntity): string {
  return `${type} ${id}`
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
