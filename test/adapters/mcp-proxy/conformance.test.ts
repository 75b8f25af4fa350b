// `npm run conformance` runs the suite itself, which takes a minute; here stands what it takes for equal.
import { describe, expect, it } from 'vitest'
import { type Check, compareChecks } from '../../support/conformance/compare.ts'

const passed: Check = { scenario: 'tools-list', id: 'tools-list', status: 'SUCCESS' }
const failed: Check = { ...passed, status: 'FAILURE' }
const noted: Check = { scenario: 'tools-list', id: 'incoming-request', status: 'INFO' }

describe('conformance through the proxy', () => {
  it('is equal only when every check came out as it did directly', () => {
    expect(compareChecks([passed, noted], [noted, passed])).toEqual([])
    expect(compareChecks([passed], [failed])).toEqual([
      { scenario: 'tools-list', id: 'tools-list', direct: '1 SUCCESS', through: '1 FAILURE' },
    ])
  })

  it('is not equal when a check passes that failed directly: the proxy must not mend what it carries', () => {
    expect(compareChecks([failed], [passed])).toHaveLength(1)
  })

  it('is not equal when a scenario never got to a check, or to one more than directly', () => {
    expect(compareChecks([passed, passed], [passed])).toMatchObject([{ direct: '2 SUCCESS', through: '1 SUCCESS' }])
    expect(compareChecks([passed], [])).toMatchObject([{ direct: '1 SUCCESS', through: '' }])
    expect(compareChecks([], [failed])).toMatchObject([{ direct: '', through: '1 FAILURE' }])
  })

  it('does not count what the suite merely notes, since it notes every message on the wire', () => {
    expect(compareChecks([passed, noted], [passed, noted, noted])).toEqual([])
  })

  it('leaves out a known difference only while it is exactly as it was known', () => {
    const known = [{ ...passed, direct: '1 SUCCESS', through: '1 FAILURE', reason: 'for this test' }]
    expect(compareChecks([passed], [failed], known)).toEqual([])
    expect(compareChecks([passed], [{ ...passed, status: 'WARNING' }], known)).toHaveLength(1)
    expect(compareChecks([passed], [passed], known)).toHaveLength(1)
    const elsewhere = { ...passed, scenario: 'prompts-list' }
    expect(compareChecks([passed, elsewhere], [failed, { ...elsewhere, status: 'FAILURE' }], known)).toHaveLength(1)
  })
})
