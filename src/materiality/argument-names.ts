import { wordsOf } from '../bytes/words.ts'
import type { Materiality, Surface } from '../types.ts'

/** What an argument's name argues, whatever its value. */
export type Reading = readonly [argues: Materiality, surface: Surface, because: string]

const RUNS: Reading = ['high', 'code-execution', 'something to run']
const READINGS: ReadonlyMap<string, Reading> = new Map([
  ['command', RUNS],
  ['commands', RUNS],
  ['cmd', RUNS],
  ['shell', RUNS],
  ['script', RUNS],
  ['code', RUNS],
  ['python', RUNS],
  ['javascript', RUNS],
  ['bash', RUNS],
  ['exec', RUNS],
  ['eval', RUNS],
  ['argv', RUNS],
  ['sql', ['medium', 'internal-write', 'a database statement']],
  ['amount', ['medium', 'financial', 'an amount']],
  ['recipients', ['medium', 'communication', 'recipients']],
  ['bcc', ['medium', 'communication', 'recipients']],
])

const COMMANDS = new Set('command commands cmd shell bash argv'.split(' '))
const CHOOSES = new Set('action actions operation operations op ops mode verb method subcommand'.split(' '))
/** Words of `CHOOSES` whose value says what to do, and not how. */
const TELLS = new Set('action actions operation operations op ops verb subcommand'.split(' '))
/** Behind a word of `CHOOSES` or `request`, or below an argument of such a name, these name what was chosen. */
const NAMES_CHOICE = new Set('type kind name id value'.split(' '))
const FLAGS = new Set('args argv arguments flags switches'.split(' '))
const STATES = new Set('sql query queries statement statements'.split(' '))
const ADDRESSES = new Set(
  'to cc bcc recipients recipient emails attendees attendee invitees invitee participants'.split(' '),
)
const INSISTS = new Set(
  'force forced recursive overwrite cascade permanent permanently hard purge prune drop'.split(' '),
)
const REHEARSALS = new Set(['dry run', 'dryrun', 'simulate', 'validate only', 'preview only', 'what if', 'whatif'])
const TAKES_AWAY = new Set('overwrite cascade permanent permanently purge prune drop'.split(' '))

/** What the name of an argument says about its value. */
export interface ArgumentRole {
  readonly reading: Reading | undefined
  /** Its value is what a shell would be given. */
  readonly commands: boolean
  readonly chooses: boolean
  /** Its value names what is done: it chooses, or says what was chosen. */
  readonly picks: boolean
  /** Its value does where it stands below one that chooses. */
  readonly namesChoice: boolean
  /** Its values are the words of a command line. */
  readonly flags: boolean
  /** Its value says what to do. */
  readonly tells: boolean
  readonly method: boolean
  readonly addresses: boolean
  readonly insists: boolean
  /** What it insists on takes something away. */
  readonly takesAway: boolean
  /** Its value can ask that nothing be done for real. */
  readonly rehearses: boolean
  /** The value is a statement, or what is below may be one. */
  readonly states: 'here' | 'below' | 'no'
  readonly speaksOfSql: boolean
}

/** Names come again with every call; a model can invent names, so only this many are kept. */
const MOST_NAMES = 2_000
const LONGEST_NAME = 128
const roles = new Map<string, ArgumentRole>()

/** For readings the whole name must be the word: `country_code` is no code, `command_id` no command. */
export function argumentRole(name: string): ArgumentRole {
  const kept = roles.get(name)
  if (kept !== undefined) return kept
  const words = wordsOf(name)
  const [before = '', last = ''] = ['', '', ...words].slice(-2)
  const speaksOfSql = words.includes('sql')
  const role: ArgumentRole = {
    reading: READINGS.get(words.join(' ')),
    commands: COMMANDS.has(words.join(' ')),
    chooses: CHOOSES.has(last),
    picks: CHOOSES.has(last) || (NAMES_CHOICE.has(last) && (CHOOSES.has(before) || before === 'request')),
    namesChoice: words.length === 1 && NAMES_CHOICE.has(last),
    flags: FLAGS.has(last),
    tells: TELLS.has(last),
    method: words.includes('method'),
    addresses: ADDRESSES.has(last),
    insists: words.some((word) => INSISTS.has(word)),
    takesAway: words.some((word) => TAKES_AWAY.has(word)),
    rehearses: REHEARSALS.has(words.join(' ')),
    states: STATES.has(last) ? 'here' : speaksOfSql ? 'below' : 'no',
    speaksOfSql,
  }
  if (roles.size < MOST_NAMES && name.length <= LONGEST_NAME) roles.set(name, role)
  return role
}
