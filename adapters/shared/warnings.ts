import type { Gate, Refusal } from '../../src/index.ts'
import { firstUnjson } from './unjson.ts'

/** What was said of each tool already: a mistake in a program is told once, however many calls meet it. */
const told = new WeakMap<object, Set<string>>()

/** The tool's schema makes what JSON cannot hold. `where` is what the host calls a tool's function. */
export function warnOfUnjson(
  gate: Gate,
  name: string,
  tool: object,
  { refusal, input, where }: { readonly refusal: Refusal; readonly input: unknown; readonly where: string },
): void {
  if (refusal.code !== 'arguments_rejected') return
  const found = firstUnjson(input)
  if (found === undefined) return
  warnOnce(
    gate,
    tool,
    'unjson_argument',
    `The schema of tool "${name}" turns ${found.path || 'the arguments'} into a ${found.kind}, which has no canonical form: every call is refused. Keep the schema's output to JSON (a string for a date) and convert inside ${where}.`,
  )
}

/** Tells the programmer of one mistake with one tool, once. */
export function warnOnce(gate: Gate, tool: object, code: string, message: string): void {
  const codes = told.get(tool) ?? new Set()
  if (codes.has(code)) return
  told.set(tool, codes.add(code))
  gate.warn(code, message)
}
