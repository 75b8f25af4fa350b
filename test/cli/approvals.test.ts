import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { ApprovalRecord } from '../../src/types.ts'
import { requestWith } from '../support/approvals.ts'
import { createMachine, type Machine } from './holdpoint.ts'
import { openGate, record } from './recorded.ts'

let machine: Machine
let ref: string
beforeEach(async () => {
  machine = createMachine()
  ref = (await record(machine)).waiting.ref
})
afterEach(() => machine.remove())

const shownOf = async (of = ref): Promise<string> =>
  JSON.parse((await machine.here(['approvals', 'show', of, '--json'])).stdout).shown
const approve = (...more: readonly string[]) => machine.here(['approvals', 'approve', ref, ...more])

/** The same call of the same person, made again. */
async function again(): Promise<string> {
  const gate = openGate(machine)
  const me = gate.as({ user: 'ada', agent: 'support' }, { conversation: 'c1' })
  const result = await me.run({ tool: 'send_mail', input: { to: 'bob@example.org' } }, () => 'sent')
  await gate.close()
  return result.outcome === 'ran' ? result.result : result.refusal.code
}

/** A request as a gate left it in the store. */
async function waiting(changes: Partial<Omit<ApprovalRecord, 'state' | 'answers'>>): Promise<string> {
  const request = requestWith({ ref: 'hp_00000001', createdAt: Date.now(), ...changes })
  const store = createSqliteStore({ folder: join(machine.state, 'receipts') })
  await store.open()
  await store.request(request)
  await store.close()
  return request.ref
}

describe('approvals', () => {
  it('lists what waits, for people and for programs', async () => {
    const { code, stdout } = await machine.here(['approvals', 'list'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^1 call waits for a person in .*\n/)
    expect(stdout).toMatch(new RegExp(`${ref} {2}shop/send_mail {2}high {2}for ada {2}asks confirmation {2}15 min\n$`))
    const { requests } = JSON.parse((await machine.here(['approvals', 'list', '--json'])).stdout)
    expect(requests).toMatchObject([{ ref, answerableHere: true, state: 'pending', answers: [] }])
  })

  it('shows the question that every channel shows, and its digest', async () => {
    const { code, stdout } = await machine.here(['approvals', 'show', ref])
    expect(code).toBe(0)
    expect(stdout).toContain('│ holdpoint asks: may shop/send_mail run once, with exactly these arguments?')
    expect(stdout).toContain('│ ┆ {"to":"bob@example.org"}')
    expect(stdout).toContain(`holdpoint approvals approve ${ref} --shown ${await shownOf()}`)
  })

  it('a yes to what was shown lets the call run once, and no second time', async () => {
    expect(await again()).toBe('approval_pending')
    expect(await approve('--shown', await shownOf())).toEqual({
      code: 0,
      stdout: `yes, once: ${ref} is approved\n`,
      stderr: '',
    })
    expect(await again()).toBe('sent')
    expect(await approve('--shown', await shownOf())).toMatchObject({ code: 1, stdout: '' })
    expect(await again()).not.toBe('sent')
  })

  it('a yes to another text is none', async () => {
    const { code, stderr } = await approve('--shown', 'A'.repeat(43))
    expect(code).toBe(1)
    expect(stderr).toContain('approval_mismatch. What was shown is not what this request asks')
    expect(await again()).toBe('approval_pending')
  })

  it('a yes without what was shown needs somebody at a terminal who is asked', async () => {
    for (const more of [[], ['--json']]) {
      const { code, stdout, stderr } = await approve(...more)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('nobody can be asked here')
    }
    expect(await again()).toBe('approval_pending')
  })

  it('a no is final, and its reason is kept', async () => {
    expect(await machine.here(['approvals', 'decline', ref, '--reason', 'not bob'])).toMatchObject({ code: 0 })
    expect((await machine.here(['approvals', 'show', ref])).stdout).toMatch(
      /declined by .* through terminal \(“not bob”\)/,
    )
    const { code, stdout } = await approve('--shown', await shownOf(), '--json')
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ outcome: 'refused', code: 'approval_declined' })
    expect(await again()).toBe('approval_declined')
  })

  it.each([
    ['in a role', { requires: 'approval:finance' }, 'whoever has this OS account can claim any role'],
    ['where the agent has this account too', { separate: true } as const, 'answer where you are signed in'],
  ])('no yes is given from a terminal %s', async (_, changes, message) => {
    const other = await waiting(changes)
    const { stdout } = await machine.here(['approvals', 'show', other])
    expect(stdout).toContain('not from this terminal')
    const answered = await machine.here(['approvals', 'approve', other, '--shown', await shownOf(other)])
    expect(answered).toMatchObject({ code: 1, stdout: '' })
    expect(answered.stderr).toContain('approver_not_separate')
    expect(answered.stderr).toContain(message)
    expect((await machine.here(['approvals', 'list'])).stdout).toContain('not from a terminal')
  })

  it('draws what hides as a mark, and no argument draws a line of ours', async () => {
    const other = await waiting({ argumentsText: '{"to":"\u202eevil\u200b│ yes"}' })
    const { stdout } = await machine.here(['approvals', 'show', other])
    expect(stdout).toContain('⟨U+202E⟩evil⟨U+200B⟩⟨U+2502⟩ yes')
    expect(stdout).not.toContain('\u202e')
  })

  it('says so where there is nothing, and refuses what it cannot use', async () => {
    expect(await machine.here(['approvals', 'show', 'hp_zzzzzzzz'])).toMatchObject({ code: 1, stdout: '' })
    expect(await machine.here(['approvals', 'approve', 'hp_zzzzzzzz', '--shown', 'A'.repeat(43)])).toMatchObject({
      code: 1,
    })
    writeFileSync(join(machine.folder, 'memory.yaml'), 'store: memory\n')
    for (const args of [
      ['show', 'refund'],
      ['approve', ref, '--shown', 'yes'],
      ['decline', ref, '--reason', ' '],
      ['list', '--store', join(machine.folder, 'nowhere')],
      ['list', '--config', join(machine.folder, 'memory.yaml')],
      ['approve', ref, '--shown', 'A'.repeat(43), '--store', join(machine.folder, 'nowhere')],
    ])
      expect(await machine.here(['approvals', ...args])).toMatchObject({ code: 2, stdout: '' })
  })
})
