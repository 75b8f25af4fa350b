import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type HandedCall, readHanded, stillHanded, takeHanded, writeHanded } from '../../src/store/handed.ts'

const DAY_MS = 24 * 60 * 60_000
const [NOW, NAME] = [1_800_000_000_000, 'n'.repeat(43)]
const call: HandedCall = { decision: 'd', callKey: 'k', trace: 't', at: NOW, until: NOW + DAY_MS, ended: false }

let store = ''
beforeEach(() => {
  store = mkdtempSync(path.join(tmpdir(), 'holdpoint-handed-'))
})
afterEach(() => rmSync(store, { recursive: true }))

it('keeps a call open for a day, and leaves nothing of it then', () => {
  writeHanded(store, NAME, call)
  expect(takeHanded(store, NAME)).toBe(true)
  expect(takeHanded(store, NAME)).toBe(false)
  expect(stillHanded(store, NOW + DAY_MS - 1)).toEqual(new Set(['d']))
  expect(stillHanded(store, NOW + DAY_MS)).toEqual(new Set())
  expect(readdirSync(path.join(store, 'handed'))).toEqual([])
})

it('does not keep a call open because a clock was years ahead when it was permitted', () => {
  writeHanded(store, NAME, { ...call, at: NOW + 900 * DAY_MS, until: NOW + 901 * DAY_MS })
  expect(stillHanded(store, NOW)).toEqual(new Set())
  writeHanded(store, NAME, { ...call, at: NOW + DAY_MS, until: NOW + 2 * DAY_MS })
  expect(stillHanded(store, NOW)).toEqual(new Set(['d']))
})

it('reads nothing into what is no note', () => {
  writeHanded(store, NAME, call)
  for (const text of ['', '{}', '[]', 'null', '{"decision":1}', JSON.stringify({ ...call, until: 'never' })]) {
    writeFileSync(path.join(store, 'handed', `${NAME}.json`), text)
    expect(readHanded(store, NAME), text).toBeUndefined()
  }
  writeHanded(store, NAME, { ...call, given: { salt: 's', digest: 7 } as never })
  expect(readHanded(store, NAME)).toEqual(call)
})
