import { sha256 } from './bytes/digest.ts'
import { shown } from './bytes/shown.ts'
import { cut } from './receipt/limits.ts'
import type { EventSink, Standing, ToolCoverage, ToolSeen } from './types.ts'

/** Tools that one gate remembers: a host that makes up names must not make it grow. */
const MOST_TOOLS = 10_000
/** Of a host's, a server's or a tool's name, and of why it stands so, characters: no name that may be called is longer. */
const LONGEST_NAME = 128
const LONGEST_REASON = 256
/** Admissions whose execution a host may still report. */
const MOST_ADMITTED = 10_000

/** What a gate keeps of a tool that a host showed it. */
interface Seen {
  readonly host: string
  readonly server: string
  readonly tool: string
  standing: Standing
  because: string | undefined
}

/**
 * Which tools the hosts of one gate showed it, and whether it can stand in front of them. Nothing here decides anything: it is
 * how an operator finds the door that was left open.
 */
export class Coverage {
  readonly #seen = new Map<string, Seen>()
  /** Calls that were admitted, or marked as ungated: what a host may report to have run. Oldest first. */
  readonly #admitted = new Set<string>()
  readonly #emit: EventSink
  readonly #heard: () => void
  #edition = 0
  #isFull = false

  /** @param heard told whenever a host has shown something, new or not */
  constructor(emit: EventSink, heard: () => void = () => undefined) {
    this.#emit = emit
    this.#heard = heard
  }

  /** Another one whenever the list has become another one. */
  get edition(): number {
    return this.#edition
  }

  /** A host's adapter says what it sees. A tool that stood worse before stays so: one open door is a door. */
  cover(host: string, server: string, tools: readonly ToolSeen[]): void {
    for (const { tool, standing, because } of tools) this.#keep(brief({ host, server, tool, standing, because }))
    this.#heard()
  }

  /** By host, server and tool. */
  list(): readonly ToolCoverage[] {
    return [...this.#seen.values()]
      .map(({ because, ...seen }) => ({ ...seen, ...(because === undefined ? {} : { because }) }))
      .sort((one, other) => keyOf(one).localeCompare(keyOf(other)))
  }

  /** This call may be reported as run. `where` tells conversations apart: hosts reuse call ids. */
  admitted(where: string, call: { readonly server: string; readonly tool: string; readonly callId: string }): void {
    const key = callOf(where, call.server, call.tool, call.callId)
    this.#admitted.delete(key)
    this.#admitted.add(key)
    for (const oldest of this.#admitted) {
      if (this.#admitted.size <= MOST_ADMITTED) break
      this.#admitted.delete(oldest)
    }
  }

  /** A host says that a call has run. True when it was admitted here; otherwise the programmer hears of it. */
  reportRun(where: string, host: string, server: string, tool: string, callId: string): boolean {
    if (this.#admitted.has(callOf(where, server, tool, callId))) return true
    this.#keep(brief({ host, server, tool, standing: 'unknown', because: 'ran without an admission' }))
    this.#heard()
    this.#emit({
      event: 'programmer-warned',
      code: 'ran_without_admission',
      message: `${host} reports that ${server}/${tool} ran (call ${shown(callId, LONGEST_NAME)}), and this gate admitted no such call. Guard every list of tools that the host is given, and look at gate.coverage().`,
    })
    return false
  }

  #keep(found: Seen): void {
    const key = keyOf(found)
    const known = this.#seen.get(key)
    if (known === undefined) {
      this.#add(key, found)
    } else if (RANK[found.standing] >= RANK[known.standing]) {
      if (known.standing === found.standing && !saysMore(known, found)) return
      this.#edition += 1
      known.standing = found.standing
      known.because = found.because
    }
  }

  #add(key: string, found: Seen): void {
    if (this.#seen.size < MOST_TOOLS) {
      this.#seen.set(key, found)
      this.#edition += 1
      return
    }
    // What is open is not left out for what is shut: a server that lists no end of tools hides nothing by them.
    const least = this.#leastBadFor(found)
    if (least !== undefined) {
      this.#seen.delete(least)
      this.#seen.set(key, found)
      this.#edition += 1
    }
    if (this.#isFull) return
    this.#isFull = true
    this.#emit({
      event: 'programmer-warned',
      code: 'coverage_full',
      message: `This gate was shown more than ${MOST_TOOLS} tools, and lists no more of them in gate.coverage(). Do the names of a host's tools change with each request?`,
    })
  }

  /** What may make room for this one: of all that stand better, one that stands best. */
  #leastBadFor(found: Seen): string | undefined {
    let least: readonly [string, Seen] | undefined
    for (const each of this.#seen) if (RANK[each[1].standing] < RANK[(least?.[1] ?? found).standing]) least = each
    return least?.[0]
  }
}

const RANK: Readonly<Record<Standing, number>> = { gated: 0, ungated: 1, unknown: 2 }

/**
 * Does it say more of what stands as it stood? Why a gated tool's calls are refused comes and goes. Why another is open was said before: two
 * reasons that take turns would have the list written anew with each request.
 */
function saysMore(known: Seen, found: Seen): boolean {
  return found.standing === 'gated'
    ? known.because !== found.because
    : known.because === undefined && found.because !== undefined
}

/** UNTRUSTED: names may be a stranger's server's, or a model's, and another process reads what is kept of them. */
function brief({ host, server, tool, standing, because }: Seen): Seen {
  const name = (text: string): string => cut(String(text), LONGEST_NAME)
  const why = because === undefined ? undefined : cut(String(because), LONGEST_REASON)
  return { host: name(host), server: name(server), tool: name(tool), standing, because: why }
}

function keyOf({ host, server, tool }: Pick<Seen, 'host' | 'server' | 'tool'>): string {
  return JSON.stringify([host, server, tool])
}

/** UNTRUSTED: a client chooses its ids, which may be as long as a frame. */
function callOf(where: string, server: string, tool: string, callId: string): string {
  return sha256(JSON.stringify([where, server, tool, callId]))
}
