import { generateKeyPairSync } from 'node:crypto'
import { closeSync, constants, fstatSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemCodeOf } from '../bytes/system-code.ts'
import { HoldpointError } from '../errors.ts'
import { createDurably } from '../files/durable.ts'
import type { Signer } from '../types.ts'
import { signerFromPem } from './sign.ts'

/** A key is some hundred bytes long. */
const LONGEST_KEY = 16_384
/** A link is not followed, and a pipe that nobody writes to is not waited for. */
const READ_IF_REGULAR = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

const OTHERWISE = 'give this user a writable state folder (HOLDPOINT_STATE) or name another key file'

/** A signer from a key file. `created` is true when the file did not exist: its public key is not in anyone's trust yet. */
export type FileSigner = Signer & { readonly created: boolean }

/**
 * Loads the receipt key (PKCS #8 PEM), or makes one: mode 0600, in a folder of mode 0700, never over an existing file.
 *
 * @throws HoldpointError ERR_KEY, saying what to do, when the file cannot be read or others could have read it
 */
export function loadOrCreateKey(path: string): FileSigner {
  const known = load(path)
  if (known !== undefined) return { ...known, created: false }
  const created = create(path)
  const signer = load(path)
  if (signer === undefined) throw failure(path, 'vanished right after it was created')
  return { ...signer, created }
}

/**
 * Loads a key (PKCS #8 PEM) that must be there.
 *
 * @throws HoldpointError ERR_KEY, saying what to do, when there is none, it cannot be read or others could have read it
 */
export function loadKey(path: string): Signer {
  const signer = load(path)
  if (signer === undefined) throw failure(path, 'does not exist')
  return signer
}

function load(path: string): Signer | undefined {
  let file: number
  try {
    file = openSync(path, READ_IF_REGULAR)
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return undefined
    if (systemCodeOf(cause) === 'ELOOP') throw failure(path, 'is a link; name the file that it leads to', cause)
    throw failure(
      path,
      `cannot be read (${systemCodeOf(cause)}); make it readable for this user alone, or ${OTHERWISE}`,
      cause,
    )
  }
  try {
    // Judged on the open file, so that nothing can be put in its place between the check and the read.
    const about = fstatSync(file)
    if (!about.isFile()) throw failure(path, 'is not a regular file; name another key file')
    checkOwner(path, about)
    if (about.size > LONGEST_KEY) throw failure(path, 'is too long to be a key')
    return signerFromPem(readFileSync(file, 'utf8'))
  } catch (cause) {
    if (cause instanceof HoldpointError) throw new HoldpointError('ERR_KEY', sentence(path, cause), { at: path, cause })
    throw failure(path, `cannot be read (${systemCodeOf(cause)})`, cause)
  } finally {
    closeSync(file)
  }
}

/** False when another process was first. */
function create(path: string): boolean {
  const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    return createDurably(path, String(pem))
  } catch (cause) {
    throw failure(path, `cannot be created (${systemCodeOf(cause)}); ${OTHERWISE}`, cause)
  }
}

function checkOwner(path: string, about: { readonly mode: number; readonly uid: number }): void {
  if (process.platform === 'win32') return
  if ((about.mode & 0o077) !== 0) {
    const mode = (about.mode & 0o777).toString(8).padStart(3, '0')
    throw failure(path, `can be read or changed by others (mode ${mode}); if nobody did, run: chmod 600 ${path}`)
  }
  const user = process.getuid?.()
  if (user !== undefined && user !== 0 && about.uid !== user) {
    throw failure(path, 'belongs to another user; name a key file of this user')
  }
}

function sentence(path: string, error: HoldpointError): string {
  return error.message.startsWith('the key file') ? error.message : `the key file ${path} is unusable: ${error.message}`
}

function failure(path: string, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_KEY', `the key file ${path} ${what}`, { at: path, cause })
}
