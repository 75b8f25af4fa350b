/** `holdpoint policy replay`: what would these policies have done with what has already happened? */

import { resolve } from 'node:path'
import { Command } from 'commander'
import { visible } from '../../bytes/visible.ts'
import { readConfig } from '../../config/read.ts'
import { SHIPPED_POLICIES } from '../../config/schema.ts'
import { withShortForm } from '../../policy/short-form.ts'
import type { Contract } from '../../types.ts'
import { type CommandContext, homely } from '../context.ts'
import { type ExitCode, UnusableInput } from '../exit.ts'
import { repeatable } from '../repeatable.ts'
import type { Terminal } from '../terminal.ts'
import { knownTools, toolsOption } from './known-tools.ts'
import { decisionsAt, holdsDecisions } from './recorded-decisions.ts'
import { runsIn } from './recorded-runs.ts'
import { type Change, type Contradiction, type Judgement, judgeUnder } from './replay-decisions.ts'
import { differencesOf, figuresOf } from './replay-figures.ts'
import { type PolicySet, replayRuns } from './replay-runs.ts'
import { type DecisionsAnswer, tellDecisions, tellRuns } from './replay-words.ts'
import { toolsOfRuns } from './run-tools.ts'

/** A policy set with the name that it was given. */
interface NamedSet extends PolicySet {
  readonly name: string
}

interface Flags {
  readonly policy?: readonly string[]
  readonly tools?: readonly string[]
  readonly config?: string
  readonly json?: true
}

const HELP = `
A trace is a file of JSON lines, one run each: {"id": …, "domain": …, "steps": [{"tool": …, "args": {…}, "malicious": true}]}.
Each run is one conversation through a real gate that records nothing; no tool is called. Questions are answered with yes,
but for calls that are marked malicious: those wait. A store's folder, or a bundle that was exported with --open, is decided again, receipt by receipt:
under the very policies of a receipt the decision must come out the same, else this exits 1; other policies show what would change.
Whether the receipts are genuine is for "holdpoint verify" to say.

Examples:
  holdpoint policy replay runs.jsonl --tools tools.jsonl --policy ask/v1 --policy strict/v1,policies/
  holdpoint policy replay audit.holdpoint.jsonl --policy policies/`

const PROGRESS_EVERY = 1_000

export function replayCommand({ terminal, end }: CommandContext): Command {
  return new Command('replay')
    .argument('<TRACES...>', 'recorded runs (JSON lines), bundles, or folders of stores with receipts')
    .option(
      '--policy <SET>',
      'a policy set: folders, Cedar files or shipped names, with commas between them; again for another set (default: what is in force)',
      repeatable,
    )
    .addOption(toolsOption())
    .option('--config <FILE>', 'the holdpoint.yaml to use instead of the one here')
    .option('--json', 'print one JSON object')
    .addHelpText('after', HELP)
    .action(async (traces: readonly string[], flags: Flags) => {
      const recorded = (await Promise.all(traces.map(holdsDecisions))).filter((holds) => holds).length
      if (recorded > 0 && recorded < traces.length) {
        throw new UnusableInput('replay runs and receipts one after the other: their figures do not add up')
      }
      if (recorded > 0) end(await overDecisions(traces, setsOf(flags), flags, terminal))
      else await overRuns(traces, setsOf(flags), flags, terminal)
    })
}

function setsOf({ policy, config }: Flags): readonly NamedSet[] {
  const where = config === undefined ? process.cwd() : { file: config }
  if (policy === undefined) return [{ name: 'in force', config: where, policies: undefined }]
  return policy.map((name) => ({
    name,
    config: where,
    policies: name.split(',').map((part) => (isShipped(part) ? part : resolve(part))),
  }))
}

function isShipped(name: string): boolean {
  return SHIPPED_POLICIES.some((shipped) => shipped === name)
}

async function overRuns(files: readonly string[], sets: readonly NamedSet[], flags: Flags, terminal: Terminal) {
  const [first] = sets
  const own = readConfig(first?.config ?? process.cwd()).server
  const runs = files.flatMap((file) => runsIn(file, own))
  const tools = await toolsOfRuns(runs, flags.tools ?? [], own)
  const replays = []
  for (const set of sets) {
    terminal.progress(`${visible(set.name)}: ${runs.length} runs`)
    replays.push(await replayRuns(runs, tools, set))
  }
  terminal.progress('')
  const answer = {
    runs: runs.length,
    calls: runs.flatMap(({ calls }) => calls).length,
    undescribed: tools.undescribed,
    adapted: tools.adapted,
    refused: tools.refused,
    sets: replays.map((replay, index) => ({
      policy: sets[index]?.name ?? '',
      ...figuresOf(replay),
      misfits: replay.misfits,
    })),
    differences: differencesOf(replays),
  }
  if (flags.json === true) terminal.out(JSON.stringify(answer))
  else tellRuns(answer, terminal)
}

async function overDecisions(
  paths: readonly string[],
  sets: readonly NamedSet[],
  flags: Flags,
  terminal: Terminal,
): Promise<ExitCode> {
  const tools = await contractsOf(flags, sets[0]?.config ?? process.cwd())
  const judged = sets.map(({ name, config, policies }) => {
    const loaded = readConfig(config, policies === undefined ? {} : { policies })
    const judge = judgeUnder(withShortForm(loaded.policyFiles, loaded.shortRules), tools)
    const changes: Change[] = []
    const contradictions: Contradiction[] = []
    return { name, judge, changes, contradictions, derivedAgain: 0 }
  })
  const altered: string[] = []
  let decisions = 0
  let withoutRequest = 0
  for (const path of paths) {
    for await (const { receipt, claims, request } of decisionsAt(path)) {
      if (request === 'closed') withoutRequest += 1
      else if (request === 'altered') altered.push(receipt)
      else {
        decisions += 1
        if (decisions % PROGRESS_EVERY === 0) terminal.progress(`${decisions} decisions`)
        for (const set of judged) note(set, set.judge.judge({ receipt, claims, request }))
      }
    }
  }
  terminal.progress('')
  const answer: DecisionsAnswer = {
    decisions,
    withoutRequest,
    altered,
    sets: judged.map(({ name, judge, derivedAgain, contradictions, changes }) => {
      return { policy: name, digest: judge.digest, derivedAgain, contradictions, changes }
    }),
  }
  if (flags.json === true) terminal.out(JSON.stringify(answer))
  else tellDecisions(paths.map(homely).join(', '), answer, terminal)
  return altered.length === 0 && judged.every(({ contradictions }) => contradictions.length === 0) ? 0 : 1
}

interface Judged {
  readonly changes: Change[]
  readonly contradictions: Contradiction[]
  derivedAgain: number
}

function note(set: Judged, judgement: Judgement): void {
  switch (judgement.kind) {
    case 'as_recorded':
      return
    case 'derived_again':
      set.derivedAgain += 1
      return
    case 'contradicted':
      set.contradictions.push(judgement.contradiction)
      return
    case 'changed':
      set.changes.push(judgement.change)
  }
}

/** What is known of tools, by the digest that receipts name them by. */
async function contractsOf({ tools }: Flags, config: NamedSet['config']): Promise<ReadonlyMap<string, Contract>> {
  const known = await knownTools(tools ?? [], readConfig(config))
  return new Map(known.flatMap((tool) => ('contract' in tool ? [[tool.contract.definitionDigest, tool.contract]] : [])))
}
