import { readFileSync } from 'node:fs'
import { visibleLine } from '../bytes/visible.ts'
import type { Clock, EventSink } from '../types.ts'
import { warningsOf } from '../warnings.ts'

/** What a gate takes from the process it lives in: its version, its clock, its timers, its terminal, its warnings. */

/** holdpoint's version. */
export const BUILD = (JSON.parse(readFileSync(packageFile(), 'utf8')) as { version: string }).version

/**
 * With no sink of the program's own, what a programmer or operator must hear is still said, on stderr.
 *
 * UNTRUSTED: a message may name what a server chose, and a terminal reads it.
 */
export const warnProcess: EventSink = (event) => {
  for (const [code, message] of warningsOf(event))
    process.emitWarning(visibleLine(message), { type: 'HoldpointWarning', code })
}

export function isOnTerminal(): boolean {
  return process.stdin.isTTY === true && process.stdout.isTTY === true
}

export function schedule(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

/** The program does not end before it is run. */
export function scheduleFirmly(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** `package.json` from `src/` and from `dist/src/`. */
function packageFile(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? '../../package.json' : '../../../package.json', import.meta.url)
}

/** What the whole process shares, however often this module is loaded into it. */
export function processWide<T>(name: string): Map<string, T> {
  const holder = globalThis as { [key: symbol]: unknown }
  const key = Symbol.for(name)
  if (!(holder[key] instanceof Map)) holder[key] = new Map()
  return holder[key] as Map<string, T>
}

export const systemClock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
