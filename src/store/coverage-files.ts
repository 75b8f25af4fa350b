/** What gates saw of their hosts' tools, in small files: another process can say which doors are open. */
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { sha256 } from '../bytes/digest.ts'
import { systemCodeOf } from '../bytes/system-code.ts'
import { replaceDurably } from '../files/durable.ts'
import type { Clock, ToolCoverage } from '../types.ts'

/** Files of one folder: gates that show other tools each time do not fill it, and the oldest go. */
const MOST_FILES = 64
const MOST_BYTES = 16 * 1_048_576
/** What came together is written together. */
const DELAY_MS = 100
/** So often a gate that goes on says that its tools are still there. */
const REFRESH_MS = 60 * 60_000
const FILE = /^[A-Za-z0-9_-]{43}\.json$/

/** One gate's coverage, as it was at some time. */
export interface CoverageRecord {
  readonly gate: string
  /** ms since epoch. */
  readonly at: number
  readonly tools: readonly ToolCoverage[]
}

const text = z.string().max(4_096)
const shape = z.strictObject({
  holdpoint: z.literal('coverage/v1'),
  gate: text,
  at: z.number().int().nonnegative(),
  tools: z.array(
    z.strictObject({
      host: text,
      server: text,
      tool: text,
      standing: z.enum(['gated', 'ungated', 'unknown']),
      because: text.optional(),
    }),
  ),
})

/** What is kept, and when. */
export interface CoverageTerms {
  readonly folder: string
  /** The gate's name in its receipts. */
  readonly gate: string
  readonly coverage: { readonly edition: number; list(): readonly ToolCoverage[] }
  readonly clock: Clock
  readonly schedule: (ms: number, run: () => void) => () => void
  readonly warn: (message: string) => void
}

/**
 * Keeps the coverage of one gate: off the decision path, a moment after it was changed, and every hour while it is used.
 *
 * A file has the name of its content, so gates that see the same write the same file, and no two processes take anything from each
 * other. One that sees more writes another, and then takes its own older one away, of which nothing is lost.
 */
export class CoverageKeeper {
  readonly #terms: CoverageTerms
  #edition = 0
  #heardAt = Number.NEGATIVE_INFINITY
  #file: string | undefined
  #cancel: (() => void) | undefined
  #writing: Promise<void> = Promise.resolve()
  #hasFailed = false

  constructor(terms: CoverageTerms) {
    this.#terms = terms
  }

  /** A host showed its tools; they may be the same as ever. */
  heard(): void {
    const { coverage, clock, schedule } = this.#terms
    if (coverage.edition === 0) return
    const isKept = coverage.edition === this.#edition && clock.monotonic() - this.#heardAt < REFRESH_MS
    if (isKept || this.#cancel !== undefined) return
    this.#cancel = schedule(DELAY_MS, () => this.#write())
  }

  /** Resolves when what was heard is written, or cannot be. */
  async close(): Promise<void> {
    if (this.#cancel !== undefined) this.#write()
    await this.#writing
  }

  #write(): void {
    const { coverage, clock } = this.#terms
    this.#cancel?.()
    this.#cancel = undefined
    this.#edition = coverage.edition
    this.#heardAt = clock.monotonic()
    const tools = coverage.list()
    this.#writing = this.#writing.then(() => this.#replace(tools)).catch((cause: unknown) => this.#failed(cause))
  }

  async #replace(tools: readonly ToolCoverage[]): Promise<void> {
    const { folder, gate, clock } = this.#terms
    const name = `${sha256(JSON.stringify([gate, tools]))}.json`
    await mkdir(folder, { recursive: true, mode: 0o700 })
    replaceDurably(
      join(folder, name),
      `${JSON.stringify({ holdpoint: 'coverage/v1', gate, at: clock.now(), tools })}\n`,
    )
    if (this.#file !== undefined && this.#file !== name) await rm(join(folder, this.#file), { force: true })
    this.#file = name
    await prune(folder)
  }

  /** Nothing hangs on these files but what a person is told: a full disk is said once, and stops no call. */
  #failed(cause: unknown): void {
    if (this.#hasFailed) return
    this.#hasFailed = true
    const { folder, warn } = this.#terms
    warn(
      `cannot keep in ${folder} which tools this gate has seen (${systemCodeOf(cause)}): holdpoint coverage will not list them`,
    )
  }
}

/** What the gates of this state folder saw, and files that nobody can read. */
export async function readCoverage(
  folder: string,
): Promise<{ readonly records: readonly CoverageRecord[]; readonly unusable: readonly string[] }> {
  const names = await namesIn(folder)
  const read = await Promise.all(names.filter((name) => FILE.test(name)).map((name) => recordAt(join(folder, name))))
  return {
    records: read.filter((one) => typeof one === 'object'),
    unusable: read.filter((one) => typeof one === 'string'),
  }
}

/** @returns the path where it is no coverage; `undefined` where it is gone meanwhile */
async function recordAt(path: string): Promise<CoverageRecord | string | undefined> {
  try {
    const { size } = await stat(path)
    if (size > MOST_BYTES) return path
    const { gate, at, tools } = shape.parse(JSON.parse(await readFile(path, 'utf8')))
    return {
      gate,
      at,
      tools: tools.map(({ because, ...tool }) => ({ ...tool, ...(because === undefined ? {} : { because }) })),
    }
  } catch (cause) {
    return systemCodeOf(cause) === 'ENOENT' ? undefined : path
  }
}

/** Drafts of processes that died are among what is oldest. */
async function prune(folder: string): Promise<void> {
  const names = await namesIn(folder)
  if (names.length <= MOST_FILES) return
  const aged = await Promise.all(
    names.map(async (name) => ({
      name,
      at: await stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  )
  const oldest = aged.sort((one, other) => other.at - one.at).slice(MOST_FILES)
  for (const { name } of oldest) await rm(join(folder, name), { force: true })
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (cause) {
    if (systemCodeOf(cause) === 'ENOENT') return []
    throw cause
  }
}
