import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { signedAnswer } from '../../src/answer.ts'
import { randomBytes, sha256Bytes } from '../../src/bytes/digest.ts'
import { createGate } from '../../src/create-gate.ts'
import { readCanonical } from '../../src/receipt/envelope.ts'
import { type StatementClaims, sealStatement, statementBytes } from '../../src/receipt/statement.ts'
import { type BundleContent, bundleLines, verifyBundle } from '../../src/verify.ts'
import { runHere } from '../cli/in-process.ts'
import { approver, pendingWith } from '../support/approvals.ts'
import { gateKey, ORIGIN, Process } from '../support/bundles.ts'
import { authenticator, type Ceremony, challengeOf } from '../support/passkeys.ts'
import { collect } from '../support/receipt-drafts.ts'
import { askedBy, asksFinance, fateOf, people, refundTool } from '../support/refunds.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const key = gateKey()
const NOW = 1_700_000_000_000
const asked = pendingWith({ createdAt: NOW, requires: 'approval:finance', ref: 'hp_7f3k9qtm' })
const other = pendingWith({
  createdAt: NOW,
  requires: 'approval:finance',
  ref: 'hp_00000000',
  argumentsText: '{"a":1}',
})
const bobs = authenticator('bob')
const carols = authenticator('carol')

/** A gate's word for a yes of bob's by passkey, and what somebody who has that gate's approval key makes of it. */
function statementOf(
  changes: Partial<StatementClaims> = {},
  { of = asked, ceremony, by = bobs }: { of?: typeof asked; ceremony?: Ceremony; by?: typeof bobs } = {},
): string {
  const passkey = by.sign(challengeOf(of), ceremony)
  const said = { answer: 'approved', by: 'bob', channel: 'webauthn', at: NOW, passkey } as const
  const { statement } = signedAnswer(approver, asked, said, randomBytes)
  const claims = readCanonical(statementBytes(statement)) as StatementClaims
  const told = Object.entries({ ...claims, ...changes }).filter(([, value]) => value !== undefined)
  return sealStatement(approver, Object.fromEntries(told) as StatementClaims)
}

async function bundleOf(statement: string, channel = 'webauthn') {
  const process = new Process(key, 'shop')
  const digest = Buffer.from(sha256Bytes(statementBytes(statement))).toString('base64url')
  const answers = [{ by: 'bob', channel, roles: ['finance'], statement: digest }]
  const opened = process.open()
  const [decision, outcome] = process.call('one', {
    basis: 'approval',
    approval: { ref: asked.ref, shown: asked.shown, answers },
  })
  const content: BundleContent[] = [
    { kind: 'receipt', jws: opened.jws },
    { kind: 'receipt', jws: decision.jws },
    { kind: 'opening', receipt: decision.hash, opens: 'statement', salt: '', text: statement },
    { kind: 'receipt', jws: outcome.jws },
  ]
  return [...(await collect(bundleLines({ origin: ORIGIN, scope: 'log', size: 0 }, content)))]
}

async function said(lines: readonly string[], passkeys: readonly object[] | 'none' = [bobs.passkey, carols.passkey]) {
  const { checks } = await verifyBundle(lines, {
    keys: [key.publicJwk],
    approval: [approver.publicJwk],
    ...(passkeys === 'none' ? {} : { passkeys }),
  } as never)
  const { result, why } = checks.find(({ check }) => check === 'approvals') ?? {}
  return `${result}: ${why}`
}

describe('a person’s own signature, offline', () => {
  it('is established under the passkeys that the reader knows, and by no word of the gate', async () => {
    const lines = await bundleOf(statementOf())
    expect(await said(lines)).toMatch(/^pass: .*1 yes is signed by the person’s own passkey, which you know/)
    expect(await said(lines, 'none')).toMatch(/^not_established: .*1 yes is said to be signed/)
    expect(await said(lines, [carols.passkey])).toMatch(/^fail: bob is said to .* a passkey that you do not know/)
    expect(await said(lines, [{ ...bobs.passkey, user: 'carol' }])).toMatch(/^fail: .*a passkey of somebody else/)
    expect(await said(lines, [{ ...bobs.passkey, tenant: 'evil' }])).toMatch(/^fail: .*a passkey of somebody else/)
    expect(await said(lines, [{ ...bobs.passkey, publicKey: carols.passkey.publicKey }])).toMatch(/^fail: .*not hold/)
  })

  it.each([
    ['another person’s passkey', {}, { by: carols }, /somebody else/],
    ['a yes to another request', {}, { of: other }, /another answer/],
    ['a yes to another call', { req: other.requestDigest.replace(/^./, 'A') }, {}, /another answer/],
    ['a yes for another reason', { reason: 'in bob’s name' }, {}, /another answer/],
    ['a page of another origin', {}, { ceremony: { origin: 'https://evil.example' } }, /another origin/],
    ['another relying party', {}, { ceremony: { rpId: 'evil.example' } }, /another relying party/],
    ['a person who was not verified', {}, { ceremony: { flags: 1 } }, /not verified/],
    ['no signature of a person’s own', { passkey: undefined }, {}, /or says so, and not both/],
  ] as const)('I4: fails for %s, whatever the gate’s key has signed', async (_, changes, more, why) => {
    expect(await said(await bundleOf(statementOf(changes as Partial<StatementClaims>, more)))).toMatch(why)
    expect(await said(await bundleOf(statementOf(changes as Partial<StatementClaims>, more)))).toMatch(/^fail/)
  })

  it('fails where the signature is there and the channel says nothing of it', async () => {
    expect(await said(await bundleOf(statementOf({ channel: 'page' }), 'page'))).toMatch(/^fail: .*not both/)
  })

  it('I6: takes no person’s passkey for a key of receipts', async () => {
    const passkeys = [{ ...bobs.passkey, publicKey: key.publicJwk }]
    const { checks } = await verifyBundle(await bundleOf(statementOf()), { keys: [key.publicJwk], passkeys } as never)
    expect(checks.find(({ check }) => check === 'keys')).toMatchObject({
      result: 'fail',
      why: expect.stringContaining('a person’s passkey'),
    })
  })
})

describe('holdpoint verify --passkeys', () => {
  const folder = temporaryFolders()
  afterEach(() => vi.unstubAllEnvs())

  it('hands an auditor the person’s own word, from a gate that requires it', async () => {
    const here = folder()
    const at = (name: string) => join(here, name)
    vi.stubEnv('HOLDPOINT_STATE', here)
    writeFileSync(at('shop.cedar'), asksFinance())
    const approvals = JSON.stringify({ passkeys: [bobs.passkey], requirePasskey: 'high' })
    const config = at('holdpoint.yaml')
    writeFileSync(
      config,
      `server: shop\npolicies: shop.cedar\ntools:\n  refund: { materiality: high }\nlog: { origin: shop.example/log }\napprovals: ${approvals}\n`,
    )
    const gate = createGate({ config: here, events: [() => undefined] })
    gate.register([refundTool])
    const { alice, bob } = people(gate)
    const request = await askedBy(alice)
    const passkey = bobs.sign(challengeOf(request))
    expect((await bob.answer(request.ref, 'approved', { shown: request.shown, passkey })).outcome).toBe('recorded')
    expect((await fateOf(alice)).fate).toBe('ran')
    await gate.close()

    writeFileSync(at('keys.json'), (await runHere('keys', '--config', config)).stdout)
    writeFileSync(at('approvals.json'), (await runHere('keys', 'show', '--approvals', '--config', config)).stdout)
    writeFileSync(at('passkeys.json'), JSON.stringify([bobs.passkey]))
    writeFileSync(at('carols.json'), JSON.stringify(carols.passkey))
    expect((await runHere('export', '--out', at('all.jsonl'), '--config', config)).code).toBe(0)
    const known = ['--keys', at('keys.json'), '--approval-keys', at('approvals.json')]
    const verified = async (...more: string[]) => {
      const { code, stdout } = await runHere('verify', at('all.jsonl'), ...known, '--json', ...more)
      const { checks } = JSON.parse(stdout)
      return [code, checks.find(({ check }: { check: string }) => check === 'approvals').result]
    }
    expect(await verified('--passkeys', at('passkeys.json'))).toEqual([0, 'pass'])
    expect(await verified('--passkeys', config)).toEqual([0, 'pass'])
    expect(await verified()).toEqual([3, 'not_established'])
    expect(await verified('--passkeys', at('carols.json'))).toEqual([1, 'fail'])
    const wrong = await runHere('verify', at('all.jsonl'), '--passkeys', at('approvals.json'))
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('"approvals.passkeys')])
  })
})
