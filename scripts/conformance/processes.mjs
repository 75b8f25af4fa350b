// The fixture and the proxy as processes of their own.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = path.resolve(import.meta.dirname, '..', '..')
const support = path.join(root, 'test', 'support', 'conformance')
const limitMs = 20_000

/** Everything may run, so that whatever differs is the proxy's doing. */
const ALLOW_ALL = 'permit (principal, action, resource);\n'

/** The command that speaks stdio, and the one that acts as a client. */
export const stdioServer = [process.execPath, path.join(support, 'server-stdio-child.ts')]
export const client = [process.execPath, path.join(support, 'client-child.ts')]

/** Starts the fixture over HTTP. Resolves with its URL and a way to end it. */
export async function startFixture() {
  const child = start([process.execPath, path.join(support, 'server-http-child.ts')], process.env)
  const url = await firstLine(child)
  return { url, close: () => end(child) }
}

/**
 * Starts the proxy in front of one upstream, in a state folder of its own: its receipts are as durable as everywhere.
 * `upstream` is a URL, or a command as a list of words.
 */
export async function startProxy(upstream) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-conformance-'))
  const policy = path.join(folder, 'allow-all.cedar')
  writeFileSync(policy, ALLOW_ALL)
  const port = await freePort()
  const to = Array.isArray(upstream) ? ['--name', 'fixture', '--', ...upstream] : ['--upstream', `fixture=${upstream}`]
  const program = [process.execPath, path.join(root, 'dist', 'src', 'cli', 'main.js'), 'mcp']
  const child = start([...program, '--listen', `127.0.0.1:${port}`, '--policy', policy, ...to], {
    ...process.env,
    HOLDPOINT_STATE: path.join(folder, 'state'),
  })
  const close = async () => {
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await reached(port, child)
  } catch (error) {
    await close()
    throw error
  }
  return { url: `http://127.0.0.1:${port}/mcp/fixture`, close, said: () => child.said.join('') }
}

function start([command, ...words], env) {
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  child.said = []
  child.stderr.on('data', (chunk) => child.said.push(`${chunk}`))
  child.ended = new Promise((resolve) => child.once('close', resolve))
  return child
}

async function end(child) {
  child.kill('SIGTERM')
  const isEnded = await Promise.race([child.ended.then(() => true), sleep(5_000, false, { ref: false })])
  if (!isEnded) child.kill('SIGKILL')
}

function firstLine(child) {
  return new Promise((resolve, reject) => {
    child.stdout.once('data', (chunk) => resolve(`${chunk}`.trim()))
    child.ended.then(() => reject(new Error(`the fixture did not start:\n${child.said.join('')}`)))
  })
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Resolves once the port answers. */
async function reached(port, child) {
  const until = Date.now() + limitMs
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`the proxy ended before it listened:\n${child.said.join('')}`)
    if (await answers(port)) return
    await sleep(50)
  }
  throw new Error(`the proxy did not listen within ${limitMs} ms:\n${child.said.join('')}`)
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true))
    socket.once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
    socket.once('connect', () => socket.destroy())
  })
}
