import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeBase64url, encodeBase64url } from '../../src/bytes/base64url.ts'
import { tokensAt } from '../../src/cli/receipts.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { generateSigner } from '../../src/receipt/sign.ts'
import { createMachine, type Machine } from './holdpoint.ts'
import { record } from './recorded.ts'

let machine: Machine
let tokens: readonly string[]
let exported: string

beforeAll(async () => {
  machine = createMachine()
  await record(machine)
  const all: string[] = []
  for await (const token of tokensAt(join(machine.state, 'receipts'))) all.push(token)
  tokens = all
  exported = write('receipts.jsonl', tokens)
})
afterAll(() => machine.remove())

function write(name: string, lines: readonly string[]): string {
  const path = join(machine.folder, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

function claims(token: string): { readonly kind: string; readonly permit?: object } {
  return JSON.parse(new TextDecoder().decode(decodeBase64url(token.split('.')[1] ?? '')))
}

/** The receipts, with one payload rewritten under its old signature. */
function tampered(index: number, rewrite: (text: string) => string): readonly string[] {
  const [header = '', payload = '', signature = ''] = (tokens[index] ?? '').split('.')
  const text = rewrite(new TextDecoder().decode(decodeBase64url(payload)))
  return tokens.with(index, [header, encodeBase64url(new TextEncoder().encode(text)), signature].join('.'))
}

describe('verify', () => {
  it('passes what this machine signed, and says whose key it believed', async () => {
    const { code, stdout } = await machine.here(['verify', exported])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^Valid: \d+ receipts, all verified/)
    expect(stdout).toContain('this machine’s receipt key')
  })

  it.each([
    ['a store folder', () => [join(machine.state, 'receipts')]],
    ['the configured store, where none is named,', () => []],
  ])('reads %s as it reads an export', async (_, path) => {
    const { code, stdout } = await machine.here(['verify', ...path(), '--json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      ok: true,
      complete: true,
      count: tokens.length,
      verified: tokens.length,
    })
  })

  it('says which receipt was altered, which check failed and why', async () => {
    const index = tokens.findIndex((token) => claims(token).kind === 'decision')
    const path = write(
      'altered.jsonl',
      tampered(index, (text) => text.replace('"ada"', '"eve"')),
    )
    const { code, stdout } = await machine.here(['verify', path])
    expect(code).toBe(1)
    expect(stdout).toMatch(new RegExp(`receipt ${index + 1}, r_[0-9a-z]+: signature: .*changed after signing`))
  })

  it('says that a receipt was taken out', async () => {
    const path = write('short.jsonl', tokens.toSpliced(2, 1))
    const { code, stdout } = await machine.here(['verify', path])
    expect(code).toBe(1)
    expect(stdout).toContain('continuity')
  })

  it('exits 3 when a permit has no outcome: nothing was altered, but something is missing', async () => {
    const last = tokens.findIndex((token) => claims(token).permit !== undefined)
    const path = write('cut.jsonl', tokens.slice(0, last + 1))
    const { code, stdout } = await machine.here(['verify', path])
    expect(code).toBe(3)
    expect(stdout).toMatch(/^Valid but incomplete: \d+ receipts, all verified; an outcome is missing; not sealed/)
  })

  it('says that receipts at the end may be missing where no seal stands, and fails where one is required', async () => {
    const path = write('unsealed.jsonl', tokens.slice(0, -1))
    const looked = await machine.here(['verify', path])
    expect(looked.code).toBe(0)
    expect(looked.stdout).toMatch(
      /^Valid: \d+ receipts, all verified; not sealed: receipts at the end may be missing\n/,
    )
    const asked = await machine.here(['verify', path, '--require-seal', '--json'])
    expect(asked.code).toBe(1)
    expect(JSON.parse(asked.stdout)).toMatchObject({ ok: true, complete: false, settled: true, sealed: false })
    expect((await machine.here(['verify', exported, '--require-seal'])).code).toBe(0)
  })

  it('does not believe another key, and never one that comes with the receipts', async () => {
    const keys = write('other.json', [JSON.stringify(generateSigner().publicJwk)])
    const { code, stdout } = await machine.here(['verify', exported, '--keys', keys])
    expect(code).toBe(1)
    expect(stdout).toContain('not trusted')
  })

  it('takes keys as a JWK, a list or a set', async () => {
    const jwk = loadOrCreateKey(join(machine.state, 'keys', 'receipt.pem')).publicJwk
    for (const [name, value] of Object.entries({ one: jwk, list: [jwk], set: { keys: [jwk] } })) {
      const keys = write(`${name}.json`, [JSON.stringify(value)])
      expect((await machine.here(['verify', exported, '--keys', keys])).code, name).toBe(0)
    }
  })

  it('passes nothing where there is nothing', async () => {
    const { code, stdout } = await machine.here(['verify', write('empty.jsonl', [])])
    expect(code).toBe(1)
    expect(stdout).toContain('presence')
  })

  const unusable: readonly (readonly [what: string, args: () => readonly string[], says: RegExp])[] = [
    ['a path that is not there', () => ['nope.jsonl'], /nope\.jsonl does not exist/],
    ['a file of something else', () => [write('poem.txt', ['roses', 'are red'])], /holds no receipts/],
    ['a folder without a store', () => [machine.folder], /./],
    ['keys that are not there', () => [exported, '--keys', 'nope.json'], /cannot read keys from nope\.json/],
    ['keys that are no keys', () => [exported, '--keys', write('bad.json', ['{"kty":"RSA"}'])], /bad\.json: key 0/],
    [
      'a private key among the trusted',
      () => [exported, '--keys', write('private.json', ['{"kty":"OKP","crv":"Ed25519","x":"a","d":"b"}'])],
      /private key/,
    ],
  ]
  it.each(unusable)('answers %s with one line and exit 2', async (_what, args, says) => {
    const { code, stdout, stderr } = await machine.here(['verify', ...args()])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^holdpoint: .*\n$/)
    expect(stderr).not.toContain('unexpected')
    expect(stderr).toMatch(says)
  })

  it('needs a key on a machine that has none', async () => {
    const other = createMachine()
    try {
      const { code, stderr } = await other.run(['verify', exported])
      expect(code).toBe(2)
      expect(stderr).toMatch(/no receipt key on this machine.*--keys/)
    } finally {
      other.remove()
    }
  })

  it('leaves the export as it was', () => {
    expect(readFileSync(exported, 'utf8').trim().split('\n')).toEqual(tokens)
  })
})
