import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { appendEntries } from '../../src/log/append.ts'
import { emptyRoot } from '../../src/log/merkle.ts'
import { readNote, writeNote } from '../../src/log/note.ts'
import { consistencyIn, type TreeHead } from '../../src/log/tiles.ts'
import { judgeCheckpoint } from '../../src/log/trusted-checkpoint.ts'
import { readVerifierKey, type VerifierKey, verifierKey } from '../../src/log/verifier-key.ts'
import { readAddCheckpoint, writeAddCheckpoint } from '../../src/log/witness-request.ts'
import { ascii, checkpointText, logCrypto, memoryTiles, type NoteSigner, noteSigner } from '../support/log-keys.ts'
import { Witness } from '../support/witness.ts'
import { vectorFiles } from './vectors.ts'

const badFormat = expect.objectContaining({ code: 'ERR_FORMAT' })
const sha256 = sha256Bytes
const signer = noteSigner('example.com/witness', 'cosignature')
const now = 1_760_000_000

/** The logs that the scripts of FiloSottile/torchwood set up, and their requests with what litewitness answers. */
const scripts = vectorFiles('torchwood', 'cmd', 'litewitness', 'testdata')
const sigsum = 'sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562'

function logsOf(script: string): ReadonlyMap<string, readonly VerifierKey[]> {
  const sigsumKey = /add-sigsum-log -key=([0-9a-f]{64})/.exec(script)?.[1]
  if (sigsumKey !== undefined) {
    const publicKey = Uint8Array.from(Buffer.from(sigsumKey, 'hex'))
    return new Map([[sigsum, [verifierKey(sha256, { name: sigsum, kind: 'ed25519', publicKey })]]])
  }
  const [, origin = '', vkey = ''] = /add-key -origin '([^']+)' -key (\S+)/.exec(script) ?? []
  return new Map([[origin, [readVerifierKey(sha256, vkey)]]])
}

describe('a witness that is made of these parts', () => {
  it.for([...scripts.keys()].concat(scripts.size === 0 ? ['torchwood'] : []))(
    'answers each request of %s as litewitness does',
    async (name, { skip }) => {
      if (scripts.size === 0) return skip('no vectors')
      const script = scripts.get(name)?.toString('utf8') ?? ''
      const witness = new Witness(signer, logsOf(script))
      const steps = [...script.matchAll(/^POST [^\n]*\n```\n(.*?)```\nHTTP (\d+)\n\[Asserts\]\nbody ([^\n]*)$/gms)]
      expect(steps).toHaveLength(script.match(/^POST /gm)?.length ?? -1)
      for (const [, request = '', status = '', assertion = ''] of steps) {
        const { status: ours, body } = await witness.add(request, now)
        // The specification has since given the unknown log a number of its own.
        expect(ours).toBe(assertion.includes('"unknown log"') ? 404 : Number(status))
        const [, operator, literal = '""'] = /^(contains|==) (".*")$/.exec(assertion) ?? []
        if (operator === '==') expect(body).toBe(JSON.parse(literal))
        else expect(body).toContain(JSON.parse(literal))
        expect(writeAddCheckpoint(readAddCheckpoint(request))).toBe(request)
      }
    },
  )

  it('cosigns a log as it grows, and the log can show it', async () => {
    const { log, policy, witness, checkpointAt } = await grown()
    const first = await witness.add(
      writeAddCheckpoint({ oldSize: 0, proof: [], checkpoint: checkpointAt(log.early) }),
      now,
    )
    expect(first.status).toBe(200)
    const checkpoint = checkpointAt(log.late)
    const proof = await consistencyIn(log, log.early, log.late)
    const second = await witness.add(writeAddCheckpoint({ oldSize: log.early.size, proof, checkpoint }), now + 1)
    expect(second.status).toBe(200)
    // What a witness answers are lines for the checkpoint's end.
    const verdict = await judgeCheckpoint(logCrypto, policy, checkpoint + second.body)
    expect(verdict).toMatchObject({ kind: 'trusted', cosignatures: [{ witness: signer.key, seconds: now + 1 }] })
    expect((await judgeCheckpoint(logCrypto, policy, checkpoint)).kind).toBe('unwitnessed')
    // Its word on the earlier tree is none on the later one.
    expect((await judgeCheckpoint(logCrypto, policy, checkpoint + first.body)).kind).toBe('forged')
  })

  it("cosigns neither a fork, nor a tree that lost its tail, nor one under a stranger's signature", async () => {
    const { log, witness, checkpointAt } = await grown()
    const send = (oldSize: number, proof: readonly Uint8Array[], checkpoint: string) =>
      witness.add(writeAddCheckpoint({ oldSize, proof, checkpoint }), now)
    expect((await send(0, [], checkpointAt(log.late))).status).toBe(200)
    const { size } = log.late
    const fork = { size, root: sha256('another tree') }
    expect((await send(size, [], checkpointAt(fork))).status).toBe(422)
    expect((await send(size, [], checkpointAt(log.early))).status).toBe(400)
    expect(await send(log.early.size, [], checkpointAt(log.early))).toEqual({ status: 409, body: `${size}\n` })
    expect((await send(size, [], checkpointAt({ size: size + 1, root: fork.root }))).status).toBe(422)
    expect((await send(size, [], checkpointAt(log.late, noteSigner('example.com/log', 'ed25519')))).status).toBe(403)
    expect((await send(size, [], checkpointAt(log.late).replace('/log\n', '/lag\n'))).status).toBe(404)
    expect((await witness.add('old', now)).status).toBe(400)
    const empty = checkpointAt({ size: 0, root: emptyRoot(sha256) })
    const otherEmpty = empty.replace(/\n0\n[^\n]*/, `\n0\n${Buffer.from(fork.root).toString('base64')}`)
    expect((await send(0, [], otherEmpty)).status).toBe(422)
    // The same tree again is no harm.
    expect((await send(size, [], checkpointAt(log.late))).status).toBe(200)
  })
})

async function grown() {
  const owner = noteSigner('example.com/log', 'ed25519')
  const storage = memoryTiles()
  const entries = Array.from({ length: 300 }, (_, index) => ascii(`receipt ${index}`))
  const early = await appendEntries({ storage, sha256 }, { size: 0, root: emptyRoot(sha256) }, entries)
  const late = await appendEntries({ storage, sha256 }, early, entries)
  const policy = {
    logs: [{ key: owner.key }],
    witnesses: [{ key: signer.key }],
    quorum: { kind: 'witness', key: signer.key },
  } as const
  const checkpointAt = (head: TreeHead, by: NoteSigner = owner): string => {
    const text = checkpointText('example.com/log', head)
    return writeNote({ text, signatures: [by.sign(text)] })
  }
  const witness = new Witness(signer, new Map([['example.com/log', [owner.key]]]))
  return { log: { storage, sha256, early, late }, policy, witness, checkpointAt }
}

describe('a request to a witness', () => {
  const [example] = [
    ...(vectorFiles('c2sp').get('tlog-witness.md')?.toString() ?? '').matchAll(/(?: {4}.*\n|\n(?= ))+/g),
  ]
    .map(([block]) => block.replaceAll(/^ {4}/gm, '').replace(/^\n/, ''))
    .filter((block) => block.startsWith('old '))

  it.skipIf(example === undefined)('is read as C2SP tlog-witness writes its example', () => {
    const request = readAddCheckpoint(example ?? '')
    expect([request.oldSize, request.proof.length]).toEqual([20_852_014, 4])
    expect(readNote(request.checkpoint).signatures).toHaveLength(2)
  })

  const hash = Buffer.from(sha256('one')).toString('base64')
  it.each([
    ['without an old size', `${hash}\n\ncheckpoint\n`],
    ['with a leading zero', 'old 01\n\ncheckpoint\n'],
    ['with a size beyond 2^53 - 1', 'old 9007199254740992\n\ncheckpoint\n'],
    ['with a hash that is none', `old 1\n${hash.slice(4)}\n\ncheckpoint\n`],
    ['with more hashes than a tree is high', `old 1\n${`${hash}\n`.repeat(64)}\ncheckpoint\n`],
    ['without a checkpoint', 'old 1\n'],
    ['that is endless', `old 1\n\n${'a'.repeat(300_000)}`],
  ])('%s is refused', (_, request) => {
    expect(() => readAddCheckpoint(request)).toThrow(badFormat)
  })
})
