/** `holdpoint hook`: a gate for hosts that start a program before each tool. Whatever goes wrong is a no. */
import { fstatSync, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { isAbsolute } from 'node:path'
import { chdir } from 'node:process'
import { Command, InvalidArgumentError } from 'commander'
import { renderNotes } from '../refusal/notes.ts'
import { renderForModel } from '../refusal/render.ts'
import type { Refusal } from '../types.ts'
import type { CommandContext } from './context.ts'
import { reasonOf, UnusableInput } from './exit.ts'
import { BriefGate, type Ended } from './hook/gate.ts'
import { readSaid, type Said } from './hook/said.ts'
import { readWithin } from './hook/stdin.ts'
import { repeatable } from './repeatable.ts'

/** As long as Claude Code waits for a command of its own accord, less what it takes to say no, seconds. */
const DEFAULT_TIMEOUT_S = 55
const LONGEST_TIMEOUT_S = 600

interface Flags {
  readonly config?: string
  readonly user?: string
  readonly agent?: string
  readonly server?: readonly string[]
  readonly allow?: true
  readonly json?: true
  readonly timeout: number
}

const HELP = `
Reads one event as JSON from stdin. Exit 0: the tool may run (or its outcome is on record). Exit 2: it must not.
Nothing else is ever printed for a call that may not run than why, on stderr; with --json as an object on stdout, too.

Claude Code, in settings.json, for each of PreToolUse, PostToolUse and PostToolUseFailure:
  { "type": "command", "command": "holdpoint", "args": ["hook", "--config", "/etc/holdpoint/holdpoint.yaml"],
    "timeout": 60, "onFailure": "block" }

Any other host, before a tool and after it:
  {"event":"before","tool":"refund","server":"shop","input":{"amount":40},"call":"c1","session":"s1"}
  {"event":"after","tool":"refund","server":"shop","input":{"amount":40},"call":"c1","session":"s1","status":"ok"}
It must run what "input" of the answer says, and nothing unless the exit code is 0; "input" after a tool is what it ran.`

export function hookCommand(context: CommandContext): Command {
  return new Command('hook')
    .option('--config <FILE>', 'the holdpoint.yaml to decide by, absolute; never looked for where an agent works')
    .option('--user <ID>', 'on whose behalf; the account that the host runs under unless said')
    .option('--agent <ID>', 'the agent that asks, for policies that read it')
    .option(
      '--server <SOURCE:NAME=OURS>',
      'our own name of a configured MCP server, as project:github=github',
      repeatable,
    )
    .option(
      '--allow',
      'answer "allow", so that Claude Code asks nobody about a permitted call; without it its own rules go on',
    )
    .option('--timeout <SECONDS>', 'the longest that all of it may take', seconds, DEFAULT_TIMEOUT_S)
    .option('--json', 'answer with an object of holdpoint’s own, whatever the host')
    .addHelpText('after', HELP)
    .action(async (flags: Flags) => {
      context.end(2)
      const ending = new AbortController()
      const late = setTimeout(() => ending.abort(), flags.timeout * 1_000)
      try {
        const answered = await Promise.race([answer(flags, ending.signal), over(ending.signal)])
        tell(answered, flags, context)
      } catch (error) {
        refuse({ reason: `holdpoint hook: ${reasonOf(error)}; the tool must not run` }, flags, context)
      } finally {
        clearTimeout(late)
      }
    })
}

/** What is to be said to the host. */
type Answer =
  | {
      readonly kind: 'permitted'
      readonly said: Said
      readonly input: unknown
      readonly receipt: string | undefined
      /** What the model has to know of how it runs. */
      readonly note: string | undefined
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'ended'; readonly receipt: string | undefined; readonly warning?: Warning }

interface Warning {
  readonly code: 'ran_without_admission' | 'ran_with_other_arguments'
  readonly message: string
}

async function answer(flags: Flags, signal: AbortSignal): Promise<Answer> {
  if (flags.config === undefined) {
    throw new UnusableInput(
      'name the configuration with --config FILE: one that lies where the agent works may be the agent’s',
    )
  }
  // UNTRUSTED: what a relative name means, the event and whoever started us decide, and both are where the agent works.
  if (!isAbsolute(flags.config))
    throw new UnusableInput(`--config ${flags.config} starts where the agent works: name the file from the root`)
  const said = readSaid(await readWithin(process.stdin, signal), {
    servers: serversOf(flags.server ?? []),
    ...whoOf(flags),
  })
  workWhere(said)
  const gate = new BriefGate(flags.config)
  try {
    if (said.event === 'before') {
      const decided = await gate.decide(said.asked, signal)
      if (decided.outcome === 'refused') return { kind: 'refused', refusal: decided.admission.refusal }
      const { admission, input } = decided
      return { kind: 'permitted', said, input, receipt: admission.receipt?.id, note: renderNotes(admission) }
    }
    const ended = await gate.end(said.asked, said.status, said.result)
    const warning = warningOf(ended, said)
    return {
      kind: 'ended',
      receipt: ended.outcome === 'known' ? undefined : ended.receipt?.id,
      ...(warning === undefined ? {} : { warning }),
    }
  } finally {
    await gate.close()
  }
}

/** Relative names in the arguments start where the host works. A tool that has run may have removed that: its outcome counts all the same. */
function workWhere({ event, cwd }: Said): void {
  if (cwd === undefined) return
  try {
    chdir(cwd)
  } catch (cause) {
    if (event === 'before') throw cause
  }
}

/** What whoever set up the host has to hear: by then the tool has run. */
function warningOf({ outcome }: Ended, { asked, protocol }: Said): Warning | undefined {
  const { server, tool, callId } = asked.call
  const what = `${server}/${tool} ran (call ${callId})`
  switch (outcome) {
    case 'recorded':
    case 'known':
      return undefined
    case 'unadmitted':
      return {
        code: 'ran_without_admission',
        message: `${what}, and no hook permitted it: is the command there before the tool, too?`,
      }
    case 'otherwise': {
      const mend =
        protocol === 'claude'
          ? 'Does another PreToolUse hook change them? Let it run where it cannot.'
          : 'Run the "input" of the answer, and send it with the outcome.'
      return {
        code: 'ran_with_other_arguments',
        message: `${what} with other arguments than the gate had decided, so its outcome is unknown. ${mend}`,
      }
    }
  }
}

function tell(answered: Answer, flags: Flags, context: CommandContext): void {
  const { terminal } = context
  switch (answered.kind) {
    case 'refused':
      refuse({ reason: renderForModel(answered.refusal), refusal: answered.refusal }, flags, context)
      return
    case 'ended':
      if (answered.warning !== undefined) terminal.note(`holdpoint hook: ${answered.warning.message}`)
      if (flags.json === true)
        terminal.out(
          own({ recorded: answered.warning === undefined, receipt: answered.receipt, warning: answered.warning?.code }),
        )
      context.end(0)
      return
    case 'permitted': {
      const { said, input, receipt, note } = answered
      // INVARIANT I3: what it must run stands in the answer, and a host that discards it would run what it has.
      if (isDiscarded()) throw new Error('its answer would go to nobody: stdout is closed, or the null device')
      const isClaude = said.protocol === 'claude' && flags.json !== true
      terminal.out(isClaude ? claudes(input, note, flags) : own({ decision: 'permit', input, receipt, note }))
      context.end(0)
    }
  }
}

/** Node puts the null device in the place of a stdout that is closed. Where a platform has none by this name, it cannot be told. */
function isDiscarded(): boolean {
  const device = statSync('/dev/null', { throwIfNoEntry: false })
  const stdout = fstatSync(1)
  return device !== undefined && stdout.isCharacterDevice() && stdout.rdev === device.rdev
}

/** INVARIANT I3: the host runs what was decided. INVARIANT I5: its model hears that nobody checked the call, or what was changed. */
function claudes(updatedInput: unknown, additionalContext: string | undefined, { allow }: Flags): string {
  return JSON.stringify({
    hookSpecificOutput: {
      hookEventName: 'PreToolUse',
      ...(allow === true ? { permissionDecision: 'allow' } : {}),
      updatedInput,
      additionalContext,
    },
  })
}

function own(said: object): string {
  return JSON.stringify({ holdpoint: 'hook/v1', ...said })
}

/** Exit 2 is what Claude Code takes for a no whatever else is printed, and stderr is what its model reads. */
function refuse(
  no: { readonly reason: string; readonly refusal?: Refusal },
  { json }: Flags,
  { terminal, end }: CommandContext,
): void {
  terminal.note(no.reason)
  if (json === true) terminal.out(own({ decision: 'refuse', ...no }))
  end(2)
}

async function over(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('it took too long')), { once: true })
  })
}

/** With an agent alone it would be the agent that asks, and not whoever started it. */
function whoOf({ user, agent }: Flags): { readonly user?: string; readonly agent?: string } {
  if (agent === undefined) return user === undefined ? {} : { user }
  return { user: user ?? userInfo().username, agent }
}

function serversOf(given: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    given.map((each) => {
      const at = each.lastIndexOf('=')
      if (at < 1 || !each.slice(0, at).includes(':'))
        throw new UnusableInput(`--server ${each} is not SOURCE:NAME=OURS`)
      return [each.slice(0, at), each.slice(at + 1)]
    }),
  )
}

function seconds(written: string): number {
  const value = Number(written)
  if (Number.isFinite(value) && value > 0 && value <= LONGEST_TIMEOUT_S) return value
  throw new InvalidArgumentError(`must be a number of seconds, more than 0 and at most ${LONGEST_TIMEOUT_S}.`)
}
