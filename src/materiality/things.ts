import type { Materiality, Surface } from '../types.ts'
import type { Kind } from './findings.ts'

/** What an act is done to, where that says more than the act. */
export interface Thing {
  readonly argues: Materiality
  readonly surface: Surface
}

type Entry = readonly [surface: Surface, words: string]

/** Whoever adds to or changes these reaches further than one's own notes. General nouns, singular; plurals are found too. */
const WEIGHTY: readonly Entry[] = [
  ['financial', 'payment invoice refund charge subscription payout order trade purchase transaction loan deposit'],
  [
    'financial',
    'budget coupon discount expense price withdrawal dispute bid checkout wallet leverage margin dividend salary payroll donation fund funds money',
  ],
  ['identity', 'user member membership collaborator guest role permission perms access account admin owner invite'],
  ['identity', 'invitation visibility privilege ownership entitlement consent'],
  ['credentials', 'token credential secret password passcode certificate passkey key'],
  ['infrastructure', 'deployment cluster vm server instance container pod virtualmachine machine firewall dns'],
  ['infrastructure', 'bucket database domain fleet install loadbalancer nodepool production release rollout stack'],
  ['communication', 'message email mail sms tweet newsletter announcement invitation reply dm post subscriber'],
  ['data-egress', 'webhook'],
  ['actuation', 'robot drone rover door valve gripper'],
]

const THINGS: ReadonlyMap<string, Thing> = new Map(
  WEIGHTY.flatMap(([surface, words]) =>
    words.split(' ').map((word): [string, Thing] => [word, { argues: 'high', surface }]),
  ),
)

/** A thing that weighs, in the singular or the plural, or `undefined`. */
export function thingOf(word: string): Thing | undefined {
  return THINGS.get(word) ?? (word.endsWith('s') ? THINGS.get(word.slice(0, -1)) : undefined)
}

/**
 * How far a word that could be an act is a thing in front of a noun that is looked at. `finding`: before all of them
 * (`review_insights`). `outcome`: before what comes of it or belongs to it (`test_results`), since "test" may have another
 * object. `had`: before what every thing has (`email_count`), since whoever emails results sends them.
 * `listed`: even before a plural, to which most acts could be done (`contract_events`).
 */
const HOW_FAR: readonly (readonly [how: Kind, words: string])[] = [
  ['listed', 'account chat contract deal drug market network payment payout slide transit'],
  [
    'finding',
    'audit branch color colour command crop flood frame free fuel home invoice light position power prompt ' +
      'rent reverse review script signal water',
  ],
  [
    'outcome',
    'build call commit debug deploy process query release rollout run search task test trade train transaction',
  ],
  [
    'had',
    'auction award backup batch bill block board book booking bundle cache charge check claim contact credit ' +
      'deposit design discount dispatch dispute download email exchange exercise export feed flag fund group ' +
      'host import index issue job lease loan lock login message offer order pair permit place plan plant print ' +
      'product profile program project purchase queue race record refund request route stake store stream sync ' +
      'team ticket track transfer trigger version vote',
  ],
]

const THINGS_BEFORE: ReadonlyMap<string, Kind> = new Map(
  HOW_FAR.toReversed().flatMap(([how, words]) => words.split(' ').map((word): [string, Kind] => [word, how])),
)
const WIDTH: Readonly<Record<Kind, number>> = { had: 0, outcome: 1, finding: 2, listed: 3 }

/** Is a word that could be an act a thing in front of what is looked at? */
export function isThingBefore(word: string, head: Kind): boolean {
  const how = THINGS_BEFORE.get(word)
  return how !== undefined && WIDTH[how] >= WIDTH[head]
}
