import { describe, expect, it } from 'vitest'
import { isServerName, isToolId, isToolName, isToolPattern, isWrittenTool } from '../../src/bytes/names.ts'

describe('names', () => {
  it.each(['аdmin', 'read file', 'read\u200b', 'read\n', 'lösche', '', 'x'.repeat(129), '__proto__ ', 7, null])(
    'of tools have one spelling: %j is none',
    (name) => {
      expect(isToolName(name)).toBe(false)
    },
  )

  it.each(['Shop', 'shop/eu', '-shop', 'shop_eu', '', 'x'.repeat(33)])('of servers are plain: %j is none', (name) => {
    expect(isServerName(name)).toBe(false)
  })

  it('with a server in front are split at the first slash, so that two readers never split one differently', () => {
    expect(isToolId('files/a/b')).toBe(true)
    expect(isToolId('Files/a')).toBe(false)
    expect(isToolId('/a')).toBe(false)
    expect(isToolId('files/')).toBe(false)
  })

  it('are as long with their server as both may be, and no longer', () => {
    const [server, tool] = ['s'.repeat(32), 't'.repeat(128)]
    expect(isWrittenTool(`${server}/${tool}`)).toBe(true)
    expect(isWrittenTool(`${server}/${tool}t`)).toBe(false)
    expect(isWrittenTool('read')).toBe(true)
  })

  it('of a policy point’s tools are one tool, those of a server, or all; nothing else matches by accident', () => {
    expect(['*', 'shop/*', 'shop/refund'].map(isToolPattern)).toEqual([true, true, true])
    const others = ['**', '*/refund', 'shop/re*', 'shop', 'shop/', '/*', 'Shop/*', '', undefined]
    expect(others.map(isToolPattern)).toEqual(others.map(() => false))
  })
})
