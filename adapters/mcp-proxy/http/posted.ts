import { PARSE_ERROR } from '../../mcp/keys.ts'
import { readClientFrame } from '../frames.ts'
import { disagreement } from './agreement.ts'
import { ambiguousHeader, readPosted } from './body.ts'
import { answerWhole, turnAway, type Visit } from './visit.ts'

/**
 * The message of a POST. What cannot be read, and what its headers contradict, is answered here and goes no further: then there
 * is none.
 */
export async function readMessagePosted(visit: Visit, maxBytes: number): Promise<unknown> {
  const { request, response } = visit
  const twice = ambiguousHeader(request)
  if (twice !== undefined) return turnAway(visit, 400, `the header ${twice} is given twice`)
  const posted = await readPosted(request, maxBytes)
  if (posted.kind === 'gone') return undefined
  if (posted.kind === 'refused') {
    // What was not read must not be taken for the next request.
    return turnAway(visit, posted.status, posted.because, { headers: [['connection', 'close']] })
  }
  const frame = readClientFrame(posted.bytes, maxBytes)
  if (frame.kind === 'unreadable') return turnAway(visit, 400, frame.because, { code: PARSE_ERROR })
  const wrong = disagreement(request, frame.message)
  if (wrong === undefined) return frame.message
  return answerWhole(response, 400, wrong)
}
