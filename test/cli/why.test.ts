import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMachine, type Machine } from './holdpoint.ts'
import { POLICIES, type Recorded, record } from './recorded.ts'

let machine: Machine
let recorded: Recorded

beforeAll(async () => {
  machine = createMachine()
  recorded = await record(machine)
})
afterAll(() => machine.remove())

describe('why', () => {
  it('explains the last refusal when it is asked nothing more', async () => {
    const { code, stdout } = await machine.here(['why', '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ tool: 'shop/send_mail', code: 'approval_required' })
  })

  it('tells the condition that failed, what it required, what it was, and what would pass', async () => {
    const { code, stdout } = await machine.here(['why', recorded.refused])
    expect(code).toBe(0)
    expect(stdout).toContain('shop/refund  refused: denied_by_policy')
    expect(stdout).toContain('Refunds above 500 EUR are not made here.')
    expect(stdout).toMatch(/refund-cap {2}forbids {2}shop\.cedar:4/)
    expect(stdout).toMatch(/no +amount: at most 500, was 900/)
    expect(stdout).toMatch(/would pass +amount at most 500/)
    expect(stdout).toContain('{"amount":900}')
    expect(stdout).toContain('user ada through agent support')
    expect(stdout).toContain(recorded.refused)
  })

  it('finds a receipt by the beginning of its id, and a permit by its outcome', async () => {
    const brief = recorded.refused.slice(0, 12)
    expect(JSON.parse((await machine.here(['why', brief, '--json'])).stdout)).toMatchObject({
      receipt: recorded.refused,
    })
    const outcome = recorded.permitted.at(-1)?.id ?? ''
    const { stdout } = await machine.here(['why', outcome, '--json'])
    expect(JSON.parse(stdout)).toMatchObject({ tool: 'shop/list_orders', outcome: 'permitted', decision: 'permit' })
  })

  it('follows a reference to the call that waits for a person', async () => {
    const { code, stdout } = await machine.here(['why', recorded.waiting.ref])
    expect(code).toBe(0)
    expect(stdout).toContain('shop/send_mail  refused: approval_required')
    expect(stdout).toMatch(/mail-needs-a-yes {2}permits, once a person says yes/)
    expect(stdout).toMatch(/would pass +the same call, once a person has said yes/)
    expect(stdout).toMatch(new RegExp(`${recorded.waiting.ref} asks for confirmation and is pending`))
  })

  it('says so when the policies are not the ones that decided', async () => {
    writeFileSync(join(machine.folder, 'later.cedar'), POLICIES.replace('500', '950'))
    writeFileSync(join(machine.folder, 'later.yaml'), 'server: shop\npolicies: later.cedar\n')
    const { stdout } = await machine.here(['why', recorded.refused, '--config', join(machine.folder, 'later.yaml')])
    expect(stdout).toContain('the policies have changed since')
  })

  it('exits 1 when there is nothing to explain, and 2 for what is no id', async () => {
    const missing = await machine.here(['why', 'r_0000000000'])
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/^There is no decision r_0000000000 in .*\n$/)
    const nonsense = await machine.here(['why', 'refund'])
    expect(nonsense).toMatchObject({ code: 2, stdout: '' })
    expect(nonsense.stderr).toMatch(/neither a receipt \(r_…\) nor a reference/)
  })

  it('exits 2 where no store is', async () => {
    const { code, stdout, stderr } = await machine.here(['why', '--store', join(machine.folder, 'nowhere')])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^holdpoint: there is no store at .*nowhere.*\n$/)
  })
})
