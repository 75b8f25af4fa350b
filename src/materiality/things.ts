import type { Materiality, Surface } from '../types.ts'

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
    'withdrawal dispute bid checkout wallet leverage margin dividend salary payroll donation fund funds money',
  ],
  ['identity', 'user member membership collaborator guest role permission perms access account admin owner invite'],
  ['identity', 'invitation visibility privilege ownership entitlement consent'],
  ['credentials', 'token credential secret password passcode certificate passkey key'],
  ['infrastructure', 'deployment cluster vm server instance container pod virtualmachine machine firewall dns'],
  ['infrastructure', 'database stack loadbalancer release rollout install nodepool fleet production'],
  ['communication', 'message email mail sms tweet newsletter announcement invitation reply dm post'],
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
 * Nouns for what can only be looked at: a name without a verb that ends in one asks for it. Not what can also be kept
 * or made by its name (`note`, `user`, `file`).
 */
const FINDINGS = new Set(
  [
    'status statuses state info information detail details history histories log logs stat stats statistic statistics',
    'metric metrics forecast forecasts weather doc docs documentation directions distance distances time datetime',
    'date schema schemas version versions overview usage diagnostics health summary summaries count counts size sizes',
    'length total totals average mean median percentile percentage variance deviation correlation ranking rankings',
    'leaderboard leaderboards standings timeline trend trends trending news headlines price prices pricing quote quotes',
    'rates balance balances tree hierarchy outline breakdown comparison comparisons instructions guide guides guidance',
    'tips examples tutorial tutorials faq glossary references changelog transcript transcripts lyrics synonyms antonyms',
    'definition definitions holidays timezone timezones elevation coordinates geocoding duration temperature humidity',
    'earthquakes population financials earnings dividends fundamentals candles ohlc ohlcv ticker tickers orderbook',
    'holders holdings capabilities limits quota quotas catalog catalogue inventory dependencies dependents callers',
    'callees symbols insights analytics anomalies alerts warnings errors results matches hits suggestions',
    'recommendations similar related neighbors neighbours duplicates differences facts ratings availability specs',
    'specification whoami today random math arithmetic calculation calculations uuid base64 regex timestamp color',
    'colour hash screenshot screenshots top indexes indices fields columns categories genres languages countries',
    'currencies locales formats types options blame reflog logarithm sqrt root power factorial modulo sine cosine',
    'data metadata profile profiles listing listings schedules analysis analyses conversion conversions translation',
    'validation verification estimation estimate estimates prediction predictions detection extraction lookup',
    'retrieval inspection discovery scores odds lineups fixtures roster rosters sentiment similarity locks outliers',
    'findings quality rate matrix isochrone structure ontology interactions pathway pathways completions usages signature',
    'implementations healthcheck heartbeat about now klines candlesticks compatibility coverage map maps performance anomaly recommendation suggestion diagnosis readme license licenses topology lineage provenance',
  ]
    .join(' ')
    .split(' '),
)

/** Words for which of many things is asked for, or for what is the case: in front of a thing they ask and do not act. */
const ASKING = new Set(
  [
    'current my recent latest newest available nearest nearby upcoming similar related trending popular where data',
    'max min maximum minimum absolute highest lowest best worst',
  ]
    .join(' ')
    .split(' '),
)

/** Things that systems have many of. A name without a verb that ends in their plural asks for a list. */
const COUNTED = new Set(
  [
    'message order trade build release post comment note run job task issue commit branch tag label file folder',
    'directory user member team project repository repo organization organisation account customer product item event',
    'meeting ticket page article book movie song track album artist playlist video image photo channel group contact',
    'company deal lead transaction payment invoice position asset market exchange pair symbol stock coin flight hotel',
    'restaurant place city station route stop service pod node cluster container instance region zone namespace',
    'workspace environment pipeline workflow deployment database table collection view query dashboard chart request',
    'response session thread conversation notification review paper author citation journal gene protein compound model',
    'dataset package module library class function method resource template component icon server host device sensor',
    'topic question answer word entity relation vulnerability incident domain character map season league match player',
    'person seller shop business property vendor story feed section chapter recipe ingredient activity value',
    'location address area district county language category rule policy reel combination sprint epic milestone goal',
    'workout meal exercise course lesson student teacher patient doctor appointment symptom drug disease variant',
    'species planet satellite vehicle car driver trip shipment parcel supplier brand font theme emoji joke puzzle',
  ]
    .join(' ')
    .split(' '),
)

/** Words that could be acts and are mostly things: an order's status, a run's log. */
const MOSTLY_THINGS = new Set(
  [
    'order payment message email call build run release trade transfer refund charge deposit script command queue branch',
    'commit index record request chat test cache trigger log review store exchange reverse',
  ]
    .join(' ')
    .split(' '),
)

export const isFinding = (word: string): boolean => FINDINGS.has(word)
export const isAsking = (word: string): boolean => ASKING.has(word)
export const isCounted = (word: string): boolean => COUNTED.has(word)
export const isMostlyThing = (word: string): boolean => MOSTLY_THINGS.has(word)

/** The plural of a thing that systems have many of. */
export function isListed(word: string): boolean {
  if (!word.endsWith('s')) return false
  if (COUNTED.has(word.slice(0, -1))) return true
  return word.endsWith('es') && (COUNTED.has(word.slice(0, -2)) || COUNTED.has(`${word.slice(0, -3)}y`))
}
