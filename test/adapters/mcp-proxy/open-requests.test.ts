import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { OpenRequests } from '../../../adapters/mcp-proxy/open-requests.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const request = { jsonrpc: '2.0', id: 5, method: 'tools/call' }

/** A request under id 5 that has 1000 ms, and those whose time was up. */
function asked() {
  const open = new OpenRequests()
  const late: unknown[] = []
  open.sent(request)
  open.await(5, 1_000, (id) => late.push(id))
  vi.advanceTimersByTime(999)
  return { open, late }
}

describe('the time that a server has for an answer', () => {
  it('is up once, for a request that has none by then', () => {
    const { open, late } = asked()
    vi.advanceTimersByTime(10_000)
    expect(late).toEqual([5])
    expect(open.ids).toEqual([5])
  })

  it.each([
    ['was answered', (open: OpenRequests) => open.answered({ id: 5, result: {} })],
    [
      'was cancelled',
      (open: OpenRequests) => open.sent({ method: 'notifications/cancelled', params: { requestId: 5 } }),
    ],
  ])('of a request that %s never ends the next one under its id', (_, end) => {
    const { open, late } = asked()
    end(open)
    open.sent(request)
    vi.advanceTimersByTime(10_000)
    expect(late).toEqual([])
    expect(open.answered({ id: 5, result: {} })).toBe(true)
  })

  it('is not made longer by saying the request twice', () => {
    const { open, late } = asked()
    open.sent(request)
    vi.advanceTimersByTime(1)
    expect(late).toEqual([5])
  })

  it('is not counted for what nobody asked', () => {
    const { open, late } = asked()
    open.await('holdpoint-1', 1, (id) => late.push(id))
    vi.advanceTimersByTime(1)
    expect(late).toEqual([5])
  })
})
