const OBJECT =
  /^\s+(?:or\s+replace\s+|if\s+(?:not\s+)?exists\s+|temp(?:orary)?\s+|unique\s+|materialized\s+|external\s+|global\s+){0,3}(?:table|view|database|schema|index|function|procedure|trigger|user|role|login|sequence|type|extension|server|publication|subscription|policy|constraint|tablespace|event|system)\b/i

/** The words that open a statement, in the dialects in use, and all of what must be found behind them. */
const SHAPES: readonly (readonly [openings: string, ...behind: RegExp[]])[] = [
  ['match', /^\s*\(/i],
  ['select', /^\s+\d|[*=,(]|\b(?:from|into)\b/i],
  ['with', /\bas\s*(?:(?:not\s+)?materialized\s*)?\(/i],
  ['insert upsert', /^\s+(?:\w+\s+)?(?:into|overwrite)\b|^\s+data\s*\{/i],
  ['replace merge', /^\s+into\b/i],
  ['merge', /\busing\b/i, /\bmatched\b/i],
  ['update', /\bset\s/i, /=/i],
  ['delete', /^\s+from\b|^\s+(?:where|data)\s*\{/i],
  ['delete', /\bfrom\b/i, /\b(?:join|where|using)\b/i],
  ['create drop alter undrop', OBJECT],
  ['rename', /^\s+(?:table|user|column)\b/i],
  ['truncate', /^\s+table\b|^\s+[\w.]+\s*$/i],
  ['grant deny', /\bon\b|\ball\b/i, /\bto\b/i],
  ['revoke', /\bon\b|\ball\b/i, /\bfrom\b/i],
  ['call', /^\s+[\w.]+\s*\(/i],
  ['exec execute', /^\s+(?:immediate|as|@\w+|(?:\w+\.){0,3}[sx]p_\w+|[\w.]+\s*[@('])/i],
  ['copy', /\b(?:from|to)\b/i, /'|\bstd(?:in|out)\b|\bprogram\b/i],
  ['do', /^\s+language\b/i],
  ['set', /^\s+(?:session|local|global|role|password|transaction|persist)\b|^\s+[@\w.]+\s*=/i],
  ['begin start commit rollback', /^\s+(?:transaction|tran|work)\b/i],
  ['lock flush optimize repair analyze', /^\s+tables?\b/i],
  ['refresh', /^\s+materialized\b/i],
  ['vacuum', /^\s+(?:full|into|analyze|freeze)\b/i],
  ['import', /^\s+foreign\b/i],
  ['load', /^\s+(?:data|xml|csv)\b.*\b(?:infile|from|into)\b/i],
  ['attach detach', /^\s+(?:database|partition)\b/i],
  ['pragma dbcc', /^\s+\w/i],
  ['comment', /^\s+on\b/i, /\bis\b/i],
  ['reassign', /^\s+owned\b/i],
  ['kill', /^\s+(?:(?:query|connection)\s+)?\d+\s*$/i],
  ['purge', /^\s+(?:binary|master|recyclebin)\b/i],
  ['install', /\bsoname\b/i],
  ['backup restore', /^\s+(?:database|log|table)\b/i],
  ['bulk', /^\s+insert\b/i],
  ['declare', /^\s+@/i],
]

const BY_OPENING = new Map<string, (readonly RegExp[])[]>()
for (const [openings, ...behind] of SHAPES) {
  for (const opening of openings.split(' ')) BY_OPENING.set(opening, [...(BY_OPENING.get(opening) ?? []), behind])
}

/** A plan of a statement: what is planned may also be run. */
const PLAN =
  /^[\s(]*(?:explain|describe|desc)\b(?:\s*\([^)]{0,200}\)|\s+(?:analy[sz]e|verbose|extended|query\s+plan|format\s*=\s*\w+)){0,4}/i
const UNSEEN = /[\p{Cc}\p{Cf}]/gu
const OPENING = /^[\s(]*([a-z_]+)/i
const PUNCTUATION = /^\s*["'`[(*$@{]/

/**
 * Does this text, without comments, open as a statement does, and not as a sentence? In a search, "drop earrings" and
 * "call of duty" do not; nor is everything caught that some engine would run.
 */
export function opensStatement(text: string): boolean {
  const statement = text.replace(UNSEEN, ' ').replace(PLAN, '')
  const [opened, word = ''] = OPENING.exec(statement) ?? []
  if (opened === undefined) return false
  const opening = word.toLowerCase()
  if (/^[sx]p_/.test(opening)) return true
  const shapes = BY_OPENING.get(opening)
  if (shapes === undefined) return false
  const rest = statement.slice(opened.length)
  return PUNCTUATION.test(rest) || shapes.some((behind) => behind.every((each) => each.test(rest)))
}
