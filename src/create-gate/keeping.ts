import type { LoadedConfig } from '../config/read.ts'
import { connectionOf, type Places } from '../config/state-folder.ts'
import { HoldpointError } from '../errors.ts'
import { type LogSetup, logSetup } from '../log-keeper/setup.ts'
import { keyFromEnvironment } from '../receipt/key-env.ts'
import { loadOrCreateKey } from '../receipt/key-file.ts'
import { DEFAULT_SIGNER_MS, remoteSigner } from '../receipt/remote-signer.ts'
import { generateSigner } from '../receipt/sign.ts'
import { createMemoryStore } from '../store/memory.ts'
import { pinFolder } from '../store/pin-files.ts'
import { createPinMemory } from '../store/pin-memory.ts'
import { postgresStore } from '../store/postgres/store.ts'
import { createSqliteStore } from '../store/sqlite.ts'
import type { Clock, PinShelf, ReceiptSigner, Signer, Store } from '../types.ts'
import type { GateOptions } from './options.ts'
import { processWide, scheduleFirmly } from './process.ts'

/** What outlives a gate: its keys, its store, its pins, its log. */

const LONGEST_SIGNING_MS = 60_000

/** The memory stores of gates that share one identity, and their pins. */
const memories = processWide<Store>('holdpoint.memories.v1')
const pinMemories = processWide<PinShelf>('holdpoint.pin-memories.v1')

/** @throws HoldpointError ERR_KEY, ERR_CONFIG */
export function createKey(places: Places, clock: Clock, { effects, receipts }: GateOptions): ReceiptSigner {
  if (effects?.signer !== undefined) return effects.signer
  if (receipts === undefined)
    return places.keyEnv === undefined
      ? loadOrCreateKey(places.keyFile)
      : keyFromEnvironment(places.keyEnv, process.env)
  const { signer, deadlineMs = DEFAULT_SIGNER_MS } = receipts
  if (!(deadlineMs > 0 && deadlineMs <= LONGEST_SIGNING_MS)) {
    throw new HoldpointError(
      'ERR_CONFIG',
      `createGate options: "receipts.deadlineMs" must be more than 0 and at most ${LONGEST_SIGNING_MS}`,
      { at: 'createGate options' },
    )
  }
  const { blind } = loadOrCreateKey(places.blindingKeyFile)
  return remoteSigner(signer, { blind, deadlineMs, clock, schedule: scheduleFirmly })
}

export function createStore({ store }: Places, clock: Clock, identity: string | undefined): Store {
  if (store.kind === 'folder') return createSqliteStore({ folder: store.folder })
  if (store.kind === 'postgres') return postgresStore(connectionOf(store, process.env))
  return remembered(memories, identity, () => createMemoryStore({ now: () => clock.now() }))
}

/** Whose key signs answers. It is asked for by the first of them: most gates ask nobody. */
export function approverOf(
  { approvalKeyFile }: Places,
  { effects }: GateOptions,
  receipts: Pick<Signer, 'kid'>,
): () => Signer {
  let known = effects?.approver
  return () => {
    known ??= effects?.signer === undefined ? loadOrCreateKey(approvalKeyFile) : generateSigner()
    if (known.kid !== receipts.kid) return known
    throw new HoldpointError('ERR_KEY', 'answers are signed by another key than receipts: one key has one role', {
      at: approvalKeyFile,
    })
  }
}

export function createPins({ store, pins }: Places, identity: string | undefined): PinShelf {
  return store.kind === 'memory' ? remembered(pinMemories, identity, createPinMemory) : pinFolder(pins)
}

/** A gate whose receipts no other process can read leaves nothing else behind. */
export function isKept({ store }: Places, { effects }: GateOptions): boolean {
  return store.kind !== 'memory' && effects?.store === undefined
}

/** @throws HoldpointError ERR_CONFIG where the receipts are in a store that has no folder here */
export function setupOf(
  loaded: LoadedConfig,
  places: Places,
  { kid }: ReceiptSigner,
  { effects }: GateOptions,
): LogSetup {
  return logSetup(loaded, effects?.store === undefined ? places : { ...places, store: { kind: 'memory' } }, kid)
}

/** INVARIANT I2: a gate that is closed and created again goes on with the keys of this process, and with its pins. */
function remembered<T>(memory: Map<string, T>, identity: string | undefined, make: () => T): T {
  const known = identity === undefined ? undefined : memory.get(identity)
  if (known !== undefined) return known
  const made = make()
  if (identity !== undefined) memory.set(identity, made)
  return made
}

/** What no call may touch: the state folder, the key, the receipts, and all that the next start will read. */
export function ownPaths(loaded: LoadedConfig, places: Places, state: string): readonly string[] {
  return [
    state,
    places.keyFile,
    places.approvalKeyFile,
    places.logKeyFile,
    places.blindingKeyFile,
    ...(places.store.kind === 'folder' ? [places.store.folder] : []),
    places.overrides,
    ...loaded.sources,
  ]
}
