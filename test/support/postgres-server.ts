import { spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'

const DEBIAN = '/usr/lib/postgresql'

/** The folder of PostgreSQL's server programs: on the path, or where Debian puts them, the newest. */
function programs(): string | undefined {
  const onPath = (process.env['PATH'] ?? '').split(':')
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const folders = [...onPath, ...debian.map((version) => join(DEBIAN, version, 'bin'))]
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
}

const bin = programs()

/** Are PostgreSQL's server programs here? Debian's package `postgresql-15` brings them. */
export const hasPostgres = bin !== undefined && spawnSync(join(bin, 'postgres'), ['--version']).status === 0

if (!hasPostgres)
  process.stdout.write('skipped: no PostgreSQL server is installed (Debian: apt-get install postgresql-15)\n')

/** PostgreSQL refuses to be run by root: whoever is root lends it another user. */
function asAnother(): { readonly uid?: number; readonly gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = ['postgres', 'nobody'].flatMap((name) => users.find((user) => user.startsWith(`${name}:`)) ?? [])[0]
  const [, , uid, gid] = (line ?? '').split(':')
  return { uid: Number(uid), gid: Number(gid) }
}

/** A real server of one's own, on a free port of this machine, in a folder that is gone with it. */
export interface PostgresServer {
  readonly connectionString: string
  readonly port: number
  /** The process id of the postmaster. */
  readonly pid: () => number
  /** Of everything that the server wrote. */
  log(): string
  /** Asks as the superuser. */
  sql(text: string, values?: unknown[]): Promise<readonly Record<string, unknown>[]>
  /** `immediate` is a crash: no checkpoint, nothing is waited for. */
  halt(how: 'immediate' | 'fast'): Promise<void>
  /** Starts it again on the same port. */
  start(settings?: readonly string[]): Promise<void>
  /** Stops it and removes it. */
  end(): Promise<void>
}

/** @param options `language`: what it speaks where `lc_messages` is no C, if it has been taught to */
export async function startPostgres(
  options: { readonly encoding?: string; readonly language?: string } = {},
): Promise<PostgresServer> {
  if (bin === undefined) throw new Error('PostgreSQL is not here')
  const another = asAnother()
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-postgres-'))
  if (another.uid !== undefined && another.gid !== undefined) chownSync(folder, another.uid, another.gid)
  const data = join(folder, 'data')
  const made = spawnSync(
    join(bin, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      '-A',
      'trust',
      '-E',
      options.encoding ?? 'UTF8',
      '--locale=C',
      '--no-sync',
      '--no-instructions',
    ],
    { ...another, cwd: folder, encoding: 'utf8' },
  )
  if (made.status !== 0) throw new Error(`initdb: ${made.stdout}${made.stderr}`)
  const port = await freePort()
  const connectionString = `postgres://postgres@127.0.0.1:${port}/postgres`
  let running: { readonly pid: number; readonly ended: Promise<void> } | undefined
  let said = ''

  async function start(settings: readonly string[] = []): Promise<void> {
    const all = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, ...settings]
    const child = spawn(join(bin ?? '', 'postgres'), ['-D', data, ...all.flatMap((setting) => ['-c', setting])], {
      ...another,
      cwd: folder,
      env: { ...process.env, ...(options.language === undefined ? {} : { LANGUAGE: options.language }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()))
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
    running = { pid: child.pid ?? 0, ended }
    for (;;) {
      if (child.exitCode !== null) throw new Error(`postgres did not start: ${said}`)
      if (await answers(connectionString)) return
      await delay(20)
    }
  }

  async function halt(how: 'immediate' | 'fast'): Promise<void> {
    if (running === undefined) return
    const { pid, ended } = running
    running = undefined
    process.kill(pid, how === 'immediate' ? 'SIGQUIT' : 'SIGINT')
    await ended
  }

  await start()
  return {
    connectionString,
    port,
    pid: () => running?.pid ?? 0,
    log: () => said,
    sql: async (text, values) => {
      const client = new pg.Client({ connectionString })
      client.on('error', () => undefined)
      await client.connect()
      try {
        return (await client.query(text, values)).rows
      } finally {
        await client.end()
      }
    },
    halt,
    start,
    end: async () => {
      await halt('immediate')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function answers(connectionString: string): Promise<boolean> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 1_000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise<void>((resolve) => server.close(() => resolve()))
  return typeof address === 'object' && address !== null ? address.port : 0
}
