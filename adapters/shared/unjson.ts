/** Where an argument holds something that JSON has no word for, and what it is. */
export interface Unjson {
  /** JSON Pointer. */
  readonly path: string
  /** `Date`, `Map`, `File`, `bigint`… */
  readonly kind: string
}

const DEEPEST = 64

/**
 * The first value in `input` that a tool's own schema must have made, since no model can send it: a `Date`, a `Map`, a
 * `File`. For a warning to the programmer; the gate refuses such arguments on its own account.
 */
export function firstUnjson(input: unknown, path = '', depth = 0): Unjson | undefined {
  if (typeof input === 'bigint' || typeof input === 'symbol' || typeof input === 'function')
    return { path, kind: typeof input }
  if (typeof input !== 'object' || input === null || depth > DEEPEST) return undefined
  const prototype: unknown = Object.getPrototypeOf(input)
  if (!Array.isArray(input) && prototype !== Object.prototype && prototype !== null) {
    return {
      path,
      kind: (prototype as { readonly constructor?: { readonly name?: string } }).constructor?.name ?? 'object',
    }
  }
  for (const [key, value] of Object.entries(input)) {
    const found = firstUnjson(value, `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, depth + 1)
    if (found !== undefined) return found
  }
  return undefined
}
