import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { crockford } from '../../src/bytes/crockford.ts'
import { sha256 } from '../../src/bytes/digest.ts'
import { gateKey, HandMadeLog, newLog, Process } from '../support/bundles.ts'
import { noteSigner } from '../support/log-keys.ts'
import { decisionDraft } from '../support/receipt-drafts.ts'
import { createMachine, type Ended, type Machine } from './holdpoint.ts'

const key = gateKey()
const gate = new Process(key, 'gate')
const log = newLog([gate.open(), ...gate.call('one'), ...gate.call('two'), gate.seal()])

let machine: Machine
let bundle: string
let trust: readonly string[]

beforeAll(async () => {
  machine = createMachine()
  bundle = write('shop.holdpoint.jsonl', await log.whole([3]))
  trust = [
    '--keys',
    write('keys.json', [JSON.stringify(key.publicJwk)]),
    '--log',
    write('shop.policy', [log.policy().trimEnd()]),
  ]
})
afterAll(() => machine.remove())

function write(name: string, lines: readonly string[]): string {
  const path = join(machine.folder, name)
  writeFileSync(path, `${lines.join('\n')}\n`)
  return path
}

/** A checkpoint as somebody keeps it. */
function note(name: string, text: string): string {
  return write(name, [text.trimEnd()])
}

/** `ov_` and the first 16 bytes of the digest. */
function overrideId(digest: string): string {
  return `ov_${crockford(Buffer.from(digest, 'base64url').subarray(0, 16))}`
}

const verify = (path: string, ...flags: readonly string[]): Promise<Ended> =>
  machine.here(['verify', path, ...trust, ...flags])
const lines = (): readonly string[] => readFileSync(bundle, 'utf8').trimEnd().split('\n')

describe('verify, of a bundle', () => {
  it('says what is established, and what an auditor may ask to be', async () => {
    const held = note('held.txt', log.note(2))
    const { code, stdout } = await verify(
      bundle,
      '--checkpoint',
      held,
      '--require',
      'inclusion,consistency,witnesses,completeness',
    )
    expect({ code, stdout }).toMatchObject({ code: 0 })
    expect(stdout).toMatch(/^Valid: 6 receipts, all verified, the whole log of 6\n/)
    expect(stdout).toMatch(/^ {2}pass +inclusion +every receipt is at its leaf of the 6/m)
    expect(stdout).toMatch(/^ {2}not established openings/m)
    expect(stdout).not.toContain('Required')
    expect(stdout).toContain('the log policy')
  })

  it('exits 3 when something that was asked for is not established, and 2 for a check that there is none of', async () => {
    const asked = await verify(bundle, '--require', 'openings')
    expect([asked.code, asked.stdout.startsWith('Valid:')]).toEqual([3, true])
    expect(asked.stdout).toContain('\n  Required, and not so: openings\n')
    const unknown = await verify(bundle, '--require', 'inclusion,honesty')
    expect(unknown).toMatchObject({ code: 2, stdout: '' })
    expect(unknown.stderr).toMatch(/^holdpoint: --require: "honesty" is none of bundle, envelope/)
  })

  it('does not establish by itself what nobody is trusted to say', async () => {
    const { code, stdout } = await machine.here(['verify', bundle, ...trust.slice(0, 2), '--require', 'inclusion'])
    expect(code).toBe(3)
    expect(stdout).toMatch(
      /not established inclusion .*get this log’s verifier key from its operator by a way you trust/,
    )
  })

  it('asks for what the auditor trusts: a log policy for inclusion and its witnesses, a checkpoint for consistency', async () => {
    const alone = new HandMadeLog(log.receipts, { signer: log.signer, witnesses: [] })
    const unseen = await verify(write('unseen.jsonl', await alone.whole()))
    expect(unseen).toMatchObject({ code: 3, stdout: expect.stringContaining('Required, and not so: witnesses\n') })
    const without = write('alone.policy', [alone.policy().trimEnd()])
    expect((await machine.here(['verify', bundle, ...trust.slice(0, 2), '--log', without])).code).toBe(0)
    const held = note('held.txt', log.note(2))
    const part = await verify(write('part.jsonl', await log.part([1, 2])), '--checkpoint', held)
    expect(part).toMatchObject({ code: 3, stdout: expect.stringContaining('Required, and not so: consistency\n') })
  })

  it('holds overrides against the keys of the people who may sign them', async () => {
    const [ada, bob] = [gateKey(), gateKey()]
    const digest = sha256('an override')
    const override = { id: overrideId(digest), digest, by: [ada.kid], reason: 'outage', ticket: 'T-1', most: 3 }
    const { policy } = decisionDraft()
    const process = new Process(key, 'overridden')
    const onOverride = {
      decision: 'silence',
      basis: 'override',
      materiality: 'medium',
      fault: 'timeout',
      policy: { ...policy, determining: [] },
    }
    const shown = newLog([process.open(), ...process.call('one', { ...onOverride, override }), process.seal()])
    const file = write('overridden.jsonl', await shown.whole())
    const judged = (...flags: readonly string[]): Promise<Ended> =>
      machine.here(['verify', file, ...trust.slice(0, 2), ...flags])
    const [adas, bobs] = [ada, bob].map((one, at) => write(`person-${at}.json`, [JSON.stringify(one.publicJwk)])) as [
      string,
      string,
    ]
    expect((await judged()).stdout).toMatch(/not established overrides +1 call ran on overrides: give the public keys/)
    expect((await judged('--require', 'overrides')).code).toBe(3)
    const known = await judged('--override-keys', bobs, '--override-keys', adas)
    expect(known.stdout).toMatch(
      /pass +overrides +the gate names only keys that you trust with overrides; 1 call ran on one/,
    )
    expect(known.code).toBe(0)
    const strange = await judged('--override-keys', bobs)
    expect(strange.stdout).toMatch(
      new RegExp(`fail +overrides +its override .* is signed by ${ada.kid}, which you do not trust`),
    )
    expect(strange.code).toBe(1)
    const both = await judged('--override-keys', trust[1] ?? '')
    expect(both).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('is trusted for receipts and for overrides'),
    })
  })

  it('gives its whole report as one JSON object', async () => {
    const { stdout } = await verify(bundle, '--json')
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, complete: true, scope: 'log', log: { size: 6 } })
  })

  const spoiled: readonly (readonly [what: string, spoil: () => Promise<Ended>, says: RegExp])[] = [
    [
      'a truncated bundle',
      async () => verify(write('cut.jsonl', lines().slice(0, -1))),
      /fail +bundle .*without its last line: it was cut; get the whole file again/,
    ],
    [
      'a bundle that was cut within a line',
      async () => verify(write('torn.jsonl', [...lines().slice(0, 3), (lines()[3] ?? '').slice(0, 80)])),
      /fail +bundle .*line 4 is not strict JSON/,
    ],
    [
      'the key file of another gate',
      async () => {
        const other = write('other.json', [JSON.stringify(gateKey().publicJwk)])
        return machine.here(['verify', bundle, '--keys', other])
      },
      new RegExp(`fail +signature .*not the key file of this gate.*${key.kid}; get that key`),
    ],
    [
      'two logs in one bundle',
      async () => {
        const other = new HandMadeLog(log.receipts, { signer: log.signer, witnesses: [], origin: 'holdpoint/bank' })
        const mixed = lines().map((line) =>
          line.startsWith('{"checkpoint"') ? JSON.stringify({ checkpoint: other.note(3) }) : line,
        )
        return verify(write('mixed.jsonl', mixed))
      },
      /fail +bundle .*checkpoint of the log "holdpoint\/bank", and this bundle is of "holdpoint\/shop": two logs are mixed/,
    ],
    [
      'a checkpoint of another log',
      async () => {
        const other = new HandMadeLog(log.receipts, { signer: log.signer, witnesses: [], origin: 'holdpoint/bank' })
        return verify(bundle, '--checkpoint', note('bank.txt', other.note()))
      },
      /fail +consistency .*you hold a checkpoint of the log "holdpoint\/bank".*get a bundle of that log/,
    ],
    [
      'a checkpoint with unknown signers',
      async () => {
        const stranger = new HandMadeLog(log.receipts, {
          signer: noteSigner('holdpoint/shop', 'ed25519'),
          witnesses: [noteSigner('nobody.example', 'cosignature')],
        })
        return verify(write('stranger.jsonl', await stranger.whole()))
      },
      /fail +inclusion .*only by unknown signers \("holdpoint\/shop", "nobody\.example"\): get the log’s verifier key/,
    ],
  ]
  it.each(spoiled)('names %s, and says what to get', async (_, spoil, says) => {
    const { code, stdout } = await spoil()
    expect(stdout).toMatch(says)
    expect([code, stdout.startsWith('Not valid')]).toEqual([1, true])
  })

  it.each([
    [
      'a log policy that is none',
      () => ['--log', write('poem.policy', ['roses are red'])],
      /poem\.policy:1: the witness policy .*; a log policy has "log KEY".*holdpoint log key/,
    ],
    [
      'a log policy that is not there',
      () => ['--log', 'nope.policy'],
      /cannot read the log policy from nope\.policy: .*; a log policy has "log KEY"/,
    ],
    [
      'a checkpoint that is none',
      () => ['--checkpoint', write('poem.txt', ['roses'])],
      /poem\.txt holds no checkpoint: .*; get one from the log’s operator/,
    ],
  ] as const)('answers %s with one line and exit 2', async (_, flags, says) => {
    const { code, stdout, stderr } = await verify(bundle, ...flags())
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^holdpoint: .*\n$/)
    expect(stderr).toMatch(says)
  })

  it('does not keep a line that never ends', async () => {
    const { code, stdout } = await verify(write('long.jsonl', [lines()[0] ?? '', `{"receipt":"${'x'.repeat(400_000)}`]))
    expect(code).toBe(1)
    expect(stdout).toMatch(/fail +bundle .*line 2 is longer than 128 KiB/)
  })
})
