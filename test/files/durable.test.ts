import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createDurably, moveDurably, replaceDurably } from '../../src/files/durable.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()
const modeOf = (path: string) => statSync(path).mode & 0o777

describe('a file that is made', () => {
  it('leaves what was there first as it was, a link too, and says so', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'key')
    expect(createDurably(path, 'first')).toBe(true)
    expect(createDurably(path, 'second')).toBe(false)
    expect(readFileSync(path, 'utf8')).toBe('first')
    const link = join(folder, 'link')
    symlinkSync(join(folder, 'elsewhere'), link)
    expect(createDurably(link, 'led astray')).toBe(false)
    expect(readdirSync(folder)).toEqual(['key', 'link'])
  })

  it('is for this user alone unless it was meant for all, whatever the umask', () => {
    const folder = temporaryFolder()
    for (const umask of [0o000, 0o077, 0o777]) {
      const before = process.umask(umask)
      try {
        createDurably(join(folder, `own-${umask}`), 'x')
        createDurably(join(folder, `all-${umask}`), 'x', 0o644)
        replaceDurably(join(folder, `replaced-${umask}`), 'x')
      } finally {
        process.umask(before)
      }
      expect(modeOf(join(folder, `own-${umask}`))).toBe(0o600)
      expect(modeOf(join(folder, `all-${umask}`))).toBe(0o644)
      expect(modeOf(join(folder, `replaced-${umask}`))).toBe(0o600)
    }
  })
})

describe('a file that is replaced', () => {
  it('is another file under the same name: whoever reads the old one reads it to its end', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'pins')
    writeFileSync(path, 'old')
    const before = statSync(path).ino
    replaceDurably(path, 'new')
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(statSync(path).ino).not.toBe(before)
    replaceDurably(join(folder, 'other'), 'was not there')
    moveDurably(join(folder, 'other'), path)
    expect(readFileSync(path, 'utf8')).toBe('was not there')
    expect(readdirSync(folder)).toEqual(['pins'])
  })

  it('stays, with nothing beside it, when that fails; so does what could not be made', () => {
    const folder = temporaryFolder()
    const path = join(folder, 'pins')
    mkdirSync(join(path, 'full'), { recursive: true })
    expect(() => replaceDurably(path, 'x')).toThrow(/EISDIR|ENOTEMPTY|EEXIST/)
    expect(readdirSync(folder)).toEqual(['pins'])
    expect(() => createDurably(join(folder, 'missing', 'x'), 'x')).toThrow(/ENOENT/)
  })
})
