import { DEFAULT_TIMEOUT_MS } from '../config/schema.ts'
import { createPanel } from '../create-panel.ts'
import type { Decision } from '../types.ts'
import type { Situation } from './context.ts'
import type { Finding } from './doctor.ts'
import { reasonOf } from './exit.ts'

const ABOUT = 'service'

/** Asks each policy service of the configuration its canary: is it there, does it know us, what does it make of a rule that errs? */
export async function pointFindings({ config }: Situation): Promise<readonly Finding[]> {
  if (config.options.points === undefined) return []
  const budgetMs = config.options.timeoutMs ?? DEFAULT_TIMEOUT_MS
  const clock = { now: Date.now, monotonic: () => performance.now() }
  try {
    const panel = createPanel(undefined, config, { clock, timeoutMs: budgetMs, emit: () => undefined })
    const judged = await panel.rehearse()
    const off = panel.health().filter(({ id, canary }) => canary === 'none' && id !== 'cedar')
    return [
      ...[...judged].map(([id, word]) => findingOf(id, word, budgetMs)),
      ...off.map(({ id }) => ({
        about: ABOUT,
        state: 'warning' as const,
        says: `${id} was not asked: its canary is off, so a rule that errs there may let calls run`,
      })),
    ]
  } catch (error) {
    return [{ about: ABOUT, state: 'problem', says: reasonOf(error) }]
  }
}

function findingOf(id: string, word: Decision, budgetMs: number): Finding {
  if (word.kind === 'permit')
    return { about: ABOUT, state: 'good', says: `${id} answers, and a rule that errs is no permit there` }
  const cause = word.kind === 'silence' ? word.cause : undefined
  const because =
    cause?.kind === 'wrong'
      ? ended(cause.detail.replace(new RegExp(`^(?:${id}: )+`), ''))
      : cause?.kind === 'absent' && cause.fault === 'timeout'
        ? `no answer within ${budgetMs} ms.`
        : 'no answer. Is it running, and is its address right?'
  return { about: ABOUT, state: 'problem', says: `${id}: ${because} Medium and high calls of its tools are refused` }
}

function ended(sentence: string): string {
  return /[.?!]$/.test(sentence) ? sentence : `${sentence}.`
}
