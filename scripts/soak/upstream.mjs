// An HTTP upstream that is as unreliable as upstreams are. Writes down every call that it executes.
import { appendFileSync } from 'node:fs'
import { createServer } from 'node:http'

const TOOLS = ['get_note', 'ask_note', 'delete_note', 'reset', 'page', 'slow'].map((name) => ({
  name,
  description: 'For a test',
  inputSchema: { type: 'object' },
}))

/** Starts it on a free port of this machine. */
export async function startUpstream(ran) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => answer(body === '' ? undefined : JSON.parse(body), response))
    request.on('error', () => {})
  })
  await new Promise((done) => server.listen(0, '127.0.0.1', done))
  return {
    url: `http://127.0.0.1:${server.address().port}/mcp`,
    close: () => {
      server.closeAllConnections()
      return new Promise((done) => server.close(done))
    },
  }

  function answer(frame, response) {
    if (frame?.id === undefined) return void response.writeHead(frame === undefined ? 405 : 202).end()
    const reply = (result) =>
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ jsonrpc: '2.0', id: frame.id, result }))
    switch (frame.method) {
      case 'initialize':
        return void reply({
          protocolVersion: '2025-11-25',
          capabilities: { tools: {} },
          serverInfo: { name: 'up', version: '1' },
        })
      case 'tools/list':
        return void reply({ tools: TOOLS })
      case 'tools/call': {
        const { name, arguments: args = {} } = frame.params
        appendFileSync(ran, `${name} ${args.mark}\n`)
        if (name === 'reset') return void response.destroy()
        if (name === 'page') return void response.writeHead(500, { 'content-type': 'text/html' }).end('<h1>Error</h1>')
        const said = () => reply({ content: [{ type: 'text', text: name }] })
        return void (name === 'slow' ? setTimeout(said, 3_000).unref() : said())
      }
      default:
        return void reply({})
    }
  }
}
