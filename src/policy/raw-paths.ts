import type { LoadedPolicy } from './load.ts'
import { blankLiterals } from './source.ts'
import type { Objection } from './stray-paths.ts'
import { subjectOf } from './subject.ts'
import { type Term, walk } from './term.ts'

const PATH_NAME =
  /(?:^|[_.-]|[a-z](?=[A-Z]))(?:path|file|filename|dir|directory|folder|source|destination|cwd|root)s?$/i

/** `like` on a path as the model wrote it: `/srv/*` matches `/srv/../etc/passwd`. */
export function rawPaths(policy: LoadedPolicy): readonly Objection[] {
  const found: Objection[] = []
  const within = Math.max(0, blankLiterals(policy.text).search(/\blike\b/))
  const look = (term: Term): void => {
    if (term.kind !== 'like') return
    const subject = subjectOf(term.of)
    if (subject?.about !== 'argument' || subject.fact !== undefined) return
    const name = subject.path.at(-1) ?? ''
    const [first] = term.pattern
    const looksAbsolute = first !== undefined && first !== 'wildcard' && /[/\\~.]/.test(first.literal)
    if (!looksAbsolute && !PATH_NAME.test(name)) return
    const instead = `context.derived["${subject.pointer}"].ancestors.contains("/the/folder")`
    found.push({ within, message: `\`like\` on the raw argument "${name}" is led astray by "..": ask ${instead}` })
  }
  for (const { body } of policy.clauses) walk(body, look)
  return found
}
