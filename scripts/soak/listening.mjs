// A proxy that listens.
import { spawn } from 'node:child_process'

/** Starts it on a free port of this machine; resolves once it says where. */
export async function startListening(program, flags, env) {
  const args = [...program.slice(1), 'mcp', '--listen', '127.0.0.1:0', '--idle', '1', ...flags]
  const child = spawn(program[0], args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  const ended = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)))
  const url = await new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said = `${said}${text}`.slice(-4_000)
      const found = said.match(/listening: (\S+?)(?:,|\n)/)?.[1]
      if (found !== undefined) resolve(found)
    })
    ended.then(() => reject(new Error(`the proxy did not listen:\n${said}`)))
  })
  return { pid: child.pid, url, ended, kill: (signal) => child.kill(signal), said: () => said }
}
