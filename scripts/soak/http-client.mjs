// One session over Streamable HTTP (MCP 2025-11-25), by hand.

/** Opens a session at a proxy. */
export async function startHttp(url) {
  let last = 0
  let session
  const headers = () => ({
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    'mcp-protocol-version': '2025-11-25',
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  })

  /** The answer; `undefined` where none came. */
  async function ask(method, params, { waitMs = 20_000 } = {}) {
    last += 1
    const id = last
    const signal = AbortSignal.timeout(waitMs)
    try {
      const body = JSON.stringify({ jsonrpc: '2.0', id, method, params })
      const response = await fetch(url, { method: 'POST', headers: headers(), body, signal })
      session ??= response.headers.get('mcp-session-id') ?? undefined
      return answerIn(await response.text(), id)
    } catch {
      return undefined
    }
  }

  const opened = await ask('initialize', {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'soak', version: '1' },
  })
  if (opened?.result === undefined) throw new Error(`the proxy did not answer over HTTP: ${JSON.stringify(opened)}`)
  const tell = (frame) =>
    fetch(url, { method: 'POST', headers: headers(), body: JSON.stringify({ jsonrpc: '2.0', ...frame }) })
      .then((response) => response.arrayBuffer())
      .catch(() => undefined)
  await tell({ method: 'notifications/initialized' })
  return {
    ask,
    call: (name, args, terms) => ask('tools/call', { name, arguments: args }, terms),
    cancel: (id) => tell({ method: 'notifications/cancelled', params: { requestId: id } }),
    nextId: () => last + 1,
    leave: async () => {
      if (session === undefined) return
      await fetch(url, { method: 'DELETE', headers: headers() })
        .then((response) => response.arrayBuffer())
        .catch(() => undefined)
    },
  }
}

/** A JSON body, or the event of a stream that answers this id. */
function answerIn(text, id) {
  const frames = text.startsWith('{')
    ? [text]
    : text.split('\n').flatMap((line) => line.match(/^data: ?(\{.*)/)?.[1] ?? [])
  for (const one of frames) {
    const frame = JSON.parse(one)
    if (frame.id === id && frame.method === undefined) return frame
  }
  return undefined
}
