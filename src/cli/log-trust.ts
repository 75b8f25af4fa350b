/** What somebody knows of a log from elsewhere: a policy that they trust, and checkpoints that they kept. */
import { sha256Bytes } from '../bytes/digest.ts'
import { type Checkpoint, readCheckpoint } from '../log/checkpoint.ts'
import { readNote } from '../log/note.ts'
import { readPolicy } from '../witness/policy.ts'
import { reasonOf, UnusableInput } from './exit.ts'
import { readInput } from './input.ts'

const POLICY_IS =
  'a log policy has "log KEY" and a quorum: get the KEY from the log’s operator by a way you trust (holdpoint log key), and write ' +
  '"quorum none" below it, or the witnesses that you trust'
const CHECKPOINT_IS = 'get one from the log’s operator (holdpoint export --checkpoint), or out of a backup'

/** The text of a log policy. @throws UnusableInput naming file and line, and what to get */
export async function logPolicyIn(file: string): Promise<string> {
  const bytes = await bytesOf(file, 'log policy', POLICY_IS)
  try {
    readPolicy(sha256Bytes, bytes, file)
  } catch (error) {
    throw new UnusableInput(`${reasonOf(error)}; ${POLICY_IS}`)
  }
  return new TextDecoder().decode(bytes)
}

/** A checkpoint and the note that it stands in. @throws UnusableInput naming the file, and what to get */
export async function checkpointIn(file: string): Promise<{ readonly note: string; readonly says: Checkpoint }> {
  const bytes = await bytesOf(file, 'checkpoint', CHECKPOINT_IS)
  try {
    return { note: new TextDecoder().decode(bytes), says: readCheckpoint(sha256Bytes, readNote(bytes).text) }
  } catch (error) {
    throw new UnusableInput(`${file} holds no checkpoint: ${reasonOf(error)}; ${CHECKPOINT_IS}`)
  }
}

async function bytesOf(file: string, what: string, remedy: string): Promise<Uint8Array> {
  try {
    return await readInput(file)
  } catch (error) {
    throw new UnusableInput(`cannot read the ${what} from ${reasonOf(error)}; ${remedy}`)
  }
}
