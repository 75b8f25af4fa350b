import { sha256 } from './bytes/digest.ts'
import { type LoadedConfig, readConfig } from './config/read.ts'
import { type Assembled, assemble } from './create-gate/assemble.ts'
import type { GateOptions } from './create-gate/options.ts'
import { processWide } from './create-gate/process.ts'
import type { Gate } from './types.ts'

export type { GateOptions } from './create-gate/options.ts'

/** Gates of this process by what they were created from: a development server that reloads a module gets the same one. */
const gates = processWide<Gate>('holdpoint.gates.v1')

/**
 * Creates a gate. Synchronous: a mistake in `holdpoint.yaml`, a policy or an option throws here, with file and line. The
 * store opens on first use or at `await gate.ready()`. The same options in one process give the same gate, unless the policy
 * itself is code.
 *
 * @throws HoldpointError ERR_CONFIG, ERR_POLICY, ERR_KEY
 * @example
 * export const gate = createGate()
 */
export function createGate(options: GateOptions = {}): Gate {
  const { config, policy, observe, principal, name, events, obligations, receipts, effects, ...settings } = options
  const loaded = readConfig(config ?? process.cwd(), settings)
  // A policy in code cannot be compared: two functions of one text may close over different rules. Such gates are never shared.
  const isShared = [effects, policy, obligations, receipts].every((code) => code === undefined)
  const identity = isShared ? identityOf(loaded, { observe, principal, name }) : undefined
  const known = identity === undefined ? undefined : gates.get(identity)
  if (known !== undefined) return known
  const { gate }: Assembled = assemble(loaded, options, {
    identity,
    keepsLog: true,
    closed: () => {
      // A second `close` of this gate must not take away the one that has come after it.
      if (identity !== undefined && gates.get(identity) === gate) gates.delete(identity)
    },
  })
  if (identity !== undefined) gates.set(identity, gate)
  return gate
}

/** What a gate is created from. Sinks do not count: they only listen. */
function identityOf(loaded: LoadedConfig, code: object): string {
  return sha256(JSON.stringify([loaded.folder, loaded.file ?? null, loaded.digest, loaded.policyFiles, code]))
}
