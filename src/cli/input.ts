/** Reads what a command was pointed at: a file, or what is piped into it. */
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { reasonOf, UnusableInput } from './exit.ts'

/** How errors name the input: the file, or `stdin` for `-`. */
export function inputName(file: string): string {
  return file === '-' ? 'stdin' : file
}

/**
 * The bytes of a file, or for `-` of stdin to its end. Never in one synchronous go: a library that merely looks at stdin makes
 * the pipe answer "not yet" to that.
 *
 * @throws UnusableInput naming the file
 */
export async function readInput(file: string): Promise<Uint8Array> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file)
  } catch (error) {
    throw new UnusableInput(`${inputName(file)}: ${reasonOf(error)}`)
  }
}
