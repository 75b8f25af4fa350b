/** A client that hears nothing tries again, and so does everybody else: one payment is made once all the same. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FAULTS, type Fault } from '../support/raw-faults.ts'
import { type RawServer, startRawServer } from '../support/raw-server.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const CHILD = new URL('./storm-child.ts', import.meta.url).pathname
const [PROCESSES, CALLS] = [8, 25]
const temporary = temporaryFolders()

interface Caller {
  readonly child: ChildProcess
  /** Resolves once it has said this line. */
  said(line: string): Promise<void>
  /** What became of its calls, wave by wave, once it has ended. */
  readonly waves: Promise<readonly (readonly string[])[]>
}

function caller(folder: string, url: string): Caller {
  const child = spawn(process.execPath, [CHILD, folder, url, String(CALLS)], { stdio: ['pipe', 'pipe', 'inherit'] })
  let lines: readonly string[] = []
  let rest = ''
  const hear = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const parts = `${rest}${text}`.split('\n')
    rest = parts.pop() ?? ''
    lines = [...lines, ...parts]
    for (const listener of hear) listener()
  })
  const { promise: waves, resolve } = Promise.withResolvers<readonly (readonly string[])[]>()
  child.on('close', () => resolve(lines.filter((line) => line.startsWith('[')).map((line) => JSON.parse(line))))
  return {
    child,
    waves,
    said: (line) =>
      new Promise((resolve) => {
        const listen = (): void => {
          if (lines.includes(line)) resolve()
        }
        hear.add(listen)
        listen()
      }),
  }
}

function fault(name: string): Fault {
  const found = FAULTS[name]
  if (found === undefined) throw new Error(`nobody knows ${name}`)
  return found
}

describe(`${PROCESSES * CALLS} calls of one idempotency key, at once, from ${PROCESSES} processes`, () => {
  let server: RawServer
  beforeEach(async () => {
    server = await startRawServer('opa')
  })
  let callers: readonly Caller[] = []
  afterEach(async () => {
    for (const { child } of callers) child.kill('SIGKILL')
    await server.stop()
  })

  it.each([
    ['while the policy service answers', 'healthy'],
    ['while it is away: they are held, and decided anew once it is back', 'resets the connection'],
  ])(
    'I2: execute once, %s',
    async (_, beginning) => {
      const folder = temporary()
      server.play(fault(beginning))
      callers = Array.from({ length: PROCESSES }, () => caller(folder, server.ruleUrl))
      await Promise.all(callers.map(({ said }) => said('ready')))
      for (const { child } of callers) child.stdin?.write('go\n')
      if (beginning !== 'healthy') await Promise.all(callers.map(({ said }) => said('held')))
      server.play(fault('healthy'))
      const waves = await Promise.all(callers.map((one) => one.waves))

      expect(readFileSync(join(folder, 'executed'), 'utf8')).toBe('paid\n')
      const first = waves.map(([wave = []]) => wave)
      expect(first.map(({ length }) => length)).toEqual(Array(PROCESSES).fill(CALLS))
      // Those of the process that paid have joined the one call; all others are told that they would be a second one.
      expect(first.filter((wave) => wave.every((outcome) => outcome === 'ran'))).toHaveLength(1)
      const others = first.flat().filter((outcome) => outcome !== 'ran')
      expect(others).toHaveLength((PROCESSES - 1) * CALLS)
      expect(others.filter((outcome) => outcome !== 'in_progress' && outcome !== 'already_executed')).toEqual([])
      const later = waves.flatMap(([, wave = []]) => wave)
      expect(later.filter((outcome) => outcome !== 'in_progress' && outcome !== 'already_executed')).toEqual([])
      expect(later).toHaveLength(PROCESSES * CALLS)
    },
    120_000,
  )
})
