/** Reads runs of agents as others recorded them: one JSON object a line. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { reasonOf, UnusableInput } from '../exit.ts'

const runSchema = z.looseObject({
  id: z.string().optional(),
  /** Where its tools live, for steps that do not say so themselves. */
  domain: z.string().optional(),
  steps: z.array(
    z.looseObject({
      tool: z.string(),
      server: z.string().nullish(),
      args: z.unknown(),
      malicious: z.boolean().nullish(),
    }),
  ),
})

/** A call that somebody's agent once made. UNTRUSTED: tool and input are a model's. */
export interface RecordedCall {
  /** Our own name of its server. */
  readonly server: string
  readonly tool: string
  readonly input: unknown
  /** Did the attacker want it, and not the user? As the recording says. */
  readonly malicious: boolean
}

/** One conversation, in order. */
export interface RecordedRun {
  /** Its own id, or `file:line`. */
  readonly id: string
  readonly calls: readonly RecordedCall[]
}

const LONGEST_SERVER = 32

/**
 * The runs of a file: lines such as `{"id": …, "domain": …, "steps": [{"tool": …, "args": {…}, "malicious": true}]}`.
 *
 * @throws UnusableInput naming file, line and what was expected
 */
export function runsIn(file: string, ownServer: string): readonly RecordedRun[] {
  return textOf(file)
    .split('\n')
    .flatMap((line, index) => (line.trim() === '' ? [] : [runOf(line, `${file}:${index + 1}`, ownServer)]))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new UnusableInput(`${file}: ${reasonOf(error)}`)
  }
}

/** Three base64url parts: a receipt as an export holds it. */
const RECEIPT = /^[\w-]+\.[\w-]+\.[\w-]+$/

function runOf(line: string, at: string, ownServer: string): RecordedRun {
  if (RECEIPT.test(line.trim())) {
    throw new UnusableInput(
      `${at}: is a receipt; an export holds no arguments, so name the folder of the store that wrote it`,
    )
  }
  const run = runSchema.safeParse(parsed(line))
  if (!run.success) {
    throw new UnusableInput(`${at}: is no recorded run: expected {"steps": [{"tool": …, "args": {…}}]} on one line`)
  }
  const { id = at, domain, steps } = run.data
  return {
    id,
    calls: steps.map(({ tool, server, args, malicious }) => ({
      server: serverName(server ?? domain, ownServer),
      tool,
      input: args ?? {},
      malicious: malicious === true,
    })),
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** A stranger's name of a server as we may call it: `Git Server (v2)` becomes `git-server-v2`. */
export function serverName(theirs: string | undefined, ownServer: string): string {
  const name = (theirs ?? '').toLowerCase().replace(/[^a-z0-9]+/g, '-')
  return name.replace(/^-+/, '').slice(0, LONGEST_SERVER).replace(/-+$/, '') || ownServer
}
