import { generateKeyPairSync } from 'node:crypto'
import { crockford } from '../../src/bytes/crockford.ts'
import { commitArguments, commitRequest, commitResult } from '../../src/receipt/commit.ts'
import { createSigner } from '../../src/receipt/sign.ts'
import type { Receipt, Signer } from '../../src/types.ts'
import { type BundleContent, type BundleTrust, bundleLines } from '../../src/verify.ts'
import { gateKey, HandMadeLog, newLog, ORIGIN, Process, unlogged } from './bundles.ts'
import { noteSigner } from './log-keys.ts'
import { collect, DIGEST } from './receipt-drafts.ts'

/** A bundle, and what its reader trusts. */
export interface Case {
  readonly name: string
  readonly lines: readonly string[]
  readonly trust: Pick<BundleTrust, 'keys' | 'log' | 'checkpoints'>
}

const SALT = 'c2FsdHNhbHRzYWx0c2FsdA'
const ARGS = '{"amount":1.5,"to":"Zoë"}'
const REQUEST = `{"context":{"arguments":${ARGS}},"subject":{"id":"ada"}}`
const OVERRIDE = {
  id: `ov_${crockford(Buffer.from(DIGEST, 'base64url').subarray(0, 16))}`,
  digest: DIGEST,
  by: [DIGEST],
  reason: 'the policy point is down',
  ticket: 'OPS-1',
  most: 1,
}
const overridden = {
  materiality: 'medium',
  decision: 'silence',
  basis: 'override',
  fault: 'timeout',
  override: OVERRIDE,
}

/** Bundles of every kind, good and bad, all signed by `signer`: what two verifiers have to agree on. */
export async function corpus(signer: Signer): Promise<readonly Case[]> {
  const keys = [signer.publicJwk]
  const cases: Case[] = []
  const [first, second] = [new Process(signer, 'one'), new Process(signer, 'two')]
  const start = first.open()
  const [decision] = first.call('paid', {
    args: { commit: commitArguments(SALT, 'shop', 'refund', ARGS), bytes: Buffer.byteLength(ARGS) },
    request: commitRequest(SALT, REQUEST),
  })
  const result = { commit: commitResult(SALT, 'fünf'), bytes: 5 }
  const outcome = first.write({ kind: 'outcome', decision: decision.hash, status: 'tool_error', result })
  const other = second.open()
  const called = second.call('seen', { parents: [outcome.hash], approval: { ref: 'a', by: 'bo', channel: 'web' } })
  const log = newLog([start, decision, other, called[0], outcome, called[1], first.seal(), second.seal()])
  const trust = { keys, log: log.policy(), checkpoints: [log.note(3)] }
  const more = (name: string, lines: readonly string[], by: Case['trust'] = trust): number =>
    cases.push({ name, lines, trust: by })
  more('a whole log', await log.whole([2, 5]))
  more('some leaves', await log.part([1, 3, 4], [3]))
  more('no keys', await log.whole(), { ...trust, keys: [] })
  more('no log', await log.whole([3]), { keys })
  more('two of three witnesses', await log.whole([], log.note(8, false)))
  more('no witness asked', await log.whole([4]), { ...trust, log: log.policy(0) })
  more('a larger checkpoint held', await new HandMadeLog(log.receipts.slice(0, 5), log).whole(), {
    ...trust,
    checkpoints: [log.note()],
  })
  const fork = new HandMadeLog([...log.receipts.slice(0, 2), second.seal(), ...log.receipts.slice(2, 7)], log)
  more('a fork', await fork.whole([3]))
  more('a fork, in part', await fork.part([2], [3]))
  const relogged = new HandMadeLog(log.receipts, { signer: noteSigner(ORIGIN, 'ed25519'), witnesses: [] })
  more('logged by another', await relogged.whole([2]))
  const openings: BundleContent[] = [
    ...log.receipts.map(({ jws }): BundleContent => ({ kind: 'receipt', jws })),
    { kind: 'opening', receipt: decision.hash, salt: SALT, opens: 'request', text: REQUEST },
    { kind: 'opening', receipt: outcome.hash, salt: SALT, opens: 'result', text: 'fünf' },
  ]
  more('openings', [...(await collect(bundleLines({ origin: ORIGIN, scope: 'log', size: 0 }, openings)))], { keys })
  for (const [name, receipts] of await oddSets(signer)) {
    more(name, await unlogged(receipts), { keys })
    const odd = newLog(receipts)
    more(`${name}, logged`, await odd.whole([1]), { keys, log: odd.policy() })
  }
  return cases
}

/** Rotations, overrides, observation, two algorithms, calls that ran twice: one short set each. */
async function oddSets(signer: Signer): Promise<readonly (readonly [string, readonly Receipt[]])[]> {
  const [old, fresh] = [new Process(signer, 'old'), gateKey()]
  const es256 = createSigner(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
  const begun = [old.open(), old.addKey(fresh), old.addKey(es256)]
  const after = new Process(fresh, 'fresh')
  const curve = new Process(es256, 'curve')
  const rotated = [
    ...begun,
    after.open(begun[2]),
    curve.open(),
    after.retireKey(signer.kid),
    ...curve.call('c'),
    after.seal(),
  ]
  const ov = new Process(signer, 'override')
  const odd = new Process(signer, 'odd')
  const twice = new Process(signer, 'twice')
  const [a] = twice.call('same')
  return [
    ['a rotation', rotated],
    ['a retired key that goes on', [...rotated, new Process(signer, 'late').open()]],
    ['an override used twice', [ov.open(), ...ov.call('a', overridden), ...ov.call('b', overridden)]],
    [
      'failed open, refused and observed',
      [
        odd.open(),
        ...odd.call('a', { decision: 'silence', basis: 'fail_open', materiality: 'low' }),
        ...odd.call('b', { enforced: false, decision: 'deny' }),
        ...odd.call('c', { decision: 'silence', basis: 'fail_open' }),
        odd.write({ kind: 'outcome', decision: DIGEST, status: 'ok' }),
      ],
    ],
    [
      'a call that ran twice',
      [twice.open(), a, ...twice.call('same'), twice.write({ kind: 'outcome', decision: a.hash, status: 'ok' })],
    ],
  ]
}
