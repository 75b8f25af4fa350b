/** `holdpoint policy replay`: what would these policies have done with what has already happened? */

import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { visible } from '../../bytes/visible.ts'
import { readConfig } from '../../config/read.ts'
import { SHIPPED_POLICIES } from '../../config/schema.ts'
import { withShortForm } from '../../policy/short-form.ts'
import { type CommandContext, homely } from '../context.ts'
import { UnusableInput } from '../exit.ts'
import { repeatable } from '../repeatable.ts'
import type { Terminal } from '../terminal.ts'
import { toolsOption } from './known-tools.ts'
import { runsIn } from './recorded-runs.ts'
import { differencesOf, figuresOf } from './replay-figures.ts'
import { changesUnder, decisionsIn } from './replay-receipts.ts'
import { type PolicySet, replayRuns } from './replay-runs.ts'
import { tellDecisions, tellRuns } from './replay-words.ts'
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
but for calls that are marked malicious: those wait. A store's folder is decided again, receipt by receipt.

Example:
  holdpoint policy replay runs.jsonl --tools tools.jsonl --policy ask/v1 --policy strict/v1,policies/`

export function replayCommand({ terminal, end }: CommandContext): Command {
  return new Command('replay')
    .argument('<TRACES...>', 'recorded runs (JSON lines), or folders of stores with receipts')
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
      const stores = traces.filter(isFolder)
      if (stores.length > 0 && stores.length < traces.length) {
        throw new UnusableInput('replay runs and stores one after the other: their figures do not add up')
      }
      if (stores.length > 0) await overStores(stores, setsOf(flags), flags, terminal)
      else await overRuns(traces, setsOf(flags), flags, terminal)
      end(0)
    })
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
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

async function overStores(folders: readonly string[], sets: readonly NamedSet[], flags: Flags, terminal: Terminal) {
  const recorded = []
  for (const folder of folders) recorded.push(await decisionsIn(folder))
  const decisions = recorded.flatMap((each) => each.decisions)
  const answer = {
    decisions: decisions.length,
    withoutRequest: recorded.reduce((sum, each) => sum + each.withoutRequest, 0),
    sets: sets.map(({ name, config, policies }) => {
      const loaded = readConfig(config, policies === undefined ? {} : { policies })
      const changes = changesUnder(withShortForm(loaded.policyFiles, loaded.shortRules), decisions)
      return { policy: name, changes }
    }),
  }
  if (flags.json === true) terminal.out(JSON.stringify(answer))
  else tellDecisions(folders.map(homely).join(', '), answer, terminal)
}
