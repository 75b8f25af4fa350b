import { describe, expect, it } from 'vitest'
import { MOST } from '../../src/receipt/limits.ts'

describe('a receipt', () => {
  // Literals on purpose: whoever verifies receipts elsewhere refuses more than this. Raising one is a new version of the format.
  it('holds as much as it always did', () => {
    expect(MOST).toEqual({
      payload: 32_768,
      id: 512,
      name: 256,
      server: 64,
      roles: 64,
      evidence: 8,
      place: 256,
      because: 512,
      policies: 64,
      policyId: 128,
      obligations: 32,
      obligationType: 128,
      parents: 64,
      note: 512,
      reason: 512,
      persons: 16,
    })
  })
})
