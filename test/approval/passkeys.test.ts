import { describe, expect, it } from 'vitest'
import { questionFor } from '../../adapters/mcp/question.ts'
import { signedAnswer } from '../../src/answer.ts'
import { randomBytes } from '../../src/bytes/digest.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { statementSays } from '../../src/receipt/statement.ts'
import { createMemoryStore, type TestGateOptions, testGate } from '../../src/testing.ts'
import type { Answered, AnswerOptions, ApprovalRecord, Gate, PasskeyAssertion } from '../../src/types.ts'
import { approver, said, sealedBy } from '../support/approvals.ts'
import { AT, authenticator, BE, BS, type Ceremony, challengeOf, ED, UP, UV } from '../support/passkeys.ts'
import { askedBy, fateOf, refundOf, shop, yes } from '../support/refunds.ts'

type Registered = NonNullable<NonNullable<TestGateOptions['approvals']>['passkeys']>

const bobs = authenticator('bob')
const carols = authenticator('carol', { alg: 'Ed25519' })
const passkeys = [bobs.passkey, carols.passkey] as unknown as Registered

function signingShop({ approvals, ...more }: Parameters<typeof shop>[0] = {}) {
  return shop({ approvals: { passkeys, ...approvals }, ...more })
}

/** A yes of bob's, with what an attacker makes of it. */
async function signedYes(
  view: Gate,
  request: ApprovalRecord,
  { ceremony, passkey, ...more }: Partial<AnswerOptions> & { readonly ceremony?: Ceremony } = {},
): Promise<Answered> {
  const { ref, shown } = request
  const assertion = passkey ?? bobs.sign(challengeOf(request, 'approved', more.reason), ceremony)
  return await view.answer(ref, 'approved', { shown, passkey: assertion, ...more })
}

const altered = (text: string, change: (bytes: Buffer) => Buffer) =>
  change(Buffer.from(text, 'base64url')).toString('base64url')

describe('a person’s own signature', () => {
  it.each([
    ['ES256', 'bob', bobs],
    ['Ed25519', 'carol', carols],
  ] as const)(
    '%s: is a yes that the receipt calls by its name, and it lets the call run once',
    async (_, user, key) => {
      const { gate, alice, finance } = signingShop()
      const request = await askedBy(alice)
      const reason = 'agreed with them'
      const passkey = key.sign(challengeOf(request, 'approved', reason))
      expect(said(await signedYes(finance(user), request, { passkey, reason }))).toBe('recorded')
      expect((await fateOf(alice)).fate).toBe('ran')
      expect((await fateOf(alice)).fate).toBe('approval_required')
      const [permit] = (await gate.receipts()).map(({ jws }) => readReceipt(jws)).filter((claims) => 'permit' in claims)
      expect(permit).toMatchObject({ approval: { answers: [{ by: user, channel: 'webauthn', roles: ['finance'] }] } })
      const [answer] = (await gate.store.get(request.ref))?.answers ?? []
      expect(statementSays(answer?.statement ?? '')).toMatchObject({ by: user, channel: 'webauthn', reason, passkey })
    },
  )

  it('is one of a passkey that is synchronised too, which counts nothing', async () => {
    const { alice, bob } = signingShop()
    for (const amount of [901, 902])
      expect(
        said(await signedYes(bob, await askedBy(alice, refundOf(amount)), { ceremony: { flags: UP | UV | BE | BS } })),
      ).toBe('recorded')
  })

  it('confirms a call of the person’s own, from a page', async () => {
    const policy = '@id("own") @requires("confirmation") permit (principal, action, resource);'
    const { gate } = signingShop({ policy })
    const bob = gate.as({ user: 'bob', agent: 'support' }, { conversation: 'c1', channel: 'chat' })
    const request = await askedBy(bob)
    expect(said(await signedYes(gate.as({ user: 'bob' }, { channel: 'page' }), request))).toBe('recorded')
    expect((await fateOf(bob)).fate).toBe('ran')
  })

  it.each<[string, Ceremony, string]>([
    ['of no challenge of ours', { challenge: 'AAAA' }, 'approval_mismatch'],
    ['that makes a passkey', { type: 'webauthn.create' }, 'approver_not_separate'],
    ['on a page of another origin', { origin: 'https://shop.example.com.evil.example' }, 'approver_not_separate'],
    ['on the same name without TLS', { origin: 'http://shop.example.com' }, 'approver_not_separate'],
    ['in a frame of another page', { client: { crossOrigin: true } }, 'approver_not_separate'],
    ['below a page of another origin', { client: { topOrigin: 'https://evil.example' } }, 'approver_not_separate'],
    ['for another relying party', { rpId: 'example.com' }, 'approver_not_separate'],
    ['without a person there', { flags: UV }, 'approver_not_separate'],
    ['without the person verified', { flags: UP }, 'approver_not_separate'],
    ['backed up, and never to be', { flags: UP | UV | BS }, 'approver_not_separate'],
    ['with a new credential in it', { flags: UP | UV | AT, extensions: Buffer.alloc(60) }, 'approver_not_separate'],
    ['with bytes that no flag announces', { extensions: Buffer.from([0xa0]) }, 'approver_not_separate'],
    ['without the bytes that a flag announces', { flags: UP | UV | ED }, 'approver_not_separate'],
    ['of a passkey that nobody registered', { credentialId: 'AAAA' }, 'approver_not_separate'],
    ['under the name of carol’s', { credentialId: carols.passkey.credentialId }, 'approver_not_separate'],
  ])('I4: is not one %s', async (_, ceremony, code) => {
    const { alice, bob } = signingShop()
    const request = await askedBy(alice)
    expect(said(await signedYes(bob, request, { ceremony }))).toBe(code)
    expect((await fateOf(alice)).fate).toBe('approval_pending')
    // The same ceremony, unaltered, would have been one.
    expect(said(await signedYes(bob, request))).toBe('recorded')
  })

  it.each<[string, (asked: ApprovalRecord, other: ApprovalRecord) => string]>([
    ['a no', (asked) => challengeOf(asked, 'declined')],
    ['another request', (_, other) => challengeOf(other)],
    ['another text', (asked, other) => challengeOf({ ...asked, shown: other.shown })],
    ['another call', (asked, other) => challengeOf({ ...asked, requestDigest: other.requestDigest })],
    ['the same without a reason', (asked) => challengeOf(asked)],
  ])('I3: is not one under %s', async (_, signed) => {
    const { alice, bob } = signingShop()
    const asked = await askedBy(alice)
    const other = await askedBy(alice, refundOf(901))
    const passkey = bobs.sign(signed(asked, other))
    expect(said(await signedYes(bob, asked, { passkey, reason: 'in bob’s name' }))).toBe('approval_mismatch')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it.each<[string, (made: PasskeyAssertion) => Partial<PasskeyAssertion>]>([
    ['by another key under its id', () => ({ signature: authenticator('bob').sign('AAAA').signature })],
    [
      'with a counter that was changed',
      ({ authenticatorData }) => ({
        authenticatorData: altered(authenticatorData, (bytes) => Buffer.concat([bytes.subarray(0, 36), Buffer.of(9)])),
      }),
    ],
    [
      'with other white space in what was signed',
      ({ clientDataJSON }) => ({ clientDataJSON: altered(clientDataJSON, (bytes) => Buffer.from(`${bytes} `)) }),
    ],
    [
      'with a second challenge before the first',
      ({ clientDataJSON }) => ({
        clientDataJSON: altered(clientDataJSON, (bytes) => Buffer.from(`{"challenge":"AAAA",${`${bytes}`.slice(1)}`)),
      }),
    ],
    ['of what is no JSON', () => ({ clientDataJSON: Buffer.from('challenge').toString('base64url') })],
    ['in padded base64', ({ signature }) => ({ signature: `${signature}=` })],
    [
      'with a byte after the signature',
      ({ signature }) => ({ signature: altered(signature, (bytes) => Buffer.concat([bytes, Buffer.of(0)])) }),
    ],
    ['in raw form, as JOSE writes it', () => ({ signature: Buffer.alloc(64, 7).toString('base64url') })],
    ['with another member', () => ({ userHandle: 'AAAA' }) as never],
    ['too long for a statement', () => ({ authenticatorData: 'A'.repeat(1_028) })],
    ['with no signature at all', () => ({ signature: '' })],
    ['with no authenticator at all', () => ({ authenticatorData: '' })],
  ])('I4: is not one %s', async (_, change) => {
    const { alice, bob } = signingShop()
    const request = await askedBy(alice)
    const made = bobs.sign(challengeOf(request))
    expect(said(await signedYes(bob, request, { passkey: { ...made, ...change(made) } }))).toBe('approver_not_separate')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it('I4: is that of whoever is signed in: neither a session nor a passkey is enough alone', async () => {
    const { gate, alice, carol } = signingShop()
    const request = await askedBy(alice)
    const evil = gate.as({ user: 'bob', roles: ['finance'], tenant: 'evil' }, { channel: 'page' })
    const agent = gate.as({ user: 'bob', agent: 'helper', roles: ['finance'] }, { channel: 'page' })
    expect(said(await signedYes(carol, request))).toBe('approver_not_separate')
    expect(said(await signedYes(evil, request))).toBe('approval_mismatch')
    expect(said(await signedYes(agent, request))).toBe('approval_mismatch')
    expect(said(await signedYes(alice, request))).toBe('approver_not_separate')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
  })

  it('I2: is of one request: sent again it is no second yes, not now, not after the call, not for the next one', async () => {
    const { alice, bob, carol } = signingShop({ quorum: 2 })
    const request = await askedBy(alice)
    const passkey = bobs.sign(challengeOf(request))
    expect(said(await signedYes(bob, request, { passkey }))).toBe('recorded')
    expect(said(await signedYes(bob, request, { passkey }))).toBe('approval_mismatch')
    expect(said(await signedYes(carol, request, { passkey }))).toBe('approver_not_separate')
    const carolsYes = carols.sign(challengeOf(request))
    expect(said(await signedYes(carol, request, { passkey: carolsYes }))).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('ran')
    expect(said(await signedYes(bob, request, { passkey }))).toBe('already_executed')
    const next = await askedBy(alice)
    expect(said(await signedYes(bob, next, { passkey }))).toBe('approval_mismatch')
  })

  it('I4: is not one whose counter stands still or goes back: somebody may have a copy', async () => {
    const { alice, bob } = signingShop()
    const [first, second, third] = [
      await askedBy(alice),
      await askedBy(alice, refundOf(901)),
      await askedBy(alice, refundOf(902)),
    ]
    expect(said(await signedYes(bob, first, { ceremony: { signCount: 7 } }))).toBe('recorded')
    for (const signCount of [7, 6, 0])
      expect(said(await signedYes(bob, second, { ceremony: { signCount } }))).toBe('approver_not_separate')
    expect(said(await signedYes(bob, third, { ceremony: { signCount: 8 } }))).toBe('recorded')
  })
})

describe('a gate that requires them', () => {
  it('I4: takes no other yes to a high call, and a no from whoever could have said yes', async () => {
    const { alice, bob, carol } = signingShop({ approvals: { requirePasskey: 'high' } })
    const request = await askedBy(alice)
    expect(request.passkey).toBe(true)
    expect(said(await yes(bob, request))).toBe('approver_not_separate')
    expect((await fateOf(alice)).fate).toBe('approval_pending')
    expect(said(await signedYes(bob, request))).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('ran')
    const other = await askedBy(alice, refundOf(901))
    expect(said(await carol.answer(other.ref, 'declined', { shown: other.shown }))).toBe('recorded')
  })

  it('asks in no chat and in no form, where nobody could sign', async () => {
    const policy = '@id("own") @requires("confirmation") permit (principal, action, resource);'
    const { gate } = signingShop({ policy, approvals: { requirePasskey: 'all' } })
    const bob = gate.as({ user: 'bob' }, { conversation: 'c1', channel: 'chat' })
    const request = await askedBy(bob)
    expect(questionFor(request)).toBeUndefined()
    expect(questionFor({ ...request, passkey: undefined } as never)).toBeDefined()
    expect(said(await bob.answer(request.ref, 'approved', { shown: request.shown }))).toBe('approver_not_separate')
  })

  it('asks nobody who has none', async () => {
    const { alice, bob, finance } = signingShop({ approvals: { requirePasskey: 'all' } })
    const { ref } = await askedBy(alice)
    expect([(await bob.approvals()).map((record) => record.ref), await finance('dave').approvals()]).toEqual([
      [ref],
      [],
    ])
    expect([bob.passkeys(), finance('dave').passkeys()]).toEqual([[bobs.passkey], []])
  })

  it('I4: checks them again where they are used, so that writing into the store is no way in', async () => {
    const store = createMemoryStore()
    const { alice } = signingShop({ store, approvals: { requirePasskey: 'high' } })
    const calls = [refundOf(901), refundOf(902), refundOf(903), refundOf(904)]
    const [plain, claimed, foreign, honest] = await Promise.all(calls.map((call) => askedBy(alice, call)))
    const sealed = (request: ApprovalRecord | undefined, passkey: PasskeyAssertion) =>
      signedAnswer(
        approver,
        request as ApprovalRecord,
        { answer: 'approved', by: 'bob', channel: 'webauthn', at: request?.createdAt ?? 0, passkey },
        randomBytes,
      )
    const written = [
      [plain, sealedBy('bob', plain as ApprovalRecord, { channel: 'page' }), 'approver_not_separate'],
      [claimed, sealedBy('bob', claimed as ApprovalRecord, { channel: 'webauthn' }), 'approval_mismatch'],
      [foreign, sealed(foreign, bobs.sign(challengeOf(honest as ApprovalRecord))), 'approval_mismatch'],
      [honest, sealed(honest, bobs.sign(challengeOf(honest as ApprovalRecord))), 'ran'],
    ] as const
    for (const [index, [request, answer, fate]] of written.entries()) {
      expect(await store.answer(request?.ref ?? '', answer)).toBe(true)
      expect((await fateOf(alice, { ...refundOf(0), input: calls[index]?.input ?? null })).fate).toBe(fate)
    }
  })

  it('I4: takes nobody’s own signature for another person’s, though the record says that the call is somebody else’s', async () => {
    const store = createMemoryStore()
    const alices = authenticator('alice')
    const approvals = { passkeys: [alices.passkey] as unknown as Registered, requirePasskey: 'all' as const }
    const { alice } = shop({ store, approvals })
    const call = refundOf(905)
    const request = await askedBy(alice, call)
    const passkey = alices.sign(challengeOf(request))
    const own = { answer: 'approved', by: 'alice', channel: 'webauthn', at: request.createdAt, passkey } as const
    expect(await store.answer(request.ref, signedAnswer(approver, request, own, randomBytes))).toBe(true)
    const find: typeof store.find = async (digest) => {
      const record = await store.find(digest)
      return record === undefined ? undefined : { ...record, principal: { type: 'user', id: 'mallory' } }
    }
    const { alice: later } = shop({ store: { ...store, find }, approvals })
    expect((await fateOf(later, call)).fate).toBe('approval_mismatch')
  })

  it('says at the start what cannot be', async () => {
    const at = (approvals: object) => testGate({ approvals: approvals as TestGateOptions['approvals'] & object })
    expect(() => at({ requirePasskey: 'high' })).toThrow(/"requirePasskey" needs "passkeys"/)
    expect(() =>
      at({ passkeys: [bobs.passkey, { ...carols.passkey, credentialId: bobs.passkey.credentialId }] }),
    ).toThrow(/one passkey is one person’s/)
    expect(() => at({ passkeys: [bobs.passkey, { ...bobs.passkey, user: 'carol', credentialId: 'AAAA' }] })).toThrow(
      /one passkey is one person’s/,
    )
    expect(() => at({ passkeys: [{ ...bobs.passkey, origin: 'https://evil.example' }] })).toThrow(/must be an origin/)
    const offCurve = { ...bobs.passkey, publicKey: { ...bobs.passkey.publicKey, y: 'A'.repeat(43) } }
    await expect(at({ passkeys: [offCurve] }).ready()).rejects.toThrow(/passkey 1 has a key/)
  })
})
