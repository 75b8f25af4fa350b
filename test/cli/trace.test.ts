import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crockford } from '../../src/bytes/crockford.ts'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { readTrace } from '../../src/cli/trace/traced.ts'
import { createGate } from '../../src/create-gate.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { gateKey, Process } from '../support/bundles.ts'
import { collect, decisionDraft, jwsOf, openedChain, outcomeDraft, refusedDraft } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()
const TRACE = '0af7651916cd43dd8448eb211c80319c'

const POLICIES = `@id("reads") permit (principal, action in Action::"low", resource);
@id("cap") forbid (principal, action == Action::"shop/refund", resource) when { context.arguments.amount > 500 };
@id("small") permit (principal, action == Action::"shop/refund", resource);
@id("yes") @requires("confirmation") permit (principal, action == Action::"shop/send_mail", resource);`

let recorded: Awaited<ReturnType<typeof conversation>>
beforeAll(async () => {
  recorded = await conversation()
})
afterAll(() => recorded.remove())

/** A store with a conversation of three steps, of which the second has two calls at once, and with another conversation. */
async function conversation() {
  const here = mkdtempSync(join(tmpdir(), 'holdpoint-trace-'))
  writeFileSync(join(here, 'shop.cedar'), POLICIES)
  writeFileSync(
    join(here, 'holdpoint.yaml'),
    'server: shop\npolicies: shop.cedar\nkeyFile: key.pem\nstore: { folder: store }\n',
  )
  const store = createSqliteStore({ folder: join(here, 'store') })
  const gate = createGate({ config: here, effects: { store, signer: loadOrCreateKey(join(here, 'key.pem')) } })
  const amount = { type: 'object', properties: { amount: { type: 'integer' } }, required: ['amount'] }
  gate.register([
    { name: 'list_orders', origin: 'own' },
    { name: 'refund', origin: 'own', inputSchema: amount },
    { name: 'send_mail', origin: 'own' },
  ])
  const me = gate.as({ user: 'ada', agent: 'support' }, { conversation: 'c1' })
  const read = await me.run({ tool: 'list_orders', input: {}, step: 1 }, () => ['1184'])
  await Promise.all([
    me.run({ tool: 'refund', input: { amount: 900 }, step: 2 }, () => 'paid'),
    me.run({ tool: 'refund', input: { amount: 40 }, step: 2 }, () => 'paid'),
  ])
  const mail = await me.admit({ tool: 'send_mail', input: { to: 'bob@example.org' }, step: 3 })
  await gate.as({ user: 'ada' }, { conversation: 'c2' }).run({ tool: 'list_orders', input: {} }, () => 'other')
  await gate.close()
  const config = join(here, 'holdpoint.yaml')
  const [decision, outcome] = read.outcome === 'ran' ? read.receipts : []
  return {
    remove: () => rmSync(here, { recursive: true, force: true }),
    ids: { decision: decision?.id ?? '', outcome: outcome?.id ?? '' },
    ref: mail.outcome === 'refused' ? (mail.request?.ref ?? '') : '',
    trace: (...args: readonly string[]) => runHere('trace', ...args, '--config', config),
  }
}

/** Writes an export of receipts that hold these decisions, in one trace unless they say otherwise. */
async function exported(drafts: readonly Parameters<typeof decisionDraft>[0][]): Promise<string> {
  const store = createMemoryStore()
  const chain = await openedChain(store)
  for (const draft of drafts) await chain.append(refusedDraft(draft))
  const path = join(folder(), 'receipts.jsonl')
  writeFileSync(path, jwsOf(await collect(store.receipts())).join('\n'))
  return path
}

function linesOf(path: string): readonly string[] {
  return readFileSync(path, 'utf8').split('\n')
}

function leafHash(jws: string): Uint8Array {
  return sha256Bytes(Buffer.concat([Buffer.of(0), Buffer.from(jws.split('.')[1] ?? '', 'base64url')]))
}

describe('trace', () => {
  it('draws what each step had seen, what was decided and how it ended, and nothing of another conversation', async () => {
    const { trace, ids } = recorded
    const { code, stdout } = await trace(ids.decision)
    expect(code).toBe(0)
    expect(stdout).toContain('4 calls in 3 steps: 2 ran, 1 refused, 1 put to a person;')
    expect(stdout).toContain('user ada through support, from 20')
    expect(stdout).toMatch(/step 1\n└─ 1 ✓ shop\/list_orders {2}low {2}by reads → ok\n/)
    expect(stdout).toMatch(
      /step 2, after 1\n├─ 2 ✗ shop\/refund {2}high {2}denied_by_policy\n.*\n└─ 3 ✓ shop\/refund {2}high {2}by small → ok\n/,
    )
    expect(stdout).toMatch(/step 3, after 2, 3\n└─ 4 \? shop\/send_mail {2}high {2}approval_required\n/)
    expect(stdout).toMatch(/ \+\d.* ms, decided in .* ms, .* ms in all {2}r_\w{10} → r_\w{10}\n/)
  })

  it('finds the same by an outcome, the beginning of an id, the trace, the reference of a question and the conversation', async () => {
    const { trace, ids, ref } = recorded
    const whole = (await trace(ids.decision, '--json')).stdout
    for (const id of [ids.outcome, ids.decision.slice(0, 12), JSON.parse(whole).trace, ref]) {
      expect((await trace(id, '--json')).stdout, id).toBe(whole)
    }
    expect((await trace('c1', '--conversation', '--json')).stdout).toBe(whole)
    expect((await trace('c2', '--conversation')).stdout).toContain('1 call in 1 step: 1 ran;')
  })

  it('gives the parents, ids and hashes to programs', async () => {
    const { trace, ids } = recorded
    const { steps } = JSON.parse((await trace(ids.decision, '--json')).stdout)
    const [first, second] = steps
    expect(first.calls[0]).toMatchObject({ decision: { receipt: ids.decision }, outcome: { receipt: ids.outcome } })
    expect(second.after).toEqual([1])
    expect(second.calls[1].decision.parents).toEqual([first.calls[0].outcome.hash])
    expect(second.calls[0]).toMatchObject({
      fate: 'refused',
      decision: { code: 'denied_by_policy', policies: ['cap'] },
    })
  })

  it('draws a Mermaid flowchart whose arrows are the lineage', async () => {
    const { trace, ids } = recorded
    const lines = (await trace(ids.decision, '--mermaid')).stdout.trimEnd().split('\n')
    expect(lines[0]).toBe('flowchart TD')
    expect(lines.filter((line) => line.includes('-->'))).toEqual(['  c1 --> s2', '  c2 --> s3', '  c3 --> s3'])
    expect(lines.find((line) => line.includes('c2['))).toMatch(
      /"2 ✗ shop\/refund<br\/>high, denied_by_policy<br\/>r_\w+"\]:::refused$/,
    )
  })

  it('shows an outcome that was written after a crash, which names no trace', async () => {
    const store = createMemoryStore()
    const chain = await openedChain(store)
    const decision = await chain.append(decisionDraft({ trace: TRACE }))
    const outcome = await chain.append({ ...outcomeDraft(decision.hash, 'unknown'), recovered: true })
    const path = join(folder(), 'crashed.jsonl')
    writeFileSync(path, jwsOf(await collect(store.receipts())).join('\n'))
    expect((await runHere('trace', outcome.id, path)).stdout).toContain('by refund-cap → unknown, found after a crash')
    expect((await runHere('trace', TRACE, path)).stdout).toContain('1 call in 1 step: 1 to look at;')
  })

  it('never lets a name draw a line, move the cursor or end a label', async () => {
    const hostile = 'a\u001b[2J\u202e\n└─ 9 ✓ x"]; click c1 "javascript:alert(1)"\n%%{init}%%<b>`'
    const principal = { type: 'user', id: hostile, basis: 'stated' } as const
    const policy = { ...decisionDraft().policy, determining: [hostile] }
    const path = await exported([
      { principal, agent: hostile },
      { enforced: false, code: 'no_permit', policy, tool: { server: 's', name: hostile } },
    ])
    const drawn = (await runHere('trace', TRACE, path)).stdout
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is printed is the point.
    expect(drawn).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/)
    expect(drawn.split('\n').filter((line) => /^[├└]─/.test(line))).toHaveLength(2)
    const chart = (await runHere('trace', TRACE, path, '--mermaid')).stdout
    for (const line of chart.trimEnd().split('\n').slice(1)) {
      expect(line).toMatch(
        /^ {2}(subgraph s\d+\["step \d+"\]|end|c\d+ --> s\d+|classDef \w+ [\w:#,-]+| {2}c\d+\["([\p{L}\p{N} _,.:/()✓✗?!-]|#\d+;|<br\/>)*"\]:::\w+)$/u,
      )
    }
  })

  it('says how much of a long trace it leaves out', async () => {
    const path = await exported(Array.from({ length: 230 }, () => ({})))
    const { stdout } = await runHere('trace', TRACE, path)
    expect(stdout.split('\n').filter((line) => /^[├└]─/.test(line))).toHaveLength(200)
    expect(stdout).toContain('and 30 more calls (--json has them)')
    const chart = (await runHere('trace', TRACE, path, '--mermaid')).stdout
    expect(chart).toContain('rest["and 130 more calls"]')
    expect(chart.length).toBeLessThan(50_000)
    expect(JSON.parse((await runHere('trace', TRACE, path, '--json')).stdout).steps[0].calls).toHaveLength(230)
  })

  it('reads so many calls of an endless trace and counts the rest', async () => {
    const store = createMemoryStore()
    const chain = await openedChain(store)
    const { jws } = await chain.append(refusedDraft({ trace: TRACE }))
    const payload = jws.split('.')[1] ?? ''
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
    async function* endless() {
      for (let seq = 1; seq <= 23; seq += 1) {
        const altered = Buffer.from(JSON.stringify({ ...claims, seq })).toString('base64url')
        yield jws.replace(payload, altered)
      }
    }
    expect(await readTrace(endless(), TRACE, 20)).toMatchObject({ calls: 20, left: 3, unreadable: 0 })
  })

  it('says how many receipts of the trace cannot be read', async () => {
    const path = await exported([{}, {}])
    const [open = '', ...rest] = linesOf(path)
    const broken = (rest[0] ?? '').replace(/\.([^.]*)$/, '.AAAA')
    writeFileSync(path, [open, broken, ...rest.slice(1)].join('\n'))
    const { stdout } = await runHere('trace', TRACE, path)
    expect(stdout).toContain('1 call in 1 step')
    expect(stdout).toContain('1 receipt cannot be read')
  })

  it('exits 1 where there is no such trace, and 2 for what names none', async () => {
    const { trace } = recorded
    expect(await trace('f'.repeat(32))).toMatchObject({ code: 1, stdout: '' })
    expect(await trace('r_00000000')).toMatchObject({ code: 1, stdout: '' })
    const nonsense = await trace('refund')
    expect(nonsense).toMatchObject({ code: 2, stdout: '' })
    expect(nonsense.stderr).toMatch(/"refund" is no receipt \(r_…\), trace .* or reference \(hp_…\)/)
    const path = await exported([{}])
    const [first] = linesOf(path)
    const id = `r_${crockford(leafHash(first ?? '').subarray(0, 16))}`
    expect((await runHere('trace', id, path)).stderr).toMatch(/\(open\) belongs to no trace/)
    expect((await runHere('trace', 'hp_00000000', path)).stderr).toContain('references (hp_…) stand in a store')
  })

  it('shows a receipt whose time is no date', async () => {
    const gate = new Process(gateKey(), 'far')
    const receipts = [gate.open(), ...gate.call('one', { trace: TRACE, ts: Number.MAX_SAFE_INTEGER })]
    const path = join(folder(), 'far.txt')
    writeFileSync(path, receipts.map(({ jws }) => `${jws}\n`).join(''))
    const drawn = await runHere('trace', TRACE, path)
    expect([drawn.code, drawn.stderr]).toEqual([0, ''])
    expect(drawn.stdout).toContain(', from no date (9007199254740991 ms)')
  })
})
