import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openReader } from '../../src/store/sqlite-reader.ts'
import { collect } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const CHILD = new URL('./override-child.ts', import.meta.url).pathname
const temporary = temporaryFolders()

interface Run {
  readonly folder: string
  readonly name: string
  readonly calls: number
  readonly most: number
  /** Killed outright once it has said so many lines. */
  readonly killAfter?: number
}

/** The lines that a process said: a number for each use, or why there was none. */
async function run({
  folder,
  name,
  calls,
  most,
  killAfter = Number.POSITIVE_INFINITY,
}: Run): Promise<readonly string[]> {
  const args = [CHILD, folder, name, String(calls), String(most)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
    if (out.split('\n').length > killAfter) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.on('close', resolve))
  return out.split('\n').slice(0, -1)
}

const usesIn = (lines: readonly string[]): readonly number[] =>
  lines
    .filter((line) => line !== 'override_spent')
    .map(Number)
    .sort((one, other) => one - other)

describe('an override that several processes use at once', () => {
  it('lets exactly as many calls through as it was signed for', async () => {
    const [processes, calls, most] = [5, 20, 33]
    const folder = join(temporary(), 'store')
    const said = await Promise.all(
      Array.from({ length: processes }, (_, n) => run({ folder, name: `process ${n}`, calls, most })),
    )
    const lines = said.flat()
    expect(lines.filter((line) => line === 'override_spent')).toHaveLength(processes * calls - most)
    expect(usesIn(lines)).toEqual(Array.from({ length: most }, (_, n) => n + 1))

    const reader = openReader(folder)
    const permits = (await collect(reader.receipts())).filter(({ kind }) => kind === 'decision')
    expect([permits.length, await reader.overrideUses('ov_raced')]).toEqual([most, most])
    await reader.close()
  }, 120_000)

  it('lets no more through when they are killed outright: a use that was told is a use that is counted', async () => {
    const [calls, most] = [8, 100]
    const folder = join(temporary(), 'store')
    const told: number[] = []
    for (let round = 0; round < 5; round += 1) {
      const pair = [0, 1].map((n) => run({ folder, name: `${round} ${n}`, calls, most, killAfter: 1 + round * 2 + n }))
      told.push(...usesIn((await Promise.all(pair)).flat()))
    }
    told.push(...usesIn(await run({ folder, name: 'the last', calls: most, most })))
    expect(new Set(told).size).toBe(told.length)
    expect(Math.max(...told)).toBe(most)
    const reader = openReader(folder)
    expect(await reader.overrideUses('ov_raced')).toBe(most)
    await reader.close()
  }, 120_000)
})
