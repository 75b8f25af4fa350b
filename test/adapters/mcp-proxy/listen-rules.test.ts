import { describe, expect, it } from 'vitest'
import { checkAddress, isLoopback, type ListenTerms } from '../../../adapters/mcp-proxy/listen-rules.ts'

const bare: ListenTerms = { host: '127.0.0.1', tls: false, behindProxy: false, authenticated: false }
const listen = (terms: Partial<ListenTerms>) => () => checkAddress({ ...bare, ...terms })

describe('where the proxy may listen', () => {
  it.each(['127.0.0.1', '127.8.9.1', 'localhost', 'LocalHost', '::1', '[::1]'])('needs nothing on %s', (host) => {
    expect(listen({ host })).not.toThrow()
  })

  it.each([
    '0.0.0.0',
    '::',
    '',
    '*',
    '10.0.0.5',
    'mcp.example.com',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
  ])('lets no stranger in on "%s" without TLS and tokens', (host) => {
    expect(isLoopback(host)).toBe(false)
    expect(listen({ host })).toThrow(/in the clear/)
    expect(listen({ host, authenticated: true })).toThrow(/in the clear/)
    expect(listen({ host, tls: true })).toThrow(/anybody could call/)
    expect(listen({ host, behindProxy: true })).toThrow(/anybody could call/)
    expect(listen({ host, tls: true, authenticated: true })).not.toThrow()
    expect(listen({ host, behindProxy: true, authenticated: true })).not.toThrow()
  })

  it('asks for tokens on this machine too when a reverse proxy lets the world in', () => {
    expect(listen({ behindProxy: true })).toThrow(/behind a reverse proxy anybody/)
    expect(listen({ behindProxy: true, authenticated: true })).not.toThrow()
  })

  it('says it in one line, and where', () => {
    expect(listen({ host: '0.0.0.0' })).toThrow(
      expect.objectContaining({ code: 'ERR_CONFIG', at: '--listen', message: expect.stringMatching(/^[^\n]+$/) }),
    )
  })
})
