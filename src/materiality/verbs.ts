import type { Materiality, Surface } from '../types.ts'

/** What a word says about an act. */
export interface Meaning {
  readonly argues: Materiality
  readonly surface: Surface
  /** Also a common noun (`order`, `post`): beside a verb that is none, it is the thing and not the act. */
  readonly noun: boolean
}

type Entry = readonly [argues: Materiality, surface: Surface, kind: 'verb' | 'noun', words: string]

/** General English only: no product, no server, no tool's own name. */
const VOCABULARY: readonly Entry[] = [
  ['low', 'read', 'verb', 'get list read search find fetch retrieve view show describe lookup inspect browse explain'],
  [
    'low',
    'read',
    'verb',
    'summarize summarise count compare calculate compute validate verify resolve analyze analyse',
  ],
  ['low', 'read', 'verb', 'check detect diff estimate recommend suggest translate convert parse extract explore scan'],
  ['low', 'read', 'verb', 'discover ask think wait help whoami locate trace identify recall query filter sort take'],
  ['low', 'read', 'verb', 'capture scrape crawl encode decode hash cat ls grep pwd wc diagnose troubleshoot measure'],
  ['low', 'read', 'noun', 'preview status info information details health ping history logs stats statistics metrics'],
  ['low', 'read', 'noun', 'forecast weather docs documentation directions distance time schema version overview top'],
  ['low', 'read', 'noun', 'watch screenshot balance reader tree usage diagnostics'],
  ['medium', 'internal-write', 'verb', 'create add update edit set put patch write save upsert append insert rename'],
  [
    'medium',
    'internal-write',
    'verb',
    'assign unassign upload restore register configure modify change replace resize',
  ],
  ['medium', 'internal-write', 'verb', 'clone attach detach unlink subscribe unsubscribe follow unfollow unpin unstar'],
  ['medium', 'internal-write', 'verb', 'react complete reopen generate initialize init begin resume pause enroll join'],
  ['medium', 'internal-write', 'verb', 'leave accept decline associate activate submit start manage remember mark'],
  ['medium', 'internal-write', 'verb', 'adjust push select rotate toggle switch mkdir touch claim rebase'],
  ['medium', 'internal-write', 'noun', 'copy tag label comment draft bookmark schedule snapshot backup log note move'],
  ['medium', 'internal-write', 'noun', 'import archive store link star like pin close fork sync commit install'],
  [
    'medium',
    'internal-write',
    'noun',
    'download format fill click press hover drag navigate login logout reserve upgrade',
  ],
  [
    'high',
    'internal-write',
    'verb',
    'delete remove drop purge destroy erase wipe clear truncate reset overwrite discard',
  ],
  [
    'high',
    'internal-write',
    'verb',
    'cancel terminate kill uninstall merge rollback revert disable evict expunge prune',
  ],
  [
    'high',
    'internal-write',
    'verb',
    'force apply approve reject rm rmdir mv unpublish deactivate suspend abort invalidate',
  ],
  ['high', 'communication', 'verb', 'send publish broadcast reply forward notify dm tweet invite announce'],
  ['high', 'communication', 'noun', 'post message email mail text call chat'],
  ['high', 'financial', 'verb', 'pay buy sell withdraw reimburse donate wire repay'],
  ['high', 'financial', 'noun', 'refund transfer charge purchase order trade book deposit checkout payment payout bid'],
  ['high', 'code-execution', 'verb', 'execute exec eval evaluate invoke spawn bash shell sudo'],
  ['high', 'code-execution', 'noun', 'run command terminal script powershell console'],
  ['high', 'infrastructure', 'verb', 'deploy undeploy restart reboot shutdown stop provision deprovision scale'],
  ['high', 'infrastructure', 'verb', 'migrate promote redeploy failover drain cordon trigger launch'],
  ['high', 'infrastructure', 'noun', 'release rollout build'],
  ['high', 'identity', 'verb', 'grant revoke ban unban impersonate enable authorize authorise share unshare elevate'],
  ['high', 'identity', 'noun', 'sign permit'],
  ['high', 'data-egress', 'verb', 'export exfiltrate'],
  ['high', 'actuation', 'verb', 'unlock open arm disarm actuate'],
  ['high', 'actuation', 'noun', 'lock turn'],
]

const MEANINGS: ReadonlyMap<string, Meaning> = new Map(
  VOCABULARY.flatMap(([argues, surface, kind, words]) =>
    words.split(' ').map((word): [string, Meaning] => [word, { argues, surface, noun: kind === 'noun' }]),
  ),
)

/** What a word in its base form says, or `undefined`. */
export function meaningOf(word: string): Meaning | undefined {
  return MEANINGS.get(word)
}

/** As {@link meaningOf}, of the third person too: `deletes`, `pushes`, `modifies`. */
export function meaningOfInflected(word: string): Meaning | undefined {
  return (
    MEANINGS.get(word) ??
    (word.endsWith('ies') ? MEANINGS.get(`${word.slice(0, -3)}y`) : undefined) ??
    (word.endsWith('es') ? MEANINGS.get(word.slice(0, -2)) : undefined) ??
    (word.endsWith('s') ? MEANINGS.get(word.slice(0, -1)) : undefined)
  )
}
