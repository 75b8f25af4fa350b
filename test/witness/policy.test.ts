import { describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { writeVerifierKey } from '../../src/log/verifier-key.ts'
import { readAskedWitnesses } from '../../src/witness/policy.ts'
import { ascii, noteSigner } from '../support/log-keys.ts'

const vkey = writeVerifierKey(noteSigner('example.com/witness', 'cosignature').key)
const other = writeVerifierKey(noteSigner('example.com/other', 'cosignature').key)
const read = (text: string) => readAskedWitnesses(sha256Bytes, ascii(text), 'w.policy')

describe('the witnesses that a log is to be shown to', () => {
  it('are those of the policy, each with its address', () => {
    const text = `# ours\nwitness a ${vkey} https://witness.example/a\nwitness b ${other} http://127.0.0.1:9/b\ngroup g all a b\nquorum g\n`
    expect(read(text).witnesses.map(({ url }) => url)).toEqual(['https://witness.example/a', 'http://127.0.0.1:9/b'])
  })

  it.each([
    ['a witness without an address', `quorum none\nwitness a ${vkey}\n`, 'w.policy:2'],
    ['an address that is none', `\n\nwitness a ${vkey} witness.example\nquorum a\n`, 'w.policy:3'],
    ['another protocol', `witness a ${vkey} file:///etc/passwd\nquorum a\n`, 'w.policy:1'],
    ['a password', `witness a ${vkey} https://me:secret@witness.example\nquorum a\n`, 'w.policy:1'],
    ['a query', `witness a ${vkey} https://witness.example/?a=b\nquorum a\n`, 'w.policy:1'],
    ['plain HTTP to elsewhere', `witness a ${vkey} http://witness.example\nquorum a\n`, 'w.policy:1'],
    [
      'plain HTTP to a host that looks like here',
      `witness a ${vkey} http://127.0.0.1.evil.example\nquorum a\n`,
      'w.policy:1',
    ],
    ['no witness', 'quorum none\n', 'w.policy'],
    ['no quorum', `witness a ${vkey} https://witness.example\n`, 'w.policy'],
    ['a line that is none', `quorum none\nwitnes a\n`, 'w.policy:2'],
    ['half a line', `witness a ${vkey} https://witness.example`, 'w.policy'],
  ])('are refused at the start with file and line: %s', (_, text, at) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({
        code: 'ERR_CONFIG',
        at,
        message: expect.stringContaining(`${at}: the witness policy `),
      }),
    )
  })
})
