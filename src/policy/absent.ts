import { nearest } from '../bytes/nearest.ts'
import type { LoadedPolicy } from './load.ts'
import { entitiesNamed } from './names.ts'
import type { Remark } from './review.ts'
import { serverOf, toolsNamed } from './scope.ts'
import { placeIn } from './source.ts'

/** A tool or a server that somebody wrote something about, and where. */
export interface Naming {
  /** The policy's `@id`; absent where the configuration names it. */
  readonly policy?: string
  /** `file:line`, or `file:line:column`. */
  readonly at: string
  readonly server: string
  /** `server/tool`; absent where a whole server is named. */
  readonly tool?: string
}

/** Every tool that a policy names, and every server. */
export function namingsIn({ id: policy, json, clauses, file, offset, text }: LoadedPolicy): readonly Naming[] {
  const at = (name: string): string => placeIn(file, offset + Math.max(0, text.indexOf(`"${name}"`)))
  const servers = entitiesNamed(json, clauses).flatMap(({ type, id }) => (type === 'Server' ? [id] : []))
  return [
    ...toolsNamed({ json, clauses }).map((tool) => ({ policy, at: at(tool), server: serverOf(tool), tool })),
    ...servers.map((server) => ({ policy, at: at(server), server })),
  ]
}

/**
 * Names that the listed tools do not bear out: a tool that a listed server does not have is a mistake. One of a server of
 * which nothing is listed may be right, and may as well be a tool that was meant to be another.
 *
 * @param ids of all listed tools; where there are none, nothing is said
 * @param own our own name of the server that a tool without a server in front belongs to
 */
export function absent(namings: readonly Naming[], ids: readonly string[], own: string): readonly Remark[] {
  if (ids.length === 0) return []
  const servers = new Set(ids.map(serverOf))
  const unlisted = new Set<string>()
  return namings.flatMap(({ policy, at, server, tool }): readonly Remark[] => {
    const place = { at, ...(policy === undefined ? {} : { policy }) }
    if (servers.has(server)) {
      if (tool === undefined || ids.includes(tool)) return []
      return [{ level: 'mistake', message: absenceOf(tool, ids), ...place }]
    }
    const guess = tool === undefined ? nearest(server, servers) : meantBy(tool, ids)
    // What nothing listed resembles is told once for each server.
    if (guess === undefined && unlisted.has(server)) return []
    if (guess === undefined) unlisted.add(server)
    return [{ level: 'advice', message: `no listed tool is of ${whose(server, tool, own)}${asked(guess)}`, ...place }]
  })
}

/** `no tool shop/refnd; did you mean "shop/refund"?` */
export function absenceOf(id: string, ids: readonly string[]): string {
  const guess = nearest(id, ids)
  return guess === undefined ? `no tool ${id}` : `no tool ${id}; did you mean "${guess}"?`
}

/** The only listed tool of that name, or the one that is spelt most like it. */
function meantBy(tool: string, ids: readonly string[]): string | undefined {
  const [only, another] = ids.filter((id) => nameOf(id) === nameOf(tool))
  return another === undefined && only !== undefined ? only : nearest(tool, ids)
}

function whose(server: string, tool: string | undefined, own: string): string {
  if (server !== own || tool === undefined) return `the server ${server}`
  return `the server ${server}, and ${nameOf(tool)} without a server means ${tool}`
}

function asked(guess: string | undefined): string {
  return guess === undefined ? ': what is said of its tools was not checked' : `; did you mean "${guess}"?`
}

function nameOf(id: string): string {
  return id.slice(id.indexOf('/') + 1)
}
