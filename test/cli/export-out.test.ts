import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it, vi } from 'vitest'
import { writeLines } from '../../src/cli/export/out.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

/** A file system without links, as memory sticks have it. */
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<object>()),
  link: async () => {
    throw Object.assign(new Error('operation not permitted'), { code: 'EPERM' })
  },
}))

const folder = temporaryFolders()

it('a bundle is written where the file system has no links, and takes no file’s place there either', async () => {
  const here = folder()
  const fresh = join(here, 'fresh.jsonl')
  const lines = async function* () {
    yield 'a line'
  }
  await writeLines(lines(), fresh, {} as Terminal)
  expect([readFileSync(fresh, 'utf8'), statSync(fresh).mode & 0o777]).toEqual(['a line\n', 0o600])
  const late = join(here, 'late.jsonl')
  const during = async function* () {
    yield 'a line'
    writeFileSync(late, 'evidence')
  }
  await expect(writeLines(during(), late, {} as Terminal)).rejects.toThrow('is there already')
  expect(readFileSync(late, 'utf8')).toBe('evidence')
  expect(readdirSync(here).filter((name) => name.endsWith('.unfinished'))).toEqual([])
})
