import { Console } from 'node:console'
import type { Writable } from 'node:stream'

/**
 * Takes stdout away from everybody but the caller: over stdio each of its lines is a frame, and one word of a library's would
 * break the connection. Whatever else is written there goes to stderr.
 */
export function takeStdout(): Writable {
  const frames = process.stdout
  // Whoever reads has gone: that is the end of a session, which the session sees to.
  frames.removeAllListeners('error')
  Object.defineProperty(process, 'stdout', { get: () => process.stderr, configurable: true })
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr })
  return frames
}
