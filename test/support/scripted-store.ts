import type { Claim, Committed, Receipt, ReceiptStore } from '../../src/types.ts'

/** What a scripted store does with the next write it is handed. */
export type Fate =
  | 'store'
  | 'taken'
  | 'approval_spent'
  | 'stale'
  | 'reject'
  | 'reject_but_persist'
  | 'hang'
  | 'hang_but_persist'

export interface Line {
  readonly fate: Fate
  /** How many turns of the event loop pass before the answer comes: answers may overtake one another. */
  readonly delay: number
}

/** A receipt store that follows a script and keeps to the port's one rule: a stream is written in sequence, or not at all. */
export class ScriptedStore implements ReceiptStore {
  readonly persisted: Receipt[] = []
  readonly #script: Line[]
  readonly #heads = new Map<string, Receipt>()

  constructor(script: readonly Line[]) {
    this.#script = [...script]
  }

  /** From here on everything is stored. */
  heal(): void {
    this.#script.length = 0
  }

  async append(receipt: Receipt): Promise<{ readonly outcome: 'stored' | 'discontinuous' }> {
    const outcome = await this.#write(receipt, { fate: 'store', delay: 0 })
    if (outcome === 'stored' || outcome === 'discontinuous') return { outcome }
    throw new Error('an append cannot be refused')
  }

  async commitDecision(receipt: Receipt, claim: Claim): Promise<Committed> {
    const outcome = await this.#write(receipt, { fate: 'store', delay: 0 }, true)
    switch (outcome) {
      case 'stored':
        return { outcome: 'claimed' }
      case 'taken':
        return { outcome, receipt: 'r_somebody', inputDigest: claim.inputDigest, status: 'ok' }
      default:
        return { outcome }
    }
  }

  async #write(
    receipt: Receipt,
    otherwise: Line,
    claims = false,
  ): Promise<'stored' | 'discontinuous' | 'taken' | 'approval_spent' | 'stale'> {
    const scripted = this.#script.shift() ?? otherwise
    const refuses = scripted.fate === 'taken' || scripted.fate === 'stale' || scripted.fate === 'approval_spent'
    const fate = refuses && !claims ? 'store' : scripted.fate
    const outcome = this.#decide(receipt, fate)
    for (let turn = 0; turn < scripted.delay; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    if (outcome === 'reject') throw new Error('scripted failure')
    return outcome === 'hang' ? await new Promise<never>(() => undefined) : outcome
  }

  #decide(receipt: Receipt, fate: Fate) {
    if (fate === 'reject' || fate === 'hang') return fate
    const persists = this.#follows(receipt)
    if (!persists)
      return fate === 'reject_but_persist' ? 'reject' : fate === 'hang_but_persist' ? 'hang' : 'discontinuous'
    if (fate === 'taken' || fate === 'stale' || fate === 'approval_spent') return fate
    this.#heads.set(receipt.stream, receipt)
    this.persisted.push(receipt)
    return fate === 'store' ? 'stored' : fate === 'reject_but_persist' ? 'reject' : 'hang'
  }

  #follows(receipt: Receipt): boolean {
    const head = this.#heads.get(receipt.stream)
    if (head === undefined) return receipt.seq === 0
    return receipt.seq === head.seq + 1 && receipt.prev === head.hash
  }
}
