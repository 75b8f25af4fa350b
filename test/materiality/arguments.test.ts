import { describe, expect, it } from 'vitest'
import { Contracts } from '../../src/call/contract.ts'
import { classify } from '../../src/materiality/classify.ts'
import type { Json } from '../../src/types.ts'

function tierOf(name: string, input: Json) {
  const [contract] = new Contracts().register(
    's',
    [{ name, origin: 'own', inputSchema: { type: 'object' } }],
    new Map(),
  )
  if (contract === undefined) throw new Error('no contract')
  return classify(contract, input).materiality
}

describe('a call that chooses to destroy is high, whatever the shape of the choice', () => {
  it.each<[string, Json]>([
    ['by type', { operation_type: 'delete' }],
    ['by type, in one word', { requestType: 'DELETE' }],
    ['one level down', { operation: { type: 'delete' } }],
    ['in a list', { actions: [{ type: 'drop' }] }],
    ['two levels down', { action: { kind: { name: 'delete' } } }],
    ['as a switch', { delete: true }],
    ['as a flag of a command line', { args: ['.', '-delete'] }],
    ['as a switch of all', { deleteAll: true }],
    ['as a long flag', { flags: ['--purge-all'] }],
    ['in more words than a choice has', { action: `${'please '.repeat(20)}delete everything` }],
  ])('%s', (_, input) => {
    expect(tierOf('query_records', input)).toBe('high')
  })
})

describe('a call that reads stays low', () => {
  it.each<[string, Json]>([
    ['with a type that is no choice', { type: 'deleted', name: 'delete', filter: { type: 'drop' } }],
    ['with a switch that is off', { delete: false }],
    ['with a switch that says how to read', { include_deleted: true, drop_duplicates: true }],
    ['with flags that say how to read', { args: ['-l', '--all', '--name=delete', 'delete'] }],
    ['with a choice that reads', { operation: { type: 'read' }, action: 'list' }],
  ])('%s', (_, input) => {
    expect(tierOf('query_records', input)).toBe('low')
  })
})
