// An MCP host that starts a proxy and speaks frames by hand, as well or as badly as a host may.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** Starts the proxy; resolves once it has answered `initialize`. */
export async function startStdio(command, env) {
  const child = spawn(command[0], command.slice(1), { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const waiting = new Map()
  let said = ''
  let last = 0
  child.stdin.on('error', () => {})
  child.stderr.setEncoding('utf8').on('data', (text) => {
    said = `${said}${text}`.slice(-4_000)
  })
  const session = {
    pid: child.pid,
    isGone: false,
    strange: 0,
    said: () => said,
    ask,
    call: (name, args, terms) => ask('tools/call', { name, arguments: args }, terms),
    write: (line) => child.stdin.write(`${line}\n`),
    cancel: (id) =>
      session.write(JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: id } })),
    leave: () => child.stdin.end(),
    kill: (signal) => child.kill(signal),
    nextId: () => last + 1,
    ended: undefined,
  }
  createInterface({ input: child.stdout }).on('line', (line) => {
    let frame
    try {
      frame = JSON.parse(line)
    } catch {
      // INVARIANT: stdout is protocol only.
      session.strange += 1
      return
    }
    if (frame.method === undefined) waiting.get(frame.id)?.(frame)
  })
  session.ended = new Promise((done) => {
    child.once('close', (code, signal) => {
      session.isGone = true
      for (const settle of waiting.values()) settle(undefined)
      done(code ?? signal)
    })
  })

  /** The answer; `undefined` where none came in time, or the proxy is gone. */
  function ask(method, params, { waitMs = 20_000 } = {}) {
    last += 1
    const id = last
    if (session.isGone) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      const timer = setTimeout(() => settle(undefined), waitMs)
      const settle = (frame) => {
        clearTimeout(timer)
        waiting.delete(id)
        resolve(frame)
      }
      waiting.set(id, settle)
      session.write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    })
  }

  const opened = await ask(
    'initialize',
    {
      protocolVersion: '2025-11-25',
      capabilities: {},
      clientInfo: { name: 'soak', version: '1' },
    },
    { waitMs: 60_000 },
  )
  if (opened?.result === undefined) throw new Error(`the proxy did not answer:\n${said}`)
  session.write('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  return session
}
