import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromSql } from '../../src/materiality/sql.ts'

const piece = fc.constantFrom(
  ...'SELECT 1|a|*|FROM t|FROM u|WHERE a = 1|;|(|)|, |WITH x AS (SELECT 1)|DELETE FROM t|DROP TABLE t|INSERT INTO t VALUES (2)'.split(
    '|',
  ),
  ...'REPLACE INTO t VALUES (3)|UPDATE t SET a = 9|CREATE TABLE v (b)|ALTER TABLE t RENAME TO w|VALUES (1)|EXPLAIN|PRAGMA'.split(
    '|',
  ),
  ...'user_version = 7|ANALYZE|REINDEX|VACUUM|BEGIN|COMMIT|/*|*/|/*!|--|\n|\t|"a"|\'x\'|REPLACE(a, 1, 2)|RETURNING a|x'.split(
    '|',
  ),
)
const text = fc
  .array(fc.tuple(piece, fc.constantFrom(' ', '', '\n')), { maxLength: 7 })
  .map((parts) => parts.flat().join(''))

describe('silence about a statement', () => {
  it('is kept only where a real engine changes nothing', () => {
    const database = new DatabaseSync(':memory:')
    database.exec('CREATE TABLE t (a); CREATE TABLE u (a); INSERT INTO t VALUES (1)')
    const state = (): unknown => [
      database.prepare('SELECT total_changes()').get(),
      database.prepare('SELECT * FROM t').all(),
      database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all(),
      database.prepare('PRAGMA user_version').get(),
      database.isTransaction,
    ]
    const before = state()
    let ran = 0
    fc.assert(
      fc.property(text, (statement) => {
        if (fromSql(statement, true) !== undefined) return
        try {
          database.exec(statement)
          ran += 1
        } catch {
          // No statement of this engine.
        }
        expect(state()).toEqual(before)
      }),
      { numRuns: 3_000, seed: 7 },
    )
    expect(ran).toBeGreaterThan(20)
    database.close()
  })

  it('does not depend on the case of letters or on blanks around', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (statement, expected) => {
        const known = fromSql(statement, expected)
        expect(fromSql(statement.toLowerCase(), expected)).toBe(known)
        expect(fromSql(`\n ${statement}\n `, expected)).toBe(known)
      }),
      { numRuns: 1_000 },
    )
  })
})
