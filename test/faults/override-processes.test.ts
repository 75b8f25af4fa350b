import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openReader } from '../../src/store/sqlite-reader.ts'
import { collect } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const CHILD = new URL('./override-child.ts', import.meta.url).pathname
const temporary = temporaryFolders()
const runNode = promisify(execFile)

describe('an override that several processes use at once', () => {
  it('lets exactly as many calls through as it was signed for', async () => {
    const [processes, calls, most] = [5, 20, 33]
    const folder = join(temporary(), 'store')
    const ended = await Promise.all(
      Array.from({ length: processes }, (_, n) =>
        runNode(process.execPath, [CHILD, folder, `process ${n}`, String(calls), String(most)]),
      ),
    )
    expect(ended.map(({ stderr }) => stderr)).toEqual(Array(processes).fill(''))
    const said = ended.flatMap(({ stdout }) => stdout.trim().split('\n'))
    expect(said.filter((line) => line === 'override_spent')).toHaveLength(processes * calls - most)
    const uses = said.filter((line) => line !== 'override_spent').map(Number)
    expect(uses.sort((a, b) => a - b)).toEqual(Array.from({ length: most }, (_, n) => n + 1))

    const reader = openReader(folder)
    const permits = (await collect(reader.receipts())).filter(({ kind }) => kind === 'decision')
    expect([permits.length, await reader.overrideUses('ov_raced')]).toEqual([most, most])
    await reader.close()
  }, 120_000)
})
