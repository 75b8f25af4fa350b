/** `holdpoint override key`: a key for a person, never for a gate. */
import { existsSync, realpathSync } from 'node:fs'
import { dirname, resolve, sep } from 'node:path'
import { Command } from 'commander'
import { loadKey, loadOrCreateKey } from '../../receipt/key-file.ts'
import type { Signer } from '../../types.ts'
import { type CommandContext, homely, ownStateFolder } from '../context.ts'
import { UnusableInput } from '../exit.ts'

export function keyCommand({ terminal }: CommandContext): Command {
  return new Command('key')
    .argument('<FILE>', 'where to keep the private key; made with mode 0600, never over a file')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nKeep the file where no gate and no agent can read it: on your own machine, or on a stick. Whoever holds it can let
medium calls run during an outage. What is printed is its public part, for trust.override in holdpoint.yaml.

Example:
  holdpoint override key ~/keys/override.pem`,
    )
    .action((file: string, flags: { json?: true }) => {
      const path = resolve(file)
      refuseOurs(path)
      if (existsSync(path)) throw new UnusableInput(`${homely(path)} is there already: name another file`)
      const { publicJwk, created } = loadOrCreateKey(path)
      if (!created) throw new UnusableInput(`${homely(path)} is there already: name another file`)
      if (flags.json === true) {
        terminal.out(JSON.stringify({ file: path, publicJwk }))
        return
      }
      terminal.out(JSON.stringify(publicJwk))
      terminal.note(
        `made ${homely(path)}; put the line above into trust.override of holdpoint.yaml, and restart the gates`,
      )
    })
}

/** A person's key. @throws UnusableInput for one that a gate keeps, HoldpointError ERR_KEY where there is none */
export function personsKey(file: string): Signer {
  const path = resolve(file)
  refuseOurs(path)
  return loadKey(path)
}

/** What lies in the state folder is the gate's, and a gate that holds such a key needs no person. */
function refuseOurs(path: string): void {
  const state = real(ownStateFolder())
  if (`${real(dirname(path))}${sep}`.startsWith(`${state}${sep}`))
    throw new UnusableInput(`${homely(path)} is in the gate's own folder: a key that signs overrides is a person's`)
}

function real(folder: string): string {
  return existsSync(folder) ? realpathSync(folder) : resolve(folder)
}
