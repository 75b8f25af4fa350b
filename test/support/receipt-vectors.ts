import { createPrivateKey, type KeyObject } from 'node:crypto'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { commitArguments, commitRequest, commitResult, saltFor } from '../../src/receipt/commit.ts'
import { createSigner } from '../../src/receipt/sign.ts'
import type { Receipt, Signer } from '../../src/types.ts'
import { type BundleContent, bundleLines, verifyBundle } from '../../src/verify.ts'
import { HandMadeLog, ORIGIN, Process } from './bundles.ts'
import { noteSigner } from './log-keys.ts'
import { collect } from './receipt-drafts.ts'

/** Receipts and bundles, good and bad, the same bytes each time: for whoever writes a verifier. Ed25519 alone: ES256 is never the same twice. */

/** A private key that anybody can work out, so that vectors can be made again. */
function knownKey(name: string): KeyObject {
  const seed = sha256Bytes(`holdpoint test vectors: ${name}`)
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
}

/** One receipt by itself: what a verifier that trusts `keys.json` finds first. */
export interface ReceiptVector {
  readonly name: string
  readonly jws: string
  /** `good`, or the check that fails. */
  readonly result: 'good' | 'envelope' | 'signature' | 'payload'
  /** Of a good one. */
  readonly hash?: string
  readonly id?: string
}

/** One bundle: what its reader trusts, and how each check comes out. */
export interface BundleVector {
  readonly name: string
  readonly file: string
  readonly trust: { readonly keys: readonly object[]; readonly log?: string; readonly checkpoints?: readonly string[] }
  readonly ok: boolean
  readonly complete: boolean
  readonly results: { readonly [check: string]: string }
}

/** Every file below `test/vectors/receipts/`, by its name. */
export async function receiptVectors(): Promise<ReadonlyMap<string, string>> {
  const signer = createSigner(knownKey('receipts'))
  const files = new Map<string, string>()
  files.set('keys.json', pretty({ keys: [signer.publicJwk] }))
  files.set('commitments.json', pretty(commitments()))
  files.set('receipts.json', pretty(receipts(signer)))
  const bundles: BundleVector[] = []
  for (const { name, lines, trust } of await bundleCases(signer)) {
    const file = `${name.replaceAll(' ', '-')}.holdpoint.jsonl`
    files.set(file, lines.map((line) => `${line}\n`).join(''))
    const { ok, complete, checks } = await verifyBundle(lines, trust as never)
    const results = Object.fromEntries(checks.map(({ check, result }) => [check, result]))
    bundles.push({ name, file, trust, ok, complete, results })
  }
  files.set('bundles.json', pretty(bundles))
  return files
}

const SALT = 'AAECAwQFBgcICQoLDA0ODw'
const ARGS = '{"amount":1.5,"order":"1184","to":"Zoë"}'
const REQUEST = `{"context":{"arguments":${ARGS}},"subject":{"id":"ada","type":"user"}}`
const RESULT = 'refunded "1.50" €\n'

function commitments(): object {
  const [request, result] = [saltFor('request', SALT), saltFor('result', SALT)]
  return {
    request: {
      salt: request,
      server: 'shop',
      tool: 'refund',
      text: REQUEST,
      commit: commitRequest(request, REQUEST),
      args: { commit: commitArguments(request, 'shop', 'refund', ARGS), bytes: Buffer.byteLength(ARGS) },
    },
    result: { salt: result, text: RESULT, commit: commitResult(result, RESULT), bytes: Buffer.byteLength(RESULT) },
  }
}

function receipts(signer: Signer): readonly ReceiptVector[] {
  const { jws, hash, id } = new Process(signer, 'vectors').open()
  const [header = '', payload = '', signature = ''] = jws.split('.')
  const text = Buffer.from(payload, 'base64url').toString()
  const signed = (name: string, of: string, result: ReceiptVector['result'], head = header): ReceiptVector => {
    const covered = `${head}.${encoded(of)}`
    return { name, jws: `${covered}.${encoded(signer.sign(Buffer.from(covered)))}`, result }
  }
  const headed = (name: string, head: string, result: ReceiptVector['result']): ReceiptVector =>
    signed(name, text, result, encoded(head))
  const put = (name: string, from: string, to: string): ReceiptVector => {
    if (!text.includes(from)) throw new Error(`no ${from} in ${text}`)
    return signed(name, text.replace(from, to), 'payload')
  }
  const stranger = new Process(createSigner(knownKey('a stranger')), 'vectors').open().jws
  const { kid } = signer
  return [
    { name: 'an open receipt', jws, result: 'good', hash, id },
    { name: 'padding', jws: `${jws}==`, result: 'envelope' },
    { name: 'a newline behind it', jws: `${jws}\n`, result: 'envelope' },
    { name: 'white space within', jws: `${header}. ${payload}.${signature}`, result: 'envelope' },
    {
      name: 'a set bit behind the last byte',
      jws: `${jws.slice(0, -1)}${nextLetter(jws.slice(-1))}`,
      result: 'envelope',
    },
    { name: 'two parts', jws: `${header}.${payload}`, result: 'envelope' },
    { name: 'four parts', jws: `${jws}.${signature}`, result: 'envelope' },
    { name: 'no signature', jws: `${header}.${payload}.`, result: 'envelope' },
    { name: 'a short signature', jws: `${header}.${payload}.${signature.slice(0, -4)}`, result: 'envelope' },
    headed(
      'a key in the header',
      `{"alg":"Ed25519","jwk":{},"kid":"${kid}","typ":"holdpoint-receipt+jwt"}`,
      'envelope',
    ),
    headed(
      'crit in the header',
      `{"alg":"Ed25519","crit":[],"kid":"${kid}","typ":"holdpoint-receipt+jwt"}`,
      'envelope',
    ),
    headed('a header out of order', `{"kid":"${kid}","alg":"Ed25519","typ":"holdpoint-receipt+jwt"}`, 'envelope'),
    headed('another type', `{"alg":"Ed25519","kid":"${kid}","typ":"holdpoint-key+jwt"}`, 'envelope'),
    headed('alg none', `{"alg":"none","kid":"${kid}","typ":"holdpoint-receipt+jwt"}`, 'signature'),
    headed('the alg of another key', `{"alg":"ES256","kid":"${kid}","typ":"holdpoint-receipt+jwt"}`, 'signature'),
    headed('the older name of the alg', `{"alg":"EdDSA","kid":"${kid}","typ":"holdpoint-receipt+jwt"}`, 'signature'),
    { name: 'a key that is not trusted', jws: stranger, result: 'signature' },
    {
      name: 'another payload',
      jws: `${header}.${encoded(text.replace('enforce', 'observe'))}.${signature}`,
      result: 'signature',
    },
    { name: 'S above the order', jws: `${header}.${payload}.${aboveOrder(signature)}`, result: 'signature' },
    signed('a space in the payload', text.replace(',', ', '), 'payload'),
    signed('a byte order mark', `\ufeff${text}`, 'payload'),
    signed('members out of order', `{"v":1,${text.slice(1).replace(',"v":1', '')}`, 'payload'),
    put('a member twice', '"v":1', '"v":1,"v":1'),
    put('another spelling of a number', '"seq":0', '"seq":0.0'),
    put('a fraction', '"seq":0', '"seq":0.5'),
    put('less than zero', '"seq":0', '"seq":-1'),
    put('a number that a double cannot hold', '"mono":0', '"mono":9007199254740993'),
    put('null', '"seq":0', '"seq":null'),
    put('an escape that need not be', '"enforce"', '"\\u0065nforce"'),
    put('a lone surrogate', '"iss":"shop"', '"iss":"\\ud800"'),
    put('a member that does not belong', '"v":1', '"v":1,"x":1'),
    put('another version', '"v":1', '"v":2'),
    put('another kind', '"kind":"open"', '"kind":"opened"'),
    put('a digest that is too short', `"kid":"${kid}"`, `"kid":"${kid.slice(1)}"`),
    put('a missing member', '"mono":0,', ''),
    put('more than there is room for', '"iss":"shop"', `"iss":"${'s'.repeat(257)}"`),
    signed('a list', '[]', 'payload'),
    signed('nested without end', `${'['.repeat(1_000)}${']'.repeat(1_000)}`, 'payload'),
  ]
}

interface Made {
  readonly name: string
  readonly lines: readonly string[]
  readonly trust: BundleVector['trust']
}

async function bundleCases(signer: Signer): Promise<readonly Made[]> {
  const log = storyOf(signer)
  const trust = { keys: [signer.publicJwk], log: log.policy(), checkpoints: [log.note(3)] }
  const whole = await log.whole([5])
  const part = await log.part([1, 2], [3])
  const { receipts: all } = log
  const [decision, outcome] = [all[1], all[2]] as [Receipt, Receipt]
  const [request, result] = [saltFor('request', SALT), saltFor('result', SALT)]
  const opened: readonly BundleContent[] = [
    ...all.map(({ jws }, leaf): BundleContent => ({ kind: 'receipt', jws, leaf })),
    { kind: 'opening', receipt: decision.hash, salt: request, opens: 'request', text: REQUEST },
    { kind: 'opening', receipt: outcome.hash, salt: result, opens: 'result', text: RESULT },
    { kind: 'checkpoint', note: log.note() },
  ]
  const head = { origin: ORIGIN, scope: 'log', size: all.length } as const
  const fork = new HandMadeLog([...all.slice(0, 2), ...all.slice(3), outcome], log)
  return [
    { name: 'whole log', lines: whole, trust },
    { name: 'opened', lines: await collect(bundleLines(head, opened)), trust },
    { name: 'some leaves', lines: part, trust },
    { name: 'nobody trusted', lines: whole, trust: { keys: [] } },
    { name: 'no log trusted', lines: whole, trust: { keys: trust.keys } },
    { name: 'cut off', lines: whole.slice(0, -1), trust },
    { name: 'a leaf dropped', lines: whole.toSpliced(3, 1), trust },
    { name: 'leaves moved', lines: await fork.whole([], log.note()), trust },
    { name: 'forked', lines: await fork.whole(), trust },
    { name: 'not witnessed', lines: await log.whole([], log.note(all.length, false)), trust },
    {
      name: 'older than a checkpoint held',
      lines: await new HandMadeLog(all.slice(0, 5), log).whole(),
      trust: { ...trust, checkpoints: [log.note()] },
    },
    {
      name: 'another opening',
      lines: (await collect(bundleLines(head, opened))).map((line) => line.replace('1184', '1185')),
      trust,
    },
  ]
}

/** A permit with its outcome, a refusal, a key that comes in and retires the first, and its own stream. */
function storyOf(signer: Signer): HandMadeLog {
  const fresh = createSigner(knownKey('rotated'))
  const [before, after] = [new Process(signer, 'before'), new Process(fresh, 'after')]
  const { request, result } = commitments() as {
    readonly request: { commit: string; args: object }
    readonly result: { commit: string; bytes: number }
  }
  const start = before.open()
  const [decision] = before.call('1184', { args: request.args, request: request.commit })
  const paid = { commit: result.commit, bytes: result.bytes }
  const outcome = before.write({ kind: 'outcome', decision: decision.hash, status: 'ok', result: paid })
  const add = before.addKey(fresh)
  const seal = before.seal()
  const again = [after.open(seal), after.retireKey(signer.kid), ...after.call('1185', { parents: [outcome.hash] })]
  return new HandMadeLog([start, decision, outcome, add, seal, ...again, after.seal()], {
    signer: noteSigner(ORIGIN, 'ed25519', knownKey('log')),
    witnesses: ['a', 'b'].map((name) => noteSigner(`witness.example/${name}`, 'cosignature', knownKey(name))),
  })
}

function encoded(bytes: string | Uint8Array): string {
  return Buffer.from(bytes as Uint8Array).toString('base64url')
}

/** The letter that stands for the same last byte, with one more bit behind it. */
function nextLetter(letter: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return letters.charAt(letters.indexOf(letter) + 1)
}

/** The same signature with the group's order added to S: a verifier that does not look takes it for another one. */
function aboveOrder(signature: string): string {
  const bytes = Buffer.from(signature, 'base64url')
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  const s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order
  bytes.set(Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse(), 32)
  return encoded(bytes)
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
