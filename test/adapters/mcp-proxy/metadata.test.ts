import { describe, expect, it } from 'vitest'
import { metadataPath, metadataUrl, resourceMetadata, resourcePathOf } from '../../../adapters/mcp-proxy/metadata.ts'

describe('the metadata of a protected server', () => {
  it('names our own URL and the issuer, so that a client asks there for a token that is for us', () => {
    const terms = { resource: 'https://mcp.example.com/mcp/files', issuer: 'https://login.example.com/' }
    expect(resourceMetadata({ ...terms, scopes: ['mcp:call'] })).toEqual({
      resource: 'https://mcp.example.com/mcp/files',
      authorization_servers: ['https://login.example.com/'],
      scopes_supported: ['mcp:call'],
      bearer_methods_supported: ['header'],
    })
    expect(resourceMetadata(terms)).not.toHaveProperty('scopes_supported')
  })

  it('stands where RFC 9728 has clients look: the well-known path before the path of the server', () => {
    expect(metadataPath('/mcp/files')).toBe('/.well-known/oauth-protected-resource/mcp/files')
    expect(metadataPath('/')).toBe('/.well-known/oauth-protected-resource')
    expect(metadataUrl('https://mcp.example.com:8443/mcp/files')).toBe(
      'https://mcp.example.com:8443/.well-known/oauth-protected-resource/mcp/files',
    )
  })

  it('is found again from the path that was asked, and from no other', () => {
    for (const path of ['/', '/mcp/files']) expect(resourcePathOf(metadataPath(path))).toBe(path)
    for (const path of ['/mcp/files', '/.well-known/oauth-protected-resources', '/.well-known/openid-configuration']) {
      expect(resourcePathOf(path)).toBeUndefined()
    }
  })
})
