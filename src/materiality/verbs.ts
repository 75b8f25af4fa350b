import type { Materiality, Surface } from '../types.ts'
import { OTHER_NOUNS, OTHER_VERBS } from './other-acts.ts'

/** What a word says about an act. */
export interface Meaning {
  readonly argues: Materiality
  readonly surface: Surface
  /** Also a common noun (`order`, `post`): beside a verb that is none, it is the thing and not the act. */
  readonly noun: boolean
}

type Entry = readonly [argues: Materiality, surface: Surface, kind: 'verb' | 'noun', words: string]

/**
 * General English only: no product, no server, no tool's own name.
 *
 * `low` reads, or works something out. `medium` adds beside what there is, or moves what is easily moved back. `high` may
 * take away or replace what was there (the Model Context Protocol calls that destructive), reaches other people, money,
 * machines, rights or the world outside, or runs what it is given.
 */
const VOCABULARY: readonly Entry[] = [
  ['low', 'read', 'verb', 'get list read search find fetch retrieve show describe lookup look inspect'],
  ['low', 'read', 'verb', 'browse explain summarize summarise count compare calculate calc compute validate verify'],
  ['low', 'read', 'verb', 'analyze analyse check detect diff estimate recommend suggest translate convert'],
  [
    'low',
    'read',
    'verb',
    'parse extract explore scan discover ask think wait help whoami locate trace identify recall',
  ],
  ['low', 'read', 'verb', 'query filter sort scrape crawl encode decode hash cat ls grep pwd wc du df'],
  ['low', 'read', 'verb', 'diagnose troubleshoot measure enumerate examine investigate determine predict simulate'],
  [
    'low',
    'read',
    'verb',
    'lint tail head peek ping await poll geocode tokenize classify assess getter searcher fetcher lister quantify',
  ],
  ['low', 'read', 'verb', 'visualize visualise plot subtract multiply divide round infer interpret learn'],
  ['low', 'read', 'verb', 'is has can are does exists contains where who which what how why view monitor preview'],
  ['low', 'read', 'noun', 'match watch sum rank'],
  ['medium', 'internal-write', 'verb', 'create add insert append prepend save upload register configure'],
  ['medium', 'internal-write', 'verb', 'init initialize initialise subscribe unsubscribe follow unfollow unpin'],
  ['medium', 'internal-write', 'verb', 'react annotate compose render compile remember mark assign unassign'],
  ['medium', 'internal-write', 'verb', 'associate attach disconnect begin start pause resume'],
  ['medium', 'internal-write', 'verb', 'complete finish reopen select mkdir touch enroll join'],
  ['medium', 'internal-write', 'verb', 'acknowledge respond dismiss snooze submit activate resize clone'],
  ['medium', 'internal-write', 'verb', 'enqueue ingest collect refresh synchronize navigate scroll'],
  ['medium', 'internal-write', 'verb', 'zoom focus hide untag unstar unlike stash allocate hover go visit propose'],
  [
    'medium',
    'internal-write',
    'noun',
    'copy tag label comment draft bookmark schedule snapshot backup log note import',
  ],
  ['medium', 'internal-write', 'noun', 'store link star like pin close fork sync commit branch download format login'],
  ['medium', 'internal-write', 'noun', 'logout hold request record index cache play skip rate test transform'],
  ['medium', 'data-egress', 'noun', 'export'],
  ['high', 'internal-write', 'verb', 'delete remove drop purge destroy erase wipe clear truncate reset'],
  ['high', 'internal-write', 'verb', 'overwrite discard cancel terminate kill uninstall merge rollback revert disable'],
  [
    'high',
    'internal-write',
    'verb',
    'evict expunge prune force apply approve reject rm rmdir mv cp unpublish deactivate',
  ],
  ['high', 'internal-write', 'verb', 'suspend abort invalidate update edit modify replace rename'],
  ['high', 'internal-write', 'verb', 'write put upsert restore rebase adjust amend alter rewrite manage rotate'],
  ['high', 'internal-write', 'verb', 'push finalize finalise leave transact unarchive upgrade downgrade'],
  ['high', 'internal-write', 'verb', 'upsert nuke unregister deregister unassociate disassociate'],
  ['high', 'internal-write', 'noun', 'move set transition change archive trash patch'],
  ['medium', 'internal-write', 'noun', 'queue load claim vote'],
  ['high', 'infrastructure', 'noun', 'scale'],
  ['high', 'communication', 'verb', 'send publish broadcast reply forward notify dm tweet invite announce'],
  ['high', 'communication', 'noun', 'post message email mail text call chat'],
  ['high', 'financial', 'verb', 'pay buy sell withdraw reimburse donate wire repay'],
  ['high', 'financial', 'noun', 'refund transfer charge purchase order trade book deposit checkout payment payout bid'],
  ['high', 'code-execution', 'verb', 'execute exec eval evaluate invoke spawn bash shell sudo'],
  ['high', 'code-execution', 'noun', 'run command terminal script powershell interpreter repl'],
  ['high', 'infrastructure', 'verb', 'undeploy restart reboot shutdown stop provision deprovision'],
  ['high', 'infrastructure', 'verb', 'migrate promote redeploy failover drain cordon launch'],
  ['high', 'infrastructure', 'noun', 'release rollout build trigger'],
  ['high', 'identity', 'verb', 'grant revoke ban unban impersonate enable authorize authorise share unshare elevate'],
  ['high', 'identity', 'verb', 'assume'],
  ['high', 'identity', 'noun', 'sign permit'],
  ['high', 'data-egress', 'verb', 'exfiltrate'],
  ['high', 'actuation', 'verb', 'unlock open arm disarm actuate'],
  ['high', 'actuation', 'noun', 'lock turn type press click dblclick fill drag tap swipe'],
  ['high', 'infrastructure', 'verb', 'deploy'],
  ['high', 'infrastructure', 'noun', 'install'],
  ['high', 'internal-write', 'verb', 'toggle switch unlink detach accept decline'],
  ['high', 'financial', 'noun', 'reserve'],
  ['medium', 'internal-write', 'noun', 'duplicate setup connect'],
  ['medium', 'internal-write', 'verb', 'define generate grade take capture resolve track'],
  [
    'low',
    'read',
    'verb',
    'echo rerank rank survey solve differentiate probe score critique proofread traverse decompile',
  ],
  ['low', 'read', 'verb', 'paraphrase rephrase transcribe recognize recognise ocr obtain reason display'],
  ['low', 'read', 'verb', 'ps glob stat sleep'],
  ['low', 'read', 'noun', 'research'],
  ['high', 'unknown', 'verb', OTHER_VERBS],
  ['high', 'unknown', 'noun', OTHER_NOUNS],
]

/** The first entry of a word counts. */
const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  VOCABULARY.toReversed().flatMap(([argues, surface, kind, words]) =>
    words.split(' ').map((word): [string, Meaning] => [word, { argues, surface, noun: kind === 'noun' }]),
  ),
)

/** What a word in its base form says, or `undefined`. */
export function meaningOf(word: string): Meaning | undefined {
  return MEANINGS.get(word)
}

/** The base form of a verb that stands in it or in the third person: `deletes`, `pushes`, `modifies`. */
export function baseOf(word: string): string | undefined {
  if (MEANINGS.has(word)) return word
  const forms = word.endsWith('ies') ? [`${word.slice(0, -3)}y`] : []
  if (word.endsWith('es')) forms.push(word.slice(0, -2))
  if (word.endsWith('s')) forms.push(word.slice(0, -1))
  return forms.find((form) => MEANINGS.has(form))
}
