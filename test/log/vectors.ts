import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'

const shared = process.env['HOLDPOINT_SHARED'] ?? path.join(import.meta.dirname, '..', '..', '..', 'shared')

/** The files of a folder of public test vectors, by path; empty, and a printed line, where there is no such folder. */
export function vectorFiles(...where: readonly string[]): ReadonlyMap<string, Buffer> {
  const folder = path.join(shared, 'vectors', ...where)
  if (!existsSync(folder)) {
    console.log(`skipped: no vectors at ${path.join('vectors', ...where)} (set HOLDPOINT_SHARED)`)
    return new Map()
  }
  return new Map(
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(path.join(folder, name)).isFile())
      .sort()
      .map((name) => [name, readFileSync(path.join(folder, name))]),
  )
}

/** The fenced examples of a C2SP specification, in their order. */
export function examplesOf(pages: ReadonlyMap<string, Buffer>, page: string): readonly string[] {
  const text = pages.get(page)?.toString('utf8') ?? ''
  return [...text.matchAll(/^```\n(.*?)^```$/gms)].map(([, body = '']) => body)
}
