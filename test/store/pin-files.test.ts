/** The files of pins: made by one of several processes, replaced by nobody who did not look, and nothing else is in them. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import { definitionDigest } from '../../src/bytes/definition-digest.ts'
import { pinFolder } from '../../src/store/pin-files.ts'
import { createPinMemory } from '../../src/store/pin-memory.ts'
import type { PinRecord, PinShelf, ToolDefinition } from '../../src/types.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()
const CHILD = resolve(import.meta.dirname, '../support/pinning-child.ts')

const whole: ToolDefinition = {
  name: 'read',
  origin: 'third-party',
  title: 'Read',
  description: 'Reads ⟨a⟩ note 📓.',
  inputSchema: { type: 'object', properties: { toString: { const: 1.5 }, size: { maximum: 9_007_199_254_740_991 } } },
  outputSchema: true,
  annotations: { readOnlyHint: true },
}

function recordOf(...definitions: readonly ToolDefinition[]): PinRecord {
  const pins = definitions.map(
    (definition) => [definition.name, { digest: definitionDigest(definition), definition }] as const,
  )
  return { server: 'notes', recordedAt: 1, tools: new Map(pins) }
}

describe.each<[string, () => PinShelf]>([
  ['files', () => pinFolder(join(temporaryFolder(), 'pins'))],
  ['memory', createPinMemory],
])('pins in %s', (_where, make) => {
  it('are read as they were pinned, and pinned once', () => {
    const shelf = make()
    expect([shelf.stamp('notes'), shelf.read('notes')]).toEqual([undefined, undefined])
    expect(shelf.pin(recordOf(whole))).toBe(true)
    expect(shelf.read('notes')).toEqual(recordOf(whole))
    expect(shelf.stamp('notes')).toBeDefined()
    expect(shelf.pin(recordOf({ ...whole, description: 'Other.' }))).toBe(false)
    expect(shelf.read('notes')).toEqual(recordOf(whole))
    expect(shelf.read('other')).toBeUndefined()
  })

  it('keep what was seen last beside them, until nothing differs', () => {
    const shelf = make()
    expect(shelf.seen('notes')).toBeUndefined()
    shelf.see(recordOf({ ...whole, title: 'One' }))
    shelf.see(recordOf({ ...whole, title: 'Two' }))
    expect(shelf.seen('notes')?.tools.get('read')?.definition.title).toBe('Two')
    shelf.see(recordOf())
    expect(shelf.seen('notes')).toBeUndefined()
    shelf.see(recordOf())
  })
})

describe('several processes that see a server for the first time at once', () => {
  it('pin one whole listing, and all of them believe that one', async () => {
    const folder = join(temporaryFolder(), 'state', 'pins')
    const children = [0, 1, 2, 3].map((n) => spawn(process.execPath, [CHILD, folder, String(n)]))
    try {
      await Promise.all(children.map(({ stdout }) => once(stdout, 'data')))
      const said = children.map(({ stdout }) => text(stdout))
      for (const { stdin } of children) stdin.end('go')
      const results = (await Promise.all(said)).map((one) => JSON.parse(one))
      const winners = results.filter(({ won }) => won === true)
      expect(winners).toHaveLength(1)
      for (const { read } of results) expect(read).toBe(`by ${winners[0].number}`)
      expect(readdirSync(folder)).toEqual(['notes.json'])
    } finally {
      for (const child of children) child.kill()
    }
  })
})

describe('a folder of pins', () => {
  it('is made for this user alone, and holds whole files of this user alone', () => {
    const folder = join(temporaryFolder(), 'state', 'pins')
    const pins = pinFolder(folder)
    pins.pin(recordOf(whole))
    pins.see(recordOf(whole))
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['notes.json', 'notes.seen.json'])
    expect(pins.servers()).toEqual(['notes'])
  })

  it('is not relied on when it is a link or open to others, and nothing is written there then', () => {
    const real = temporaryFolder()
    const linked = join(temporaryFolder(), 'pins')
    symlinkSync(real, linked)
    const open = join(temporaryFolder(), 'pins')
    mkdirSync(open)
    chmodSync(open, 0o777)
    for (const [folder, words] of [
      [linked, /is a link/],
      [open, /chmod go-w/],
    ] as const) {
      const pins = pinFolder(folder)
      const refused = expect.objectContaining({ code: 'ERR_PINS', message: expect.stringMatching(words) })
      expect(() => pins.pin(recordOf(whole))).toThrow(refused)
      expect(() => pins.see(recordOf(whole))).toThrow(refused)
      expect(() => pins.read('notes')).toThrow(refused)
      expect(() => pins.servers()).toThrow(refused)
      expect(readdirSync(folder)).toEqual([])
    }
  })

  it("is not relied on when it, or a file in it, is another user's", () => {
    if (process.getuid?.() !== 0) {
      console.info("skipped: only root can make a file another user's")
      return
    }
    const folder = join(temporaryFolder(), 'pins')
    const pins = pinFolder(folder)
    pins.pin(recordOf(whole))
    const refused = expect.objectContaining({ code: 'ERR_PINS', message: expect.stringMatching(/another user/) })
    chownSync(pins.fileOf('notes'), 12_345, 12_345)
    expect(() => pins.read('notes')).toThrow(refused)
    chownSync(pins.fileOf('notes'), 0, 0)
    chownSync(folder, 12_345, 12_345)
    expect(() => pins.read('notes')).toThrow(refused)
  })

  it('gives another stamp for every change, also of the same length, and of who may change it', () => {
    const folder = join(temporaryFolder(), 'pins')
    const pins = pinFolder(folder)
    pins.pin(recordOf(whole))
    const stamps = [pins.stamp('notes')]
    pins.replace(recordOf({ ...whole, title: 'Raed' }), stamps[0] ?? '')
    stamps.push(pins.stamp('notes'))
    chmodSync(pins.fileOf('notes'), 0o640)
    stamps.push(pins.stamp('notes'))
    chmodSync(folder, 0o770)
    stamps.push(pins.stamp('notes'))
    expect(new Set(stamps).size).toBe(4)
  })

  it('lets nobody replace pins that changed since they were looked at', () => {
    const pins = pinFolder(join(temporaryFolder(), 'pins'))
    pins.pin(recordOf(whole))
    const stamp = pins.stamp('notes') ?? ''
    pins.replace(recordOf(whole, { ...whole, name: 'list' }), stamp)
    expect(() => pins.replace(recordOf(), stamp)).toThrow(/changed by somebody else meanwhile/)
    expect(pins.read('notes')?.tools.size).toBe(2)
  })

  it('lets broken pins be taken away, and what was seen with them', () => {
    const pins = pinFolder(join(temporaryFolder(), 'pins'))
    pins.pin(recordOf(whole))
    pins.see(recordOf(whole))
    writeFileSync(pins.fileOf('notes'), 'nonsense')
    expect(pins.remove('notes')).toBe(true)
    expect(pins.remove('notes')).toBe(false)
    expect(pins.seen('notes')).toBeUndefined()
  })

  it('is never left by a name that leads elsewhere', () => {
    const folder = temporaryFolder()
    const pins = pinFolder(join(folder, 'pins'))
    for (const server of ['../keys', '', 'a/b', 'notes.seen', 'Notes'])
      for (const use of [pins.read, pins.seen, pins.stamp, pins.remove, pins.fileOf])
        expect(() => use(server)).toThrow(expect.objectContaining({ code: 'ERR_PINS' }))
    expect(existsSync(join(folder, 'keys.json'))).toBe(false)
  })

  it('holds no more than fits: a server that describes itself without end is not pinned', () => {
    const pins = pinFolder(join(temporaryFolder(), 'pins'))
    const long = 'x'.repeat(1_000_000)
    const tools = Array.from({ length: 17 }, (_, n) => ({ ...whole, name: `t${n}`, description: long }))
    expect(() => pins.pin(recordOf(...tools))).toThrow(/more than 16777216 bytes/)
    expect(pins.read('notes')).toBeUndefined()
  })
})
