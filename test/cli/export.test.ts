import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { partsOf } from '../../src/cli/bundle.ts'
import { writeLines } from '../../src/cli/export/out.ts'
import type { Terminal } from '../../src/cli/terminal.ts'
import { createGate } from '../../src/create-gate.ts'
import { readCheckpoint } from '../../src/log/checkpoint.ts'
import { leafHash, verifyConsistency, verifyInclusion } from '../../src/log/merkle.ts'
import { readNote } from '../../src/log/note.ts'
import type { DecisionClaims } from '../../src/receipt/claims.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { openedRequest } from '../../src/receipt/opening.ts'
import { readReceipt } from '../../src/receipt/read.ts'
import { tryLease } from '../../src/store/log-lease.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Gate } from '../../src/types.ts'
import { NaiveTree } from '../support/naive-tree.ts'
import { collect } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const folder = temporaryFolders()
const open: Gate[] = []
afterEach(async () => {
  for (const gate of open.splice(0)) await gate.close()
})

/** A shop's gate with a store of its own, and what is said to its command line. */
function shop() {
  const here = folder()
  const config = join(here, 'holdpoint.yaml')
  const store = join(here, 'store')
  writeFileSync(
    join(here, 'shop.cedar'),
    `@id("small") permit (principal, action, resource) when { context.arguments.amount <= 500 };
@id("cap") forbid (principal, action, resource) when { context.arguments.amount > 500 };`,
  )
  writeFileSync(config, 'server: shop\npolicies: shop.cedar\nkeyFile: key.pem\nstore: { folder: store }\n')
  const signer = loadOrCreateKey(join(here, 'key.pem'))
  const gate = createGate({ config: here, effects: { store: createSqliteStore({ folder: store }), signer } })
  open.push(gate)
  const properties = { amount: { type: 'integer' }, note: { type: 'string' } }
  gate.register([{ name: 'refund', origin: 'own', inputSchema: { type: 'object', properties, required: ['amount'] } }])
  return {
    here,
    store,
    config,
    refund: async (amount: number, conversation = 'c1', note = '') => {
      const me = gate.as({ user: 'ada' }, { conversation })
      return await me.run({ tool: 'refund', input: { amount, note }, callId: `${amount}` }, () => ({ paid: amount }))
    },
    close: async () => await open.splice(open.indexOf(gate), 1)[0]?.close(),
    export: async (...args: readonly string[]) => {
      const file = join(here, `${Math.random()}.jsonl`)
      return { file, ...(await runHere('export', ...args, '--out', file, '--json', '--config', config)) }
    },
    say: (...args: readonly string[]) => runHere('export', ...args, '--config', config),
  }
}

/** What a bundle holds, by kind. */
async function read(file: string) {
  const parts = await collect(partsOf(file))
  const of = <K extends (typeof parts)[number]['kind']>(kind: K) =>
    parts.flatMap((part) => (part.kind === kind ? [part as Extract<typeof part, { readonly kind: K }>] : []))
  const [head] = of('head')
  const checkpoint = of('checkpoint').at(-1)
  if (head === undefined || checkpoint === undefined) throw new Error('a head and a checkpoint were expected')
  return {
    parts,
    head,
    receipts: of('receipt'),
    openings: of('opening'),
    checkpoints: of('checkpoint'),
    last: checkpoint.says,
  }
}

function payloadOf(jws: string): Uint8Array {
  return new Uint8Array(Buffer.from(jws.split('.')[1] ?? '', 'base64url'))
}

function leafOf(jws: string) {
  return leafHash(sha256Bytes, payloadOf(jws))
}

describe('export', () => {
  it('writes the whole log, whose receipts come to the root of its checkpoint, and no argument', async () => {
    const { refund, export: exported, close } = shop()
    for (const amount of [1111, 40, 41]) await refund(amount)
    await close()
    const { code, file, stdout } = await exported()
    expect(code).toBe(0)
    const { head, receipts, last } = await read(file)
    expect(head).toMatchObject({ scope: 'log', size: receipts.length })
    expect(receipts.map(({ leaf }) => leaf)).toEqual(receipts.map((_, index) => index))
    const leaves = new Map(receipts.map(({ jws }, index) => [BigInt(index), payloadOf(jws)]))
    expect(new NaiveTree(receipts.length, leaves).root()).toEqual(Buffer.from(last.root))
    expect(JSON.parse(stdout)).toMatchObject({
      file,
      scope: 'log',
      size: 7,
      receipts: 7,
      requests: 0,
      origin: head.origin,
    })
    expect(readFileSync(file, 'utf8')).not.toContain('1111')
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('writes one trace with what it cannot be judged without, each receipt proven to be in the log', async () => {
    const { refund, export: exported, close } = shop()
    const one = await refund(40, 'c1')
    await refund(41, 'c2')
    await refund(42, 'c1')
    await close()
    const id = one.outcome === 'ran' ? (one.receipts[0]?.id ?? '') : ''
    const { file } = await exported('--trace', id)
    const { head, receipts, last } = await read(file)
    expect(head.scope).toBe('part')
    const kinds = receipts.map(({ jws }) => readReceipt(jws)).map(({ kind, trace }) => [kind, trace !== undefined])
    expect(kinds).toEqual([
      ['open', false],
      ...['decision', 'outcome', 'decision', 'outcome'].map((kind) => [kind, true]),
    ])
    for (const { jws, leaf = -1, proof = [] } of receipts) {
      const claim = { index: leaf, leaf: leafOf(jws), size: last.size, root: last.root, proof }
      expect(verifyInclusion(sha256Bytes, claim)).toBe(true)
    }
  })

  it('writes what came since a time', async () => {
    const { refund, export: exported, close } = shop()
    await refund(40)
    await close()
    expect(JSON.parse((await exported('--since', '1h')).stdout)).toMatchObject({ scope: 'part', receipts: 4 })
    const none = await exported('--since', '2999-01-01')
    expect(none).toMatchObject({ code: 1, stdout: '' })
    expect(existsSync(none.file)).toBe(false)
  })

  it('opens requests where it is told to, but none that were erased or are longer than a line', async () => {
    const { refund, config, export: exported, close } = shop()
    const first = await refund(40)
    await refund(41, 'c1', 'x'.repeat(140_000))
    const erased = await refund(42)
    await close()
    const id = erased.outcome === 'ran' ? (erased.receipts[0]?.id ?? '') : ''
    expect((await runHere('erase', id, '--yes', '--config', config)).code).toBe(0)
    const { file, stdout } = await exported('--open')
    expect(JSON.parse(stdout)).toMatchObject({ requests: 1, gone: 1, long: 1 })
    const { openings } = await read(file)
    const decision = first.outcome === 'ran' ? first.receipts[0] : undefined
    expect(openings).toHaveLength(1)
    expect(openings[0]?.receipt).toBe(decision?.hash)
    const claims = readReceipt(decision?.jws ?? '') as DecisionClaims
    const request = openings[0] && openedRequest(claims, openings[0])
    expect(request?.context.arguments).toEqual({ amount: 40, note: '' })
  })

  it('opens a result with the text that somebody kept, however its JSON is written, and with no other', async () => {
    const { here, refund, export: exported, close } = shop()
    const run = await refund(40)
    await close()
    const [decision, outcome] = run.outcome === 'ran' ? run.receipts : []
    const text = join(here, 'result.json')
    writeFileSync(text, '{ "paid": 40 }\n')
    const { file } = await exported('--result', `${outcome?.id}=${text}`)
    const { openings } = await read(file)
    expect(openings).toMatchObject([{ receipt: outcome?.hash, opens: 'result', text: '{"paid":40}' }])
    writeFileSync(text, '{ "paid": 41 }\n')
    const other = await exported('--result', `${outcome?.id}=${text}`)
    expect(other).toMatchObject({ code: 2 })
    expect(other.stderr).toContain('is not the result that the tool gave')
    const decided = await exported('--result', `${decision?.id}=${text}`)
    expect(decided.stderr).toContain('a decision receipt has no result')
    const stray = await exported('--result', `r_${'0'.repeat(26)}=${text}`)
    expect(stray.stderr).toContain('is not among the receipts that are exported')
    // Nothing half-written is left behind.
    expect(readdirSync(here).filter((name) => name.includes('.jsonl'))).toHaveLength(1)
  })

  it('shows that the log continues a checkpoint that somebody holds, and refuses one of another history', async () => {
    const { here, store, refund, export: exported, say, close } = shop()
    await refund(40)
    const held = join(here, 'checkpoint')
    writeFileSync(held, (await say('--checkpoint')).stdout)
    await refund(41)
    await close()
    for (const trace of [[], ['--since', '1h']]) {
      const { file } = await exported('--held', held, ...trace)
      const { checkpoints, last } = await read(file)
      const from = readCheckpoint(sha256Bytes, readNote(readFileSync(held)).text)
      expect(checkpoints).toHaveLength(2)
      expect(checkpoints[0]?.note).toBe(readFileSync(held, 'utf8'))
      expect(verifyConsistency(sha256Bytes, { from, to: last, proof: checkpoints[0]?.proof ?? [] })).toBe(true)
    }
    const note = readFileSync(held, 'utf8')
    const [origin = '', size = ''] = note.split('\n')
    writeFileSync(held, note.replace(/\n[^\n]{44}\n/, `\n${Buffer.alloc(32).toString('base64')}\n`))
    const forked = await exported('--held', held)
    expect(forked.code).toBe(1)
    expect(forked.stderr).toContain(
      `does not continue the checkpoint in ${held} (${size} leaves): it is another history, forked from that one`,
    )
    writeFileSync(held, note.replace(origin, 'elsewhere'))
    expect((await exported('--held', held)).stderr).toContain('is a checkpoint of "elsewhere"')
    writeFileSync(held, 'roses are red')
    expect((await exported('--held', held)).stderr).toMatch(/ holds no checkpoint: .*; get one from the log’s operator/)
    expect(existsSync(join(store, 'log', 'checkpoint'))).toBe(true)
  })

  it('reads the log as it is while somebody else takes it forward', async () => {
    const { store, refund, export: exported, close } = shop()
    await refund(40)
    await exported()
    await refund(41)
    await close()
    const lease = tryLease(store)
    try {
      const { stdout, stderr } = await exported('--since', '1h')
      expect(stderr).toContain('a gate takes this log forward now')
      expect(JSON.parse(stdout)).toMatchObject({ receipts: 3, unlogged: 3 })
    } finally {
      lease?.close()
    }
  })

  it('writes over nothing, and answers what cannot be meant with exit 2', async () => {
    const { here, config, refund, say, close } = shop()
    await refund(40)
    await close()
    const file = join(here, 'there.jsonl')
    writeFileSync(file, 'evidence')
    expect((await say('--out', file)).stderr).toContain('is there already')
    expect(readFileSync(file, 'utf8')).toBe('evidence')
    const taken = join(here, 'taken.jsonl')
    const during = async function* () {
      yield 'a line'
      writeFileSync(taken, 'evidence')
    }
    await expect(writeLines(during(), taken, {} as Terminal)).rejects.toThrow('is there already')
    expect(readFileSync(taken, 'utf8')).toBe('evidence')
    expect(readdirSync(here).filter((name) => name.endsWith('.unfinished'))).toEqual([])
    for (const [args, says] of [
      [['--trace', 'r_00000000', '--since', '1d'], 'not both'],
      [['--checkpoint', '--open'], '--checkpoint prints the checkpoint alone'],
      [['--json'], '--json goes with --out'],
      [['--result', 'r_1=x'], 'is not the whole id of an outcome receipt'],
      [['--trace', 'refund'], '"refund" is no receipt'],
    ] as const) {
      const { code, stdout, stderr } = await say(...args)
      expect({ code, stdout }, says).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain(says)
    }
    expect((await runHere('export', '--trace', 'f'.repeat(32), '--config', config)).code).toBe(1)
  })
})

describe('a bundle', () => {
  it('is verified by somebody who has the keys from elsewhere and a checkpoint from before, whole or in part', async () => {
    const { here, config, refund, export: exported, say, close } = shop()
    await refund(40)
    const [before, log, keys] = ['before', 'log.policy', 'keys.json'].map((name) => join(here, name))
    const { key, checkpoint } = JSON.parse((await say('--checkpoint', '--json')).stdout)
    writeFileSync(before ?? '', checkpoint)
    writeFileSync(log ?? '', `log ${key}\nquorum none\n`)
    writeFileSync(keys ?? '', (await runHere('keys', '--config', config)).stdout)
    const run = await refund(41)
    await close()
    const id = run.outcome === 'ran' ? (run.receipts[0]?.id ?? '') : ''
    for (const wanted of [['--open'], ['--open', '--trace', id, '--held', before ?? '']]) {
      const { file } = await exported(...wanted)
      const trust = ['--keys', keys, '--log', log, '--checkpoint', before].map((word) => word ?? '')
      const verified = await runHere('verify', file, ...trust, '--require', 'inclusion,consistency,openings', '--json')
      expect(verified.stderr).toBe('')
      const failed = JSON.parse(verified.stdout).checks.filter(({ result }: { result: string }) => result === 'fail')
      expect({ code: verified.code, failed }).toEqual({ code: 0, failed: [] })
    }
  })

  it('is held against the policies and the definitions that the auditor has as files', async () => {
    const { here, config, refund, export: exported, close } = shop()
    for (const amount of [900, 40]) await refund(amount)
    await close()
    const { file } = await exported()
    const [keys, tools, others, digests, cedar] = [
      'keys.json',
      'tools.json',
      'others.json',
      'digests',
      'other.cedar',
    ].map((name) => join(here, name)) as [string, string, string, string, string]
    writeFileSync(keys, (await runHere('keys', '--config', config)).stdout)
    const { digest } = JSON.parse((await runHere('policy', 'show', '--config', config, '--json')).stdout)
    writeFileSync(digests, `# of the shop, since May\n${digest}\n`)
    writeFileSync(cedar, readFileSync(join(here, 'shop.cedar'), 'utf8').replaceAll('500', '5000'))
    const properties = { amount: { type: 'integer' }, note: { type: 'string' } }
    const refunds = { name: 'refund', inputSchema: { type: 'object', properties, required: ['amount'] } }
    writeFileSync(tools, JSON.stringify({ tools: [refunds] }))
    writeFileSync(others, JSON.stringify({ tools: [{ ...refunds, outputSchema: { type: 'object' } }] }))
    const verify = (...flags: readonly string[]) => runHere('verify', file, '--keys', keys, ...flags)
    for (const known of [join(here, 'shop.cedar'), config, digests]) {
      const { code, stdout } = await verify('--policies', cedar, '--policies', known, '--definitions', tools)
      expect({ known, code }).toEqual({ known, code: 0 })
      expect(stdout).toMatch(/^ {2}pass +policies +2 decisions were made under policies that you know/m)
      expect(stdout).toMatch(/^ {2}pass +definitions +2 decisions name tool definitions that you know/m)
    }
    const other = await verify('--policies', cedar)
    expect(other.code).toBe(1)
    expect(other.stdout).toContain(`fail            policies     it was decided under ${digest}, which you do not know`)
    const changed = await verify('--definitions', others)
    expect(changed.code).toBe(1)
    expect(changed.stdout).toMatch(/fail +definitions +its tool has the definition \S{43}, which you do not know/)
    expect((await verify()).stdout).toMatch(/not established policies +no policies are known/)
  })

  it.each([
    [['--policies', 'none.cedar'], /--policies: cannot read the policy file none.cedar/],
    [['--policies', 'strict/v2'], /did you mean "strict\/v1"/],
    [['--definitions', 'none.json'], /none.json: ENOENT/],
    [['--override-keys', 'none.json'], /cannot read keys from none.json/],
  ])('is not judged by anchors that cannot be read: %j', async (flags, says) => {
    const { config, refund, export: exported, close } = shop()
    await refund(40)
    await close()
    const { file } = await exported()
    const { code, stdout, stderr } = await runHere('verify', file, '--config', config, ...flags)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(says)
  })

  it('is traced like a store', async () => {
    const { store, refund, export: exported, close } = shop()
    const run = await refund(40)
    await close()
    const id = run.outcome === 'ran' ? (run.receipts[0]?.id ?? '') : ''
    const { file } = await exported('--trace', id)
    expect((await runHere('trace', id, file, '--json')).stdout).toBe(
      (await runHere('trace', id, store, '--json')).stdout,
    )
  })

  it('that was cut off, or is out of order, is named with its line', async () => {
    const { refund, export: exported, close } = shop()
    await refund(40)
    await close()
    const { file } = await exported()
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    writeFileSync(file, lines.slice(0, 3).join('\n'))
    expect((await runHere('trace', 'f'.repeat(32), file)).stderr).toContain('was cut off behind line 3')
    writeFileSync(file, [lines[0], lines[2], ...lines.slice(1)].join('\n'))
    expect((await runHere('trace', 'f'.repeat(32), file)).stderr).toMatch(/jsonl:2: the line is of leaf 1, and leaf 0/)
  })
})

describe('policy replay over a bundle', () => {
  /** A bundle of three refunds, one of them refused, with its policy. */
  async function opened() {
    const { here, refund, export: exported, close } = shop()
    for (const amount of [900, 40, 300]) await refund(amount)
    await close()
    const { file } = await exported('--open')
    const replay = (policy: string, bundle = file) => runHere('policy', 'replay', bundle, '--policy', policy, '--json')
    return { here, file, policy: join(here, 'shop.cedar'), replay }
  }

  it('takes every decision again under its own policies, and says what others would change (I7)', async () => {
    const { here, policy, replay } = await opened()
    const same = await replay(policy)
    expect(same.code).toBe(0)
    expect(JSON.parse(same.stdout)).toMatchObject({
      decisions: 3,
      altered: [],
      sets: [{ derivedAgain: 3, contradictions: [], changes: [] }],
    })
    const stricter = join(here, 'stricter.cedar')
    writeFileSync(stricter, readFileSync(policy, 'utf8').replaceAll('500', '100'))
    const other = await replay(stricter)
    expect(other.code).toBe(0)
    expect(JSON.parse(other.stdout).sets[0]).toMatchObject({
      derivedAgain: 0,
      contradictions: [],
      changes: [{ tool: 'shop/refund', was: 'ran', now: 'stopped', code: 'denied_by_policy' }],
    })
  })

  it('exits 1 and names each decision that its own policies do not take (I7)', async () => {
    const { here, file, policy, replay } = await opened()
    const lied = join(here, 'lied.jsonl')
    // A gate that lies signs what it likes: here, that a refused refund was permitted.
    const lines = readFileSync(file, 'utf8').split('\n')
    const rewritten = lines.map((line) => {
      if (!line.startsWith('{"receipt"')) return line
      const { receipt, leaf } = JSON.parse(line)
      const [header, payload = '', signature] = receipt.split('.')
      const text = Buffer.from(payload, 'base64url').toString()
      if (!text.includes('"code":"denied_by_policy"')) return line
      const claims = text.replace('"decision":"deny"', '"decision":"silence"')
      return JSON.stringify({ receipt: [header, Buffer.from(claims).toString('base64url'), signature].join('.'), leaf })
    })
    writeFileSync(lied, asOpened(lines, rewritten).join('\n'))
    const { code, stdout } = await replay(policy, lied)
    expect(code).toBe(1)
    const [{ contradictions, derivedAgain }] = JSON.parse(stdout).sets
    expect(derivedAgain).toBe(2)
    expect(contradictions).toEqual([
      {
        receipt: expect.stringMatching(/^r_/),
        tool: 'shop/refund',
        was: 'silence by cap',
        now: 'deny by cap',
        schema: 'guessed',
      },
    ])
    const told = await runHere('policy', 'replay', lied, '--policy', policy)
    expect(told.stdout).toContain('as silence by cap, and they say deny by cap')
  })

  it('exits 1 where an opening is not what was committed to, and counts what is closed', async () => {
    const { here, file, policy, replay } = await opened()
    const altered = join(here, 'altered.jsonl')
    writeFileSync(altered, readFileSync(file, 'utf8').replace('\\"amount\\":900', '\\"amount\\":400'))
    const { code, stdout } = await replay(policy, altered)
    expect(code).toBe(1)
    expect(JSON.parse(stdout)).toMatchObject({ decisions: 2, altered: [expect.stringMatching(/^r_/)] })
    const lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('{"opening"'))
    writeFileSync(altered, lines.join('\n').replace(/"openings":\d+/, '"openings":0'))
    expect(JSON.parse((await replay(policy, altered)).stdout)).toMatchObject({ decisions: 0, withoutRequest: 3 })
  })
})

/** Openings that name rewritten receipts by their new hashes. */
function asOpened(before: readonly string[], after: readonly string[]): readonly string[] {
  const hashOf = (line: string): string =>
    Buffer.from(leafOf((JSON.parse(line) as { receipt: string }).receipt)).toString('base64url')
  const renamed = after.flatMap((line, index) => {
    const old = before[index] ?? ''
    return line === old ? [] : [[hashOf(old), hashOf(line)] as const]
  })
  return after.map((line) => renamed.reduce((text, [from, to]) => text.replace(from, to), line))
}
