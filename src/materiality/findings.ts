/**
 * Nouns that a name without a verb may end in to ask for something. General English, singular where there is one; plurals
 * are found too.
 */

const set = (...lines: readonly string[]): ReadonlySet<string> => new Set(lines.join(' ').split(' '))

/** What everything has: behind any thing they ask for what it is like (`issue_history`, `claim_status`). */
const HAD = set(
  'count depth detail history info information length metadata rate size stat state statistic stats status',
  'total types usage',
)

/** What comes of what is done: behind an act that is mostly a thing they ask how it went (`test_results`). */
const OUTCOMES = set('duration errors failures log outcome output results')

/** Nouns for what can only be looked at. Not what is also kept or made by its name (`note`, `user`, `file`). */
const FINDINGS = set(
  // measures
  'accuracy age altitude amplitude azimuth bandwidth battery bearing capacity consumption cost cpu density',
  'distance duration elevation eta frequency heartrate height intensity latency latitude level likelihood',
  'longitude magnitude mass moisture momentum odds probability proportion proximity quality quantity quota radius',
  'rainfall ratio reading reputation resistance risk severity slope speed strength temperature throughput tide',
  'uptime utilization velocity voltage wavelength weight width',
  // numbers and how they are worked out
  'algebra arithmetic average breakdown calculation calculus ceil comparison conjugation conversion correlation',
  'cosine covariance cube derivative determinant deviation distribution eigenvalue entropy exponent',
  'exponentiation factor factorial fraction gcd geometry histogram kurtosis lcm logarithm math matrix mean median',
  'modulo modulus mul multiplication outlier percentage percentile permutation polynomial prime quantile quartile',
  'quotient random regression remainder root score sine skewness sqrt standings subtraction tangent total trend',
  'trigonometry uncertainty variance volatility',
  // time
  'agenda almanac backlog burndown calendar date datetime deadline ephemeris forecast holiday moonrise now',
  'schedules season sunrise sunset time timeline timestamp timetable timezone today tomorrow weekday yesterday',
  // places, weather, travel
  'bbox climate coordinate directions earthquake geocoding geography geojson geolocation humidity intake',
  'isochrone itinerary locale location map occupancy phase topography traffic weather',
  // money and markets
  'allowance balance bestseller candle candlestick currency dividends earnings ebitda financials fundamentals',
  'funding gains gdp holder holdings income inflation inventory kline ledger liquidity loss marketcap networth',
  'ohlc ohlcv orderbook pnl portfolio price pricing profit quote revenue sentiment spending tariff ticker',
  'turnover valuation yields',
  // texts and words
  'abstract acronym advice anagram antonym bibliography biography citation content contents context definition',
  'description ebook etymology excerpt explanation fact faq glossary grammar guidance guide guideline headline',
  'idea inference inspiration instructions introduction keyword lyrics meaning news opinion outline outlook',
  'overview palette palindrome passage plagiarism presence pronunciation proverb readability reasoning',
  'recommendation reference rhyme spelling suggestion summary synonym synopsis thesaurus thinking tips toc',
  'transcript translation trivia tutorial verse vocabulary wisdom wording',
  // systems and code
  'ancestor anomaly architecture ast availability backlink backtrace base64 blame bytecode callee caller',
  'capability catalog catalogue category changelog checksum column compatibility completion completions',
  'complexity coverage criteria dependencies dependency dependent diagnosis diagnostics dictionary digest doc',
  'docs docstring documentation example field fingerprint footprint formats hash health healthcheck heartbeat',
  'hierarchy hostname implementation indexes indices inode lag layout license limits lineage liveness locks',
  'manpage mime mimetype ontology operand options owners parameter peers performance profile provenance readiness',
  'readme reflog regex revision runtime schema scoreboard screenshot serp signature sitemap spec specification',
  'specs stacktrace stderr stdout structure symbol symptom syntax taxonomy telemetry topology traceback',
  'traceroute trail tree ttl url useragent uuid version whoami whois',
  // what was found out
  'about alerts analyses analysis analytics classification coincidence confidence data detection difference',
  'discovery duplicates estimate estimation evaluation evidence extraction finding funnel hits insight inspection',
  'intel intelligence interpretation investigation leaderboard listing lookup matches metric neighbor neighbour',
  'popularity prediction prognosis progress proof ranking rating recognition related relevance retrieval similar',
  'similarity summarization top transcription trending validation verification visualization warnings',
  // people, sports, life
  'allergen bmi calorie chart chromosome color colour country demographics diagram dosage elections fixture',
  'genome genotype genre glucose interaction isotope language lifespan lineup metabolism molecule mutation',
  'nutrition pathway phenotype phylogeny population prevalence roster sequence tracklist vitals',
)

/** Two words that are one thing, where neither says so alone. */
const COMPOUNDS = set(
  'aging_report attendance_report audit_report balance_sheet bank_statement block_number box_office build_number',
  'call_log call_recording cash_flow compound_interest credit_score exchange_rate flight_tracking group_member',
  'group_membership group_user income_statement interest_rate leader_board league_table market_cap meta_data',
  'net_worth news_feed now_playing option_chain order_book order_tracking package_tracking parcel_tracking',
  'performance_report periodic_table pipeline_report price_index quality_index recently_played recently_viewed',
  'retention_report revenue_report rss_feed sales_report shipment_tracking stack_frame store_location time_series',
  'traffic_report usage_report uv_index version_number vital_sign vulnerability_report weather_report word_cloud',
)

/** Things that systems have many of: one of them is asked for where the name says which (`current_user`). */
const COUNTED = set(
  'account activity address album answer appointment area article artist asset author book branch brand build',
  'business car category channel chapter character chart citation city class cluster coin collection combination',
  'comment commit company component compound contact container conversation county course customer dashboard',
  'database dataset deal deployment device directory disease district doctor domain driver drug emoji entity',
  'environment epic event exchange exercise feed file flight folder font function gene goal group host hotel icon',
  'image incident ingredient instance integer invoice issue item job joke journal label language lead league',
  'lesson library location map market match meal meeting member message method milestone model module movie',
  'namespace node note notification number order organisation organization package page pair paper parcel path',
  'patient payment person photo pipeline place planet player playlist pod policy position post product project',
  'property protein puzzle query question quote recipe reel region relation release reply repo repository request',
  'resource response restaurant review route rule run satellite season section seller sensor server service',
  'session shipment shop song species sprint station stock stop story string student supplier symbol symptom',
  'table tag task teacher team template theme thread ticket topic track trade transaction trip user value variant',
  'vehicle vendor verse video view vulnerability word workflow workout workspace zone',
)

/** Words for which of many things is asked for, or for what is the case: in front of a thing they ask and do not act. */
const ASKING = set(
  'absolute annual available average best current daily data featured highest historical last latest lowest max',
  'maximum min minimum monthly my nearby nearest newest past popular random recent related shortest similar top',
  'trending upcoming weekly where worst yearly',
)

/** Plurals in form alone. */
const NOT_MANY = set('across always besides chaos kubernetes towards')

/** What every thing has, and what comes of what is done, count as findings too. */
export type Kind = 'had' | 'outcome' | 'finding' | 'listed'

/** What kind of thing a noun asks for by being at the end of a name, or `undefined`. */
export function askedBy(head: string, before: string | undefined): Kind | undefined {
  const singular = singularOf(head)
  if (HAD.has(head) || HAD.has(singular)) return 'had'
  if (OUTCOMES.has(head) || OUTCOMES.has(singular)) return 'outcome'
  return FINDINGS.has(head) || FINDINGS.has(singular) || isCompound(before, singular) ? 'finding' : undefined
}

/** Are these two words one thing that can only be looked at? */
export function isCompound(first: string | undefined, second: string): boolean {
  return first !== undefined && COMPOUNDS.has(`${first}_${singularOf(second)}`)
}

export const isAsking = (word: string): boolean => ASKING.has(word)
export const isCounted = (word: string): boolean => COUNTED.has(word)
/** The plural of what systems have many of. */
export const isCountedPlural = (word: string): boolean => word.endsWith('s') && COUNTED.has(singularOf(word))

/** Does the word have the form of a plural? Words of three letters and such as `status`, `analysis`, `access` have not. */
export function isPlural(word: string): boolean {
  return /^[a-z]{2,}[^aious]s$/.test(word) && word.length > 3 && !NOT_MANY.has(word)
}

function singularOf(word: string): string {
  if (word.endsWith('ies')) return `${word.slice(0, -3)}y`
  if (/(?:[sxz]|ch|sh)es$/.test(word)) return word.slice(0, -2)
  return word.endsWith('s') ? word.slice(0, -1) : word
}
