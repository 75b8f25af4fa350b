/**
 * The least MCP server that a proxy can stand in front of: one tool that says what it is told. What is measured is then the way to
 * it. `node mcp-echo.mjs` speaks stdio; `node mcp-echo.mjs --http` listens on a free port of 127.0.0.1, prints its URL, and answers in JSON.
 */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

const TOOL = {
  name: 'echo',
  description: 'Reads a text and gives it back.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] },
}

/** The answer to one request; none to a notification. */
function answer({ id, method, params }) {
  if (id === undefined) return undefined
  switch (method) {
    case 'initialize':
      return result(id, {
        protocolVersion: params.protocolVersion,
        capabilities: { tools: {} },
        serverInfo: { name: 'echo', version: '1.0.0' },
      })
    case 'tools/list':
      return result(id, { tools: [TOOL] })
    case 'tools/call':
      return result(id, { content: [{ type: 'text', text: params.arguments.text }] })
    default:
      return { jsonrpc: '2.0', id, error: { code: -32601, message: `${method} is not offered` } }
  }
}

function result(id, said) {
  return { jsonrpc: '2.0', id, result: said }
}

function speakStdio() {
  createInterface({ input: process.stdin }).on('line', (line) => {
    const said = answer(JSON.parse(line))
    if (said !== undefined) process.stdout.write(`${JSON.stringify(said)}\n`)
  })
}

function speakHttp() {
  let sessions = 0
  const server = createServer((request, response) => {
    const chunks = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method !== 'POST') {
        response.writeHead(request.method === 'DELETE' ? 200 : 405).end()
        return
      }
      const message = JSON.parse(Buffer.concat(chunks).toString())
      const said = answer(message)
      if (said === undefined) {
        response.writeHead(202).end()
        return
      }
      sessions += message.method === 'initialize' ? 1 : 0
      const session = message.method === 'initialize' ? { 'mcp-session-id': `echo-${sessions}` } : {}
      response.writeHead(200, { 'content-type': 'application/json', ...session }).end(JSON.stringify(said))
    })
  })
  server.listen(0, '127.0.0.1', () => process.stdout.write(`http://127.0.0.1:${server.address().port}/mcp\n`))
}

if (process.argv.includes('--http')) speakHttp()
else speakStdio()
