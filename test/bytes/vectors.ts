import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

const shared = process.env['HOLDPOINT_SHARED'] ?? path.join(import.meta.dirname, '..', '..', '..', 'shared')

/** A public test vector, read where it lies; `undefined`, and a printed line, where it does not. */
export function vector(...where: readonly string[]): string | undefined {
  const file = path.join(shared, 'vectors', ...where)
  if (existsSync(file)) return readFileSync(file, 'utf8')
  console.log(`skipped: no vectors at ${path.join('vectors', ...where)} (set HOLDPOINT_SHARED)`)
  return undefined
}
