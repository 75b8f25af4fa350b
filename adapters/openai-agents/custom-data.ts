import { journalOf } from '../shared/journal.ts'
import { dataOf } from '../shared/part.ts'
import { member } from './host.ts'
import { callIdOf, type Passage } from './passage.ts'

/**
 * The host's place beside a tool's output: kept with the run, saved with its state, never sent to the model. What became of the call
 * and its receipts stand there under `holdpoint`, beside what the tool's author puts there.
 */
export function customDataFor(passage: Passage): (context: object) => Promise<unknown> {
  const author = passage.tool.customDataExtractor
  return async (context) => {
    const own: unknown = typeof author === 'function' ? await author.call(passage.tool, context) : undefined
    const callId = callIdOf(member(context, 'toolCall')) ?? callIdOf(member(context, 'rawItem'))
    const record = callId === undefined ? undefined : journalOf(passage.around.gate).find(callId)
    // What is no record the host itself objects to.
    if (record === undefined || (own !== undefined && own !== null && !isRecord(own))) return own
    return { ...own, holdpoint: dataOf(record) }
  }
}

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
