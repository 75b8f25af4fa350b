import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { installOverride, MOST_OVERRIDES, overrideFolder, revokeOverride } from '../../src/override/folder.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const id = (n: number): string => `ov_${String(n).padStart(26, '0')}`
const never = (): boolean => false
const read = async (folder: string) => {
  const { overrides, revoked } = await overrideFolder(folder).read()
  return { overrides: Object.fromEntries(overrides), revoked: [...revoked] }
}

describe('the folder of overrides', () => {
  it('is empty where it does not exist', async () => {
    expect(await read(join(temporary(), 'none'))).toEqual({ overrides: {}, revoked: [] })
  })

  it('holds what was installed, whole, for every user to read and for nobody else to change', async () => {
    const folder = join(temporary(), 'overrides')
    const umask = process.umask(0o077)
    try {
      expect(await installOverride(folder, id(1), 'one', never)).toBe(true)
      expect(await installOverride(folder, id(1), 'another', never)).toBe(false)
    } finally {
      process.umask(umask)
    }
    expect(await read(folder)).toEqual({ overrides: { [id(1)]: { text: 'one' } }, revoked: [] })
    expect(statSync(folder).mode & 0o777).toBe(0o755)
    expect(statSync(join(folder, `${id(1)}.json`)).mode & 0o777).toBe(0o644)
    expect(readdirSync(folder).sort()).toEqual(['ended', `${id(1)}.json`].sort())
  })

  it('keeps a revocation for good, also of one that was never installed or is over', async () => {
    const folder = join(temporary(), 'overrides')
    await revokeOverride(folder, id(1), 'a mistake')
    await revokeOverride(folder, id(1), 'again')
    expect((await read(folder)).revoked).toEqual([id(1)])
    expect(readFileSync(join(folder, `${id(1)}.revoked`), 'utf8')).toBe('a mistake\n')
    await expect(installOverride(folder, id(1), 'one', never)).rejects.toThrow(`holds a revocation of ${id(1)}`)

    await installOverride(folder, id(2), 'over', never)
    await revokeOverride(folder, id(2), 'a mistake')
    await installOverride(folder, id(3), 'live', (file) => 'text' in file && file.text === 'over')
    expect(await read(folder)).toEqual({ overrides: { [id(3)]: { text: 'live' } }, revoked: [id(1)] })
    expect(readdirSync(join(folder, 'ended')).sort()).toEqual([`${id(2)}.json`, `${id(2)}.revoked`])
    await expect(installOverride(folder, id(2), 'over', never)).rejects.toThrow(`holds a revocation of ${id(2)}`)
  })

  it('has a bound, and is not relied on at all beyond it', async () => {
    const folder = temporary()
    chmodSync(folder, 0o755)
    for (let n = 0; n < MOST_OVERRIDES; n += 1) writeFileSync(join(folder, `${id(n)}.json`), 'one')
    await expect(installOverride(folder, id(100), 'one more', never)).rejects.toThrow('holds 64 live overrides')
    writeFileSync(join(folder, `${id(100)}.json`), 'one')
    await expect(read(folder)).rejects.toThrow('holds 65 overrides, and 64 are the most')
    expect(await installOverride(temporary(), id(1), 'one', () => true)).toBe(true)
  })

  it('is not relied on when it is full of other names', async () => {
    const folder = temporary()
    for (let n = 0; n <= 1_024; n += 1) writeFileSync(join(folder, `file ${n}`), '')
    await expect(read(folder)).rejects.toThrow('holds more than 1024 files')
  })

  it('says of each file why it cannot be read, and reads the others', async () => {
    const folder = temporary()
    await installOverride(folder, id(1), 'one', never)
    mkdirSync(join(folder, `${id(2)}.json`))
    symlinkSync(join(folder, `${id(1)}.json`), join(folder, `${id(3)}.json`))
    writeFileSync(join(folder, `${id(4)}.json`), 'x'.repeat(16_385))
    execFileSync('mkfifo', [join(folder, `${id(5)}.json`)])
    writeFileSync(join(folder, 'notes.json'), 'of somebody')
    const { overrides } = await read(folder)
    expect(overrides).toEqual({
      [id(1)]: { text: 'one' },
      [id(2)]: { unreadable: expect.stringContaining('is not a regular file') },
      [id(3)]: { unreadable: expect.stringContaining('cannot be read (ELOOP)') },
      [id(4)]: { unreadable: expect.stringContaining('has more than 16384 bytes') },
      [id(5)]: { unreadable: expect.stringContaining('is not a regular file') },
    })
  })

  it.skipIf(process.platform === 'win32')(
    'is not relied on while others can change it: they could take a revocation away',
    async () => {
      const folder = join(temporary(), 'overrides')
      await installOverride(folder, id(1), 'one', never)
      chmodSync(folder, 0o775)
      const error = await read(folder).catch((cause: unknown) => cause)
      expect(error).toMatchObject({ code: 'ERR_CONFIG', at: folder })
      execFileSync('sh', ['-c', (error as Error).message.split('run: ')[1] ?? 'false'])
      expect((await read(folder)).overrides).toEqual({ [id(1)]: { text: 'one' } })
    },
  )

  it('is not relied on when it is but a link, with a slash at its end or without', async () => {
    const folder = join(temporary(), 'overrides')
    await installOverride(folder, id(1), 'one', never)
    const linked = join(temporary(), 'linked')
    symlinkSync(folder, linked)
    await expect(read(linked)).rejects.toThrow('is a symbolic link')
    await expect(read(`${linked}/`)).rejects.toThrow('is a symbolic link')
    await expect(installOverride(linked, id(2), 'two', never)).rejects.toThrow('is a symbolic link')
  })

  it.skipIf(process.getuid?.() !== 0)(
    'is not relied on when it is another user’s, not even by root (only root can try this)',
    async () => {
      const folder = join(temporary(), 'overrides')
      await installOverride(folder, id(1), 'one', never)
      chownSync(folder, 12_345, 12_345)
      await expect(read(folder)).rejects.toThrow('belongs to another user')
    },
  )

  it('leaves nothing behind when an override cannot be written', async () => {
    const folder = temporary()
    writeFileSync(join(folder, 'ended'), '')
    await expect(installOverride(folder, id(1), 'one', never)).rejects.toThrow()
    expect(existsSync(join(folder, `${id(1)}.json`))).toBe(false)
  })
})
