import { resolve, sep } from 'node:path'
import type { Json } from './types.ts'

const LONGEST_PATH = 4_096

/**
 * Finds an argument that names one of holdpoint's own files: receipts, claims, key, configuration, policies. A call that
 * could rewrite what judges it is refused before any policy is asked.
 *
 * Names are compared as text, after resolving against the working directory; what a shell or a link makes of other text is
 * beyond a look at arguments. @returns the JSON Pointer of the first such argument
 */
export type OwnFiles = (input: Json) => string | undefined

/** @param paths absolute files and folders */
export function ownFiles(paths: readonly string[], workingFolder: string): OwnFiles {
  const touches = (text: string): boolean => {
    if (text.length > LONGEST_PATH) return paths.some((path) => text.includes(path))
    const resolved = resolve(workingFolder, text)
    return paths.some((path) => text.includes(path) || resolved === path || resolved.startsWith(path + sep))
  }
  const find = (value: Json): string | undefined => {
    if (typeof value === 'string') return touches(value) ? '' : undefined
    if (typeof value !== 'object' || value === null) return undefined
    for (const [name, member] of Object.entries(value as { readonly [name: string]: Json })) {
      const inside = find(member)
      if (inside !== undefined) return `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}${inside}`
    }
    return undefined
  }
  return find
}
