import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sha256 } from '../../src/bytes/digest.ts'
import type { Chain } from '../../src/receipt/chain.ts'
import { generateSigner, sealReceipt } from '../../src/receipt/sign.ts'
import {
  type ApprovalRecord,
  type ApprovalRequest,
  type Committed,
  NO_SESSION,
  type OutcomeStatus,
  type ReadLabel,
  type Receipt,
  type SessionKeys,
  type Store,
} from '../../src/types.ts'
import { verifyReceipts } from '../../src/verify.ts'
import { answerBy, requestWith } from './approvals.ts'
import {
  claim,
  collect,
  decisionDraft,
  jwsOf,
  openDraft,
  openedChain,
  outcomeDraft,
  refusedDraft,
  SESSION,
} from './receipt-drafts.ts'

/** A kind of store, as the suite needs it. */
export interface StoreUnderTest {
  /** A fresh, empty store on the given clock. */
  make(now: () => number): Store
  /** The same data, opened again; absent where data does not outlive the store object. */
  reopen?(now: () => number): Store
  /** Removes what `make` left behind. */
  clean?(): void
}

const WEEK_MS = 7 * 24 * 60 * 60_000

/** What every store owes the gate. Memory, SQLite and every later one run exactly this. */
export function describeStore(name: string, under: StoreUnderTest): void {
  describe(`${name} store`, () => {
    let now = 1_700_000_000_000
    let store: Store
    let chain: Chain
    const signer = generateSigner()

    beforeEach(async () => {
      now = 1_700_000_000_000
      store = under.make(() => now)
      await store.open()
      chain = await openedChain(store, { signer })
    })
    afterEach(async () => {
      await store.close().catch(() => undefined)
      under.clean?.()
    })

    const permit = async (callKey: string, changes = {}) => {
      const { receipt, committed } = await chain.commit(decisionDraft(), claim(callKey, changes))
      return { receipt: receipt as Receipt, committed }
    }
    const settle = async (decision: Receipt, status: OutcomeStatus) =>
      await chain.append(outcomeDraft(decision.hash, status), { settles: { decision: decision.hash, status } })
    const place = (seq: number, prev?: Receipt, stream = 'AAAAAAAAAAAAAAAAAAAAAA') =>
      sealReceipt(signer, {
        ...openDraft,
        kid: signer.kid,
        v: 1,
        iss: 'test',
        stream,
        seq,
        ts: now,
        mono: 0,
        ...(prev === undefined ? {} : { prev: prev.hash }),
      })

    describe('receipts', () => {
      it('come back as they were written, in sequence, and verify', async () => {
        const { receipt } = await permit('a')
        const outcome = await settle(receipt, 'ok')
        const refused = await chain.append(refusedDraft())
        const all = await collect(store.receipts())
        expect(all.slice(1)).toEqual([receipt, outcome, refused])
        expect(await verifyReceipts(jwsOf(all), { keys: [signer.publicJwk] })).toMatchObject({
          ok: true,
          settled: true,
          count: 4,
        })
      })

      it('are accepted only in sequence, each on the one it names', async () => {
        const [first, other] = [place(0), place(0, undefined, 'BBBBBBBBBBBBBBBBBBBBBA')]
        const second = place(1, first)
        expect(await store.append(second)).toEqual({ outcome: 'discontinuous' })
        expect(await store.append(first)).toEqual({ outcome: 'stored' })
        expect(await store.append(first)).toEqual({ outcome: 'discontinuous' })
        expect(await store.append(place(2, first))).toEqual({ outcome: 'discontinuous' })
        expect(await store.append(place(1, other))).toEqual({ outcome: 'discontinuous' })
        expect(await store.append(place(1))).toEqual({ outcome: 'discontinuous' })
        expect(await store.commitDecision(place(2, second), claim('k'))).toEqual({ outcome: 'discontinuous' })
        expect(await store.append(second)).toEqual({ outcome: 'stored' })
        expect(await store.append(other)).toEqual({ outcome: 'stored' })
        expect(await store.commitDecision(place(2, second), claim('k'))).toEqual({ outcome: 'claimed' })
      })

      it('keep the order in which they were handed over, without waiting in between', async () => {
        const burst = await Promise.all(Array.from({ length: 100 }, () => chain.append(refusedDraft())))
        const stored = (await collect(store.receipts())).slice(1)
        expect(stored.map(({ hash }) => hash)).toEqual(burst.map(({ hash }) => hash))
      })

      it('keep their salted preimages beside them', async () => {
        const refused = await chain.append(refusedDraft(), { sidecar: { salt: 's1', request: '{"a":1}' } })
        const { receipt } = await chain.commit(decisionDraft(), claim('a'), { salt: 's2', request: '{"b":2}' })
        const bare = await chain.append(refusedDraft())
        expect(await store.sidecar(refused.hash)).toEqual({ salt: 's1', request: '{"a":1}' })
        expect(await store.sidecar(receipt?.hash ?? '')).toEqual({ salt: 's2', request: '{"b":2}' })
        expect(await store.sidecar(bare.hash)).toBeUndefined()
        expect(await store.sidecar(sha256('nothing'))).toBeUndefined()
      })
    })

    describe('call keys', () => {
      it('I2: are claimed once, and the second asker learns whose they are and how that ended', async () => {
        const { receipt } = await permit('key', { inputDigest: 'first' })
        const again = await permit('key', { inputDigest: 'second' })
        expect(again).toEqual({
          receipt: undefined,
          committed: { outcome: 'taken', receipt: receipt.id, inputDigest: 'first', status: 'claimed' },
        })
        for (const status of ['ok', 'tool_error', 'timeout', 'cancelled', 'unknown'] as const) {
          const other = await permit(status)
          await settle(other.receipt, status)
          expect((await permit(status)).committed).toMatchObject({
            outcome: 'taken',
            status,
            receipt: other.receipt.id,
          })
        }
      })

      it('I2: have one winner however many ask at once', async () => {
        const asked = await Promise.all(Array.from({ length: 24 }, () => permit('raced')))
        expect(asked.filter(({ committed }) => committed.outcome === 'claimed')).toHaveLength(1)
        expect(asked.filter(({ committed }) => committed.outcome === 'taken')).toHaveLength(23)
        expect(await collect(store.receipts())).toHaveLength(2)
      })

      it('can be looked at without claiming anything', async () => {
        expect(await store.holder('key')).toBeUndefined()
        const { receipt } = await permit('key', { inputDigest: 'first' })
        expect(await store.holder('key')).toEqual({
          outcome: 'taken',
          receipt: receipt.id,
          inputDigest: 'first',
          status: 'claimed',
        })
      })

      it('leave no receipt behind when they were taken', async () => {
        await permit('key')
        const before = await collect(store.receipts())
        await permit('key')
        expect(await collect(store.receipts())).toEqual(before)
      })

      it('are free again when the call provably never began', async () => {
        const first = await permit('key')
        await settle(first.receipt, 'not_executed')
        expect((await permit('key')).committed).toEqual({ outcome: 'claimed' })
      })

      it('are ended by the outcome of their own permit alone, and once', async () => {
        const first = await permit('key')
        await settle(first.receipt, 'not_executed')
        const second = await permit('key')
        await settle(first.receipt, 'not_executed')
        expect((await permit('key')).committed).toMatchObject({ outcome: 'taken', status: 'claimed' })
        await settle(second.receipt, 'ok')
        await settle(second.receipt, 'not_executed')
        expect((await permit('key')).committed).toMatchObject({ outcome: 'taken', status: 'ok' })
      })
    })

    describe('sessions', () => {
      const session = SESSION
      const HOUR_MS = 60 * 60_000
      const read = async (keys: Partial<SessionKeys> = {}, at = session.at) =>
        await store.read({ conversation: 's', principal: 'p', ...keys }, at)

      it('count what is reserved, by tool and by surface, and add up amounts exactly', async () => {
        expect(await read()).toEqual({ seen: { conversation: 0, principal: 0 }, facts: NO_SESSION })
        await permit('a', { session: { ...session, amount: '0.1' } })
        await permit('b', { session: { ...session, amount: '0.2' } })
        await permit('c', { session: { ...session, tool: 'shop/look', surface: 'read' } })
        await permit('d', { session: { ...session, tool: 'shop/pay', amount: '4' } })
        const counted = {
          calls: { 'shop/refund': 2, 'shop/look': 1, 'shop/pay': 1 },
          spent: { 'shop/refund': '0.3', 'shop/look': '0.0', 'shop/pay': '4.0' },
          surfaces: { calls: { financial: 3, read: 1 }, spent: { financial: '4.3', read: '0.0' } },
        }
        expect((await read()).facts).toEqual({ ...NO_SESSION, ...counted, hour: counted, day: counted })
      })

      it('count a conversation by itself, and an hour and a day over every conversation of the principal', async () => {
        await permit('a', { session: { ...session, amount: '1' } })
        await permit('b', { session: { ...session, conversation: 'other', amount: '2' } })
        await permit('c', { session: { ...session, principal: 'somebody', conversation: 'theirs', amount: '4' } })
        const { facts } = await read()
        expect(facts.spent).toEqual({ 'shop/refund': '1.0' })
        expect([facts.hour.spent, facts.day.spent]).toEqual([{ 'shop/refund': '3.0' }, { 'shop/refund': '3.0' }])
        expect((await read({ conversation: 'new' })).facts).toMatchObject({
          calls: {},
          day: { calls: { 'shop/refund': 2 } },
        })
        expect((await read({ conversation: 'new', principal: 'new' })).facts).toEqual(NO_SESSION)
      })

      it('never let an amount lapse before its hour and its day are over, nor long after', async () => {
        await permit('a', { session: { ...session, amount: '1' } })
        const spentAt = async (at: number) => {
          const { hour, day, spent } = (await read({}, at)).facts
          return [hour, day, { spent }].map((counted) => counted.spent['shop/refund'])
        }
        expect(await spentAt(session.at + HOUR_MS)).toEqual(['1.0', '1.0', '1.0'])
        expect(await spentAt(session.at + HOUR_MS + HOUR_MS / 12)).toEqual([undefined, '1.0', '1.0'])
        expect(await spentAt(session.at + 24 * HOUR_MS)).toEqual([undefined, '1.0', '1.0'])
        expect(await spentAt(session.at + 24 * HOUR_MS + HOUR_MS / 12)).toEqual([undefined, undefined, '1.0'])
        // A clock that was put back finds the later amounts still there.
        expect(await spentAt(session.at - HOUR_MS)).toEqual(['1.0', '1.0', '1.0'])
        await permit('b', { session: { ...session, amount: '2', at: session.at + 25 * HOUR_MS } })
        expect(await spentAt(session.at + 25 * HOUR_MS)).toEqual(['2.0', '2.0', '3.0'])
      })

      it('lose nothing to a clock that runs ahead and is put back', async () => {
        await permit('a', { session: { ...session, amount: '1' } })
        for (const [index, key] of ['b', 'c'].entries())
          await permit(key, { session: { ...session, amount: '2', at: session.at + (25 + index) * HOUR_MS } })
        const { hour, day } = (await read({}, session.at)).facts
        expect([hour.spent, day.spent]).toEqual([{ 'shop/refund': '5.0' }, { 'shop/refund': '5.0' }])
      })

      it('know what a conversation has read, for its whole life and for no other', async () => {
        const label = async (callKey: string, reads: readonly ReadLabel[]) =>
          await permit(callKey, { session: { ...session, tool: 'mail/read', surface: 'read', reads } })
        const labels = async (conversation = 's', at = session.at) => {
          const { facts } = await read({ conversation }, at)
          return [facts.private_data_read, facts.untrusted_content_read]
        }
        const first = await label('a', ['private'])
        expect(await labels()).toEqual([true, false])
        const second = await label('b', ['private', 'untrusted'])
        expect(await labels()).toEqual([true, true])
        // What was there to be read is not unread because a host says that its call never began.
        for (const { receipt } of [first, second]) await settle(receipt, 'not_executed')
        await permit('c', { session })
        expect(await labels('s', session.at + 1_000 * HOUR_MS)).toEqual([true, true])
        expect(await labels('other')).toEqual([false, false])
      })

      it('are stale for a decision that was made before another claim, here or elsewhere, as far as it looked', async () => {
        const { seen } = await read()
        const elsewhere = { ...session, conversation: 'other' }
        await permit('a', { session: { ...session, seen } })
        expect((await permit('b', { session: { ...session, seen } })).committed).toEqual({ outcome: 'stale' })
        const now = await read()
        expect(now.facts.calls).toEqual({ 'shop/refund': 1 })
        await permit('b', { session: { ...elsewhere, seen: { principal: now.seen.principal } } })
        expect((await permit('c', { session: { ...session, seen: now.seen } })).committed).toEqual({ outcome: 'stale' })
        expect(
          (await permit('c', { session: { ...session, seen: { conversation: now.seen.conversation } } })).committed,
        ).toEqual({ outcome: 'claimed' })
      })

      it('get a reservation back when the call never began, and keep one whose end is unknown', async () => {
        const a = await permit('a', { session: { ...session, amount: '10' } })
        const b = await permit('b', { session: { ...session, amount: '5.25' } })
        const before = await read()
        await settle(a.receipt, 'not_executed')
        await settle(b.receipt, 'unknown')
        // A claim carries the news in stores that tell it late.
        await permit('c', { session: { ...session, amount: '1', at: session.at + HOUR_MS / 2 } })
        const after = await read()
        const counted = {
          calls: { 'shop/refund': 2 },
          spent: { 'shop/refund': '6.25' },
          surfaces: { calls: { financial: 2 }, spent: { financial: '6.25' } },
        }
        expect(after.facts).toEqual({ ...NO_SESSION, ...counted, hour: counted, day: counted })
        expect(after.seen.conversation).toBeGreaterThan(before.seen.conversation)
        expect(after.seen.principal).toBeGreaterThan(before.seen.principal)
      })

      it('I2: let one of many through when all of them decided on the same facts', async () => {
        const { seen } = await read()
        const here = Array.from({ length: 12 }, (_, n) => permit(`k${n}`, { session: { ...session, seen } }))
        expect((await Promise.all(here)).map(({ committed }) => committed.outcome).sort()).toEqual([
          'claimed',
          ...Array(11).fill('stale'),
        ])
        const { seen: later } = await read()
        const anywhere = await Promise.all(
          Array.from({ length: 12 }, (_, n) =>
            permit(`e${n}`, {
              session: { ...session, conversation: `c${n}`, seen: { conversation: 0, principal: later.principal } },
            }),
          ),
        )
        expect(anywhere.map(({ committed }) => committed.outcome).sort()).toEqual([
          'claimed',
          ...Array(11).fill('stale'),
        ])
      })
    })

    describe('approvals', () => {
      const request = (ref: string, digest = 'digest', changes: Partial<ApprovalRequest> = {}): ApprovalRequest =>
        requestWith({
          ref,
          requestDigest: digest,
          conversation: 'c1',
          argumentsText: '{"amount":900}',
          because: 'above the cap',
          createdAt: now,
          ...changes,
        })
      const yes = answerBy('alice')
      const no = answerBy('alice', { answer: 'declined' })

      it('are one live request for one digest', async () => {
        expect(await store.request(request('hp_1'))).toEqual({ ...request('hp_1'), state: 'pending', answers: [] })
        expect(await store.request(request('hp_2'))).toMatchObject({ ref: 'hp_1', state: 'pending' })
        expect(await store.request(request('hp_3', 'another'))).toMatchObject({ ref: 'hp_3' })
        expect((await store.pending()).map(({ ref }) => ref)).toEqual(['hp_1', 'hp_3'])
        expect(await store.find('digest')).toMatchObject({ ref: 'hp_1' })
        expect(await store.get('hp_2')).toBeUndefined()
        expect(await store.find('nothing')).toBeUndefined()
      })

      it('are answered once', async () => {
        await store.request(request('hp_1'))
        expect(await store.answer('hp_1', no)).toBe(true)
        expect(await store.answer('hp_1', yes)).toBe(false)
        expect(await store.get('hp_1')).toMatchObject({ state: 'declined', answers: [no] })
        expect(await store.answer('hp_none', yes)).toBe(false)
        expect(await store.pending()).toEqual([])
        expect(await store.request(request('hp_2'))).toMatchObject({ ref: 'hp_1', state: 'declined' })
      })

      it('I4: count persons: one who answers twice is one, and a yes is there with the last of them', async () => {
        await store.request(request('hp_1', 'digest', { requires: 'approval:finance', quorum: 3 }))
        const raced = await Promise.all(
          ['bob', 'bob', 'carol', 'bob', 'carol'].map((by) => store.answer('hp_1', answerBy(by))),
        )
        expect(raced.filter((recorded) => recorded)).toHaveLength(2)
        expect(await store.get('hp_1')).toMatchObject({ state: 'pending' })
        expect((await permit('early', { approval: 'hp_1' })).committed).toEqual({ outcome: 'approval_spent' })
        expect(await store.answer('hp_1', answerBy('dave'))).toBe(true)
        expect(await store.answer('hp_1', answerBy('erin'))).toBe(false)
        const { state, answers } = (await store.get('hp_1')) as ApprovalRecord
        expect([state, answers.map(({ by }) => by).sort()]).toEqual(['approved', ['bob', 'carol', 'dave']])
      })

      it('I4: are ended for good by one no, after other yeses too, and however much time goes by', async () => {
        const asked = { requires: 'approval:finance', quorum: 2 } as const
        await store.request(request('hp_1', 'digest', asked))
        await store.answer('hp_1', answerBy('bob'))
        expect(await store.answer('hp_1', answerBy('carol', { answer: 'declined', reason: 'no' }))).toBe(true)
        expect(await store.answer('hp_1', answerBy('dave'))).toBe(false)
        await store.request(request('hp_2', 'taken back'))
        await store.answer('hp_2', yes)
        expect(await store.answer('hp_2', no)).toBe(true)
        expect((await permit('back', { approval: 'hp_2' })).committed).toEqual({ outcome: 'approval_spent' })
        now += 60_000 + WEEK_MS
        for (const ref of ['hp_3', 'hp_4'])
          expect(await store.request(request(ref, 'digest', asked))).toMatchObject({ ref: 'hp_1', state: 'declined' })
        expect(await store.find('digest')).toMatchObject({ answers: [{ by: 'bob' }, { by: 'carol', reason: 'no' }] })
        expect(await store.get('hp_2')).toMatchObject({ state: 'declined' })
        expect(await store.pending()).toEqual([])
      })

      it('I3: make way for another question, and are no yes to it', async () => {
        await store.request(request('hp_1'))
        await store.answer('hp_1', yes)
        const other = { because: 'another reason' }
        expect(await store.request(request('hp_2', 'digest', other))).toMatchObject({ ref: 'hp_2', state: 'pending' })
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
        expect((await permit('other', { approval: 'hp_1' })).committed).toEqual({ outcome: 'approval_spent' })
        expect(await store.request(request('hp_3', 'digest', other))).toMatchObject({ ref: 'hp_2' })
      })

      it('are compared with what was approved last of the same tool and principal', async () => {
        const texts = async (ref: string, changes: Partial<ApprovalRequest> = {}) =>
          (await store.request(request(ref, `digest of ${ref}`, { argumentsText: `{"ref":"${ref}"}`, ...changes })))
            .previousText
        expect(await texts('hp_1')).toBeUndefined()
        expect(await texts('hp_2', { previousText: '{"forged":true}' })).toBeUndefined()
        await store.answer('hp_1', yes)
        expect(await texts('hp_3')).toBe('{"ref":"hp_1"}')
        await permit('k', { approval: 'hp_1' })
        await store.answer('hp_2', no)
        expect(await texts('hp_4')).toBe('{"ref":"hp_1"}')
        expect(await texts('hp_5', { tool: 'shop/pay' })).toBeUndefined()
        expect(await texts('hp_6', { principal: { type: 'user', id: 'bob' } })).toBeUndefined()
        expect(await texts('hp_7', { principal: { type: 'user', id: 'alice', tenant: 'acme' } })).toBeUndefined()
      })

      it('I2: are spent once, with the claim that they permit, and by nothing that was refused', async () => {
        await store.request(request('hp_1'))
        expect((await permit('early', { approval: 'hp_1' })).committed).toEqual({ outcome: 'approval_spent' })
        await store.answer('hp_1', yes)
        const raced = await Promise.all(Array.from({ length: 8 }, (_, n) => permit(`k${n}`, { approval: 'hp_1' })))
        expect(raced.map(({ committed }) => committed.outcome).sort()).toEqual([
          ...Array(7).fill('approval_spent'),
          'claimed',
        ])
        expect(await store.get('hp_1')).toMatchObject({ state: 'spent', answers: [yes] })
        expect((await permit('none', { approval: 'hp_none' })).committed).toEqual({ outcome: 'approval_spent' })
        expect(await store.request(request('hp_2'))).toMatchObject({ ref: 'hp_2', state: 'pending' })
        expect(await store.find('digest')).toMatchObject({ ref: 'hp_2' })
      })

      it('stay unspent when the key was taken or the session had moved', async () => {
        await store.request(request('hp_1'))
        await store.answer('hp_1', yes)
        await permit('taken', { session: SESSION })
        expect((await permit('taken', { approval: 'hp_1' })).committed.outcome).toBe('taken')
        expect(
          (await permit('new', { approval: 'hp_1', session: { ...SESSION, seen: { conversation: 0 } } })).committed
            .outcome,
        ).toBe('stale')
        expect(await store.get('hp_1')).toMatchObject({ state: 'approved' })
        expect((await permit('new', { approval: 'hp_1' })).committed.outcome).toBe('claimed')
      })

      it('end with their time: neither answered, nor spent, nor in the way of a new request', async () => {
        await store.request(request('hp_1'))
        await store.request(request('hp_2', 'approved one'))
        await store.answer('hp_2', yes)
        now += 60_000
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
        expect(await store.answer('hp_1', yes)).toBe(false)
        expect(await store.pending()).toEqual([])
        expect((await permit('late', { approval: 'hp_2' })).committed).toEqual({ outcome: 'approval_spent' })
        expect(await store.request(request('hp_3'))).toMatchObject({ ref: 'hp_3', state: 'pending' })
      })

      it('do not come to life again when the clock is put back', async () => {
        await store.request(request('hp_1'))
        await store.answer('hp_1', yes)
        now += 60_000
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
        now -= 60_000
        expect(await store.find('digest')).toMatchObject({ state: 'expired' })
        expect((await permit('late', { approval: 'hp_1' })).committed).toEqual({ outcome: 'approval_spent' })
        expect(await store.request(request('hp_2'))).toMatchObject({ ref: 'hp_2', state: 'pending' })
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
      })

      it('are no yes once they were seen to have expired, though the clock is put back right before a call spends them', async () => {
        await store.request(request('hp_1'))
        await store.answer('hp_1', yes)
        now += 60_000
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
        now -= 60_000
        expect((await permit('late', { approval: 'hp_1' })).committed).toEqual({ outcome: 'approval_spent' })
      })

      it('are forgotten a week after their end, so that they do not pile up, and are no yes then', async () => {
        await store.request(request('hp_1'))
        await store.request(request('hp_2', 'approved one'))
        await store.answer('hp_2', yes)
        now += 60_000 + WEEK_MS - 1
        await store.request(request('hp_3', 'just before'))
        expect(await store.get('hp_1')).toMatchObject({ state: 'expired' })
        now += 1
        await store.request(request('hp_4', 'a week after'))
        expect(await store.get('hp_1')).toBeUndefined()
        expect(await store.find('digest')).toBeUndefined()
        expect(await store.get('hp_3')).toMatchObject({ state: 'pending' })
        expect((await permit('late', { approval: 'hp_2' })).committed).toEqual({ outcome: 'approval_spent' })
      })

      it('I2: bound the text that they keep: the oldest are forgotten, and are no yes then', async () => {
        await store.request(request('hp_yes', 'approved one'))
        await store.answer('hp_yes', yes)
        const argumentsText = 'x'.repeat(1_000_000)
        for (let n = 0; n < 70; n += 1) await store.request(request(`hp_${n}`, `digest ${n}`, { argumentsText }))
        const pending = (await store.pending()).map(({ ref }) => ref)
        expect(pending.length).toBeGreaterThan(60)
        expect(pending.length).toBeLessThan(70)
        expect(pending).toEqual(Array.from(pending, (_, n) => `hp_${70 - pending.length + n}`))
        expect(await store.get('hp_0')).toBeUndefined()
        expect((await permit('late', { approval: 'hp_yes' })).committed).toEqual({ outcome: 'approval_spent' })
      })

      it('know whether somebody is there to answer', async () => {
        expect(await store.attended()).toBe(false)
        await store.attend('w1', now + 5_000)
        await store.attend('w2', now + 1_000)
        expect(await store.attended()).toBe(true)
        now += 5_000
        expect(await store.attended()).toBe(false)
        await store.attend('w1', now + 5_000)
        expect(await store.attended()).toBe(true)
      })
    })

    describe('overrides', () => {
      const override = { id: 'ov_1', most: 3 }
      const uses = (all: readonly { readonly committed: Committed }[]) =>
        all.flatMap(({ committed }) => (committed.outcome === 'claimed' ? [committed.use] : []))

      it('let exactly as many calls through as they were signed for, however many ask at once', async () => {
        const asked = await Promise.all(Array.from({ length: 10 }, (_, n) => permit(`k${n}`, { override })))
        expect(uses(asked).sort()).toEqual([1, 2, 3])
        expect(asked.filter(({ committed }) => committed.outcome === 'override_spent')).toHaveLength(7)
        expect((await collect(store.receipts())).filter(({ kind }) => kind === 'decision')).toHaveLength(3)
        expect((await permit('other', { override: { id: 'ov_2', most: 1 } })).committed).toEqual({
          outcome: 'claimed',
          use: 1,
        })
      })

      it('are not used by what was refused, and spend no approval when they are spent', async () => {
        await permit('taken', { session: SESSION })
        expect((await permit('taken', { override })).committed.outcome).toBe('taken')
        const stale = { ...SESSION, seen: { conversation: 0 } }
        expect((await permit('new', { override, session: stale })).committed.outcome).toBe('stale')
        expect((await permit('new', { override, approval: 'hp_none' })).committed.outcome).toBe('approval_spent')
        expect(uses([await permit('new', { override: { ...override, most: 1 } })])).toEqual([1])
        const request = requestWith({ tool: 'shop/restock', materiality: 'medium', createdAt: now })
        await store.request(request)
        await store.answer('hp_1', answerBy('alice'))
        const spent = await permit('newer', { override: { ...override, most: 1 }, approval: 'hp_1' })
        expect(spent.committed).toEqual({ outcome: 'override_spent' })
        expect(await store.get('hp_1')).toMatchObject({ state: 'approved' })
      })

      it('get no use back, not even from a call that never began: each was a permit', async () => {
        const once = { ...override, most: 1 }
        const { receipt } = await permit('key', { override: once })
        await settle(receipt, 'not_executed')
        await permit('another')
        expect((await permit('key', { override: once })).committed).toEqual({ outcome: 'override_spent' })
      })
    })

    const { reopen } = under
    if (reopen === undefined) return
    describe('after it was closed and opened again', () => {
      it('I6: still has every receipt, claim, approval and session, and nothing is stranded', async () => {
        const kept = await permit('kept', { session: { ...SESSION, amount: '3', reads: ['private'] } })
        await settle(kept.receipt, 'ok')
        const freed = await permit('freed')
        await settle(freed.receipt, 'not_executed')
        const override = { id: 'ov_1', most: 2 }
        await settle((await permit('overridden', { override })).receipt, 'ok')
        const before = await collect(store.receipts())
        await store.close()
        store = reopen(() => now)
        const opening = await store.open()
        const newest = before.at(-1)
        expect(opening).toMatchObject({
          durable: true,
          stranded: [],
          last: { stream: newest?.stream, seq: newest?.seq, hash: newest?.hash },
        })
        expect(await collect(store.receipts())).toEqual(before)
        chain = await openedChain(store, { signer })
        expect((await permit('kept')).committed).toMatchObject({
          outcome: 'taken',
          status: 'ok',
          receipt: kept.receipt.id,
        })
        expect((await permit('freed')).committed).toEqual({ outcome: 'claimed' })
        expect((await permit('second', { override })).committed).toEqual({ outcome: 'claimed', use: 2 })
        expect((await permit('third', { override })).committed).toEqual({ outcome: 'override_spent' })
        const { facts } = await store.read(SESSION, SESSION.at)
        expect([facts.spent, facts.day.spent]).toEqual([{ 'shop/refund': '3.0' }, { 'shop/refund': '3.0' }])
        expect(facts).toMatchObject({ private_data_read: true, untrusted_content_read: false })
      })

      it('reports a permit whose outcome was never written, and keeps its key until that is settled', async () => {
        const { receipt } = await permit('left')
        await store.close()
        store = reopen(() => now)
        expect((await store.open()).stranded).toEqual([{ decision: receipt.hash, status: 'unknown' }])
        chain = await openedChain(store, { signer })
        expect((await permit('left')).committed).toMatchObject({ outcome: 'taken', status: 'claimed' })
        await settle(receipt, 'unknown')
        expect((await permit('left')).committed).toMatchObject({ outcome: 'taken', status: 'unknown' })
        await store.close()
        store = reopen(() => now)
        expect((await store.open()).stranded).toEqual([])
      })
    })
  })
}
