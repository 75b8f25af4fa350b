import { describe, expect, it } from 'vitest'
import { AbsentAnswer, TooMuchAtOnce, WrongAnswer } from '../../src/decide/absent.ts'
import { type Reply, readReply } from '../../src/decide/reply.ts'

const NOW = Date.parse('2026-11-21T20:00:00Z')
const TERMS = { requestId: 'r1', echo: 'required', now: NOW, hearsErrors: false } as const

type Headers = Readonly<Record<string, readonly string[]>>
const SOUND: Headers = { 'content-type': ['application/json'], 'x-request-id': ['r1'] }

function reply(status: number, headers: Headers = SOUND, body = '{"decision":true}'): Reply {
  return { status, headers: new Map(Object.entries(headers)), body: new TextEncoder().encode(body) }
}

function thrown(from: Reply, terms: Parameters<typeof readReply>[1] = TERMS): unknown {
  try {
    return readReply(from, terms)
  } catch (cause) {
    return cause
  }
}

describe('a reply', () => {
  it('with status 200, JSON and the id of its request is read', () => {
    expect(readReply(reply(200), TERMS)).toEqual({ status: 200, json: { decision: true } })
  })

  it.each(['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'])(
    'may say %s',
    (type) => {
      expect(readReply(reply(200, { ...SOUND, 'content-type': [type] }), TERMS)).toMatchObject({ status: 200 })
    },
  )

  it.each([429, 502, 503, 504])('of status %i is absence', (status) => {
    expect(thrown(reply(status))).toBeInstanceOf(AbsentAnswer)
  })

  it.each([301, 302, 307, 308, 400, 401, 403, 404, 405, 407, 410, 418])(
    'of status %i looks like our configuration',
    (status) => {
      const found = thrown(reply(status))
      expect(found).toMatchObject({ name: 'WrongAnswer', fault: 'misconfigured' })
      expect((found as Error).message).toContain('this looks like our configuration')
    },
  )

  it.each([100, 201, 202, 203, 204, 206, 226, 500, 501, 505, 507, 599, 0])(
    'of status %i is wrong, whatever it holds',
    (status) => {
      expect(thrown(reply(status))).toMatchObject({ name: 'WrongAnswer', fault: 'malformed' })
    },
  )

  it('of status 500 is read where errors are told so, as strictly', () => {
    const terms = { ...TERMS, hearsErrors: true }
    expect(readReply(reply(500), terms)).toMatchObject({ status: 500 })
    expect(thrown(reply(500, SOUND, 'oops'), terms)).toBeInstanceOf(WrongAnswer)
  })

  it.each([413, 429])('of status %i to several questions says that they were too much at once', (status) => {
    expect(thrown(reply(status), { ...TERMS, questions: 2 })).toBeInstanceOf(TooMuchAtOnce)
    expect(thrown(reply(status), { ...TERMS, questions: 1 })).not.toBeInstanceOf(TooMuchAtOnce)
  })

  it('that asks for a pause is never answered with more requests', () => {
    const found = thrown(reply(429, { ...SOUND, 'retry-after': ['7'] }), { ...TERMS, questions: 2 })
    expect(found).toMatchObject({ name: 'AbsentAnswer', retryAfterMs: 7_000 })
  })

  it.each<[string, Headers]>([
    ['an age', { ...SOUND, age: ['0'] }],
    ['an encoding', { ...SOUND, 'content-encoding': ['gzip'] }],
    ['no type', { 'x-request-id': ['r1'] }],
    ['the type of HTML', { ...SOUND, 'content-type': ['text/html'] }],
    ['a type that only begins like JSON', { ...SOUND, 'content-type': ['application/json-seq'] }],
    ['another charset', { ...SOUND, 'content-type': ['application/json; charset=latin1'] }],
    ['two types', { ...SOUND, 'content-type': ['application/json', 'application/json'] }],
    ['another id', { ...SOUND, 'x-request-id': ['r2'] }],
    ['no id', { 'content-type': ['application/json'] }],
    ['two ids', { ...SOUND, 'x-request-id': ['r1', 'r1'] }],
  ])('with %s is wrong', (_, headers) => {
    expect(thrown(reply(200, headers))).toMatchObject({ fault: 'malformed' })
  })

  it('that no parser reads alike is told of in our own words: its member names may hold an argument, or move a cursor', () => {
    const found = thrown(reply(200, SOUND, '{"context":{"\\u001b[2K\\r sk-secret":{"constructor":1}}}'))
    expect(found).toMatchObject({ fault: 'malformed', message: 'the reply has a name that reaches prototypes' })
    expect(thrown(reply(200, SOUND, 'sk-secret'))).toMatchObject({
      message: 'the reply should have a JSON value at offset 0',
    })
  })

  it('of a service that echoes nothing needs no id, and is wrong with somebody else’s', () => {
    const terms = { ...TERMS, echo: 'none' } as const
    expect(readReply(reply(200, { 'content-type': ['application/json'] }), terms)).toMatchObject({ status: 200 })
    expect(thrown(reply(200, { ...SOUND, 'x-request-id': ['r2'] }), terms)).toBeInstanceOf(WrongAnswer)
  })
})

describe('Retry-After', () => {
  it.each<[string, readonly string[], number | undefined]>([
    ['seconds', ['7'], 7_000],
    ['zero', ['0'], 0],
    ['a date', ['Sat, 21 Nov 2026 20:00:30 GMT'], 30_000],
    ['a day, cut to ten minutes', ['86400'], 600_000],
    ['a date far away, cut too', ['Sat, 21 Nov 2099 20:00:30 GMT'], 600_000],
    ['a date that is over', ['Sat, 21 Nov 2026 19:59:59 GMT'], undefined],
    ['less than nothing', ['-5'], undefined],
    ['a fraction', ['1.5'], undefined],
    ['words', ['soon'], undefined],
    ['a date that is none', ['Sat, 99 Nov 2026 20:00:30 GMT'], undefined],
    ['two values', ['7', '9'], undefined],
    ['nothing', [], undefined],
  ])('of %s', (_, values, retryAfterMs) => {
    expect(thrown(reply(503, { ...SOUND, 'retry-after': values }))).toMatchObject({
      fault: 'unavailable',
      retryAfterMs,
    })
  })
})
