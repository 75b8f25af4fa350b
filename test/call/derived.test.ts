import { describe, expect, it } from 'vitest'
import { derive } from '../../src/call/derived.ts'
import type { Json, JsonObject } from '../../src/types.ts'

const factsOf = (key: string, value: Json): JsonObject | undefined => derive({ [key]: value }).derived[`/${key}`]

describe('paths: a permit below a root holds only for what lies below it', () => {
  it('normalises lexically and lists every ancestor, itself included', () => {
    expect(factsOf('path', '/srv/./data//a/../b/')).toEqual({
      path: '/srv/data/b',
      ancestors: ['/', '/srv', '/srv/data', '/srv/data/b'],
      absolute: true,
      bytes: 20,
    })
    expect(factsOf('path', '/')).toMatchObject({ path: '/', ancestors: ['/'] })
  })

  it('does not take a sibling that starts alike for a descendant', () => {
    expect(factsOf('path', '/srv-evil/a')?.['ancestors']).not.toContain('/srv')
  })

  it('states no ancestors where a reader could end up elsewhere', () => {
    const elsewhere = [
      '/srv/../../etc',
      'srv/a',
      './a',
      '../a',
      '~/a',
      '/srv/~root',
      '/srv/\u0000/a',
      '/srv/a\n',
      '/srv\\..\\..\\etc',
      'C:\\a',
      'C:/a',
      '/srv/%2e%2e/etc',
      '/srv/%2E%2e%2Fetc',
      '/srv/..%2fetc',
      '/srv/%252e%252e/',
      '/srv/%5c..',
      '/srv/\uff0e\uff0e/a',
      '/srv\u2215..\u2215etc',
      '/srv/\u2025/etc',
      '/srv/%00',
      '',
      `/${'a'.repeat(5_000)}`,
    ]
    for (const path of elsewhere) expect(factsOf('path', path)?.['ancestors'], JSON.stringify(path)).toEqual([])
  })

  it('keeps an unclear path out of comparisons too', () => {
    for (const path of ['/srv/../../etc', '/srv/%2e%2e/x', '~/x']) expect(factsOf('path', path)?.['path']).toBe('')
    expect(factsOf('path', 'notes/./a.txt')).toMatchObject({ path: 'notes/a.txt', absolute: false })
  })

  it('states no ancestors of a path deeper than any that is used, since they outgrow it by its depth', () => {
    const deep = (segments: number): JsonObject | undefined => factsOf('path', '/a'.repeat(segments))
    expect(deep(63)?.['ancestors']).toHaveLength(64)
    expect(deep(64)).toMatchObject({ path: '', ancestors: [], absolute: true })
    expect(factsOf('path', 'a/'.repeat(2_000))).toMatchObject({ path: '', ancestors: [] })
  })

  it('reads a path by its key or by its look, in arrays and deep down too', () => {
    const { derived } = derive({
      sourceFile: 'a.txt',
      x: '/etc/passwd',
      paths: ['/a', '../b'],
      deep: { dest_dir: '/c' },
    })
    expect(derived['/sourceFile']).toMatchObject({ path: 'a.txt', ancestors: [] })
    expect(derived['/x']).toMatchObject({ ancestors: ['/', '/etc', '/etc/passwd'] })
    expect(derived['/paths/0']).toMatchObject({ path: '/a' })
    expect(derived['/paths/1']).toMatchObject({ ancestors: [] })
    expect(derived['/deep/dest_dir']).toMatchObject({ path: '/c' })
    expect(factsOf('note', 'plain words')).toEqual({ bytes: 11 })
  })
})

describe('urls: a permit for a host holds only for what every client would connect to', () => {
  it('reads host, port and parent domains as browsers do', () => {
    expect(factsOf('url', 'HTTPS://API.Example.COM/v1?x#y')).toEqual({
      scheme: 'https',
      host: 'api.example.com',
      port: 443,
      domains: ['api.example.com', 'example.com', 'com'],
      bytes: 30,
    })
    expect(factsOf('x', 'http://münchen.example:8080')).toMatchObject({ host: 'xn--mnchen-3ya.example', port: 8080 })
    expect(factsOf('url', 'https://example.com.')).toMatchObject({ host: 'example.com' })
  })

  it.each(['evil.test/steal?x=@example.com', '//evil.test/?@example.com', 'evil.test#@example.com', 'ann@example.com'])(
    'takes no host from the end of %s, which a browser does not look at or looks at otherwise',
    (text) => {
      for (const key of ['url', 'to_url', 'link_url']) expect(factsOf(key, text)?.['domains'], key).toEqual([])
      if (text !== 'ann@example.com') {
        for (const key of ['to', 'page', 'email']) expect(factsOf(key, text)?.['domains'] ?? [], key).toEqual([])
      }
    },
  )

  it('writes numeric hosts as one address, without parents', () => {
    for (const url of ['http://127.0.0.1/', 'http://2130706433/', 'http://0x7f.1/', 'http://127.1']) {
      expect(factsOf('url', url)).toMatchObject({ host: '127.0.0.1', domains: ['127.0.0.1'] })
    }
    expect(factsOf('url', 'http://[::1]:80/')).toMatchObject({ host: '[::1]', port: 80, domains: ['[::1]'] })
  })

  it('states no domain where a client could connect elsewhere', () => {
    const elsewhere = [
      'https://example.com@evil.test/',
      'https://example.com:pw@evil.test',
      'https://evil.test\\@example.com/',
      'https:\\\\evil.test',
      'http://example.com\t.evil.test',
      ' https://example.com',
      'https://exa%6dple.com/',
      'https:///x',
      'https:example.com',
      'https://example.com/ https://evil.test/',
      'https://example.com/\r\nHost: evil.test',
      'https://example.com/\\evil.test',
      '//example.com/x',
      'example.com',
      'javascript:alert(1)',
      'file:///etc/passwd',
      'http://',
      'http://[zz]/',
      'http://example.com:99999/',
      '',
    ]
    for (const url of elsewhere) expect(factsOf('url', url)?.['domains'], JSON.stringify(url)).toEqual([])
  })
})

describe('hosts that no name server knows', () => {
  it('have no domains, since their parents outgrow the receipt', () => {
    const most = `${'a.'.repeat(63)}com`
    expect(factsOf('url', `http://${most}`)?.['domains']).toHaveLength(64)
    expect(factsOf('to', `ann@${most}`)?.['domains']).toHaveLength(64)
    for (const host of [`a.${most}`, `${'a.'.repeat(2_000)}com`, `${'a'.repeat(250)}.com`]) {
      expect(factsOf('url', `http://${host}`)).toMatchObject({ host: '', domains: [] })
      expect(factsOf('to', `ann@${host}`)).toMatchObject({ domain: '', domains: [] })
    }
    expect(factsOf('url', `${'a'.repeat(65)}:x`)).toMatchObject({ scheme: '' })
  })
})

describe('mail addresses: a permit for a domain holds only for mail that goes there', () => {
  it('reads the domain of one plain mailbox', () => {
    expect(factsOf('to', 'Ann@Mail.Example.com')).toMatchObject({
      domain: 'mail.example.com',
      domains: ['mail.example.com', 'example.com', 'com'],
    })
    expect(derive({ to: ['a@example.com'] }).derived['/to/0']).toMatchObject({ domain: 'example.com' })
    expect(factsOf('x', 'a@example.com')).toMatchObject({ domain: 'example.com' })
  })

  it('states no domain where the mail could go elsewhere, or to more', () => {
    const elsewhere = [
      'a@example.com,b@evil.test',
      'a@example.com;b@evil.test',
      'A <a@evil.test>',
      '"a@example.com" <b@evil.test>',
      'a@b@example.com',
      'a@evil.test\nBcc: b@evil.test',
      'a@example.com ',
      '@example.com',
      'a@',
      'a',
      'a@exa mple.com',
      'a@[127.0.0.1]',
      'a@evil.test%example.com',
      'a@evil.test/example.com',
      'a@evil.test#example.com',
      '',
    ]
    for (const to of elsewhere) expect(factsOf('to', to)?.['domains'], JSON.stringify(to)).toEqual([])
  })
})

describe('amounts, bytes and lengths', () => {
  it('writes an amount as a decimal only when it is exactly that decimal', () => {
    expect(factsOf('amount', 12.5)).toEqual({ amount: '12.5' })
    expect(factsOf('totalPrice', 3)).toEqual({ amount: '3.0' })
    expect(factsOf('amount', '12.50')).toMatchObject({ amount: '12.50' })
    for (const amount of [0.00001, 1e21, 1e-7, 922_337_203_685_478]) expect(factsOf('amount', amount)).toBeUndefined()
    for (const amount of ['1e3', '1,000', ' 1', '٣', '0x10', '01'])
      expect(factsOf('amount', amount)).not.toHaveProperty('amount')
    expect(factsOf('count', 12)).toBeUndefined()
  })

  it('counts bytes and not characters', () => {
    expect(factsOf('content', 'é€😀')).toEqual({ bytes: 9 })
  })

  it('counts the elements of every array', () => {
    expect(derive({ a: [[1, 1], []], 'b/c': [1] }).lengths).toEqual({ '/a': 2, '/a/0': 2, '/a/1': 0, '/b~1c': 1 })
    expect(derive([1, 2]).lengths).toEqual({ '': 2 })
  })

  it('says so when there is more than it works out', () => {
    const many = Object.fromEntries(Array.from({ length: 256 }, (_, i) => [`k${i}`, 'v']))
    expect(derive(many).derived['']).toBeUndefined()
    const { derived } = derive({ ...many, path: '/x' })
    expect(derived['']).toEqual({ truncated: true })
    expect(derived['/path']).toBeUndefined()
    expect(derive({ lists: Array.from({ length: 300 }, () => []) }).derived['']).toEqual({ truncated: true })
  })

  it('says so when a few arguments call for more than a receipt holds, and keeps what came before', () => {
    const path = `/${'a'.repeat(60)}`.repeat(60)
    const { derived } = derive({ a_path: '/srv', b_path: path, c_path: '/etc' })
    expect(derived['']).toEqual({ truncated: true })
    expect(derived['/a_path']).toMatchObject({ path: '/srv' })
    expect(derived['/b_path']).toBeUndefined()
    expect(derived['/c_path']).toBeUndefined()
  })

  it('counts the names of arguments too, which stand in every pointer below them', () => {
    const { derived, lengths } = derive({ ['k'.repeat(40_000)]: [['x'], ['y']] })
    expect(derived).toEqual({ '': { truncated: true } })
    expect(Object.keys(lengths)).toHaveLength(1)
  })
})
