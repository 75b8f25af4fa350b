import { attempt } from './attempt.ts'
import { isObject, isRequestId, type Message } from './message.ts'

/** The first sign of life, and each one after it, ms: clients give up on a silent request after 60 s. */
const SIGN_MS = 10_000
/** So small that whatever the server reports later is more (MCP, progress: it must rise). */
const STEP = 1e-9

/** Tells a client that asked for progress that its call waits for a person. */
export function keepPatient(params: Message, tell: (notification: Message) => void | Promise<void>): () => void {
  const meta = params['_meta']
  const progressToken = isObject(meta) ? meta['progressToken'] : undefined
  if (!isRequestId(progressToken)) return () => undefined
  let signs = 0
  const timer = setInterval(() => {
    signs += 1
    const said = { progressToken, progress: signs * STEP, message: 'waiting for a person to answer' }
    // A client that cannot be told has its answer to wait for all the same.
    attempt(() => tell({ jsonrpc: '2.0', method: 'notifications/progress', params: said })).catch(() => undefined)
  }, SIGN_MS)
  timer.unref()
  return () => clearInterval(timer)
}
