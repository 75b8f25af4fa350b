/** Every known hole of a framework has a test that is there, and stands with it on the page of hosts. */
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { driversOf, HOSTS } from './adapters/hosts.ts'
import { HOLES } from './holes.ts'
import { BEHAVIOURS } from './support/behaviours.ts'
import { holesTable, withParts } from './support/hosts-table.ts'

const root = path.resolve(import.meta.dirname, '..')

describe('the known holes of the frameworks', () => {
  it.each(HOLES.map((hole) => [hole.host, hole.seen, hole.shownBy] as const))(
    'of %s: %s, has its test',
    async (host, _, shownBy) => {
      expect(HOSTS.map(({ name }) => name)).toContain(host)
      expect(shownBy).not.toEqual([])
      for (const shown of shownBy) {
        if ('behaviour' in shown) {
          const ways = (await driversOf(host)).filter(({ name }) => name.startsWith(shown.ways))
          expect(ways).not.toEqual([])
          for (const { lacks } of ways)
            expect(lacks?.[shown.behaviour], BEHAVIOURS[shown.behaviour].name).toBeUndefined()
          continue
        }
        const file = path.join(root, 'test/adapters', host, shown.file)
        expect(existsSync(file), file).toBe(true)
        // As a title stands in a source: of a call of `it`, and of none that is skipped.
        expect(titlesIn(readFileSync(file, 'utf8'))).toContain(shown.title)
      }
    },
  )

  it('are on the page of hosts, with their tests: npm run hosts', () => {
    const page = readFileSync(path.join(root, 'docs/hosts.md'), 'utf8')
    expect(page).toBe(withParts(page, new Map([['holes', holesTable()]])))
  })
})

/** The titles of the calls of `it` in a source, as they are written; of none that is skipped. */
function titlesIn(source: string): readonly string[] {
  return [...source.matchAll(/\bit(?:\.each\([^\n]*\))?\(\s*(['"`])(.*?)\1,/g)].map(([, , title = '']) => title)
}
