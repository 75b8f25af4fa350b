/** A receipt key in a process of its own, as a KMS is: asked over IPC, and faulty when it is told so. */
import { generateKeyPairSync, sign } from 'node:crypto'

const mine = generateKeyPairSync('ed25519')
const anothers = generateKeyPairSync('ed25519')

export type SignerFault = 'none' | 'hang' | 'throw' | 'wrong' | 'another key' | 'short' | 'no bytes' | 'exit'

interface Question {
  readonly id: number
  readonly bytes: string
  readonly fault: SignerFault
}

function answer({ bytes, fault }: Question): string | undefined {
  const asked = Buffer.from(bytes, 'base64')
  switch (fault) {
    case 'wrong':
      return sign(null, Buffer.concat([asked, Buffer.of(0)]), mine.privateKey).toString('base64')
    case 'another key':
      return sign(null, asked, anothers.privateKey).toString('base64')
    case 'short':
      return sign(null, asked, mine.privateKey).subarray(0, 63).toString('base64')
    case 'no bytes':
      return undefined
    default:
      return sign(null, asked, mine.privateKey).toString('base64')
  }
}

process.on('message', (question: Question) => {
  if (question.fault === 'hang') return
  if (question.fault === 'exit') process.exit(1)
  if (question.fault === 'throw') process.send?.({ id: question.id, error: 'AccessDenied arn:aws:kms:secret' })
  else process.send?.({ id: question.id, signature: answer(question) })
})
process.send?.({ publicJwk: mine.publicKey.export({ format: 'jwk' }) })
