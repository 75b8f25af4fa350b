import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { testGate } from '../../src/testing.ts'
import type { Store } from '../../src/types.ts'

let folder: string
let store: Store

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'holdpoint-holder-'))
  store = createSqliteStore({ folder })
})
afterEach(() => rmSync(folder, { recursive: true }))

describe('a call that has just ended', () => {
  it.each([
    ['ran', 'ok'],
    ['failed', 'tool_error'],
  ] as const)('and %s is not told to be in progress', async (_what, status) => {
    const gate = testGate({ store })
    gate.register([{ name: 'refund', origin: 'own' }])
    const me = gate.as({ user: 'ada' }, { conversation: 'c1' })
    const admission = await me.admit({ tool: 'refund', input: {}, callId: 'c' })
    if (admission.outcome !== 'permitted') throw new Error(admission.refusal.code)
    expect(await store.holder(admission.callKey)).toMatchObject({ status: 'claimed' })
    admission.begin()
    await admission.settle({ status })
    expect(await store.holder(admission.callKey)).toMatchObject({ status, receipt: admission.receipt?.id })
    await gate.close()
  })

  it('and never began leaves its key free', async () => {
    const gate = testGate({ store })
    gate.register([{ name: 'refund', origin: 'own' }])
    const admission = await gate.as({ user: 'ada' }).admit({ tool: 'refund', input: {}, callId: 'c' })
    if (admission.outcome !== 'permitted') throw new Error(admission.refusal.code)
    await admission.settle({ status: 'not_executed' })
    expect(await store.holder(admission.callKey)).toBeUndefined()
    await gate.close()
  })
})
