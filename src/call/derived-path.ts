import { namedBy } from '../bytes/words.ts'
import type { JsonObject } from '../types.ts'

const namesPath = namedBy(
  new Set(
    'path paths file files filename filenames filepath filepaths dir dirs directory directories folder folders root roots cwd source destination src dst dest target pathname workdir'.split(
      ' ',
    ),
  ),
)

const LONGEST_PATH = 4_096
/** The root and the path itself included: what lies deeper is granted by no ancestor. */
const MOST_ANCESTORS = 64

/** By its key, or because it starts as a path does. */
export function looksLikePath(text: string, key: string): boolean {
  return namesPath(key) || /^(?:\.{0,2}[/\\]|~|[A-Za-z]:[/\\])/.test(text)
}

/**
 * What some reader takes for a separator, a parent or a home: backslashes, `~`, control characters, percent escapes of
 * those, and the characters that Unicode compatibility forms fold into dot, slash or backslash.
 */
const AMBIGUOUS = /[\\~\p{Cc}\u2024-\u2026\u2044\u2215\u29f8\u29f5\ufe52\ufe68\uff0e\uff0f\uff3c]|%(?:2[ef5]|5c|00)/iu

/**
 * A path as POSIX reads it, lexically: `/a/./b/../c` is `/a/c` with the ancestors `/`, `/a`, `/a/c` (itself included).
 *
 * `ancestors` is empty, so that no permit by ancestor applies, for every path that is not absolute, climbs above the
 * root, lies deeper than 63 below it, or could mean another file to another reader; where it must not be compared either,
 * the path is `''`.
 * Symbolic links are not followed: that is the tool's part.
 */
export function pathFacts(text: string): JsonObject {
  const absolute = text.startsWith('/')
  const segments = text.length > LONGEST_PATH || AMBIGUOUS.test(text) ? undefined : normalised(text)
  if (segments === undefined || segments.length >= MOST_ANCESTORS) return { path: '', ancestors: [], absolute }
  const path = segments.join('/')
  if (!absolute) return { path, ancestors: [], absolute }
  let ancestor = ''
  const ancestors = ['/']
  for (const segment of segments) {
    ancestor += `/${segment}`
    ancestors.push(ancestor)
  }
  return { path: `/${path}`, ancestors, absolute }
}

/** `undefined` when it climbs above where it starts. */
function normalised(text: string): readonly string[] | undefined {
  const segments: string[] = []
  for (const segment of text.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments
}
