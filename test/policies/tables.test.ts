import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { situationOf } from '../../src/cli/context.ts'
import { runTable } from '../../src/cli/policy/run-table.ts'
import { readTable } from '../../src/cli/policy/table.ts'

const folder = new URL('../../policies/', import.meta.url).pathname
const tables = readdirSync(folder).filter((name) => name.endsWith('.test.yaml'))

it('has a table beside every shipped policy', () => {
  const policies = readdirSync(folder).filter((name) => name.endsWith('.cedar'))
  expect(tables).toEqual(policies.map((name) => name.replace('.cedar', '.test.yaml')))
})

// The same runner as `holdpoint policy test`: a shipped table means to us what it means to whoever copies it.
describe.each(tables)('%s', (name) => {
  const results = runTable(readTable(`${folder}${name}`), situationOf(false), [])

  it.each(results.map((result) => [result.name, result] as const))('%s', (_, { at, problems }) => {
    expect(problems, at).toEqual([])
  })
})
