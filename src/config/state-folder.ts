/** Where holdpoint keeps its state: in the platform's state folder, never in the working directory. */
import { dirname, isAbsolute, posix, resolve, win32 } from 'node:path'
import { HoldpointError } from '../errors.ts'
import type { ConfigOptions } from './schema.ts'

/** As `postgresStore` has them. */
const DEFAULT_SCHEMA = 'holdpoint'
const DEFAULT_DEADLINE_MS = 5_000

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The folder for receipts, claims and the receipt key.
 *
 * `HOLDPOINT_STATE` wins; else `XDG_STATE_HOME` or `~/.local/state` (XDG base directories), `~/Library/Application
 * Support` on macOS, `%LOCALAPPDATA%` on Windows.
 *
 * @throws HoldpointError ERR_CONFIG when `HOLDPOINT_STATE` is not absolute, or nothing else is: a name from where the program works
 * may be whose work is to be gated
 */
export function stateFolder(env: Environment, platform: NodeJS.Platform, home: string): string {
  const path = platform === 'win32' ? win32 : posix
  const own = env['HOLDPOINT_STATE']
  if (own !== undefined && own !== '') {
    if (path.isAbsolute(own)) return own
    throw new HoldpointError('ERR_CONFIG', `HOLDPOINT_STATE must be an absolute path, not "${own}"`, {
      at: 'HOLDPOINT_STATE',
    })
  }
  const found = path.join(platformState(env, platform, home), 'holdpoint')
  if (path.isAbsolute(found)) return found
  throw new HoldpointError(
    'ERR_CONFIG',
    `this user's home folder "${home}" is no absolute path: set HOLDPOINT_STATE to where holdpoint shall keep its state`,
    { at: 'HOLDPOINT_STATE' },
  )
}

function platformState(env: Environment, platform: NodeJS.Platform, home: string): string {
  switch (platform) {
    case 'win32':
      return env['LOCALAPPDATA'] ?? win32.join(home, 'AppData', 'Local')
    case 'darwin':
      return posix.join(home, 'Library', 'Application Support')
    default: {
      const xdg = env['XDG_STATE_HOME']
      // The XDG specification: a relative path is invalid and is to be ignored.
      return xdg !== undefined && posix.isAbsolute(xdg) ? xdg : posix.join(home, '.local', 'state')
    }
  }
}

/** A store in PostgreSQL, as a configuration names it. Plain data, without its secret: a thread is given it as it is. */
export interface PostgresStorePlace {
  readonly kind: 'postgres'
  /** The environment variable that holds the connection string. */
  readonly connectionEnv: string
  readonly schema: string
  /** How long the database may take for any answer, ms. */
  readonly deadlineMs: number
  /** Where the configuration says so, for errors. */
  readonly at: string
}

/** Where receipts are. */
export type StorePlace =
  | { readonly kind: 'folder'; readonly folder: string }
  | PostgresStorePlace
  | { readonly kind: 'memory' }

/**
 * Where a store in PostgreSQL is, with its secret.
 *
 * @throws HoldpointError ERR_CONFIG where the variable is not set
 */
export function connectionOf(
  { connectionEnv, schema, deadlineMs, at }: PostgresStorePlace,
  environment: Environment,
): { readonly connectionString: string; readonly schema: string; readonly deadlineMs: number } {
  const connectionString = environment[connectionEnv]
  if (connectionString !== undefined && connectionString !== '') return { connectionString, schema, deadlineMs }
  throw new HoldpointError(
    'ERR_CONFIG',
    `${at}: the environment variable ${connectionEnv} is not set: it has to hold where PostgreSQL is, as postgres://USER:PASSWORD@HOST:5432/DATABASE`,
    { at },
  )
}

/** Where this configuration keeps what. The gate and the command line both ask here, so that they agree. */
export interface Places {
  readonly store: StorePlace
  /** The file of the receipt signing key. */
  readonly keyFile: string
  /** The environment variable that holds it instead. */
  readonly keyEnv?: string
  /** The file of the key that blinds what may be guessed, where the receipt key is elsewhere. It signs nothing. */
  readonly blindingKeyFile: string
  /** The file of the key that signs what people answered, beside it. */
  readonly approvalKeyFile: string
  /** The file of the key that signs the log's checkpoints, beside it. */
  readonly logKeyFile: string
  /** The folder of signed overrides. */
  readonly overrides: string
  /** The folder of what third parties' tools must be. */
  readonly pins: string
  /** The folder of what gates saw of their hosts' tools. */
  readonly coverage: string
}

/** Resolves the configured places against the configuration's own folder, and the rest against the state folder. */
export function placesOf(
  options: ConfigOptions,
  folder: string,
  state: string,
  storeAt = 'createGate options',
): Places {
  const keyFile =
    options.keyFile === undefined ? resolve(state, 'keys', 'receipt.pem') : within(folder, options.keyFile)
  const keys = {
    keyFile,
    approvalKeyFile: resolve(dirname(keyFile), 'approval.pem'),
    logKeyFile: resolve(dirname(keyFile), 'log-key'),
    blindingKeyFile: resolve(dirname(keyFile), 'blinding-key'),
    ...(options.key === undefined ? {} : { keyEnv: options.key.env }),
  }
  const overrides = options.overrides === undefined ? resolve(state, 'overrides') : within(folder, options.overrides)
  const folders = { overrides, pins: resolve(state, 'pins'), coverage: resolve(state, 'coverage') }
  if (options.store === 'memory') return { store: { kind: 'memory' }, ...keys, ...folders }
  const postgres = options.store?.postgres
  if (postgres !== undefined) {
    const { connection, schema = DEFAULT_SCHEMA, deadlineMs = DEFAULT_DEADLINE_MS } = postgres
    const store = { kind: 'postgres', connectionEnv: connection.env, schema, deadlineMs, at: storeAt } as const
    return { store, ...keys, ...folders }
  }
  const named = options.store?.folder
  const place = named === undefined ? resolve(state, 'receipts') : within(folder, named)
  return { store: { kind: 'folder', folder: place }, ...keys, ...folders }
}

function within(folder: string, path: string): string {
  return isAbsolute(path) ? path : resolve(folder, path)
}
