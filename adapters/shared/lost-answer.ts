import type { Gate } from '../../src/index.ts'

/** What a person said is in no store: nothing runs on it, and nothing is refused for good on it either. */
export function warnOfLostAnswer(gate: Gate, ref: string): void {
  gate.warn('answer_lost', `A person's answer to ${ref} is not recorded, because the store did not take it. Ask again.`)
}
