import type { Receipt, Signer } from '../../src/types.ts'
import { gateKey, HandMadeLog, newLog, Process } from './bundles.ts'

/** A log of three processes and its keys, and what an operator who holds every key could make of it. */
export interface AttackedLog {
  readonly key: Signer
  readonly receipts: readonly Receipt[]
  /** The process that may be left out; the third one continues it. */
  readonly second: Process
  readonly log: HandMadeLog
  /** The same log, by the same keys, after somebody changed what is in it. */
  rewritten(changed: readonly Receipt[], by?: Partial<HandMadeLog>): HandMadeLog
}

export function attackedLog(): AttackedLog {
  const key = gateKey()
  const second = new Process(key, 'second')
  const receipts = story(key, second)
  const log = newLog(receipts)
  return {
    key,
    receipts,
    second,
    log,
    rewritten: (changed, by = {}) => new HandMadeLog(changed, { signer: log.signer, witnesses: log.witnesses, ...by }),
  }
}

/** Two processes, whose receipts came into the log by turns; then a third, in the place of the second. */
function story(key: Signer, second: Process): readonly Receipt[] {
  const first = new Process(key, 'first')
  const [a0, b0] = [first.open(), second.open()]
  const [a1, a2] = first.call('refund 1')
  const [b1, b2] = second.call('refund 2')
  const [a3, a4] = first.call('refund 3')
  const [a5, b3] = [first.seal(), second.write(refused(key.kid))]
  const third = new Process(key, 'third')
  const c0 = third.open(b3)
  const [c1, c2] = third.call('refund 4')
  return [a0, b0, a1, b1, a2, b2, a3, b3, a4, a5, c0, c1, c2, third.seal()]
}

function refused(digest: string): object {
  return {
    kind: 'decision',
    principal: { type: 'user', id: 'alice', basis: 'stated' },
    tool: { server: 'shop', name: 'refund' },
    materiality: 'high',
    surface: 'financial',
    evidence: [],
    decision: 'deny',
    basis: 'pdp',
    enforced: true,
    code: 'denied_by_policy',
    policy: { digest, determining: [], errors: [] },
    rederivable: true,
  }
}
