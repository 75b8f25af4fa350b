import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { RECEIPT_KEY, REFUSAL_KEY } from '../../../adapters/mcp/index.ts'
import { eventually, type Frame, rest } from '../mcp/wire.ts'
import { event, json, META, modernHeaders, type Play, startStage, stream, textOf } from './http-stage.ts'

const CALL = { method: 'tools/call', params: { name: 'get', arguments: { id: '7' } } }
const WIPE = { method: 'tools/call', params: { name: 'wipe', arguments: {} } }
const ASKING = { gate: { policy: 'ask/v1', tools: { 'notes/send': { materiality: 'high' } } } } as const
const SEND = { name: 'send', arguments: { to: 'bob' } }

const refusalOf = ({ result = {} }: Frame) =>
  (result['_meta'] as Record<string, { readonly code: string }>)?.[REFUSAL_KEY]
const isAnswer = ({ method }: Frame) => method === undefined

describe('a call through the proxy over HTTP', () => {
  it('of a session runs when it is permitted, with its receipt, and never reaches the server when it is refused', async () => {
    const stage = await startStage()
    const session = await stage.begin()
    const [ran] = (await (await stage.post({ id: 1, ...CALL }, session)).whole()).frames
    expect(textOf(ran ?? {})).toBe('get ran')
    expect(ran?.result?.['_meta']).toHaveProperty([RECEIPT_KEY])
    const [refused = {}] = (await (await stage.post({ id: 2, ...WIPE }, session)).whole()).frames
    expect(refusalOf(refused)).toMatchObject({ code: 'denied_by_policy', tool: 'notes/wipe' })
    expect(refused.result).not.toHaveProperty('resultType')
    expect(stage.calls().map(({ params }) => params?.['name'])).toEqual(['get'])
    expect(await stage.outcomes(1)).toEqual(['ok'])
  })

  it('of the later era likewise, with no session', async () => {
    const stage = await startStage()
    const [ran = {}] = (await (await stage.ask('tools/call', CALL.params)).whole()).frames
    expect(textOf(ran)).toBe('get ran')
    const [refused = {}] = (await (await stage.ask('tools/call', WIPE.params)).whole()).frames
    expect(refused.result).toMatchObject({ resultType: 'complete', isError: true })
    expect(stage.calls().map(({ params }) => params?.['name'])).toEqual(['get'])
  })

  it('under an id that another client uses at the same moment gets its own answer', async () => {
    const held: (() => void)[] = []
    const stage = await startStage({
      play: ({ id, method, params = {} }, response) => {
        if (method !== 'tools/call') return undefined
        return held.push(() =>
          json(response, { id, result: { content: [{ type: 'text', text: JSON.stringify(params['arguments']) }] } }),
        )
      },
    })
    const first = stage.ask('tools/call', { name: 'get', arguments: { id: 'a' } })
    await eventually(() => (held.length === 1 ? true : undefined))
    const second = stage.ask('tools/call', { name: 'get', arguments: { id: 'b' } })
    await eventually(() => (held.length === 2 ? true : undefined))
    for (const answer of held.toReversed()) answer()
    const told = await Promise.all(
      [first, second].map(async (one) => textOf((await (await one).whole()).frames[0] ?? {})),
    )
    expect(told).toEqual(['{"id":"a"}', '{"id":"b"}'])
  })
})

describe('a person at the client of a session', () => {
  it('is asked on the stream that answers the call, and on their yes it runs and is answered there', async () => {
    const stage = await startStage(ASKING)
    const session = await stage.begin({ elicitation: {} })
    const call = await stage.post({ id: 1, method: 'tools/call', params: SEND }, session)
    const asked = await call.until(({ method }) => method === 'elicitation/create')
    expect(stage.calls()).toEqual([])
    const reply = { id: asked.id, result: { action: 'accept', content: { approve: true } } }
    expect((await stage.post(reply, session)).status).toBe(202)
    expect(textOf(await call.until(isAnswer))).toBe('send ran')
    expect((await call.whole()).headers['content-type']).toBe('text/event-stream')
    expect(stage.seen.filter(({ body }) => body.includes('approve'))).toEqual([])
    expect(stage.calls()).toHaveLength(1)
  })

  it('is not asked by way of another session: its answer there is no answer', async () => {
    const stage = await startStage(ASKING)
    const [mine, theirs] = [await stage.begin({ elicitation: {} }), await stage.begin()]
    const call = await stage.post({ id: 1, method: 'tools/call', params: SEND }, mine)
    const asked = await call.until(({ method }) => method === 'elicitation/create')
    await stage.post({ id: asked.id, result: { action: 'accept', content: { approve: true } } }, theirs)
    await rest()
    expect(stage.calls()).toEqual([])
    call.leave()
  })

  it('who goes away while the question is open leaves a call that never runs', async () => {
    const stage = await startStage(ASKING)
    const session = await stage.begin({ elicitation: {} })
    const call = await stage.post({ id: 1, method: 'tools/call', params: SEND }, session)
    const asked = await call.until(({ method }) => method === 'elicitation/create')
    call.leave()
    await rest()
    await stage.post({ id: asked.id, result: { action: 'accept', content: { approve: true } } }, session)
    await (await stage.post({ id: 2, ...CALL }, session)).whole()
    expect(stage.calls().map(({ params }) => params?.['name'])).toEqual(['get'])
    expect(stage.gate.calls.filter(({ outcome }) => outcome === 'permitted').map(({ tool }) => tool)).toEqual([
      'notes/get',
    ])
  })
})

describe('a stream of the server', () => {
  it('passes as it comes, with its places, its pace and its comments', async () => {
    let open: ServerResponse | undefined
    const stage = await startStage({
      play: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        open = response
        return stream(
          response,
          `id: 1\nretry: 250\ndata: \n\n: still here\n\n${event({ method: 'notifications/progress', params: { progressToken: 'p', progress: 1 } }, '2')}`,
        )
      },
    })
    const session = await stage.begin()
    const call = await stage.post({ id: 1, ...CALL }, session)
    await call.until(({ method }) => method === 'notifications/progress')
    expect(call.text).toContain('id: 1\n')
    expect(call.text).toContain('retry: 250\n')
    expect(call.text).toContain(': still here\n')
    expect(call.text).toContain('id: 2\n')
    expect(call.headers['x-accel-buffering']).toBe('no')
    expect(call.isOver).toBe(false)
    open?.end(event({ id: 1, result: { content: [] } }, '3'))
    expect((await call.until(isAnswer)).result?.['_meta']).toHaveProperty([RECEIPT_KEY])
    expect((await call.whole()).text).toContain('id: 3\n')
  })

  it('that broke off goes on where the client comes back, and the answer there is the call’s: with its receipt, settled', async () => {
    const stage = await startStage({
      play: ({ method }, response, { headers, method: verb }) => {
        if (method === 'tools/call') {
          stream(response, 'id: 9\ndata: \n\n')
          return response.end()
        }
        if (verb !== 'GET') return undefined
        expect(headers['last-event-id']).toBe('9')
        stream(response, event({ id: 1, result: { content: [{ type: 'text', text: 'late' }] } }, '10'))
        return response.end()
      },
    })
    const session = await stage.begin()
    const call = await (await stage.post({ id: 1, ...CALL }, session)).whole()
    expect(call.frames).toEqual([])
    const resumed = await stage.send('GET', { accept: 'text/event-stream', 'last-event-id': '9', ...session })
    const answer = await resumed.until(isAnswer)
    expect(textOf(answer)).toBe('late')
    expect(answer.result?.['_meta']).toHaveProperty([RECEIPT_KEY])
    expect(await stage.outcomes(1)).toEqual(['ok'])
  })

  it('that asks the client gets its answer, and nothing that answers nothing', async () => {
    let open: ServerResponse | undefined
    const stage = await startStage({
      play: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        open = response
        return stream(
          response,
          event({ id: 'q', method: 'sampling/createMessage', params: { messages: [], maxTokens: 1 } }),
        )
      },
    })
    const session = await stage.begin({ sampling: {} })
    const call = await stage.post({ id: 1, ...CALL }, session)
    await call.until(({ method }) => method === 'sampling/createMessage')
    expect((await stage.post({ id: 'q', result: { role: 'assistant' } }, session)).status).toBe(202)
    expect((await stage.post({ id: 'forged', result: { role: 'assistant' } }, session)).status).toBe(202)
    const answers = stage.seen.filter(({ body }) => body.includes('"assistant"'))
    expect(answers.map(({ body }) => (JSON.parse(body) as Frame).id)).toEqual(['q'])
    open?.end(event({ id: 1, result: { content: [] } }))
    await call.until(isAnswer)
  })
})

/** A server that has one tool, and acts by the header that its schema speaks of. */
const BY_HEADER: Play = ({ id, method }, response) => {
  if (method !== 'tools/list') return undefined
  const properties = { region: { type: 'string', 'x-mcp-header': 'Region' } }
  const get = { name: 'get', description: 'For a test', inputSchema: { type: 'object', properties } }
  return json(response, { id, result: { tools: [get], resultType: 'complete', ttlMs: 0, cacheScope: 'private' } })
}

describe('a header that an upstream acts by', () => {
  it.each([
    ['another value than the call', { region: 'eu' }, 'us'],
    ['nothing', { region: 'eu' }, undefined],
    ['nonsense', { region: 'eu' }, '=?base64?!?='],
    ['what the call does not', {}, 'us'],
    ['what the call says to be nothing', { region: null }, 'us'],
  ])('says %s: the upstream never hears of the call', async (_what, args, said) => {
    const stage = await startStage({ play: BY_HEADER })
    const params = { name: 'get', arguments: args, _meta: META }
    const headers = {
      ...modernHeaders('tools/call', params),
      ...(said === undefined ? {} : { 'mcp-param-region': said }),
    }
    const answer = await (await stage.post({ id: 1, method: 'tools/call', params }, headers)).whole()
    expect([answer.status, answer.frames[0]?.id, answer.frames[0]?.error?.code]).toEqual([400, 1, -32_020])
    expect(stage.calls()).toEqual([])
  })

  it('says otherwise than a call of the earlier era, which has no such headers: that does not run either', async () => {
    const stage = await startStage({ play: BY_HEADER })
    const session = await stage.begin()
    const call = { method: 'tools/call', params: { name: 'get', arguments: { region: 'eu' } } }
    const wrong = await (await stage.post({ id: 1, ...call }, { ...session, 'mcp-param-region': 'us' })).whole()
    expect(wrong.status).toBe(400)
    expect((await (await stage.post({ id: 2, ...call }, session)).whole()).status).toBe(200)
    expect(stage.calls()).toHaveLength(1)
  })

  it('says the same: the call runs', async () => {
    const stage = await startStage({ play: BY_HEADER })
    const params = { name: 'get', arguments: { region: 'eu' }, _meta: META }
    const headers = { ...modernHeaders('tools/call', params), 'mcp-param-region': 'eu' }
    const [ran = {}] = (await (await stage.post({ id: 1, method: 'tools/call', params }, headers)).whole()).frames
    expect(textOf(ran)).toBe('get ran')
  })
})

describe('a header of an argument that policy changes', () => {
  const properties = {
    amount: { type: 'number', 'x-mcp-header': 'Amount' },
    dryRun: { type: 'boolean', 'x-mcp-header': 'Dry' },
    note: { type: 'string', 'x-mcp-header': 'Note' },
  }
  const play: Play = ({ id, method }, response) => {
    if (method !== 'tools/list') return undefined
    const pay = { name: 'pay', description: 'For a test', inputSchema: { type: 'object', properties } }
    return json(response, { id, result: { tools: [pay], resultType: 'complete', ttlMs: 0, cacheScope: 'private' } })
  }
  const policy = String.raw`
@id("less") @obligation("limit:{\"path\":\"/amount\",\"max\":5}") permit (principal, action, resource);
@id("dry") @obligation("dry_run:{\"path\":\"/dryRun\"}") permit (principal, action, resource);`
  const said = { 'mcp-param-amount': '900', 'mcp-param-note': '=?base64?bcO8Z2U=?=' }
  const input = { amount: 900, note: 'müge' }

  it.each([
    ['of the later era', META, '5', 'true'],
    ['of the earlier era, where the client said it', undefined, '5', undefined],
  ])('says what runs, in a call %s', async (_, meta, amount, dry) => {
    const stage = await startStage({ policy, play })
    const params = { name: 'pay', arguments: input, ...(meta === undefined ? {} : { _meta: meta }) }
    const era = meta === undefined ? await stage.begin() : modernHeaders('tools/call', params)
    await (await stage.post({ id: 1, method: 'tools/call', params }, { ...era, ...said })).whole()
    const seen = stage.seen.find(({ body }) => body.includes('"tools/call"'))
    expect(JSON.parse(seen?.body ?? '{}')).toMatchObject({ params: { arguments: { amount: 5, dryRun: true } } })
    expect(seen?.headers).toMatchObject({ 'mcp-param-amount': amount, 'mcp-param-note': said['mcp-param-note'] })
    expect(seen?.headers['mcp-param-dry']).toBe(dry)
  })
})

describe('a client that goes away', () => {
  it('cancels its request in the later era: the server sees it leave', async () => {
    let left: (() => void) | undefined
    const gone = new Promise<void>((done) => {
      left = done
    })
    const stage = await startStage({
      play: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        response.on('close', () => left?.())
        return stream(response)
      },
    })
    const call = await stage.ask('tools/call', CALL.params)
    call.leave()
    await gone
  })

  it('leaves a call of which nobody knows how it ended: nothing is on record that the server did not say', async () => {
    let hasRun = false
    const stage = await startStage({
      play: ({ method }, response) => {
        if (method !== 'tools/call') return undefined
        response.once('close', () => {
          hasRun = true
        })
        return stream(response)
      },
    })
    const call = await stage.ask('tools/call', CALL.params)
    call.leave()
    expect(await stage.outcomes(1)).toEqual(['unknown'])
    await eventually(() => hasRun || undefined)
  })
})

/** What a server may do instead of answering, and the status that its client gets then. */
const FAULTS: readonly (readonly [what: string, fault: Play, status: number])[] = [
  ['closes the connection', (_, response) => response.destroy(), 502],
  ['answers with a page', (_, response) => page(response, 500, 'text/html', '<h1>no</h1>'), 500],
  [
    'answers with a status that is none',
    (_, response) => response.socket?.end('HTTP/1.1 099 No\r\ncontent-length: 2\r\n\r\n{}'),
    502,
  ],
  ['answers with nonsense', (_, response) => page(response, 200, 'application/json', '{"id":'), 502],
  ['answers another request', (_, response) => json(response, { id: 77, result: {} }), 502],
  ['breaks off its stream', (_, response) => stream(response) && setTimeout(() => response.destroy(), 5), 200],
  ['ends its stream with nothing said', (_, response) => stream(response) && response.end(), 200],
  ['sends the client elsewhere', (_, response) => page(response, 307, 'text/html', ''), 502],
  ['does not take our credentials', (_, response) => page(response, 401, 'text/html', ''), 502],
  [
    'compresses unasked',
    (_, response) => page(response.setHeader('content-encoding', 'gzip'), 200, 'application/json', 'x'),
    502,
  ],
  ['acknowledges a request and answers nothing', (_, response) => response.writeHead(202).end(), 502],
]

function page(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'www-authenticate': 'Bearer' }).end(text)
}

describe('a server that', () => {
  it.each(FAULTS)('%s leaves nobody waiting, and the outcome is unknown', async (_what, fault, status) => {
    const stage = await startStage({
      play: (frame, ...rest) => (frame.method === 'tools/call' ? [fault(frame, ...rest)] : undefined),
    })
    for (const send of [
      async () => await stage.post({ id: 1, ...CALL }, await stage.begin()),
      async () => await stage.ask('tools/call', CALL.params),
    ]) {
      const answer = await (await send()).whole()
      expect(answer.status).toBe(status)
      expect(answer.headers['www-authenticate']).toBeUndefined()
      expect(answer.frames.at(-1)).toMatchObject({ id: 1, error: { message: expect.stringContaining('holdpoint: ') } })
    }
    expect(await stage.outcomes(2)).toEqual(['unknown', 'unknown'])
  })

  it.each([
    ['with', (answer: string, response: ServerResponse) => page(response, 200, 'application/json', answer)],
    ['in a stream with', (answer: string, response: ServerResponse) => stream(response, `data: ${answer}\n\n`)],
  ])('answers %s what nobody can write leaves nobody waiting', async (_where, say) => {
    const stage = await startStage({
      play: ({ id, method }, response) => {
        if (method !== 'tools/call') return undefined
        const deep = `${'['.repeat(100_000)}12345678901234567890${']'.repeat(100_000)}`
        return [say(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[],"x":${deep}}}`, response)]
      },
    })
    const answer = await stage.ask('tools/call', CALL.params)
    expect((await answer.until(isAnswer)).error?.message).toContain('too deeply')
    answer.leave()
  })

  it('says in a stream what nobody can write loses that alone', async () => {
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    const stage = await startStage({
      play: ({ id, method }, response) => {
        if (method !== 'tools/call') return undefined
        stream(response, `data: {"jsonrpc":"2.0","method":"notifications/message","params":{"x":${deep}}}\n\n`)
        return response.end(event({ id, result: { content: [{ type: 'text', text: 'said' }] } }))
      },
    })
    expect(textOf(await (await stage.ask('tools/call', CALL.params)).until(isAnswer))).toBe('said')
    expect(stage.notes).toEqual([expect.stringContaining('a message was lost')])
  })

  it('ends a stream of the later era leaves nobody waiting, though it named a place: nothing is taken up there', async () => {
    const stage = await startStage({
      play: ({ method }, response) =>
        method === 'tools/call' ? stream(response, 'id: 9\ndata: \n\n') && response.end() : undefined,
    })
    const answer = await (await stage.ask('tools/call', CALL.params)).whole()
    expect(answer.frames.at(-1)).toMatchObject({ id: 1, error: { message: expect.stringContaining('holdpoint: ') } })
    expect(await stage.outcomes(1)).toEqual(['unknown'])
  })

  it('never answers is given up, and the proxy stays up', async () => {
    const stage = await startStage({
      play: ({ method }) => (method === 'tools/call' ? true : undefined),
      serve: { limits: { answerMs: 1_000 } },
    })
    const answer = await (await stage.ask('tools/call', CALL.params)).whole()
    expect(answer.status).toBe(504)
    expect(await stage.outcomes(1)).toEqual(['unknown'])
    expect((await stage.ask('tools/list', {})).status).toBe(200)
  })

  it.each([
    [
      'an answer',
      (response: ServerResponse) => response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
    ],
    ['a stream', (response: ServerResponse) => stream(response)],
    ['a stream that could be resumed', (response: ServerResponse) => stream(response, 'id: 9\ndata: \n\n')],
  ])('begins %s and does not end it while the operator would wait is given up', async (_what, begin) => {
    const stage = await startStage({
      play: ({ method }, response) => (method === 'tools/call' ? begin(response) : undefined),
      serve: { limits: { answerMs: 500 } },
    })
    const session = await stage.begin()
    const answer = await (await stage.post({ id: 1, ...CALL }, session)).whole()
    expect(answer.frames.at(-1)).toMatchObject({ id: 1, error: { message: expect.stringContaining('within 500 ms') } })
    expect(await stage.outcomes(1)).toEqual(['unknown'])
  })

  it('is not there is said not to be there', async () => {
    const stage = await startStage({ upstream: { url: new URL('http://127.0.0.1:1/mcp') } })
    const answer = await (await stage.ask('tools/list', {})).whole()
    expect(answer.status).toBe(502)
    expect(answer.frames[0]?.error?.message).toContain('ECONNREFUSED')
  })
})

describe('what crosses the proxy', () => {
  it('is never the token or the cookie that was for us; what is ours to add is added', async () => {
    const stage = await startStage({ upstream: { headers: new Map([['authorization', 'Bearer ours']]) } })
    const secrets = { authorization: 'Bearer theirs', cookie: 'a=theirs', 'proxy-authorization': 'Basic theirs' }
    await (
      await stage.post(
        { id: 1, method: 'tools/call', params: { ...CALL.params, _meta: META } },
        { ...secrets, 'mcp-param-region': 'eu', ...modernHeaders('tools/call', CALL.params) },
      )
    ).whole()
    expect(stage.seen.length).toBeGreaterThan(1)
    for (const { headers } of stage.seen) {
      expect(JSON.stringify(headers)).not.toContain('theirs')
      expect(headers.authorization).toBe('Bearer ours')
    }
    expect(stage.seen.at(-1)?.headers['mcp-param-region']).toBe('eu')
    expect(stage.seen.find(({ body }) => body.includes('tools/list'))?.headers).toMatchObject({
      'mcp-method': 'tools/list',
    })
  })

  it('is no credential of ours on its way back, whatever a server repeats, and no word on whose pages may read', async () => {
    const stage = await startStage({
      upstream: { headers: new Map([['x-api-key', 'ours']]) },
      play: (_, response, { headers }) => {
        response.setHeader('x-api-key', String(headers['x-api-key']))
        response.setHeader('X_Api_Key', String(headers['x-api-key']))
        response.setHeader('authorization', 'Bearer ours')
        response.setHeader('alt-svc', 'h3=":443"')
        response.setHeader('access-control-allow-origin', '*')
        response.setHeader('x-theirs', 'told')
        return undefined
      },
    })
    const { headers } = await (await stage.ask('tools/call', CALL.params)).whole()
    expect(stage.seen[0]?.headers['x-api-key']).toBe('ours')
    expect(JSON.stringify(headers)).not.toContain('ours')
    expect(headers).toMatchObject({ 'x-theirs': 'told' })
    expect(Object.keys(headers).filter((name) => /^alt-svc|^access-control/.test(name))).toEqual([])
  })

  it('asks for an answer that can be read as it streams, once in every request', async () => {
    const stage = await startStage()
    const session = await stage.begin()
    await (await stage.post({ id: 1, ...CALL }, { ...session, 'accept-encoding': 'br' })).whole()
    await (await stage.send('GET', { accept: 'text/event-stream', ...session })).whole()
    await (await stage.send('DELETE', session)).whole()
    expect(new Set(stage.seen.map(({ method }) => method))).toEqual(new Set(['POST', 'GET', 'DELETE']))
    // Node makes one text of a header that comes twice.
    expect(new Set(stage.seen.map(({ headers }) => headers['accept-encoding']))).toEqual(new Set(['identity']))
  })

  it('is a method that nobody knows, as it was written, and the number that no double holds', async () => {
    const stage = await startStage({
      play: ({ id, method }, response) => {
        if (method !== 'acme/odd') return undefined
        const body = `{"jsonrpc":"2.0","id":${id},"result":{"big":12345678901234567890,"x-odd":{"a":1}}}`
        return response.writeHead(200, { 'content-type': 'application/json' }).end(body)
      },
    })
    const session = await stage.begin()
    const answer = await stage.send(
      'POST',
      { 'content-type': 'application/json', ...session },
      '{"jsonrpc":"2.0","id":5,"method":"acme/odd","params":{"n":1.50}}',
    )
    expect((await answer.whole()).text).toContain('12345678901234567890')
    expect(stage.seen.at(-1)?.body).toContain('"n":1.50')
  })
})

describe('a session', () => {
  it('that the server has forgotten is forgotten here too, and the client is told to begin anew', async () => {
    let isForgotten = false
    const stage = await startStage({
      play: (_, response) =>
        isForgotten ? json(response, { id: null, error: { code: -32001, message: 'gone' } }, 404) : undefined,
    })
    const session = await stage.begin()
    isForgotten = true
    const answer = await (await stage.post({ id: 1, ...CALL }, session)).whole()
    expect(answer.status).toBe(404)
  })

  it('that the server has forgotten, and says so of the very request, is begun anew too: 404 and no other', async () => {
    let isForgotten = false
    const stage = await startStage({
      play: ({ id }, response) =>
        isForgotten ? json(response, { id, error: { code: -32001, message: 'gone' } }, 404) : undefined,
    })
    const session = await stage.begin()
    isForgotten = true
    const answer = await (await stage.post({ id: 9, method: 'prompts/list' }, session)).whole()
    expect([answer.status, answer.frames[0]?.id]).toEqual([404, 9])
  })

  it('that we do not know is not ended for one request by the failure of another', async () => {
    const open: ServerResponse[] = []
    const stage = await startStage({
      play: ({ method }, response) => {
        if (method === 'prompts/list') return [response.destroy()]
        return method === 'resources/list' ? open.push(response) : undefined
      },
    })
    const session = { 'mcp-session-id': 'of-old' }
    const waiting = stage.post({ id: 1, method: 'resources/list' }, session)
    await eventually(() => open.length === 1 || undefined)
    expect((await (await stage.post({ id: 2, method: 'prompts/list' }, session)).whole()).status).toBe(502)
    for (const response of open) json(response, { id: 1, result: { resources: [] } })
    expect((await (await waiting).whole()).frames[0]?.result).toEqual({ resources: [] })
  })

  it('is one of so many at once: beyond, clients are told when to come again', async () => {
    const stage = await startStage({ serve: { limits: { maxSessions: 1 } } })
    await stage.begin()
    const refused = await stage.post({
      id: 0,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {} },
    })
    expect(refused.status).toBe(503)
    expect(refused.headers['retry-after']).toBe('5')
  })
})
