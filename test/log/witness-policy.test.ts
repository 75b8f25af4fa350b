import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { writeNote } from '../../src/log/note.ts'
import { judgeCheckpoint } from '../../src/log/trusted-checkpoint.ts'
import { type VerifierKey, verifierKey, writeVerifierKey } from '../../src/log/verifier-key.ts'
import { isQuorum, readWitnessPolicy, type WitnessPolicy } from '../../src/log/witness-policy.ts'
import { ascii, checkpointText, logCrypto, type NoteSigner, noteSigner } from '../support/log-keys.ts'
import { examplesOf, vectorFiles } from './vectors.ts'

const log = noteSigner('example.com/log', 'ed25519')
const witnesses = ['X1', 'X2', 'X3', 'Y1', 'Y2', 'Y3'].map((name) =>
  noteSigner(`witness.example/${name}`, 'cosignature'),
)
const [x1, x2, x3, y1, y2, y3] = witnesses as [NoteSigner, NoteSigner, NoteSigner, NoteSigner, NoteSigner, NoteSigner]
const vkey = ({ key }: { readonly key: VerifierKey }): string => writeVerifierKey(key)
const read = (...lines: readonly string[]): WitnessPolicy =>
  readWitnessPolicy(sha256Bytes, Buffer.from(`${lines.join('\n')}\n`))

/** The example of C2SP tlog-policy, with keys in it. */
const twoOrganisations = [
  `log ${vkey(log)}`,
  '',
  `witness X1 ${vkey(x1)}`,
  `witness X2 ${vkey(x2)}`,
  `witness X3 ${vkey(x3)}`,
  'group X-witnesses 2 X1 X2 X3',
  '',
  `witness Y1 ${vkey(y1)}`,
  `witness Y2 ${vkey(y2)}`,
  `witness Y3 ${vkey(y3)}`,
  'group Y-witnesses any Y1 Y2 Y3',
  '',
  'group X-and-Y all X-witnesses Y-witnesses',
  'quorum X-and-Y',
]
const policy = read(...twoOrganisations)

describe('a witness policy', () => {
  const [example] = examplesOf(vectorFiles('c2sp'), 'tlog-policy.md')
  it.skipIf(example === undefined)('is read as C2SP tlog-policy writes its example', () => {
    const keys = [log, ...witnesses].map(vkey)
    const filled = (example ?? '').replaceAll('<vkey>', () => keys.shift() ?? '')
    expect(readWitnessPolicy(sha256Bytes, ascii(filled))).toEqual(policy)
  })

  it('asks for each group as it says, and for no more', () => {
    const cosigned = (...by: readonly NoteSigner[]): boolean =>
      isQuorum(policy.quorum, (witness) => by.some(({ key }) => key.name === witness.name))
    expect(cosigned(x1, x3, y2)).toBe(true)
    expect(cosigned(x1, x2, x3, y1, y2, y3)).toBe(true)
    expect(cosigned(x1, x2, x3)).toBe(false)
    expect(cosigned(x1, y1, y2, y3)).toBe(false)
    expect(cosigned()).toBe(false)
  })

  it('may ask for one witness, or openly for none', () => {
    expect(read(`witness w ${vkey(x1)}`, 'quorum w').quorum).toEqual({ kind: 'witness', key: x1.key })
    expect(isQuorum(read('quorum none').quorum, () => false)).toBe(true)
  })

  it('takes tabs, blanks, comments, urls and names in any script', () => {
    const lines = ['# \u212a', ' \t', `\twitness  K\t${vkey(x1)} https://w.example/ü `, `witness \u212a ${vkey(x2)}`]
    const { witnesses: known, quorum } = read(...lines, '  quorum \u212a\t', '\t# the end')
    // The Kelvin sign is not a K.
    expect(quorum).toEqual({ kind: 'witness', key: x2.key })
    expect(known[0]).toEqual({ key: x1.key, url: 'https://w.example/%C3%BC' })
  })

  it('takes the name of a key in any script', () => {
    const { publicKey } = x1.key
    const key = verifierKey(sha256Bytes, { name: 'zeugin.example/zürich', kind: 'cosignature', publicKey })
    expect(read(`witness z ${writeVerifierKey(key)}`, 'quorum z').witnesses).toEqual([{ key }])
  })

  const sameKey = writeVerifierKey(
    verifierKey(sha256Bytes, { name: 'other.example/w', kind: 'cosignature', publicKey: x1.key.publicKey }),
  )
  it.each([
    ['no quorum', [`witness w ${vkey(x1)}`], undefined],
    ['two quorums', ['quorum none', 'quorum none'], 2],
    ['a quorum of nobody known', ['quorum w', `witness w ${vkey(x1)}`], 1],
    ['a quorum of two names', [`witness w ${vkey(x1)}`, 'quorum w w'], 2],
    ['a quorum without a name', ['quorum'], 1],
    ['a group of none', [`witness w ${vkey(x1)}`, 'group g any'], 2],
    ['none in a group', ['group g any none', 'quorum g'], 1],
    ['a group in itself', ['group g any g', 'quorum g'], 1],
    ['one witness twice in a group', [`witness w ${vkey(x1)}`, 'group g 2 w w'], 2],
    ['one witness in two groups', [`witness w ${vkey(x1)}`, 'group g any w', 'group h any w'], 3],
    ['a threshold of zero', [`witness w ${vkey(x1)}`, 'group g 0 w'], 2],
    ['a threshold above the members', [`witness w ${vkey(x1)}`, 'group g 2 w'], 2],
    ['a threshold in other words', [`witness w ${vkey(x1)}`, 'group g most w'], 2],
    ['one key as two witnesses', [`witness v ${vkey(x1)}`, `witness w ${sameKey}`], 2],
    ['one key as two logs', [`log ${vkey(log)}`, `log ${vkey(log)}`], 2],
    ['one name for two', [`witness w ${vkey(x1)}`, `witness w ${vkey(x2)}`], 2],
    ['a witness named none', [`witness none ${vkey(x1)}`], 1],
    ["a log's key for a witness", [`witness w ${vkey(log)}`], 1],
    ["a witness's key for a log", [`log ${vkey(x1)}`], 1],
    ['a key that is none', ['log example.com/log'], 1],
    ['a key whose name is not UTF-8', [`log \u00ff${vkey(log)}`], 1],
    ['a word too many', [`log ${vkey(log)} https://log.example more`], 1],
    ['another word', [`# fine`, `trust ${vkey(log)}`], 2],
    ['a carriage return', ['quorum none\r'], 1],
    ['a delete character', ['quorum none \u007f'], 1],
    ['more witnesses than a reader should have to check', [...tooMany(), 'quorum none'], 257],
  ])('with %s is refused, and the line named', (_, lines, at) => {
    const file = Buffer.from(`${lines.join('\n')}\n`, 'latin1')
    const expected = at === undefined ? { code: 'ERR_CONFIG' } : { code: 'ERR_CONFIG', at: `line ${at}` }
    expect(() => readWitnessPolicy(sha256Bytes, file)).toThrow(expect.objectContaining(expected))
  })

  it('that was cut is refused: with half a line less, it would ask for less', () => {
    const whole = `${twoOrganisations.join('\n')}\n`
    for (const lost of [1, '-and-Y\n'.length]) {
      const cut = () => readWitnessPolicy(sha256Bytes, ascii(whole.slice(0, -lost)))
      expect(cut).toThrow(/was cut/)
    }
  })
})

function* tooMany(): Generator<string> {
  for (let index = 0; index <= 256; index += 1) {
    const publicKey = Uint8Array.from(sha256Bytes(`${index}`))
    yield `witness w${index} ${writeVerifierKey(verifierKey(sha256Bytes, { name: 'w', kind: 'cosignature', publicKey }))}`
  }
}

describe('a checkpoint, by a policy', () => {
  const text = checkpointText('example.com/log', { size: 7, root: sha256Bytes('seven') })
  const judge = (by: readonly NoteSigner[], over = text, trust = policy) =>
    judgeCheckpoint(logCrypto, trust, writeNote({ text: over, signatures: by.map((one) => one.sign(over)) }))

  it('is trusted with its log and a quorum, and says who saw it when', async () => {
    const verdict = await judge([log, x1, y1, x2])
    expect(verdict).toMatchObject({ kind: 'trusted', checkpoint: { origin: 'example.com/log', size: 7 }, log: log.key })
    const times = verdict.kind === 'trusted' ? verdict.cosignatures : []
    expect(times.map(({ witness, seconds }) => [witness.name, seconds])).toEqual(
      [x1, y1, x2].map(({ key }) => [key.name, 1_750_000_000]),
    )
  })

  it('that too few have seen is not, and what there is can be named', async () => {
    // Twice the same word is one word.
    const verdict = await judge([log, x1, x1, y1])
    expect(verdict).toMatchObject({ kind: 'unwitnessed', cosignatures: { length: 3 } })
  })

  it('of a log that the policy does not know is not, whoever signed it', async () => {
    const stranger = noteSigner('example.com/other', 'ed25519')
    const other = text.replace('example.com/log', 'example.com/other')
    expect(await judge([stranger, ...witnesses], other)).toEqual({ kind: 'unknown-log', origin: 'example.com/other' })
  })

  it('of one log that another log signed is not: each speaks for itself alone', async () => {
    const other = noteSigner('example.com/other', 'ed25519')
    const both = { ...policy, logs: [{ key: log.key }, { key: other.key }] }
    expect((await judge([other, x1, x2, y1], text, both)).kind).toBe('unsigned')
    expect((await judge([log, x1, x2, y1], text, both)).kind).toBe('trusted')
  })

  it('that no log signed is not, however many witnesses there are', async () => {
    const names = witnesses.map(({ key }) => key.name)
    expect(await judge(witnesses)).toEqual({ kind: 'unsigned', origin: 'example.com/log', names })
  })

  it('signed with another key in the name of the log is not', async () => {
    const resigned = noteSigner('example.com/log', 'ed25519')
    expect((await judge([resigned, x1, x2, y1])).kind).toBe('unsigned')
  })

  it('with a false cosignature is not, though there would be enough without it', async () => {
    const line = { ...x3.sign(text), signature: x2.sign(text).signature }
    const note = writeNote({ text, signatures: [log, x1, x2, y1].map((one) => one.sign(text)).concat(line) })
    expect(await judgeCheckpoint(logCrypto, policy, note)).toEqual({ kind: 'forged', name: x3.key.name })
  })

  it('that is none is refused before anybody is asked', async () => {
    await expect(judge([log], 'example.com/log\nseven\n')).rejects.toThrow(
      expect.objectContaining({ code: 'ERR_FORMAT' }),
    )
  })
})
