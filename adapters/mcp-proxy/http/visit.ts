import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Who } from '../../../src/index.ts'
import { errorFor } from '../../mcp/answers.ts'
import { INVALID_REQUEST, UNKNOWN_SESSION } from '../../mcp/keys.ts'
import type { HeaderField } from '../upstream-headers.ts'

/** A request that may go on: it came under our own name, from a place and from somebody that may ask. */
export interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Whose token it showed. */
  readonly who: Who | undefined
}

/** What answers the requests to one upstream. */
export interface Backend {
  /** @throws HoldpointError ERR_CONFIG where it cannot serve */
  open(): Promise<void>
  visit(visit: Visit): Promise<void>
  close(): Promise<void>
}

/** Tells principals apart. Without tokens there is one. */
export function principalKey(who: Who | undefined): string {
  if (who === undefined) return ''
  const { user, agent, tenant, roles = [] } = who
  return JSON.stringify([user, agent, tenant, roles])
}

/**
 * A header of the request. Of one that came twice Node makes one text; a POST with one that matters is turned away
 * (`ambiguousHeader`).
 */
export function headerOf(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}

/** Answers an HTTP request that carries no message we could answer. */
export function turnAway(
  { response }: Pick<Visit, 'response'>,
  status: number,
  because: string,
  { headers = [], code = INVALID_REQUEST }: { readonly headers?: readonly HeaderField[]; readonly code?: number } = {},
): void {
  answerWhole(response, status, errorFor(null, code, `holdpoint: ${because}`), headers)
}

/** What is said of a session that is not the asker's, too: whose it is concerns nobody. */
export const NO_SESSION = 'there is no such session'

/** The client must begin a session anew. */
export function turnAwayUnknown(visit: Visit): void {
  turnAway(visit, 404, NO_SESSION, { code: UNKNOWN_SESSION })
}

/** The client may come again. */
export function turnAwayFull(visit: Visit): void {
  turnAway(visit, 503, 'there are as many sessions as may be', { headers: [['retry-after', '5']] })
}

/** Answers with one JSON document. */
export function answerWhole(
  response: ServerResponse,
  status: number,
  document: object,
  headers: readonly HeaderField[] = [],
): void {
  if (response.headersSent || response.destroyed) return
  const body = Buffer.from(JSON.stringify(document))
  const fields: readonly HeaderField[] = [
    ['content-type', 'application/json'],
    ['content-length', String(body.length)],
    ...headers,
  ]
  response.writeHead(status, fields.flat()).end(body)
}
