import { describe, expect, it } from 'vitest'
import { signedAnswer } from '../../src/answer.ts'
import { randomBytes, sha256Bytes } from '../../src/bytes/digest.ts'
import { readCanonical } from '../../src/receipt/envelope.ts'
import { type StatementClaims, sealStatement, statementBytes } from '../../src/receipt/statement.ts'
import { type BundleContent, bundleLines, verifyBundle } from '../../src/verify.ts'
import { approver, pendingWith } from '../support/approvals.ts'
import { gateKey, ORIGIN, Process } from '../support/bundles.ts'
import { collect } from '../support/receipt-drafts.ts'
import { secondOpinion } from '../support/second-verifier/index.ts'

const key = gateKey()
const NOW = 1_700_000_000_000
const request = pendingWith({ createdAt: NOW, requires: 'approval:finance', quorum: 2, ref: 'hp_7f3k9qtm' })

function statementOf(by: string, changes: Partial<StatementClaims> = {}, signer = approver): string {
  const { statement } = signedAnswer(signer, request, { answer: 'approved', by, channel: 'page', at: NOW }, randomBytes)
  const claims = readCanonical(statementBytes(statement)) as StatementClaims
  return sealStatement(signer, { ...claims, ...changes })
}

const digestOf = (jws: string) => Buffer.from(sha256Bytes(statementBytes(jws))).toString('base64url')

/** A call that ran on these statements, in a bundle with those that are handed on. */
async function bundleOf(
  statements: readonly string[],
  more: { handed?: readonly string[]; by?: readonly string[] } = {},
) {
  const process = new Process(key, 'shop')
  const answers = statements.map((statement, n) => ({
    by: more.by?.[n] ?? ['bob', 'carol'][n] ?? 'dave',
    channel: 'page',
    roles: ['finance'],
    statement: digestOf(statement),
  }))
  const approval = { ref: request.ref, shown: request.shown, answers }
  const opened = process.open()
  const [decision, outcome] = process.call('one', { basis: 'approval', approval })
  const content: BundleContent[] = [
    { kind: 'receipt', jws: opened.jws },
    { kind: 'receipt', jws: decision.jws },
    ...(more.handed ?? statements).map(
      (text): BundleContent => ({ kind: 'opening', receipt: decision.hash, opens: 'statement', salt: '', text }),
    ),
    { kind: 'receipt', jws: outcome.jws },
  ]
  return [...(await collect(bundleLines({ origin: ORIGIN, scope: 'log', size: 0 }, content)))]
}

async function said(lines: readonly string[], approval: readonly object[] | undefined = [approver.publicJwk]) {
  const report = await verifyBundle(lines, {
    keys: [key.publicJwk],
    ...(approval === undefined ? {} : { approval }),
  } as never)
  const { result, why } = report.checks.find(({ check }) => check === 'approvals') ?? {}
  return `${result}: ${why}`
}

const both = () => [statementOf('bob'), statementOf('carol')]

describe('what a bundle shows of people’s yes', () => {
  it('is established by keys that the reader trusts with approvals, and by nothing else', async () => {
    const lines = await bundleOf(both())
    expect(await said(lines)).toMatch(/^pass: 1 call ran on a person’s yes; keys that you trust/)
    const { checks } = await verifyBundle(lines, { keys: [key.publicJwk] })
    expect(checks.find(({ check }) => check === 'approvals')).toMatchObject({ result: 'not_established' })
    expect(await said(lines, [gateKey().publicJwk])).toMatch(/^fail: .*you do not trust with approvals/)
  })

  it('is not established while one of the statements is missing', async () => {
    const [bob = '', carol = ''] = both()
    for (const handed of [[], [bob], [carol]])
      expect(await said(await bundleOf([bob, carol], { handed }))).toMatch(/^not_established: .*not here/)
  })

  it.each([
    ['a no', { answer: 'declined' }, /says no/],
    ['another request', { ref: 'hp_00000000' }, /of another request/],
    ['another text than was shown', { shown: digestOf('a.Yg.c') }, /another text/],
    ['another person', { by: 'mallory' }, /another person/],
    ['another role', { roles: ['sales'] }, /another person, role/],
    ['another channel', { channel: 'terminal' }, /channel/],
    ['a yes that had run out', { exp: NOW / 1_000 }, /run out/],
  ] as const)('fails where a statement is of %s', async (_, changes, why) => {
    expect(await said(await bundleOf([statementOf('bob', changes), statementOf('carol')]))).toMatch(why)
  })

  it('fails for a statement that no receipt names, that was signed by somebody else, or altered', async () => {
    const [bob = '', carol = ''] = both()
    const stranger = statementOf('bob')
    expect(await said(await bundleOf([bob, carol], { handed: [bob, carol, stranger] }))).toMatch(
      /names no such statement/,
    )
    const other = gateKey()
    expect(await said(await bundleOf([statementOf('bob', {}, other), carol]))).toMatch(/do not trust with approvals/)
    const [header, payload, signature = ''] = bob.split('.')
    const forged = `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    expect(await said(await bundleOf([bob, carol], { handed: [forged, carol] }))).toMatch(/^fail: /)
  })

  it('I6: takes no key for both: who signs receipts does not sign what people said', async () => {
    const trust = { keys: [key.publicJwk], approval: [approver.publicJwk, key.publicJwk] }
    const { checks } = await verifyBundle(await bundleOf(both()), trust)
    expect(checks.find(({ check }) => check === 'keys')).toMatchObject({
      result: 'fail',
      why: expect.stringContaining('is trusted for receipts and for approvals'),
    })
  })

  it('I4: fails where one person is counted twice, or the principal in a role', async () => {
    expect(await said(await bundleOf(both(), { by: ['bob', 'bob'] }))).toMatch(/counts one person twice/)
    const lines = await bundleOf(both(), { by: ['alice', 'carol'] })
    expect(await said(lines)).toMatch(/its principal approved it in a role|another person/)
  })

  it('I4: fails where one statement stands for two persons', async () => {
    const [bob = ''] = both()
    expect(await said(await bundleOf([bob, bob], { handed: [bob] }))).toMatch(/^fail: it counts one statement twice/)
  })

  /** Two calls in one bundle, each on the statements that it names, with those that are handed on. */
  async function bundleOfTwo(
    named: readonly [string, string],
    handed: readonly [readonly string[], readonly string[]],
  ) {
    const process = new Process(key, 'shop')
    const content: BundleContent[] = [{ kind: 'receipt', jws: process.open().jws }]
    for (const [n, statement] of named.entries()) {
      const by = (readCanonical(statementBytes(statement)) as StatementClaims).by
      const answers = [{ by, channel: 'page', roles: ['finance'], statement: digestOf(statement) }]
      const approval = { ref: request.ref, shown: request.shown, answers }
      const [decision, outcome] = process.call(`call ${n}`, { basis: 'approval', approval })
      content.push({ kind: 'receipt', jws: decision.jws })
      for (const text of handed[n] ?? [])
        content.push({ kind: 'opening', receipt: decision.hash, opens: 'statement', salt: '', text })
      content.push({ kind: 'receipt', jws: outcome.jws })
    }
    return [...(await collect(bundleLines({ origin: ORIGIN, scope: 'log', size: 0 }, content)))]
  }

  it('I2: fails where one yes stands behind two calls', async () => {
    const [bob = ''] = both()
    expect(await said(await bundleOfTwo([bob, bob], [[bob], [bob]]))).toMatch(/^fail: .*behind another call too/)
  })

  it('is not established for one call by the statement of another, however often that comes', async () => {
    const [bob = '', carol = ''] = both()
    expect(await said(await bundleOfTwo([bob, carol], [[bob, bob], []]))).toMatch(/^not_established: .*1 of them/)
    expect(await said(await bundleOfTwo([bob, carol], [[bob], [carol]]))).toMatch(/^pass: 2 calls/)
  })

  it('is seen alike by a verifier that shares no code', async () => {
    const [bob = '', carol = ''] = both()
    for (const lines of [
      await bundleOf(both()),
      await bundleOf(both(), { by: ['bob', 'bob'] }),
      await bundleOf(both(), { by: ['bob', 'BOB '] }),
      await bundleOf([bob, bob]),
      await bundleOfTwo([bob, bob], [[bob], [bob]]),
      await bundleOfTwo([bob, carol], [[bob], [carol]]),
    ]) {
      const ours = await verifyBundle(lines, { keys: [key.publicJwk] })
      const theirs = await secondOpinion(lines, { keys: [key.publicJwk] })
      const mine = Object.fromEntries(ours.checks.map(({ check, result }) => [check, result]))
      expect(theirs.results).toEqual(mine)
    }
  })
})
