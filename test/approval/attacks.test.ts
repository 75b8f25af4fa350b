import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, vi } from 'vitest'
import { readReceipt } from '../../src/receipt/read.ts'
import { createMemoryStore, createSqliteStore } from '../../src/testing.ts'
import type { ApprovalRecord, EvaluationRequest, Store } from '../../src/types.ts'
import { answerBy, said, sealedBy } from '../support/approvals.ts'
import { askedBy, asksFinance, fateOf, refundOf, refundTool, shop, yes } from '../support/refunds.ts'
import { PERMIT, scriptedPoint } from '../support/scripted-point.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const folder = temporaryFolders()
const CHILD = fileURLToPath(new URL('../support/approving-child.ts', import.meta.url))
/** More by hand: HOLDPOINT_APPROVERS=32. */
const PROCESSES = Number(process.env['HOLDPOINT_APPROVERS'] ?? 8)
const MINUTE_MS = 60_000

/** A wall clock that a test moves. */
function clockFrom(startedAt = 1_800_000_000_000) {
  let now = startedAt
  const pass = (ms: number): void => {
    now += ms
  }
  return { now: () => now, monotonic: () => performance.now(), pass }
}

/** The same store, where somebody who can write into it has changed every record. */
function tampered(store: Store, change: (record: ApprovalRecord) => ApprovalRecord): Store {
  const changed = (record: ApprovalRecord | undefined) => (record === undefined ? undefined : change(record))
  return { ...store, find: async (digest) => changed(await store.find(digest)) }
}

describe('an approver who sees something other than what runs', () => {
  it('I3: runs with the very arguments that the question showed, and nothing else', async () => {
    const { alice, bob } = shop()
    const call = refundOf(900, { input: { note: 'for \u202eevil\u202c', amount: 900 } })
    const request = await askedBy(alice, call)
    expect(request.question).toContain('┆ {"amount":900,"note":"for ⟨U+202E⟩evil⟨U+202C⟩"}')
    expect(said(await yes(bob, request))).toBe('recorded')
    const { fate, inputs } = await fateOf(alice, call)
    expect([fate, inputs.map((input) => JSON.stringify(input))]).toEqual(['ran', [request.argumentsText]])
  })

  it('I3: takes no yes to another text than the one that is asked, and none from a page that does not say which', async () => {
    const { alice, bob } = shop()
    const request = await askedBy(alice)
    const other = await askedBy(alice, refundOf(901))
    expect(said(await bob.answer(request.ref, 'approved', { shown: other.shown }))).toBe('approval_mismatch')
    expect(said(await bob.answer(request.ref, 'approved'))).toBe('approval_mismatch')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it('I3: runs nothing when the arguments on record are not those that would run, however the yes came about', async () => {
    const store = createMemoryStore()
    const { bob } = shop({ store })
    const { alice } = shop({ store: tampered(store, (record) => ({ ...record, argumentsText: '{"amount":1}' })) })
    await yes(bob, await askedBy(alice).catch(async () => (await store.pending())[0] as ApprovalRecord))
    expect((await fateOf(alice)).fate).toBe('approval_mismatch')
  })

  it('I4: knows by itself whose call it is, whatever the record says of that', async () => {
    const store = createMemoryStore()
    const { alice } = shop({ store })
    const call = refundOf()
    const request = await askedBy(alice, call)
    const own = sealedBy('alice', request, { channel: 'page' })
    expect(await store.answer(request.ref, { ...own, roles: ['finance'] })).toBe(true)
    const changes: readonly Partial<ApprovalRecord>[] = [
      {},
      { principal: { type: 'user', id: 'mallory' } },
      { principal: { type: 'agent', id: 'alice' } },
      { principal: { type: 'user', id: 'alice', tenant: 'other' } },
    ]
    for (const change of changes) {
      const { alice: later } = shop({ store: tampered(store, (record) => ({ ...record, ...change })) })
      expect((await fateOf(later, { ...call, callId: 'again' })).fate, JSON.stringify(change)).toBe('approval_mismatch')
    }
  })

  it('I3: asks anew when the tool has become another since the yes', async () => {
    const { gate, alice, bob } = shop()
    const request = await askedBy(alice)
    await yes(bob, request)
    gate.register([{ ...refundTool, description: 'refunds, and tells the newspapers' }])
    expect((await askedBy(alice)).ref).not.toBe(request.ref)
  })

  it('I3: asks anew when the caller changes its own object after the yes', async () => {
    const { alice, bob } = shop()
    const input = { amount: 900 }
    await yes(bob, await askedBy(alice, refundOf(900, { input })))
    input.amount = 9_000
    expect((await fateOf(alice, refundOf(0, { input }))).fate).toBe('approval_required')
  })

  it('shows what was approved before of the same tool and principal, and of nobody else', async () => {
    const { gate, alice, bob } = shop()
    const first = await askedBy(alice)
    await yes(bob, first)
    expect((await askedBy(alice, refundOf(901))).previousText).toBe('{"amount":900}')
    const stranger = await askedBy(gate.as({ user: 'mallory' }, { conversation: 'c1' }), refundOf(901))
    expect([first.previousText, stranger.previousText]).toEqual([undefined, undefined])
  })
})

describe('a decline that still executes', () => {
  it('never does: not by the same call, not later, not after somebody else’s yes', async () => {
    const clock = clockFrom()
    const { alice, bob, carol } = shop({ clock })
    const request = await askedBy(alice)
    expect(said(await bob.answer(request.ref, 'declined', { shown: request.shown, reason: 'not this customer' }))).toBe(
      'recorded',
    )
    expect(said(await yes(carol, request))).toBe('approval_declined')
    for (const waited of [0, 16 * MINUTE_MS, 30 * 24 * 60 * MINUTE_MS]) {
      clock.pass(waited)
      const admission = await alice.admit(refundOf(), { wait: false })
      expect(admission).toMatchObject({
        outcome: 'refused',
        refusal: { code: 'approval_declined', message: 'A person declined this call: “not this customer”' },
      })
      expect(said(await yes(bob, request))).toBe('approval_declined')
    }
  })

  it('ends it for all of a quorum', async () => {
    const { alice, bob, carol, finance } = shop({ quorum: 2 })
    const request = await askedBy(alice)
    expect(said(await yes(bob, request))).toBe('recorded')
    expect(said(await carol.answer(request.ref, 'declined', { shown: request.shown }))).toBe('recorded')
    expect(said(await yes(finance('dave'), request))).toBe('approval_declined')
    expect((await fateOf(alice)).fate).toBe('approval_declined')
  })

  it('takes back a yes as long as no call has used it', async () => {
    const { alice, bob } = shop()
    const request = await askedBy(alice)
    await yes(bob, request)
    expect(said(await bob.answer(request.ref, 'declined', { shown: request.shown }))).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('approval_declined')
  })

  it('is not taken for anything else than it is: only the two literal words are answers', async () => {
    const { alice, bob } = shop()
    const { ref, shown } = await askedBy(alice)
    for (const word of ['APPROVED', true, 1, 'yes', '', null, undefined, ['approved']])
      expect(said(await bob.answer(ref, word as never, { shown }))).toBe('approval_mismatch')
    expect((await bob.request(ref))?.state).toBe('pending')
  })
})

describe('a yes that is used for something else', () => {
  it('I2: runs one call once; the same answer sent again confirms nothing', async () => {
    const { alice, bob } = shop()
    const request = await askedBy(alice)
    await yes(bob, request)
    expect((await fateOf(alice)).fate).toBe('ran')
    expect(said(await yes(bob, request))).toBe('already_executed')
    expect((await fateOf(alice)).fate).toBe('approval_required')
    expect((await askedBy(alice)).ref).not.toBe(request.ref)
  })

  it.each([
    ['another conversation', { conversation: 'c2' }, { user: 'alice', agent: 'support' }, 900],
    ['another principal', { conversation: 'c1' }, { user: 'mallory', agent: 'support' }, 900],
    ['another agent of the principal', { conversation: 'c1' }, { user: 'alice', agent: 'stranger' }, 900],
    ['another tenant', { conversation: 'c1' }, { user: 'alice', agent: 'support', tenant: 'evil' }, 900],
    [
      'another environment',
      { conversation: 'c1', environment: { region: 'eu' } },
      { user: 'alice', agent: 'support' },
      900,
    ],
    ['changed arguments', { conversation: 'c1' }, { user: 'alice', agent: 'support' }, 901],
  ] as const)('I3: is no yes for %s', async (_, where, who, amount) => {
    const { gate, alice, bob } = shop()
    await yes(bob, await askedBy(alice))
    expect((await fateOf(gate.as(who, where), refundOf(amount))).fate).toBe('approval_required')
    expect((await fateOf(alice)).fate).toBe('ran')
  })

  it('has its time, for the answer and for the use', async () => {
    const clock = clockFrom()
    const { alice, bob } = shop({ clock })
    const [late, unused] = [await askedBy(alice), await askedBy(alice, refundOf(901))]
    await yes(bob, unused)
    clock.pass(15 * MINUTE_MS)
    expect(said(await yes(bob, late))).toBe('approval_expired')
    expect((await fateOf(alice, refundOf(901))).fate).toBe('approval_required')
  })

  it('is no yes under another policy, whoever wrote it', async () => {
    const store = createMemoryStore()
    const { alice, bob } = shop({ store })
    await yes(bob, await askedBy(alice))
    const { alice: later } = shop({ store, policy: `${asksFinance()}// another text` })
    expect((await fateOf(later)).fate).toBe('ran')
    await yes(bob, await askedBy(alice))
    const other = shop({ store, policy: asksFinance().replace('500', '400') })
    expect((await fateOf(other.alice)).fate).toBe('approval_required')
  })

  it('I3: is no yes under a policy that took the place of the one that asked, while the person thought', async () => {
    let digest = 'A'.repeat(43)
    const store = createMemoryStore()
    const asks = {
      kind: 'silence',
      cause: { kind: 'requestable', requires: 'confirmation' },
      determining: [],
      errors: [],
    }
    const point = scriptedPoint(({ context }) => (context.approval.confirmed ? PERMIT : asks))
    const policy = Object.defineProperty({ ...point }, 'policyDigest', { get: () => digest })
    const { alice } = shop({ store, policy })
    await store.attend('watcher', Date.now() + MINUTE_MS)
    const going = alice.run(refundOf(), () => 'ran')
    const request = await vi.waitUntil(async () => (await store.pending())[0])
    digest = 'B'.repeat(43)
    expect(said(await alice.answer(request.ref, 'approved'))).toBe('recorded')
    const next = await vi.waitUntil(async () => (await store.pending()).find(({ ref }) => ref !== request.ref))
    expect(next.requestDigest).not.toBe(request.requestDigest)
    expect(said(await alice.answer(next.ref, 'approved'))).toBe('recorded')
    expect(await going).toMatchObject({ outcome: 'ran' })
    expect((await store.get(request.ref))?.state).toBe('approved')
  })

  it('I4: is asked about again, and counts for nothing once the policy says no', async () => {
    const store = createMemoryStore()
    let isForbidden = false
    const policy = ({ context }: EvaluationRequest) => {
      if (isForbidden) return { deny: 'Finance is closed.' }
      return context.approval.roles.includes('finance') ? 'permit' : { ask: 'finance' }
    }
    const { alice, bob } = shop({ store, policy })
    const request = await askedBy(alice)
    await yes(bob, request)
    isForbidden = true
    expect((await fateOf(alice)).fate).toBe('denied_by_policy')
    expect((await store.get(request.ref))?.state).toBe('approved')
  })

  it('outlives its process, and is still one', async () => {
    const place = folder()
    const first = shop({ store: createSqliteStore({ folder: place }) })
    await yes(first.bob, await askedBy(first.alice))
    await first.gate.close()
    const second = shop({ store: createSqliteStore({ folder: place }) })
    expect((await fateOf(second.alice)).fate).toBe('ran')
    await second.gate.close()
    const third = shop({ store: createSqliteStore({ folder: place }) })
    expect((await fateOf(third.alice)).fate).toBe('approval_required')
    await third.gate.close()
  })
})

describe('somebody who is not the one to approve', () => {
  it.each([
    ['the principal, whatever roles they have', { user: 'alice', roles: ['finance'] }, {}, 'approver_not_separate'],
    ['the agent', { agent: 'support', roles: ['finance'] }, {}, 'approval_mismatch'],
    [
      'an agent on behalf of somebody in the role',
      { user: 'bob', agent: 'helper', roles: ['finance'] },
      {},
      'approval_mismatch',
    ],
    ['somebody without the role', { user: 'bob', roles: ['sales'] }, {}, 'approval_mismatch'],
    ['somebody of another tenant', { user: 'bob', roles: ['finance'], tenant: 'evil' }, {}, 'approval_mismatch'],
    ['nobody', {}, {}, 'approval_mismatch'],
    [
      'whoever has this terminal',
      { user: 'bob', roles: ['finance'] },
      { channel: 'terminal' },
      'approver_not_separate',
    ],
    [
      'whoever has this client',
      { user: 'bob', roles: ['finance'] },
      { channel: 'elicitation' },
      'approver_not_separate',
    ],
    [
      'a claim of a signature that nothing checks',
      { user: 'bob', roles: ['finance'] },
      { channel: 'webauthn' },
      'approver_not_separate',
    ],
    ['one person in the name of another', { user: 'bob', roles: ['finance'] }, { by: 'carol' }, 'approval_mismatch'],
  ] as const)('I4: is not %s', async (_, who, options, code) => {
    const { gate, alice } = shop()
    const { ref, shown } = await askedBy(alice)
    const view = gate.as(who, { channel: 'page' })
    expect(said(await view.answer(ref, 'approved', { shown, ...options }))).toBe(code)
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it('I4: is not the agent on behalf of the principal, on a page of its own', async () => {
    const policy = '@id("all") @requires("confirmation") permit (principal, action, resource);'
    const { gate, alice } = shop({ policy })
    const { ref, shown } = await askedBy(alice)
    const agent = gate.as({ user: 'alice', agent: 'support' }, { channel: 'page' })
    expect(said(await agent.answer(ref, 'approved', { shown }))).toBe('approver_not_separate')
    expect(await agent.approvals()).toEqual([])
    const herself = gate.as({ user: 'alice' }, { channel: 'page' })
    expect(said(await herself.answer(ref, 'approved', { shown }))).toBe('recorded')
  })

  it.each([
    ['another case', 'José', 'JOSÉ'],
    ['another Unicode form', 'Jos\u00e9', 'Jose\u0301'],
    ['another width', 'bob', '\uff42\uff4f\uff42'],
    ['a space more', 'bob', 'bob '],
  ])('I4: is not one person in %s', async (_, id, again) => {
    const { gate, finance } = shop({ quorum: 2 })
    const ofThem = gate.as({ user: id }, { conversation: 'c1', channel: 'chat' })
    const own = await askedBy(ofThem)
    expect(said(await yes(finance(again), own))).toBe('approver_not_separate')
    const store = createMemoryStore()
    const { alice, finance: other } = shop({ quorum: 2, store })
    const request = await askedBy(alice)
    expect(said(await yes(other(id), request))).toBe('recorded')
    expect(said(await yes(other(again), request))).toBe('approval_mismatch')
    expect(await store.answer(request.ref, sealedBy(again, request))).toBe(false)
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it('is told no more than that there is nothing of theirs', async () => {
    const { gate, alice } = shop()
    const { ref } = await askedBy(alice)
    const stranger = gate.as({ user: 'mallory', roles: ['sales'] }, { channel: 'page' })
    const unknown = await stranger.answer('hp_00000000', 'approved')
    expect(JSON.stringify(await stranger.answer(ref, 'approved'))).toBe(
      JSON.stringify(unknown).replace('hp_00000000', ref),
    )
    expect([await stranger.request(ref), await stranger.approvals({ for: 'anyone' })]).toEqual([undefined, []])
  })

  it('sees in a list what they can answer, and apart from it what waits for others', async () => {
    const { alice, bob } = shop({ quorum: 2 })
    const request = await askedBy(alice)
    expect((await bob.approvals()).map(({ ref }) => ref)).toEqual([request.ref])
    await yes(bob, request)
    expect([await bob.approvals(), (await bob.approvals({ for: 'anyone' })).length]).toEqual([[], 1])
    expect([await alice.approvals(), (await alice.approvals({ for: 'anyone' })).length]).toEqual([[], 1])
  })

  it('I4: is not let in by writing into the store, in whatever case', async () => {
    const store = createMemoryStore()
    const { alice } = shop({ store, quorum: 2 })
    const request = await askedBy(alice)
    for (const by of ['Alice', 'bob']) await store.answer(request.ref, sealedBy(by, request))
    expect((await store.get(request.ref))?.state).toBe('approved')
    expect((await fateOf(alice)).fate).toBe('approval_mismatch')
    const other = await askedBy(alice, refundOf(901))
    for (const by of ['bob', 'carol']) await store.answer(other.ref, answerBy(by))
    expect((await fateOf(alice, refundOf(901))).fate).toBe('approval_mismatch')
  })

  it('is not whoever shares the account with a tool that runs code', async () => {
    const { gate, alice, bob } = shop()
    gate.register([{ name: 'bash', origin: 'own', declared: { materiality: 'high', surface: 'code-execution' } }])
    const request = await askedBy(alice)
    expect(request.separate).toBe(true)
    expect(said(await bob.answer(request.ref, 'approved', { channel: 'none' }))).toBe('approver_not_separate')
    expect(said(await yes(bob, request))).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('ran')
  })
})

describe('a quorum', () => {
  it('I4: is made of persons: one who answers twice, or eight times at once, is one', async () => {
    const { alice, bob, carol } = shop({ quorum: 2 })
    const request = await askedBy(alice)
    const raced = await Promise.all(Array.from({ length: 8 }, () => yes(bob, request)))
    expect(raced.map(said).sort()).toEqual([...Array(7).fill('approval_mismatch'), 'recorded'])
    expect(said(await yes(bob, request))).toBe('approval_mismatch')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
    expect(said(await yes(carol, request))).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('ran')
  })

  it('I4: does not lift a forbid for one of two', async () => {
    const policy = `
@id("all") permit (principal, action, resource);
@id("two") @requires("approval:finance") @quorum("2")
forbid (principal, action, resource) unless { context.approval.roles.contains("finance") };`
    const store = createMemoryStore()
    const { alice, bob, carol } = shop({ policy, store })
    const request = await askedBy(alice)
    expect(request.quorum).toBe(2)
    await yes(bob, request)
    expect((await fateOf(alice)).fate).toBe('approval_pending')
    // As if one had been all that it takes.
    const short = shop({
      policy,
      store: tampered(store, (record) => ({ ...record, state: 'approved', quorum: 1, shown: request.shown })),
    })
    expect((await fateOf(short.alice)).fate).toBe('approval_required')
    await yes(carol, request)
    expect((await fateOf(alice)).fate).toBe('ran')
  })

  it('stands in the receipt: who, through what, having been shown what, and which statement of the gate', async () => {
    const { gate, alice, bob, carol } = shop({ quorum: 2 })
    const request = await askedBy(alice)
    for (const person of [bob, carol]) await yes(person, request)
    await fateOf(alice)
    const [permit] = (await gate.receipts()).map(({ jws }) => readReceipt(jws)).filter((claims) => 'permit' in claims)
    const statement = expect.stringMatching(/^[\w-]{43}$/)
    expect(permit).toMatchObject({
      basis: 'approval',
      approval: {
        ref: request.ref,
        shown: request.shown,
        answers: [
          { by: 'bob', channel: 'page', roles: ['finance'], statement },
          { by: 'carol', channel: 'page', roles: ['finance'], statement },
        ],
      },
    })
  })
})

describe('answers that race', () => {
  it(`I2: of ${PROCESSES} processes that answer and call at once, as many count as it takes and one call runs`, async () => {
    const place = folder()
    const first = shop({ store: createSqliteStore({ folder: place }), quorum: 2 })
    const { ref, shown } = await askedBy(first.alice)
    const people = Array.from({ length: PROCESSES }, (_, n) => `person ${n % (PROCESSES - 2)}`)
    const children = people.map((user) => spawn(process.execPath, [CHILD, place, ref, shown, user, '2']))
    try {
      await Promise.all(children.map(({ stdout }) => once(stdout, 'data')))
      const told = children.map(({ stdout }) => text(stdout))
      for (const { stdin } of children) stdin.write('go\n')
      const results = (await Promise.all(told)).map((one) => JSON.parse(one))
      expect(results.filter(({ answered }) => answered === 'recorded')).toHaveLength(2)
      expect(results.filter(({ fate }) => fate === 'ran').length).toBeLessThanOrEqual(1)
      await fateOf(first.alice)
      const { answers, state } = (await first.gate.store.get(ref)) as ApprovalRecord
      expect([new Set(answers.map(({ by }) => by)).size, state]).toEqual([2, 'spent'])
      const receipts = (await first.gate.receipts()).map(({ jws }) => readReceipt(jws))
      expect(receipts.filter((claims) => 'permit' in claims)).toHaveLength(1)
    } finally {
      for (const child of children) child.kill()
      await first.gate.close()
    }
  }, 120_000)

  it('I2: a no and a yes at once are one of the two, and a call that follows agrees', async () => {
    for (let round = 0; round < 10; round += 1) {
      const { alice, bob, carol } = shop()
      const request = await askedBy(alice)
      const [, no] = await Promise.all([
        yes(bob, request),
        carol.answer(request.ref, 'declined', { shown: request.shown }),
      ])
      expect(said(no)).toBe('recorded')
      expect((await fateOf(alice)).fate).toBe('approval_declined')
    }
  })
})
