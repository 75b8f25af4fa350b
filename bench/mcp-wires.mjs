/** The two wires of MCP with as little client as there can be: frames out, frames in. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import http from 'node:http'
import { createInterface } from 'node:readline'

const HELLO = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'bench', version: '1.0.0' },
}
/** A proxy takes a moment to start; one that takes longer is broken. */
const START_MS = 20_000

/** Connects to a server that speaks on its stdin and stdout. */
export async function stdioWire(command, env) {
  const [program, ...args] = command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, ...env } })
  const waiting = new Map()
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = JSON.parse(line)
    waiting.get(message.id)?.(message)
    waiting.delete(message.id)
  })
  let ids = 0
  const send = (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  const request = (method, params) => {
    ids += 1
    const id = ids
    return new Promise((resolve) => {
      waiting.set(id, resolve)
      send({ id, method, params })
    })
  }
  await within(request('initialize', HELLO), command)
  send({ method: 'notifications/initialized' })
  return {
    pid: child.pid,
    call: async (n) => checked(await request('tools/call', { name: 'echo', arguments: { text: `n${n}` } }), n),
    close: async () => {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}

/** Opens a session at a server that listens. */
export async function httpWire(url) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
  const address = new URL(url)
  let session = {}
  let ids = 0
  const post = (message) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ jsonrpc: '2.0', ...message })
      const headers = {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        accept: 'application/json, text/event-stream',
        'mcp-protocol-version': HELLO.protocolVersion,
        ...session,
      }
      const request = http.request(address, { method: 'POST', headers, agent }, (response) => {
        const chunks = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('error', reject)
        response.on('end', () => {
          const id = response.headers['mcp-session-id']
          if (id !== undefined) session = { 'mcp-session-id': id }
          resolve(framesIn(Buffer.concat(chunks).toString(), response.headers['content-type'] ?? ''))
        })
      })
      request.on('error', reject)
      request.end(body)
    })
  const request = async (method, params) => {
    ids += 1
    const id = ids
    const frames = await post({ id, method, params })
    return frames.find((frame) => frame.id === id)
  }
  await request('initialize', HELLO)
  await post({ method: 'notifications/initialized' })
  return {
    call: async (n) => checked(await request('tools/call', { name: 'echo', arguments: { text: `n${n}` } }), n),
    close: async () => agent.destroy(),
  }
}

/** Starts something that listens; resolves with the URL in its first line, or once it answers at `url`. */
export async function listening(command, { env = {}, url }) {
  const [program, ...args] = command
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
  let said = ''
  child.stderr.on('data', (chunk) => (said += chunk))
  const stop = async () => {
    if (child.exitCode !== null) return
    child.kill('SIGTERM')
    await Promise.race([once(child, 'exit'), new Promise((resolve) => setTimeout(resolve, 8_000))])
    child.kill('SIGKILL')
  }
  if (url === undefined) {
    const [line] = await once(child.stdout, 'data')
    return { url: String(line).trim(), pid: child.pid, stop }
  }
  child.stdout.resume()
  const deadline = performance.now() + START_MS
  while (performance.now() < deadline && child.exitCode === null) {
    const isThere = await fetch(url, { method: 'POST' }).then(
      () => true,
      () => false,
    )
    if (isThere) return { url, pid: child.pid, stop }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  await stop()
  throw new Error(`${command.join(' ')} does not listen at ${url}: ${said.slice(-400)}`)
}

/** A port that nobody has now. */
export async function freePort() {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}

function framesIn(body, type) {
  if (body === '') return []
  if (!type.startsWith('text/event-stream')) return [JSON.parse(body)]
  return body
    .split(/\r?\n/)
    .filter((line) => line.startsWith('data:') && line.length > 6)
    .map((line) => JSON.parse(line.slice(5)))
}

/** A measured call is one that ran: an error is quick, and says nothing of the way. */
function checked(frame, n) {
  const [content] = frame?.result?.content ?? []
  if (content?.text !== `n${n}`) throw new Error(`call ${n} did not run: ${JSON.stringify(frame)}`)
}

async function within(promise, command) {
  const late = new Promise((_resolve, reject) =>
    setTimeout(() => reject(new Error(`${command.join(' ')} did not answer`)), START_MS).unref(),
  )
  return await Promise.race([promise, late])
}
