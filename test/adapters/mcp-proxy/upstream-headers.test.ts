import { describe, expect, it } from 'vitest'
import { downstreamHeaders, upstreamHeaders } from '../../../adapters/mcp-proxy/upstream-headers.ts'

const names = (fields: readonly (readonly [string, string])[]): string[] => fields.map(([name]) => name.toLowerCase())

/** Asked of every upstream: an answer that we can read. */
const PLAIN = ['accept-encoding', 'identity']

describe('to the upstream', () => {
  it('never goes what the client showed to us: its token, its cookies, its proxy password', () => {
    const shown = ['Authorization', 'Bearer t', 'COOKIE', 'a=1', 'Proxy-Authorization', 'Basic x', 'authorization', 'x']
    expect(upstreamHeaders([...shown, 'Mcp-Method', 'tools/call'])).toEqual([['Mcp-Method', 'tools/call'], PLAIN])
  })

  it('goes everything else as it came: letters, order, repetitions and names that nobody knows yet', () => {
    const sent = [
      'Accept',
      'application/json, text/event-stream',
      'X-Thing',
      'a',
      'x-thing',
      'b',
      'traceparent',
      '00-1',
    ]
    expect(upstreamHeaders(sent).flat()).toEqual([...sent, ...PLAIN])
  })

  it('goes nothing that is between neighbours, nor what Connection says is', () => {
    const sent = ['Connection', 'keep-alive, X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=5', 'TE', 'trailers']
    const more = ['Transfer-Encoding', 'chunked', 'Upgrade', 'h2c', 'Trailer', 'X', 'Proxy-Connection', 'close']
    expect(upstreamHeaders([...sent, ...more])).toEqual([PLAIN])
  })

  it('goes nothing that speaks of the body or the place as they were before us', () => {
    const sent = [
      'Host',
      'localhost:8808',
      'Origin',
      'http://localhost:8808',
      'Content-Length',
      '9',
      'Content-Encoding',
      'gzip',
    ]
    expect(upstreamHeaders([...sent, 'Accept-Encoding', 'br', 'Expect', '100-continue'])).toEqual([PLAIN])
  })

  it('go our credentials, instead of whatever the client sent under their name, and no Connection takes them away', () => {
    const own = new Map([
      ['authorization', 'Bearer ours'],
      ['x-api-key', 'ours'],
    ])
    const sent = ['Authorization', 'Bearer theirs', 'X-Api-Key', 'theirs', 'Connection', 'authorization, x-api-key']
    expect(upstreamHeaders(sent, own)).toEqual([...own, PLAIN])
  })
})

describe('to an upstream that reads _ as -', () => {
  it('goes nothing in that spelling that is checked, written or kept back in the other', () => {
    const own = new Map([['x-api-key', 'ours']])
    const sent = ['Mcp_Session_Id', 's1', 'mcp_param_region', 'us', 'X_Api-Key', 'theirs', 'Proxy_Authorization', 'b']
    const more = ['Last_Event_Id', '9', 'Content_Type', 'text/plain', 'x_thing', 'a']
    expect(upstreamHeaders([...sent, ...more], own)).toEqual([['x_thing', 'a'], ...own, PLAIN])
  })
})

describe('to the client', () => {
  it('goes no challenge and no cookie of the upstream, and no length of a body that may have changed', () => {
    const sent = ['WWW-Authenticate', 'Bearer resource_metadata="https://up.example/"', 'Set-Cookie', 'a=1']
    const more = ['Content-Length', '9', 'Connection', 'X-Hop', 'X-Hop', '1', 'Mcp-Session-Id', 's1']
    expect(names(downstreamHeaders([...sent, ...more]))).toEqual(['mcp-session-id'])
  })
})
