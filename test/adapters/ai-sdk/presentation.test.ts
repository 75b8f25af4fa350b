import { describe, expect, it } from 'vitest'
import { type Major, present, type RefusalAs, shownAs } from '../../../adapters/ai-sdk/presentation.ts'
import type { CallRecord } from '../../../adapters/shared/journal.ts'
import { testGate } from '../../../src/testing.ts'

function recordOf(refusalAs: RefusalAs | undefined, server: Major): CallRecord {
  const record: CallRecord = {
    callId: 'c',
    tool: 'erase',
    outcome: 'refused',
    failedOpen: false,
    notices: [],
    receipts: [],
  }
  const gate = testGate()
  present(
    record,
    {
      gate,
      server: undefined,
      refusalAs,
      client: undefined,
      registered: undefined,
      onSilence: 'refuse',
      holdMs: undefined,
    },
    server,
  )
  return record
}

describe('a refused call', () => {
  it.each([
    [undefined, 7, 'denied'],
    [undefined, 6, 'error'],
    ['denied', 6, 'error'],
    ['error', 7, 'error'],
    ['result', 7, 'result'],
    ['result', 6, 'result'],
  ] as const)(
    'that came back as a result is shown as the app wants it (%s) and its client (%s) can: as %s',
    (refusalAs, client, shown) => {
      expect(shownAs(recordOf(refusalAs, client), 'returned')).toBe(shown)
    },
  )

  it.each(['denied', 'error', 'result'] as const)(
    'that the host denied stays a denial, unless the client knows none, also where refusals are told as %s',
    (refusalAs) => {
      expect(shownAs(recordOf(refusalAs, 7), 'denied')).toBe('denied')
      expect(shownAs(recordOf(refusalAs, 7), 'denied', 6)).toBe('error')
    },
  )

  it('is an error where nobody said which client it is', () => {
    const record: CallRecord = {
      callId: 'c',
      tool: 'erase',
      outcome: 'refused',
      failedOpen: false,
      notices: [],
      receipts: [],
    }
    expect(shownAs(record, 'returned')).toBe('error')
    expect(shownAs(record, 'denied')).toBe('error')
  })
})
