// The fixture and the proxy as processes of their own.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const root = path.resolve(import.meta.dirname, '..', '..')
const support = path.join(root, 'test', 'support', 'conformance')
const holdpoint = [process.execPath, path.join(root, 'dist', 'src', 'cli', 'main.js')]
const limitMs = 20_000

/** Everything may run, so that whatever differs is the proxy's doing. */
const ALLOW_ALL = '@id("allow-all")\npermit (principal, action, resource);\n'

/** The command that speaks stdio, and the one that acts as a client. */
export const stdioServer = [process.execPath, path.join(support, 'server-stdio-child.ts')]
export const client = [process.execPath, path.join(support, 'client-child.ts')]

/** Starts the fixture over HTTP. Resolves with its URL and a way to end it. */
export async function startFixture() {
  return await startServer('server-http-child.ts')
}

/** The same behind `guardServer`, in one process. */
export async function startGuardedFixture() {
  return await startServer('server-guarded-child.ts')
}

async function startServer(name) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-conformance-'))
  const child = start([process.execPath, path.join(support, name)], folder)
  return await ready(child, folder, async () => ({ url: await firstLine(child) }))
}

/**
 * Starts the proxy in front of one upstream, in a state folder of its own: its receipts are as durable as everywhere.
 * `upstream` is a URL, or a command as a list of words.
 */
export async function startProxy(upstream) {
  const folder = mkdtempSync(path.join(tmpdir(), 'holdpoint-conformance-'))
  const policy = path.join(folder, 'allow-all.cedar')
  writeFileSync(policy, ALLOW_ALL)
  const to = Array.isArray(upstream) ? ['--name', 'fixture', '--', ...upstream] : ['--upstream', `fixture=${upstream}`]
  const child = start([...holdpoint, 'mcp', '--listen', '127.0.0.1:0', '--policy', policy, ...to], folder)
  return await ready(child, folder, async () => ({ url: await listening(child), said: () => child.said.join('') }))
}

/** What `begin` finds, with a way to end the process, which resolves with what became of its receipts. */
async function ready(child, folder, begin) {
  const close = async () => {
    await end(child)
    const receipts = verify(folder)
    rmSync(folder, { recursive: true, force: true })
    return receipts
  }
  try {
    return { ...(await begin()), close }
  } catch (error) {
    await close()
    throw error
  }
}

/** What `holdpoint verify` says of the receipts below a folder: how many there are, and whether the chain is whole to its end. */
function verify(folder) {
  const env = { ...process.env, HOLDPOINT_STATE: stateBelow(folder) }
  if (!existsSync(env.HOLDPOINT_STATE)) return undefined
  const [command, ...words] = holdpoint
  const { stdout } = spawnSync(command, [...words, 'verify', '--json', '--require-seal'], { env, encoding: 'utf8' })
  const { ok, count, settled, failures } = JSON.parse(stdout)
  return { ok, count, settled, failures }
}

function stateBelow(folder) {
  return path.join(folder, 'state')
}

function start([command, ...words], folder) {
  const env = { ...process.env, HOLDPOINT_STATE: stateBelow(folder) }
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

/** Where the proxy says that it listens. */
async function listening(child) {
  const url = new Promise((resolve) => {
    child.stderr.on('data', () => {
      const [, found] = /listening: (\S+?)(?:,|\n)/.exec(child.said.join('')) ?? []
      if (found !== undefined) resolve(found)
    })
  })
  const found = await Promise.race([url, child.ended.then(() => undefined), sleep(limitMs, undefined, { ref: false })])
  if (found !== undefined) return found
  throw new Error(`the proxy did not listen within ${limitMs} ms:\n${child.said.join('')}`)
}
