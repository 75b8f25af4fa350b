import { describe, expect, it } from 'vitest'
import type { Decision } from '../../src/types.ts'
import { decide, evaluationRequest, pointOf, type Told } from '../support/evaluation.ts'

const ANY = '@id("any") permit (principal, action, resource);'
const NUMBER = { type: 'object', properties: { amount: { type: 'number' } } }

/** The short of a decision: what a caller acts on. */
function short(decision: Decision): string {
  if (decision.kind !== 'silence') return decision.kind
  const { cause } = decision
  if (cause.kind === 'requestable') return `requestable ${cause.requires}`
  return cause.kind === 'wrong' || cause.kind === 'absent' ? `${cause.kind} ${cause.fault}` : cause.kind
}

const SURFACES_SPENT = { calls: { financial: 3 }, spent: { financial: '12.0' } }

describe('reading what policies said', () => {
  it('permits when a permit applies and names it', () => {
    expect(decide(ANY)).toEqual({ kind: 'permit', obligations: [], determining: ['any'], errors: [] })
  })

  it('refuses when no permit applies', () => {
    expect(short(decide('@id("a") permit (principal, action == Action::"shop/other", resource);'))).toBe('no_permit')
  })

  it('lets a forbid win over any number of permits, and gives its own sentence', () => {
    const decision = decide(`${ANY}
      @id("stop") @refusal("Not on Fridays.") forbid (principal, action, resource);`)
    expect(decision).toEqual({ kind: 'deny', sentence: 'Not on Fridays.', determining: ['stop'], errors: [] })
  })

  it('does not run a call that an erring forbid might have forbidden, although the engine says allow', () => {
    const decision = decide(
      `${ANY} @id("cap") forbid (principal, action, resource) when { context.arguments.amount > 5 };`,
    )
    expect(decision).toMatchObject({
      cause: { kind: 'wrong', fault: 'policy_error' },
      errors: ['cap'],
      determining: [],
    })
  })

  it('says deny, not error, when another forbid does apply', () => {
    const decision = decide(`@id("cap") forbid (principal, action, resource) when { context.arguments.amount > 5 };
      @id("stop") forbid (principal, action, resource);`)
    expect(decision).toEqual({ kind: 'deny', determining: ['stop'], errors: ['cap'] })
  })

  it('takes an erring permit as not having spoken, and lists it', () => {
    const erring = '@id("small") permit (principal, action, resource) when { context.arguments.amount < 5 };'
    expect(decide(erring)).toMatchObject({ cause: { kind: 'no_permit' }, errors: ['small'] })
    expect(decide(`${erring} ${ANY}`)).toMatchObject({ kind: 'permit', determining: ['any'], errors: ['small'] })
  })

  it('asks where only a forbid stands that a yes lifts, and runs on a permit once that yes is there', () => {
    const lifted = `${ANY} @id("large") @requires("approval:finance") @refusal("Ask finance.")
      forbid (principal, action, resource) unless { context.approval.roles.contains("finance") };`
    expect(decide(lifted)).toEqual({
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'approval:finance' },
      sentence: 'Ask finance.',
      determining: ['large'],
      errors: [],
    })
    expect(short(decide(lifted, { approval: { confirmed: true, roles: [] } }))).toBe('requestable approval:finance')
    expect(decide(lifted, { approval: { confirmed: false, roles: ['finance'] } })).toMatchObject({
      kind: 'permit',
      determining: ['any'],
    })
  })

  it('takes a forbid that stands although its yes is there for a no, and any other forbid beside it too', () => {
    const stubborn = `${ANY} @id("a") @requires("confirmation")
      forbid (principal, action, resource) unless { context.approval.roles.contains("nobody") };`
    // Its own no, and not one for want of another yes.
    expect(decide(stubborn, { approval: { confirmed: true, roles: [] } })).toEqual({
      kind: 'deny',
      determining: ['a'],
      errors: [],
    })
    expect(decide(`${stubborn} @id("b") forbid (principal, action, resource);`)).toMatchObject({
      kind: 'deny',
      determining: ['b'],
    })
    const erring = '@id("cap") forbid (principal, action, resource) when { context.arguments.amount > 5 };'
    expect(short(decide(`${stubborn} ${erring}`))).toBe('wrong policy_error')
  })

  describe('asks nobody in vain', () => {
    const FORBID = `@id("leaves") @requires("confirmation") @refusal("This leaves the house.")
      forbid (principal, action, resource) unless { context.approval.confirmed };`
    const FINANCE = '@id("finance") @requires("approval:finance") permit (principal, action, resource);'

    it('refuses at once where nothing permits behind the forbid that a yes would lift', () => {
      const other = '@id("other") permit (principal, action == Action::"shop/other", resource);'
      expect(decide(`${FORBID} ${other}`)).toEqual({
        kind: 'silence',
        cause: { kind: 'no_permit' },
        determining: [],
        errors: [],
      })
    })

    it('says no at once, with the sentence of the rule that would say it after the yes', () => {
      const late = `@id("late") @refusal("Not today.") forbid (principal, action, resource) when { context.approval.confirmed };`
      expect(decide(`${ANY} ${FORBID} ${late}`)).toMatchObject({
        kind: 'deny',
        determining: ['late'],
        sentence: 'Not today.',
      })
      const stubborn =
        '@id("a") @requires("confirmation") forbid (principal, action, resource) unless { context.approval.roles.contains("x") };'
      expect(decide(`${ANY} ${stubborn}`)).toMatchObject({ kind: 'deny', determining: ['a'] })
    })

    it('refuses at once where a rule cannot be evaluated after the yes', () => {
      const erring =
        '@id("e") forbid (principal, action, resource) when { context.approval.confirmed && context.arguments.x > 1 };'
      expect(short(decide(`${ANY} ${FORBID} ${erring}`))).toBe('wrong policy_error')
    })

    it('refuses what would take two different yeses, and says which', () => {
      expect(decide(`${FORBID} ${FINANCE}`)).toEqual({
        kind: 'deny',
        sentence: 'This call would need more than one yes (confirmation, approval:finance), and can be given one.',
        determining: ['leaves'],
        errors: [],
      })
      const legal =
        '@id("legal") @requires("approval:legal") forbid (principal, action, resource) unless { context.approval.roles.contains("legal") };'
      expect(short(decide(`${ANY} ${FORBID} ${legal}`))).toBe('deny')
      // The first of them has been given: one is left to ask for.
      const approval = { confirmed: true, roles: [] }
      expect(short(decide(`${FORBID} ${FINANCE}`, { approval }))).toBe('requestable approval:finance')
    })

    it('ends, however many different yeses the rules want', () => {
      const roles = Array.from({ length: 12 }, (_, index) => `role-${index}`)
      const forbids = roles.map(
        (role) =>
          `@id("${role}") @requires("approval:${role}") forbid (principal, action, resource) unless { context.approval.roles.contains("${role}") };`,
      )
      expect(short(decide(`${ANY} ${forbids.join('\n')}`))).toBe('deny')
    })

    it('asks where the one yes serves the forbid and the permit', () => {
      const own = '@id("own") @requires("confirmation") permit (principal, action, resource);'
      expect(decide(`${FORBID} ${own}`)).toMatchObject({
        cause: { kind: 'requestable', requires: 'confirmation' },
        determining: ['leaves'],
        sentence: 'This leaves the house.',
      })
    })
  })

  it('asks for a person where only a waiting permit applies, with its sentence', () => {
    const waiting =
      '@id("ask") @requires("confirmation") @refusal("Needs your yes.") permit (principal, action, resource);'
    expect(decide(waiting)).toEqual({
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'confirmation' },
      sentence: 'Needs your yes.',
      determining: ['ask'],
      errors: [],
    })
    expect(short(decide(waiting, { approval: { confirmed: true, roles: [] } }))).toBe('permit')
  })

  it('does not take one kind of yes for another', () => {
    const finance = '@id("ask") @requires("approval:finance") permit (principal, action, resource);'
    expect(short(decide(finance))).toBe('requestable approval:finance')
    expect(short(decide(finance, { approval: { confirmed: true, roles: ['legal'] } }))).toBe(
      'requestable approval:finance',
    )
    // The principal's own roles are not somebody's approval.
    expect(short(decide(finance, { roles: ['finance'] }))).toBe('requestable approval:finance')
    expect(short(decide(finance, { approval: { confirmed: false, roles: ['finance'] } }))).toBe('permit')
    // Nor is another person's approval the principal's own yes.
    const own = '@id("ask") @requires("confirmation") permit (principal, action, resource);'
    expect(short(decide(own, { approval: { confirmed: false, roles: ['finance'] } }))).toBe('requestable confirmation')
  })

  it('needs no person where one unconditional permit applies', () => {
    const both = `${ANY} @id("ask") @requires("confirmation") permit (principal, action, resource);`
    expect(decide(both)).toMatchObject({ kind: 'permit', determining: ['any'] })
  })

  it("asks for the least: the own yes before another person's", () => {
    const both = `@id("a") @requires("approval:finance") permit (principal, action, resource);
      @id("b") @requires("confirmation") permit (principal, action, resource);`
    expect(short(decide(both))).toBe('requestable confirmation')
  })

  it('keeps a forbid standing after every yes', () => {
    const both = `@id("ask") @requires("confirmation") permit (principal, action, resource);
      @id("stop") forbid (principal, action, resource);`
    expect(short(decide(both, { approval: { confirmed: true, roles: [] } }))).toBe('deny')
  })

  it('hands on the obligations of every permit that counted, and of no other', () => {
    const decision = decide(`
      @id("a") @obligation("notify:{\\"to\\":\\"finance\\"}") permit (principal, action, resource);
      @id("b") @obligation("log") permit (principal, action, resource);
      @id("c") @requires("confirmation") @obligation("never") permit (principal, action, resource);`)
    expect(decision).toMatchObject({
      obligations: [
        { id: 'a', type: 'notify', properties: { to: 'finance' } },
        { id: 'b', type: 'log', properties: {} },
      ],
    })
  })
})

describe('who, what and where, as policies read it', () => {
  const when = (condition: string, told: Told): string =>
    short(decide(`@id("a") permit (principal, action, resource) when { ${condition} };`, told))

  it.each<[string, Told]>([
    ['principal == User::"alice"', {}],
    ['principal == Agent::"support"', { type: 'agent', user: 'support' }],
    ['principal in Role::"finance"', { roles: ['sales', 'finance'] }],
    ['principal has tenant && principal.tenant == "acme"', { tenant: 'acme' }],
    ['action == Action::"shop/refund"', {}],
    ['action in Action::"medium" && !(action in Action::"high")', { materiality: 'medium' }],
    ['action in Action::"surface-financial"', {}],
    ['resource == Server::"shop"', {}],
    ['context.agent == "support"', { agent: 'support' }],
    ['context.environment.region == "eu"', { environment: { region: 'eu' } }],
    ['context.session.calls["shop/refund"] < 3', { session: { calls: { 'shop/refund': 2 }, spent: {} } }],
    [
      'context.session.spent["shop/refund"].lessThan(decimal("3.0"))',
      { session: { calls: {}, spent: { 'shop/refund': '2.5' } } },
    ],
    ['context.session.here.calls == 0 && context.session.here.spent == decimal("0.0")', {}],
    ['context.session.here.surface.calls == 0 && context.session.here.day.surface.spent == decimal("0.0")', {}],
    [
      'context.session.here.surface.calls == 3 && context.session.here.surface.after == decimal("12.5")',
      { arguments: { amount: 0.5 }, session: { surfaces: SURFACES_SPENT } },
    ],
    [
      'context.session.here.hour.after == decimal("0.5") && context.session.here.day.surface.after == decimal("12.5")',
      { arguments: { amount: 0.5 }, session: { day: { calls: {}, spent: {}, surfaces: SURFACES_SPENT } } },
    ],
    [
      'context.session.surfaces.calls.communication == 0 && context.session.surfaces.spent["data-egress"] == decimal("0.0")',
      { session: { surfaces: SURFACES_SPENT } },
    ],
    [
      'context.session.day.calls["shop/refund"] == 2 && !(context.session.hour.calls has "shop/refund")',
      { session: { day: { calls: { 'shop/refund': 2 }, spent: {}, surfaces: { calls: {}, spent: {} } } } },
    ],
    [
      'context.session.private_data_read && !context.session.untrusted_content_read',
      { session: { private_data_read: true } },
    ],
    [
      'context.session.untrusted_content_read && !context.session.private_data_read',
      { session: { untrusted_content_read: true } },
    ],
    [
      'context.approval.confirmed && context.approval.roles.contains("legal")',
      { approval: { confirmed: true, roles: ['legal'] } },
    ],
    ['context.approval.roles.isEmpty()', {}],
  ])('%s', (condition, told) => {
    expect(when(condition, told)).toBe('permit')
    expect(when(`!(${condition})`, told)).toBe('no_permit')
  })

  it('keeps users, agents and roles of the same name apart', () => {
    expect(when('principal == User::"support"', { type: 'agent', user: 'support' })).toBe('no_permit')
    expect(when('principal in Role::"support"', { user: 'support' })).toBe('no_permit')
  })
})

describe('hazards of the encoding', () => {
  const cap =
    '@id("cap") permit (principal, action, resource) when { context.arguments.amount.lessThanOrEqual(decimal("5.0")) };'

  it.each(['__entity', '__extn', '__expr'])('never lets a model write %s into the question', (key) => {
    const escapes = { __extn: { fn: 'decimal', arg: '1.0' }, __entity: { type: 'User', id: 'alice' }, __expr: 'true' }
    const forged = { amount: { [key]: escapes[key as keyof typeof escapes] } }
    expect(() => decide(cap, { arguments: forged }, NUMBER)).toThrowError(
      expect.objectContaining({ at: `/amount/${key}` }),
    )
  })

  it('never takes an argument for the principal', () => {
    const own = '@id("own") permit (principal, action, resource) when { context.arguments.owner == principal };'
    const forged = { owner: { __entity: { type: 'User', id: 'alice' } } }
    expect(() => decide(own, { arguments: forged })).toThrow()
    expect(short(decide(own, { arguments: { owner: { type: 'User', id: 'alice' } } }))).toBe('no_permit')
    expect(short(decide(own, { arguments: { owner: 'User::"alice"' } }))).toBe('no_permit')
  })

  it('neither permits nor rounds an amount with more than four places', () => {
    expect(short(decide(cap, { arguments: { amount: 5.0 } }, NUMBER))).toBe('permit')
    expect(short(decide(cap, { arguments: { amount: 4.99999 } }, NUMBER))).toBe('no_permit')
    const forbid = `${ANY} @id("no") forbid (principal, action, resource) when { context.arguments.amount.greaterThan(decimal("5.0")) };`
    expect(short(decide(forbid, { arguments: { amount: 5.00001 } }, NUMBER))).toBe('wrong policy_error')
  })

  it('leaves a policy untouched that ignores what Cedar cannot hold', () => {
    expect(short(decide(ANY, { arguments: { amount: 1e300, list: [null] } }, NUMBER))).toBe('permit')
    const note =
      '@id("a") permit (principal, action, resource) when { context.arguments.note == "x" && context.arguments has amount };'
    expect(short(decide(note, { arguments: { amount: 1e300, note: 'x' } }, NUMBER))).toBe('permit')
  })

  it('writes the number as the schema says, never as the value looks', () => {
    // 5 looks like an integer; the tool says number.
    expect(short(decide(cap, { arguments: { amount: 5 } }, NUMBER))).toBe('permit')
    expect(short(decide(cap, { arguments: { amount: 5 } }))).toBe('no_permit')
    const whole = '@id("a") permit (principal, action, resource) when { context.arguments.amount <= 5 };'
    expect(short(decide(whole, { arguments: { amount: 5 } }, { properties: { amount: { type: 'integer' } } }))).toBe(
      'permit',
    )
    expect(short(decide(whole, { arguments: { amount: 5 } }, NUMBER))).toBe('no_permit')
  })

  it('takes a text that looks like a decimal for the text that it is', () => {
    expect(short(decide(cap, { arguments: { amount: '1.0' } }, NUMBER))).toBe('no_permit')
  })

  it('has no member for null, so that a rule on it errs instead of passing', () => {
    const has = '@id("a") permit (principal, action, resource) when { context.arguments has amount };'
    expect(short(decide(has, { arguments: { amount: null } }, NUMBER))).toBe('no_permit')
    expect(short(decide(cap, { arguments: { amount: null } }, NUMBER))).toBe('no_permit')
  })

  it('does not lose a null in a list', () => {
    const only = '@id("a") permit (principal, action, resource) when { ["a"].containsAll(context.arguments.to) };'
    expect(short(decide(only, { arguments: { to: ['a', 'a'] } }))).toBe('permit')
    expect(short(decide(only, { arguments: { to: ['a', null] } }))).toBe('no_permit')
  })

  it('counts the elements that a set would lose', () => {
    const few = '@id("a") permit (principal, action, resource) when { context.lengths["/to"] <= 2 };'
    expect(short(decide(few, { arguments: { to: ['a', 'b'] } }))).toBe('permit')
    expect(short(decide(few, { arguments: { to: ['a', 'a', 'a'] } }))).toBe('no_permit')
  })

  it('permits by the ancestors of a path, where `like` on the raw argument is led astray', () => {
    const raw = '@id("a") permit (principal, action, resource) when { context.arguments.path like "/srv/*" };'
    const derived =
      '@id("a") permit (principal, action, resource) when { context.derived["/path"].ancestors.contains("/srv") };'
    const climbing = { arguments: { path: '/srv/../etc/passwd' } }
    expect(short(decide(raw, climbing))).toBe('permit')
    expect(short(decide(derived, climbing))).toBe('no_permit')
    expect(short(decide(derived, { arguments: { path: '/srv/./a/../b' } }))).toBe('permit')
  })

  it('decides by the tier of this very call, not by that of an earlier one', () => {
    const point = pointOf('@id("a") permit (principal, action in Action::"low", resource);')
    expect(short(decide(point, { materiality: 'low' }))).toBe('permit')
    expect(short(decide(point, { materiality: 'high' }))).toBe('no_permit')
    expect(short(decide(point, { materiality: 'low' }))).toBe('permit')
    expect(short(decide(point, { materiality: 'low', surface: 'read' }))).toBe('permit')
  })

  it('adds what this call would spend to what was spent, exactly', () => {
    const budget =
      '@id("a") permit (principal, action, resource) when { context.session.here.after.lessThanOrEqual(decimal("10.0")) };'
    const spent = (sum: string, amount: number): Told => ({
      session: { calls: {}, spent: { 'shop/refund': sum } },
      arguments: { amount },
    })
    // In floating point 9.9 + 0.1 and 9.7 + 0.3 are not both 10.
    expect(short(decide(budget, spent('9.9', 0.1)))).toBe('permit')
    expect(short(decide(budget, spent('9.7', 0.3)))).toBe('permit')
    expect(short(decide(budget, spent('9.9', 0.1001)))).toBe('no_permit')
    expect(short(decide(budget, spent('9.9', 0.00001)))).toBe('no_permit')
    expect(short(decide(budget, spent('10.5', -1)))).toBe('no_permit')
    expect(short(decide(budget, spent('nonsense', 1)))).toBe('no_permit')
  })

  it('reads arguments as deep and as many as a snapshot lets through', () => {
    let deep: { [name: string]: unknown } = { end: true }
    for (let depth = 0; depth < 60; depth += 1) deep = { in: deep }
    const whole = '@id("a") permit (principal, action, resource) when { context.arguments != {} };'
    expect(short(decide(whole, { arguments: deep as never }))).toBe('permit')
    expect(short(decide(whole, { arguments: { list: Array.from({ length: 9_000 }, (_, n) => `item ${n}`) } }))).toBe(
      'permit',
    )
  })
})

describe('several gates in one process', () => {
  it('answers each from its own policies', () => {
    const open = pointOf(ANY)
    const shut = pointOf('@id("any") forbid (principal, action, resource);')
    expect([short(decide(open)), short(decide(shut)), short(decide(open))]).toEqual(['permit', 'deny', 'permit'])
    expect(open.policyDigest).not.toBe(shut.policyDigest)
  })

  it('answers from the right policies after many others made it leave the engine', () => {
    const first = pointOf('@id("a") permit (principal == User::"alice", action, resource);')
    for (let n = 0; n < 100; n += 1) pointOf(`@id("a") permit (principal == User::"user ${n}", action, resource);`)
    expect(short(decide(first))).toBe('permit')
    expect(short(decide(first, { user: 'user 7' }))).toBe('no_permit')
  })

  it('knows which gates must take turns, because their policies look at the session', () => {
    expect(pointOf(ANY).readsSession).toBe(false)
    const turnsFor = (condition: string) =>
      pointOf(`@id("a") permit (principal, action, resource) when { ${condition} };`).readsSession
    expect(turnsFor('context.session.here.calls < 3')).toBe('conversation')
    expect(turnsFor('context.session.here.surface.calls < 3')).toBe('conversation')
    expect(turnsFor('context.session.private_data_read')).toBe('conversation')
    // What happened in other conversations can change these answers.
    expect(turnsFor('context.session.here.hour.calls < 3')).toBe(true)
    expect(turnsFor('context.session.here.day.surface.after.lessThan(decimal("9.0"))')).toBe(true)
    expect(turnsFor('context.session.day.surfaces.calls.communication < 9')).toBe(true)
    expect(turnsFor('context.session.here == {}')).toBe(true)
    expect(turnsFor('context has session')).toBe(true)
    expect(turnsFor('context == {}')).toBe(true)
  })
})

it('refuses to answer for roles that are not a list of texts', () => {
  const request = evaluationRequest()
  const broken = { ...request, subject: { ...request.subject, properties: { roles: 'admin' } } }
  expect(() => pointOf(ANY).evaluate(broken, { signal: new AbortController().signal, schema: undefined })).toThrow()
})
