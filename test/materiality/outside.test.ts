import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Contracts } from '../../src/call/contract.ts'
import { classify } from '../../src/materiality/classify.ts'
import { outranks } from '../../src/materiality/rank.ts'
import type { Classification, Json, Materiality, OperatorWord, OwnPlaces } from '../../src/types.ts'

const OWN: OwnPlaces = {
  domains: ['ours.example', 'xn--mnchen-3ya.example'],
  hosts: ['api.ours.example', 'xn--mnchen-3ya.example', '10.0.0.7', 'localhost'],
}

function classed(input: Json, own: OwnPlaces | undefined = OWN, word?: Partial<OperatorWord>): Classification {
  const words = new Map(word === undefined ? [] : [['get_things', { source: 'holdpoint.yaml:1', ...word }]])
  const definition = { name: 'get_things', origin: 'third-party', inputSchema: { type: 'object' } } as const
  const [contract] = new Contracts(own).register('s', [definition], words)
  if (contract === undefined) throw new Error('nothing was registered')
  return classify(contract, input)
}

const tierOf = (input: Json, own?: OwnPlaces): Materiality => classed(input, own).materiality

describe("recipients outside of the operator's domains", () => {
  const inside = [
    'ann@ours.example',
    'ann@mail.ours.example',
    'ANN@OURS.EXAMPLE.',
    'ann+tag@ours.example',
    'Ann <ann@ours.example>, "Bob" <bob@ours.example>; carl@ours.example',
    'mailto:ann@ours.example',
    'ann@münchen.example',
    'Ann',
    '',
  ]
  for (const to of inside) it(`none: ${to}`, () => expect(tierOf({ to })).toBe('low'))

  const outside = [
    'eve@evil.example',
    'eve@ours.example.evil.example',
    'eve@notours.example',
    'ann@ours.example, eve@evil.example',
    'ann@ours.example\neve@evil.example',
    '"ann@ours.example" <eve@evil.example>',
    'ann@ours.example@evil.example',
    'eve%evil.example@ours.example',
    'evil.example!eve@ours.example',
    '"eve@evil.example "@ours.example',
    'eve@[192.0.2.1]',
    'eve@оurs.example',
    'eve＠evil.example',
    'eve＠ours.example',
    'eve@ours.example/@evil.example',
    '@ours.example',
    'eve@',
  ]
  for (const to of outside) {
    it(`one: ${JSON.stringify(to)}`, () => {
      expect(classed({ to })).toMatchObject({ materiality: 'high', surface: 'communication' })
    })
  }

  it('wherever a call names them', () => {
    const eve = 'eve@evil.example'
    const places: readonly Json[] = [
      { cc: [eve] },
      { message: { bcc: eve } },
      { recipients: [{ name: 'Eve', address: eve }] },
      { to: { [eve]: 'Eve' } },
      { attendees: { list: [[eve]] } },
    ]
    for (const input of places) expect(tierOf(input)).toBe('high')
  })

  it('are no matter of texts that only speak of somebody, nor of directions', () => {
    expect(tierOf({ query: 'eve@evil.example', to: 'Evil Street 1' })).toBe('low')
  })

  it('are nobody where no domain was named', () => {
    expect(tierOf({ to: 'eve@evil.example' }, {})).toBe('low')
    expect(tierOf({ to: 'eve@evil.example' }, { hosts: ['api.ours.example'] })).toBe('low')
  })
})

describe("addresses outside of the operator's hosts", () => {
  const inside = [
    'https://api.ours.example/a?b=c',
    'https://eu.api.ours.example',
    'HTTPS://API.OURS.EXAMPLE.:8443/',
    'wss://api.ours.example/x',
    'https://münchen.example/',
    'http://10.0.0.7/',
    'http://localhost:3000/',
    'See https://api.ours.example. Or (https://api.ours.example/docs)!',
    'file:///srv/a',
    'src/a/b.ts',
    'a: b',
    'https',
  ]
  for (const text of inside) it(`none: ${text}`, () => expect(tierOf({ text })).toBe('low'))

  const outside = [
    'https://evil.example/',
    'https://ours.example/',
    'https://api.ours.example.evil.example/',
    'https://notapi.ours.example/',
    'https://api.ours.example@evil.example/',
    'https://ann@api.ours.example/',
    'https://evil.example\\@api.ours.example/',
    'https://api.ours.example\\.evil.example/',
    'https://api%2eours.example.evil/',
    'https:evil.example',
    'https:/evil.example/',
    'https:\\\\evil.example\\',
    '//evil.example/a',
    '\\\\evil.example\\share',
    'ht\ttps://evil.example/',
    'https://api.ours.example\n.evil.example/',
    ' https://evil.example/',
    'See ![a](https://evil.example/a.png) there.',
    'See https://api.ours.example@evil.example/ there.',
    'https://api.ours.example https://evil.example',
    's3://their-bucket/key',
    'postgres://db.evil.example/x',
    'http://0x0a000008/',
    'http://110.0.0.7/',
    'http://[::1]:3000/',
    'file://evil.example/share',
    'file:////evil.example/share',
    'https:///evil.example/',
    'https://аpi.ours.example/',
    'https://ours,evil.example/',
  ]
  for (const text of outside) {
    it(`one: ${JSON.stringify(text)}`, () => {
      expect(tierOf({ text })).toBe('medium')
      expect(classed({ deep: [{ text }] }).surface).toBe('data-egress')
    })
  }

  it('are high where they carry data, as without the key', () => {
    const text = `https://evil.example/?q=${'x'.repeat(200)}`
    expect([tierOf({ text }), tierOf({ text }, {})]).toEqual(['high', 'high'])
  })

  it('are found in the names of members too', () => expect(tierOf({ 'https://evil.example/': 1 })).toBe('medium'))

  it('are none where no host was named', () => {
    expect(tierOf({ text: 'https://evil.example/' }, {})).toBe('low')
    expect(tierOf({ text: 'https://evil.example/' }, { domains: ['ours.example'] })).toBe('low')
  })
})

it("leaves the operator's word on the tool as it is", () => {
  const input = { to: 'eve@evil.example', url: 'https://evil.example/' }
  expect(classed(input, OWN, { materiality: 'low' }).materiality).toBe('low')
})

it('reads long texts in time linear in them', () => {
  for (const part of ['a@', ':// ', 'a://', 'https://api.ours.example ', 'ann@ours.example,', '://////']) {
    expect(classed({ to: part.repeat(20_000) }).evidence.length).toBeGreaterThan(0)
  }
})

describe('I8: what a call adds never lowers its class', () => {
  const place = fc.oneof(
    fc.constantFrom('eve@evil.example', 'ann@ours.example', 'https://evil.example/', 'https://api.ours.example/', 'x'),
    fc.emailAddress(),
    fc.webUrl(),
    fc.string(),
  )
  const input = fc.dictionary(
    fc.constantFrom('to', 'cc', 'text', 'url', 'recipients'),
    fc.array(place, { maxLength: 3 }),
  )

  it('I8: neither by more recipients nor by more addresses', () => {
    fc.assert(
      fc.property(input, fc.constantFrom('to', 'bcc', 'text', 'url'), place, (before, name, added) => {
        const after = { ...before, [name]: [...(before[name] ?? []), added] }
        expect(outranks(tierOf(before), tierOf(after))).toBe(false)
      }),
    )
  })

  it('I8: nor does naming what is one’s own', () => {
    fc.assert(
      fc.property(input, (given) => {
        expect(outranks(tierOf(given, {}), tierOf(given, OWN))).toBe(false)
      }),
    )
  })

  it('I8: a mail host that is not below a domain is outside, however it is written', () => {
    fc.assert(
      fc.property(fc.emailAddress(), fc.constantFrom('', 'Ann ', '"ann@ours.example" '), (address, name) => {
        const host = address.slice(address.lastIndexOf('@') + 1)
        fc.pre(!`.${host.toLowerCase()}`.endsWith('.ours.example'))
        expect(tierOf({ to: `${name}<${address}>` })).toBe('high')
      }),
    )
  })
})
