/** A proxy between two pipes in this process, with a real server process behind it and a client that speaks frames by hand. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { PassThrough } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach } from 'vitest'
import { type StdioServed, serveStdio } from '../../../adapters/mcp-proxy/index.ts'
import { readReceipt } from '../../../src/receipt/read.ts'
import { type TestGate, testGate } from '../../../src/testing.ts'
import type { Frame } from '../mcp/wire.ts'

/** Those that a failed test did not end. */
const open = new Set<() => void>()
const ODD_SERVER = resolve(import.meta.dirname, '../../support/odd-server-child.ts')

export interface Session {
  readonly gate: TestGate
  readonly input: PassThrough
  readonly output: PassThrough
  /** Everything that came to the client. */
  readonly frames: readonly Frame[]
  /** What the operator was told. */
  readonly notes: readonly string[]
  /** The tools that the server executed. */
  ran(): readonly string[]
  /** One line, byte by byte. */
  write(line: string): void
  ask(method: string, params?: object): Promise<Frame>
  call(name: string, args?: object): Promise<Frame>
  /** The first frame that is so, come or to come. */
  until(wanted: (frame: Frame) => boolean): Promise<Frame>
  /** The client goes away. */
  leave(): Promise<StdioServed>
  stop(): void
  readonly served: Promise<StdioServed>
  /** `ok`, `unknown`, …: each outcome on record, once the gate is closed. */
  outcomes(): Promise<readonly string[]>
}

afterEach(() => {
  for (const stop of open) stop()
  open.clear()
})

/** Starts one. Given no policy, everything is permitted. */
export async function startSession(
  folder: string,
  terms: { readonly policy?: string; readonly ways?: readonly string[]; readonly timeoutMs?: number } = {},
): Promise<Session> {
  const gate = testGate(terms.policy === undefined ? {} : { policy: terms.policy })
  const input = new PassThrough()
  const output = new PassThrough()
  const stopping = new AbortController()
  open.add(() => stopping.abort())
  const notes: string[] = []
  const log = join(folder, 'ran')
  const served = serveStdio({
    name: 'odd',
    command: [process.execPath, ODD_SERVER, log, ...(terms.ways ?? [])],
    input,
    output,
    stopping: stopping.signal,
    openGate: async () => ({
      gate,
      viewFor: (_, conversation) => gate.as({ user: 'alice' }, { conversation }),
      note: (line) => {
        notes.push(line)
      },
    }),
    ...(terms.timeoutMs === undefined ? {} : { timeoutMs: terms.timeoutMs }),
  })
  const frames: Frame[] = []
  const waiting = new Set<(frame: Frame) => void>()
  let rest = ''
  output.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const frame = JSON.parse(line) as Frame
      frames.push(frame)
      for (const hear of waiting) hear(frame)
    }
  })
  const until = (wanted: (frame: Frame) => boolean): Promise<Frame> => {
    const there = frames.find(wanted)
    if (there !== undefined) return Promise.resolve(there)
    return new Promise((done) => {
      const hear = (frame: Frame) => {
        if (!wanted(frame)) return
        waiting.delete(hear)
        done(frame)
      }
      waiting.add(hear)
    })
  }
  const write = (line: string) => void input.write(`${line}\n`)
  let last = 0
  const ask = async (method: string, params: object = {}): Promise<Frame> => {
    last += 1
    const id = last
    write(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
    return await until((frame) => frame.id === id && frame.method === undefined)
  }
  if (terms.ways?.some((way) => way === '--deaf' || way === '--late') !== true)
    await ask('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'hand' } })
  return {
    gate,
    input,
    output,
    frames,
    notes,
    ran: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n') : []),
    write,
    ask,
    call: (name, args = {}) => ask('tools/call', { name, arguments: args }),
    until,
    leave: () => {
      input.end()
      return served
    },
    stop: () => stopping.abort(),
    served,
    outcomes: async () => {
      await gate.close()
      return (await gate.receipts()).flatMap(({ jws }) => {
        const claims = readReceipt(jws)
        return claims.kind === 'outcome' ? [claims.status] : []
      })
    },
  }
}

export function textOf({ result = {} }: Frame): string {
  const [first] = (result['content'] ?? []) as readonly { readonly text?: string }[]
  return first?.text ?? ''
}

/** Settles once no process of this number runs. */
export async function isGone(pid: number): Promise<true> {
  while (isAlive(pid)) await pause(20)
  return true
}

/** Is there still a process of this number that runs? */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
