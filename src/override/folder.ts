import { constants } from 'node:fs'
import { chmod, lstat, mkdir, open, opendir, rename, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { systemCodeOf } from '../bytes/system-code.ts'
import { HoldpointError } from '../errors.ts'
import { createDurably } from '../files/durable.ts'
import type { OverrideFile, OverrideShelf } from './live.ts'
import { MOST_OVERRIDE_BYTES } from './signed.ts'

/** The most overrides that may be installed at a time. */
export const MOST_OVERRIDES = 64
/** A folder with more names in it than this is not ours. */
const MOST_NAMES = 1_024

const NAME = /^(ov_[0-9a-z]{26})\.(json|revoked)$/
/** Overrides whose time is over, kept for whoever asks later. */
const ENDED = 'ended'
/** For everybody to read: who installs is not always who the gate runs as, and nothing in here is secret. */
const FOR_ALL = 0o644
/** A link is not followed, and a pipe that nobody writes to is not waited for. */
const READ_IF_REGULAR = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW

/**
 * Installed overrides: `<id>.json` as it was signed, and `<id>.revoked`, which need not say anything.
 *
 * Nobody can forge an override by writing here. But whoever can, could take a revocation away; so a folder that others can write
 * to, that is another user's or only a link is not relied on.
 */
export function overrideFolder(folder: string): OverrideShelf {
  return {
    read: async () => {
      const names = await namesIn(folder)
      const installed = names.filter(({ kind }) => kind === 'json').map(({ id }) => id)
      if (installed.length > MOST_OVERRIDES)
        throw unreliable(folder, `holds ${installed.length} overrides, and ${MOST_OVERRIDES} are the most`)
      const revoked = new Set(names.filter(({ kind }) => kind === 'revoked').map(({ id }) => id))
      const overrides = new Map<string, OverrideFile>()
      for (const id of installed) overrides.set(id, await readSmall(join(folder, `${id}.json`)))
      return { overrides, revoked }
    },
  }
}

/**
 * Puts an override where gates look, whole or not at all, and makes room: what `isOver` goes to `ended/`, with its revocation.
 *
 * @returns false when it was there already
 * @throws HoldpointError ERR_CONFIG when it was revoked here, or there is no room
 */
export async function installOverride(
  folder: string,
  id: string,
  text: string,
  isOver: (file: OverrideFile) => boolean,
): Promise<boolean> {
  await makeFolder(folder)
  await makeFolder(join(folder, ENDED))
  const { overrides, revoked } = await overrideFolder(folder).read()
  if (revoked.has(id) || (await exists(join(folder, ENDED, `${id}.revoked`))))
    throw unreliable(folder, `holds a revocation of ${id}: have a new override signed`)
  if (overrides.has(id)) return false
  for (const [one, other] of overrides) if (isOver(other)) await end(folder, one)
  const left = [...overrides.values()].filter((other) => !isOver(other)).length
  if (left >= MOST_OVERRIDES) throw unreliable(folder, `holds ${left} live overrides: revoke those that are not needed`)
  return createDurably(join(folder, `${id}.json`), text, FOR_ALL)
}

/** Revokes an override, whether or not it is installed here. */
export async function revokeOverride(folder: string, id: string, because: string): Promise<void> {
  await makeFolder(folder)
  createDurably(join(folder, `${id}.revoked`), `${because}\n`, FOR_ALL)
}

/** For everybody to read, whatever the umask. */
async function makeFolder(folder: string): Promise<void> {
  if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) await chmod(folder, 0o755)
}

async function end(folder: string, id: string): Promise<void> {
  for (const name of [`${id}.json`, `${id}.revoked`]) {
    try {
      await rename(join(folder, name), join(folder, ENDED, name))
    } catch (cause) {
      // It was never revoked, or another process has moved it.
      if (systemCodeOf(cause) !== 'ENOENT') throw cause
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  )
}

async function namesIn(folder: string): Promise<readonly { readonly id: string; readonly kind: string }[]> {
  // Without a slash at its end, which would lead through a link.
  const about = await lstat(resolve(folder)).catch((cause: unknown) => {
    if (systemCodeOf(cause) === 'ENOENT') return undefined
    throw unreliable(folder, `cannot be read (${systemCodeOf(cause)})`, cause)
  })
  if (about === undefined) return []
  if (about.isSymbolicLink())
    throw unreliable(folder, 'is a symbolic link, which others may turn elsewhere: name the folder that it leads to')
  if (process.platform !== 'win32') refuseOthers(folder, about)
  const names: { readonly id: string; readonly kind: string }[] = []
  let count = 0
  for await (const { name } of await opendir(folder)) {
    count += 1
    if (count > MOST_NAMES) throw unreliable(folder, `holds more than ${MOST_NAMES} files`)
    const [, id, kind] = NAME.exec(name) ?? []
    if (id !== undefined && kind !== undefined) names.push({ id, kind })
  }
  return names
}

function refuseOthers(folder: string, about: { readonly mode: number; readonly uid: number }): void {
  if ((about.mode & 0o022) !== 0)
    throw unreliable(folder, `can be changed by others; if nobody did, run: chmod go-w ${folder}`)
  const user = process.getuid?.()
  if (about.uid !== user && about.uid !== 0)
    throw unreliable(folder, "belongs to another user: it must be root's or this user's own")
}

/** A file that cannot be read is one override less, and no reason to distrust the others. */
async function readSmall(path: string): Promise<OverrideFile> {
  try {
    const file = await open(path, READ_IF_REGULAR)
    try {
      const about = await file.stat()
      if (!about.isFile()) return { unreadable: `${path} is not a regular file` }
      if (about.size > MOST_OVERRIDE_BYTES) return { unreadable: `${path} has more than ${MOST_OVERRIDE_BYTES} bytes` }
      return { text: await file.readFile('utf8') }
    } finally {
      await file.close()
    }
  } catch (cause) {
    return { unreadable: `${path} cannot be read (${systemCodeOf(cause)})` }
  }
}

function unreliable(folder: string, what: string, cause?: unknown): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `the folder ${folder} ${what}`, { at: folder, cause })
}
