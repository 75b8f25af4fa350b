import type { Materiality } from '../types.ts'
import { mayDoMore } from './sql-functions.ts'
import { opensStatement } from './sql-shape.ts'

/** The statements that read, where nothing in them writes. `match` and what follows is Cypher's. */
const READS = /^[\s(]*(?:select|with|values|table|show|describe|desc|explain|optional\s+match|match|return|unwind)\b/i

/** A word of its own. Engines read `50000delete` and `1delete` as a number and a word. */
const words = (list: string): RegExp => new RegExp(`(?<![a-z_])(?:${list.replaceAll(' ', '|')})(?![a-z0-9_])`, 'i')

/** What destroys, hands over rights, or reaches files, commands and other servers. The last are functions of some engine. */
const DESTROYS = words(
  'delete detach drop truncate(?!\\s*\\() alter grant revoke deny exec execute call copy attach shutdown kill pragma ' +
    'vacuum purge reassign outfile dumpfile dbcc ' +
    'load_file load_extension readfile writefile lo_\\w+ dblink\\w* [sx]p_\\w+ sys_exec sys_eval openrowset openquery ' +
    'opendatasource utl_\\w+ dbms_\\w+ pg_(?:read|ls|terminate|cancel|reload|rotate)_\\w+',
)
/** What writes or holds others up. `insert(…)` and `replace(…)` are also functions of text. */
const WRITES = words(
  'insert(?!\\s*\\() update merge upsert replace(?!\\s*\\() create into set remove foreach ' +
    'nextval setval set_config pg_notify pg_sleep\\w* sleep(?=\\s*\\() benchmark(?=\\s*\\() pg_(?:try_)?advisory_\\w+ get_lock',
)

/**
 * What a statement for a database argues, or `undefined` where it only reads or is none.
 *
 * INVARIANT I8: silence is the exception, so that what nobody thought of is not silent: a single statement that opens
 * with a word that reads, with no word that writes anywhere, inside a literal or a comment neither (engines differ in
 * what they run), no comment that MySQL runs, and no function that is not known to be pure. One of such a name that a
 * database defines for itself may still write.
 *
 * UNTRUSTED: what a model wrote; read in time linear in it.
 *
 * @param expected whether the argument can only be a statement. Else the text must look like one: in a search,
 *   "drop earrings" is a wish.
 */
export function fromSql(text: string, expected: boolean): Materiality | undefined {
  const bare = withoutComments(text)
  if (!expected && !bare.split(';').some(opensStatement)) return undefined
  if (DESTROYS.test(text)) return 'high'
  const onlyReads =
    READS.test(bare) && isSingle(text) && !WRITES.test(text) && !/\/\*M?!/.test(text) && !mayDoMore(text)
  return onlyReads ? undefined : 'medium'
}

function isSingle(text: string): boolean {
  const end = text.indexOf(';')
  return end === -1 || /^[;\s]*$/.test(text.slice(end))
}

/** Where a comment starts; also a comment that MySQL runs, of which only the brackets go. */
const COMMENT = /\/\*M?!\d*|\*\/|\/\*|--|^[ \t]*#/gm

function withoutComments(text: string): string {
  let bare = ''
  let at = 0
  for (COMMENT.lastIndex = 0; ; ) {
    const mark = COMMENT.exec(text)
    if (mark === null) return bare + text.slice(at)
    bare += `${text.slice(at, mark.index)} `
    const end = endOf(mark[0], text, COMMENT.lastIndex)
    if (end === undefined) return bare
    at = end
    COMMENT.lastIndex = end
  }
}

/** Where the comment ends, or `undefined` where the rest of the text is one. */
function endOf(mark: string, text: string, from: number): number | undefined {
  if (mark.includes('!') || mark === '*/') return from
  const close = mark === '/*' ? '*/' : '\n'
  const found = text.indexOf(close, from)
  return found === -1 ? undefined : found + (close === '\n' ? 0 : close.length)
}
