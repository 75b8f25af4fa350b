import { describe, expect, it } from 'vitest'
import { spentBy } from '../../src/call/money.ts'
import { testGate } from '../../src/testing.ts'

describe('what a call counts as spent', () => {
  it.each([
    [5, '5.0'],
    [0.1 + 0.2, '0.3'],
    [1_999.99999, '2000.0'],
    [0.00001, '0.0001'],
    [900_719_925_474.1, '900719925474.1'],
    [999_999_999_999, '999999999999.0'],
    [922_337_203_685_477, '922337203685477.0'],
  ])('is %d exactly, rounded up to four places', (amount, spent) => {
    expect(spentBy({ amount })).toBe(spent)
  })

  it('is the largest amount there is for any that is larger', () => {
    for (const amount of [1e15, 1e21, Number.MAX_VALUE]) expect(spentBy({ amount })).toBe('922337203685477.5807')
  })

  it.each([[-5], [0], ['5'], [null], [[5]]])('is nothing for %j', (amount) => {
    expect(spentBy({ amount })).toBeUndefined()
  })
})

it('holds a budget for amounts that are beyond exact arithmetic of numbers', async () => {
  const policy = `@id("all") permit (principal, action, resource);
    @id("budget") forbid (principal, action, resource)
    unless { context.session.here.after.lessThanOrEqual(decimal("2000000000000.0")) };`
  const gate = testGate({ policy })
  gate.register([{ name: 'pay', origin: 'own' }])
  const me = gate.as({ user: 'alice' }, { conversation: 'c' })
  let spent = 0
  for (let call = 0; call < 5; call += 1) {
    await me.run({ tool: 'pay', input: { amount: 1_000_000_000_000 } }, () => {
      spent += 1_000_000_000_000
    })
  }
  expect(spent).toBe(2_000_000_000_000)
})
