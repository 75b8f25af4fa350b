/** Writes a bundle where it was asked for. */
import { existsSync } from 'node:fs'
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises'
import { systemCodeOf } from '../../bytes/system-code.ts'
import { homely } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import type { Terminal } from '../terminal.ts'

/** Text that is gathered before it is written. */
const CHUNK = 256 * 1_024

/**
 * Writes lines to a new file of this user alone, whole or not at all; to the terminal where no file is named.
 *
 * @throws UnusableInput where the file is there already: what was handed out once is not written over
 */
export async function writeLines(
  lines: AsyncIterable<string>,
  file: string | undefined,
  terminal: Terminal,
): Promise<void> {
  if (file === undefined) {
    for await (const line of lines) terminal.out(line)
    return
  }
  if (existsSync(file)) throw thereAlready(file)
  const unfinished = `${file}.${process.pid}.unfinished`
  const handle = await open(unfinished, 'wx', 0o600)
  try {
    await writeAll(handle, lines)
    await handle.sync()
    await handle.close()
    await nameIt(unfinished, file)
  } finally {
    await handle.close().catch(() => undefined)
    await rm(unfinished, { force: true })
  }
}

/** Unlike a renaming, a link never takes the place of a file that somebody made during a long export. */
async function nameIt(unfinished: string, file: string): Promise<void> {
  try {
    await link(unfinished, file)
  } catch (cause) {
    if (systemCodeOf(cause) === 'EEXIST') throw thereAlready(file)
    await nameWithoutLinks(unfinished, file)
  }
}

/** Not every file system has links: on a memory stick the name is taken first, by an empty file, and that is then renamed upon. */
async function nameWithoutLinks(unfinished: string, file: string): Promise<void> {
  try {
    await (await open(file, 'wx', 0o600)).close()
  } catch (cause) {
    throw systemCodeOf(cause) === 'EEXIST' ? thereAlready(file) : cause
  }
  await rename(unfinished, file)
}

function thereAlready(file: string): UnusableInput {
  return new UnusableInput(`${homely(file)} is there already: name another file`)
}

async function writeAll(handle: FileHandle, lines: AsyncIterable<string>): Promise<void> {
  let text = ''
  for await (const line of lines) {
    text += `${line}\n`
    if (text.length < CHUNK) continue
    await handle.writeFile(text)
    text = ''
  }
  await handle.writeFile(text)
}
