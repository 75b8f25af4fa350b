import { expect, it } from 'vitest'
import { Sessions } from '../../../adapters/mcp-proxy/http/sessions.ts'

it('does not take a session for unused because work in an older one of the same id has ended', async () => {
  const sessions = new Sessions({ most: 2, isShared: false }, 60_000)
  const closed: string[] = []
  const begin = (name: string) => {
    sessions.keep('id', { principal: 'alice', close: () => void closed.push(name) })
    const { promise, resolve: end } = Promise.withResolvers<void>()
    return { work: sessions.using('id', () => promise), end }
  }
  const older = begin('older')
  sessions.drop('id')
  const newer = begin('newer')
  older.end()
  await older.work
  sessions.dropUnused('id')
  expect(closed).toEqual(['older'])
  newer.end()
  await newer.work
  sessions.dropUnused('id')
  expect(closed).toEqual(['older', 'newer'])
  sessions.close()
})
