import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, describe, expect, it } from 'vitest'
import { keepFormer } from '../../src/cli/keys/former.ts'
import { createGate } from '../../src/create-gate.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { openDesk, openReader } from '../../src/store/sqlite-reader.ts'
import type { Gate, Receipt } from '../../src/types.ts'
import { answerBy } from '../support/approvals.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()
const open: Gate[] = []
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close()
})

const POLICIES = `@id("pay") permit (principal, action == Action::"bank/transfer", resource);
@id("yes") @requires("confirmation") permit (principal, action == Action::"bank/send_mail", resource);`

/** A bank's gate with a store of its own, and what is said to its command line. */
function bank() {
  const here = folder()
  const config = join(here, 'holdpoint.yaml')
  writeFileSync(join(here, 'bank.cedar'), POLICIES)
  writeFileSync(config, 'server: bank\npolicies: bank.cedar\nkeyFile: key.pem\nstore: { folder: store }\n')
  const store = join(here, 'store')
  const openGate = (): Gate => {
    const effects = { store: createSqliteStore({ folder: store }), signer: loadOrCreateKey(join(here, 'key.pem')) }
    const gate = createGate({ config: here, effects })
    gate.register(['transfer', 'send_mail'].map((name) => ({ name, origin: 'own' })))
    open.push(gate)
    return gate
  }
  return {
    store,
    config,
    openGate,
    /** One transfer that ran. */
    pay: async (gate: Gate, to: string, conversation = 'c1'): Promise<readonly Receipt[]> => {
      const me = gate.as({ user: 'ada' }, { conversation })
      const run = await me.run({ tool: 'transfer', input: { to, amount: 900 }, callId: to }, () => 'paid')
      if (run.outcome !== 'ran') throw new Error('the transfer did not run')
      return run.receipts
    },
    close: async (gate: Gate) => await open.splice(open.indexOf(gate), 1)[0]?.close(),
    erase: (...args: readonly string[]) => runHere('erase', ...args, '--config', config),
    verify: () => runHere('verify', store, '--config', config, '--json'),
  }
}

/** The files of a folder in which a text stands, whatever its bytes are part of. */
function filesWith(store: string, text: string): readonly string[] {
  return readdirSync(store).filter((name) => readFileSync(join(store, name)).includes(text))
}

function callsUnderWay(store: string): number {
  const db = new DatabaseSync(join(store, 'claims.db'), { readOnly: true, timeout: 1_000 })
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM claims WHERE status = 'claimed'").get()?.['n'])
  } finally {
    db.close()
  }
}

describe('erase', () => {
  it.each([
    ['whose gate has ended', true],
    ['whose gate goes on', false],
  ])('leaves nothing of the arguments in any file of a store %s, and everything verifies', async (_, ends) => {
    const { store, openGate, pay, close, erase, verify } = bank()
    const gate = openGate()
    // Long enough to go to pages of its own, and short; many, so that pages are split.
    const long = `IBAN-LONG-${'x'.repeat(20_000)}`
    await pay(gate, long)
    for (let n = 0; n < 20; n += 1) await pay(gate, `IBAN-${n}-${'y'.repeat(n * 7)}`)
    if (ends) await close(gate)
    // A gate tells `claims.db` of an ended call a little later; until then it counts as under way.
    await expect.poll(() => callsUnderWay(store)).toBe(0)
    expect(filesWith(store, 'IBAN-')).not.toEqual([])
    const { code, stdout } = await erase('--conversation', 'c1', '--yes')
    expect(stdout).toMatch(
      /^Erased for good from .*: 21 requests with their arguments, 0 questions to people, .* 21 calls\n/,
    )
    expect({ code, left: filesWith(store, 'IBAN-') }).toEqual({ code: 0, left: [] })
    expect(filesWith(store, 'x'.repeat(100))).toEqual([])
    expect(stdout.includes('in use by a gate')).toBe(!ends)
    if (!ends) await pay(gate, 'afterwards')
    expect(JSON.parse((await verify()).stdout)).toMatchObject({ ok: true, settled: true, failures: [] })
  })

  it('finds a conversation under the key that names it, be it that of the receipts or the one beside a key that is elsewhere', async () => {
    const { store, config, pay, erase } = bank()
    const key = loadOrCreateKey(join(dirname(config), 'key.pem'))
    const elsewhere = generateSigner()
    const { publicJwk } = elsewhere
    const remote = { receipts: { signer: { publicJwk, sign: async (bytes: Uint8Array) => elsewhere.sign(bytes) } } }
    for (const options of [{ effects: { store: createSqliteStore({ folder: store }), signer: key } }, remote]) {
      const gate = createGate({ config: dirname(config), ...options })
      gate.register([{ name: 'transfer', origin: 'own' }])
      await pay(gate, options === remote ? 'IBAN-2' : 'IBAN-1')
      await gate.close()
    }
    expect((await erase('--conversation', 'c1', '--yes')).stdout).toContain('2 requests with their arguments')
    expect(filesWith(store, 'IBAN-')).toEqual([])
  })

  it('says so where an earlier key has named conversations, which nobody can find by them', async () => {
    const { config, openGate, pay, close, erase } = bank()
    const gate = openGate()
    await pay(gate, 'IBAN-1')
    await close(gate)
    expect((await erase('--conversation', 'c1')).stderr).toBe('')
    const { kid, publicJwk } = generateSigner()
    keepFormer(join(dirname(config), 'key.pem'), kid, publicJwk)
    expect((await erase('--conversation', 'c1')).stderr).toContain('before the receipt key was changed')
    expect((await erase('--before', '0d')).stderr).toBe('')
  })

  it('forgets the salts and digests from which arguments could be guessed, and still runs no call twice', async () => {
    const { store, openGate, pay, close, erase } = bank()
    const gate = openGate()
    const [decision] = await pay(gate, 'IBAN-1')
    await close(gate)
    const reader = openReader(store)
    const kept = await reader.sidecar(decision?.hash ?? '')
    expect(filesWith(store, kept?.salt ?? '-')).not.toEqual([])
    expect((await erase(decision?.id ?? '', '--yes')).code).toBe(0)
    expect(filesWith(store, kept?.salt ?? '-')).toEqual([])
    expect(await reader.sidecar(decision?.hash ?? '')).toBeUndefined()
    await reader.close()
    const again = openGate()
    const repeated = await again
      .as({ user: 'ada' }, { conversation: 'c1' })
      .run({ tool: 'transfer', input: { to: 'IBAN-1', amount: 900 }, callId: 'IBAN-1' }, () => 'paid twice')
    expect(repeated).toMatchObject({ outcome: 'refused', refusal: { code: 'key_reuse' } })
  })

  it('erases what was meant and nothing else', async () => {
    const { store, openGate, pay, close, erase } = bank()
    const gate = openGate()
    const [one] = await pay(gate, 'IBAN-1')
    const [, outcome] = await pay(gate, 'IBAN-2')
    await pay(gate, 'IBAN-3', 'c2')
    await pay(gate, 'IBAN-4', 'c3')
    await close(gate)
    const trace = JSON.parse((await runHere('trace', outcome?.id ?? '', store, '--json')).stdout).trace
    expect((await erase(one?.id.slice(0, 12) ?? '', '--yes', '--json')).stdout).toContain('"requests":1')
    expect([1, 2, 3, 4].filter((n) => filesWith(store, `IBAN-${n}`).length > 0)).toEqual([2, 3, 4])
    expect((await erase(outcome?.id ?? '', '--yes')).code).toBe(0)
    expect([1, 2, 3, 4].filter((n) => filesWith(store, `IBAN-${n}`).length > 0)).toEqual([3, 4])
    expect((await erase('--conversation', 'c2', '--yes')).code).toBe(0)
    expect([1, 2, 3, 4].filter((n) => filesWith(store, `IBAN-${n}`).length > 0)).toEqual([4])
    expect((await erase(trace, '--yes', '--json')).stdout).toContain('"requests":0')
    expect((await erase('--before', '1h', '--yes', '--json')).stdout).toContain('"requests":0')
    expect((await erase('--before', '2999-01-01', '--yes', '--json')).stdout).toContain('"requests":1')
    expect([1, 2, 3, 4].filter((n) => filesWith(store, `IBAN-${n}`).length > 0)).toEqual([])
  })

  it('erases what a person was asked about with the call that asked, answered or not', async () => {
    const { store, openGate, close, erase } = bank()
    const gate = openGate()
    const me = gate.as({ user: 'ada' }, { conversation: 'c1' })
    const mail = (to: string, callId: string) => me.admit({ tool: 'send_mail', input: { to }, callId })
    const [asked, other] = [await mail('SECRET-1', '1'), await mail('SECRET-2', '2')]
    const ref = asked.outcome === 'refused' ? (asked.request?.ref ?? '') : ''
    const desk = openDesk(store)
    await desk.answer(ref, answerBy('ada'))
    await desk.close()
    const run = await me.run({ tool: 'send_mail', input: { to: 'SECRET-1' }, callId: '3' }, () => 'sent')
    expect(run.outcome).toBe('ran')
    await close(gate)
    const { stdout } = await erase(asked.receipt?.id ?? '', '--yes')
    expect(stdout).toContain('1 request with its arguments, 1 question to a person,')
    expect(filesWith(store, 'SECRET-1')).toEqual(['receipts-0.db'])
    const answered = run.outcome === 'ran' ? run.receipts[0]?.id : undefined
    expect((await erase(answered ?? '', other.receipt?.id ?? '', '--yes')).stdout).toContain('1 question to a person')
    expect(filesWith(store, 'SECRET-')).toEqual([])
  })

  it.each([
    ['what was remembered of calls', 'claims.db', 'UPDATE ON claims'],
    ['questions to people', 'claims.db', 'DELETE ON requests'],
    ['the requests of one process', 'receipts-0.db', 'DELETE ON sidecars'],
    ['the requests of another process', 'receipts-1.db', 'DELETE ON sidecars'],
  ])('finishes what failed half-way, at %s', async (_, file, act) => {
    const { store, openGate, pay, close, erase } = bank()
    const [one, other] = [openGate(), openGate()]
    const mail = (gate: Gate, to: string) =>
      gate.as({ user: 'ada' }, { conversation: 'c1' }).admit({ tool: 'send_mail', input: { to }, callId: to })
    const asked = [await mail(one, 'SECRET-1'), await mail(other, 'SECRET-2')]
    const paid = [await pay(one, 'SECRET-3'), await pay(other, 'SECRET-4')]
    await close(one)
    await close(other)
    const ids = [...asked.map(({ receipt }) => receipt?.id ?? ''), ...paid.map(([receipt]) => receipt?.id ?? '')]
    const db = new DatabaseSync(join(store, file))
    db.exec(`CREATE TRIGGER fault BEFORE ${act} BEGIN SELECT RAISE (ABORT, 'the disk is tired'); END`)
    const failed = await erase(...ids, '--yes')
    expect([failed.code, failed.stderr]).toEqual([2, expect.stringContaining('the disk is tired')])
    db.exec('DROP TRIGGER fault')
    db.close()
    expect(filesWith(store, 'SECRET-')).not.toEqual([])
    expect((await erase(...ids, '--yes')).code).toBe(0)
    expect(filesWith(store, 'SECRET-')).toEqual([])
  })

  it('says what it would erase, exits 1 and erases nothing until it is told yes', async () => {
    const { store, openGate, pay, close, erase } = bank()
    const gate = openGate()
    await pay(gate, 'IBAN-1')
    await close(gate)
    const { code, stdout } = await erase('--before', '2999-01-01')
    expect(code).toBe(1)
    expect(stdout).toMatch(/^Would be erased from .*: 1 request with its arguments.*\nNothing was erased: say --yes/)
    expect(filesWith(store, 'IBAN-1')).not.toEqual([])
  })

  it('leaves a call that is under way what it needs, and says so', async () => {
    const { store, openGate, close, erase } = bank()
    const gate = openGate()
    const admission = await gate
      .as({ user: 'ada' }, { conversation: 'c1' })
      .admit({ tool: 'transfer', input: { to: 'IBAN-1', amount: 900 }, callId: '1' })
    if (admission.outcome !== 'permitted') throw new Error('the transfer was not permitted')
    expect((await erase('--conversation', 'c1', '--yes')).stdout).toContain('1 call is still under way')
    expect(filesWith(store, 'IBAN-1')).toEqual([])
    const begun = admission.begin()
    expect(begun).toMatchObject({ input: { to: 'IBAN-1', amount: 900 } })
    await admission.settle({ status: 'ok', result: 'paid' })
    await close(gate)
    expect((await erase('--conversation', 'c1', '--yes', '--json')).stdout).toContain('"claims":1,"running":0')
  })

  it('answers what names nothing with exit 1, and what is unclear with exit 2', async () => {
    const { openGate, pay, close, erase } = bank()
    const gate = openGate()
    await pay(gate, 'IBAN-1')
    await close(gate)
    const missing = await erase('r_00000000', '--yes')
    expect(missing).toMatchObject({ code: 1, stdout: '' })
    expect(missing.stderr).toMatch(/^There is no decision r_00000000 in .*\. Nothing was erased\.\n$/)
    expect((await erase('--yes')).stderr).toContain('say which calls')
    expect((await erase('everything', '--yes')).stderr).toContain('"everything" is no receipt')
    expect((await erase('--before', 'soon', '--yes')).stderr).toContain('"soon" is neither an age')
    expect((await erase('--before', '1d', '--conversation', 'c1', '--yes')).code).toBe(2)
  })
})
