/** The public parts of this machine's earlier receipt keys: what they signed is still to be verified. */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { systemCodeOf } from '../../bytes/system-code.ts'
import { createDurably } from '../../files/durable.ts'
import type { Jwk } from '../../verify.ts'
import { UnusableInput } from '../exit.ts'

const NAME = /^[A-Za-z0-9_-]{43}\.jwk$/

/** @throws UnusableInput for a file that holds no key */
export function formerKeys(keyFile: string): readonly (Jwk & { readonly kid: string })[] {
  const folder = folderOf(keyFile)
  return namesIn(folder).map((name) => {
    const path = join(folder, name)
    try {
      return { ...(JSON.parse(readFileSync(path, 'utf8')) as Jwk), kid: name.slice(0, -'.jwk'.length) }
    } catch (error) {
      throw new UnusableInput(`${path} holds no public key (${systemCodeOf(error) ?? 'no JSON'})`)
    }
  })
}

/** Keeps a public key, durably. One that is there already stays as it is. */
export function keepFormer(keyFile: string, kid: string, publicJwk: object): void {
  const folder = folderOf(keyFile)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  createDurably(join(folder, `${kid}.jwk`), `${JSON.stringify(publicJwk)}\n`)
}

/** Beside the key file, each under its thumbprint. */
function folderOf(keyFile: string): string {
  return join(dirname(keyFile), 'former')
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => NAME.test(name))
      .sort()
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return []
    throw new UnusableInput(`${folder} cannot be read (${systemCodeOf(error)})`)
  }
}
