import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadKey, loadOrCreateKey } from '../../src/receipt/key-file.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-key-'))
  path = join(folder, 'state', 'receipt.pem')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const isRoot = process.getuid?.() === 0
const posix = process.platform !== 'win32'

describe('the key file', () => {
  it('is made once, for this user alone, and is the same key ever after', () => {
    const made = loadOrCreateKey(path)
    const loaded = loadOrCreateKey(path)
    expect([made.created, loaded.created]).toEqual([true, false])
    expect(loaded.kid).toBe(made.kid)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(folder, 'state')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(folder, 'state'))).toEqual(['receipt.pem'])
  })

  it('is not made where somebody named the key that they have', () => {
    expect(() => loadKey(path)).toThrow(`the key file ${path} does not exist`)
    expect(existsSync(path)).toBe(false)
    expect(loadOrCreateKey(path).kid).toBe(loadKey(path).kid)
  })

  it('keeps its mode whatever the umask is', () => {
    const before = process.umask(0)
    try {
      loadOrCreateKey(path)
      expect(statSync(path).mode & 0o777).toBe(0o600)
    } finally {
      process.umask(before)
    }
  })

  it('is never written over, not even when it holds no key', () => {
    mkdirSync(join(folder, 'state'))
    writeFileSync(path, 'precious', { mode: 0o600 })
    expect(() => loadOrCreateKey(path)).toThrow(/unusable/)
    expect(readFileSync(path, 'utf8')).toBe('precious')
    writeFileSync(path, '')
    expect(() => loadOrCreateKey(path)).toThrow(/unusable/)
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it.runIf(posix)('is refused when others could have read or changed it, with the command that mends it', () => {
    loadOrCreateKey(path)
    for (const mode of [0o640, 0o604, 0o620, 0o602, 0o644, 0o610]) {
      chmodSync(path, mode)
      expect(() => loadOrCreateKey(path), mode.toString(8)).toThrow(
        expect.objectContaining({ code: 'ERR_KEY', at: path, message: expect.stringContaining('chmod 600') }),
      )
    }
    chmodSync(path, 0o400)
    expect(loadOrCreateKey(path).created).toBe(false)
  })

  it('is refused when it is a folder', () => {
    mkdirSync(path, { recursive: true })
    expect(() => loadOrCreateKey(path)).toThrow(expect.objectContaining({ code: 'ERR_KEY' }))
  })

  it.runIf(posix)('is refused at once when it is a pipe that nobody writes to', () => {
    mkdirSync(join(folder, 'state'))
    execFileSync('mkfifo', ['-m', '600', path])
    // In a process of its own: one that waited for a writer could not be called back from here.
    const module = new URL('../../src/receipt/key-file.ts', import.meta.url).href
    const script = `import { loadOrCreateKey } from ${JSON.stringify(module)}
      try { loadOrCreateKey(${JSON.stringify(path)}) } catch ({ code, message }) { console.log(code, message) }`
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 20_000,
    })
    expect(said).toMatch(/^ERR_KEY .* is not a regular file/)
  })

  it.runIf(posix)('is refused when it is a link, a device, or longer than any key', () => {
    loadOrCreateKey(path)
    const link = join(folder, 'link.pem')
    symlinkSync(path, link)
    expect(() => loadOrCreateKey(link)).toThrow(expect.objectContaining({ code: 'ERR_KEY', at: link }))
    expect(() => loadOrCreateKey(link)).toThrow(/is a link/)
    expect(() => loadOrCreateKey('/dev/null')).toThrow(/not a regular file/)
    writeFileSync(path, 'x'.repeat(20_000))
    expect(() => loadOrCreateKey(path)).toThrow(/too long/)
  })

  it('says so when it can be neither read nor made', (context) => {
    if (isRoot) {
      // Root reads everything, so the refusals are shown by the file system itself: a file where a folder must be.
      writeFileSync(join(folder, 'state'), '')
      expect(() => loadOrCreateKey(path)).toThrow(expect.objectContaining({ code: 'ERR_KEY' }))
      return
    }
    if (!posix) context.skip('file modes are POSIX')
    loadOrCreateKey(path)
    chmodSync(path, 0o000)
    expect(() => loadOrCreateKey(path)).toThrow(/cannot be read/)
    chmodSync(folder, 0o500)
    expect(() => loadOrCreateKey(join(folder, 'other', 'receipt.pem'))).toThrow(/cannot be created/)
    chmodSync(folder, 0o700)
  })

  it('is one key when several processes make it at once', () => {
    const module = new URL('../../src/receipt/key-file.ts', import.meta.url).href
    const script = `import { loadOrCreateKey } from ${JSON.stringify(module)}
      const { kid, created } = loadOrCreateKey(${JSON.stringify(path)})
      console.log(JSON.stringify({ kid, created }))`
    const shell = Array.from({ length: 4 }, () => `"$NODE" --input-type=module -e "$SCRIPT" &`).join(' ')
    const out = execFileSync('/bin/sh', ['-c', `${shell} wait`], {
      env: { ...process.env, NODE: process.execPath, SCRIPT: script },
      encoding: 'utf8',
    })
    const made = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kid: string; created: boolean })
    expect(made).toHaveLength(4)
    expect(new Set(made.map(({ kid }) => kid)).size).toBe(1)
    expect(made.filter(({ created }) => created)).toHaveLength(1)
  })

  it('survives a draft that a crash left behind', () => {
    loadOrCreateKey(path)
    linkSync(path, `${path}.1-abc.new`)
    expect(loadOrCreateKey(path).created).toBe(false)
    expect(existsSync(`${path}.1-abc.new`)).toBe(true)
  })
})
