/** What becomes of each server of a configuration, and of its text. */
import { applyEdits, type Edit } from 'jsonc-parser'
import { UnusableInput } from '../exit.ts'
import { partsOf, unwrapEdits, wrapEdits } from './edits.ts'
import { type HostServer, serversOf } from './host-config.ts'
import { treeOf } from './json-text.ts'
import { beginningFor, commandWords, type Launch, type Launcher, wrappedIn } from './launch.ts'
import { ownServerName } from './own-name.ts'

/** What is asked for. */
export interface PlanTerms {
  readonly undo: boolean
  readonly launcher: Launcher
  /** Names of servers, as the host has them; `undefined` is all. */
  readonly only: ReadonlySet<string> | undefined
}

/** What becomes of one server. */
export type Outcome =
  /** Put behind holdpoint now. `launch` is all up to the server's own command. */
  | { readonly kind: 'wrapped'; readonly own: string; readonly launch: readonly string[]; readonly program: string }
  /** Behind holdpoint before. */
  | { readonly kind: 'already' }
  /** Taken from behind holdpoint. */
  | { readonly kind: 'unwrapped' }
  /** Nothing to take back. */
  | { readonly kind: 'bare' }
  /** Reached over HTTP, which a command before a command cannot protect. */
  | {
      readonly kind: 'remote'
      readonly own: string
      readonly url: string
      readonly member: string
      readonly hasHeaders: boolean
    }
  | { readonly kind: 'unusable'; readonly why: string }
  /** Not among the names that were asked for. */
  | { readonly kind: 'left'; readonly protected: boolean }

/** A server and what becomes of it. */
export interface Planned {
  readonly name: string
  readonly section: string
  readonly outcome: Outcome
}

/** The whole configuration, afterwards. */
export interface Plan {
  readonly servers: readonly Planned[]
  readonly text: string
}

/**
 * Reads a configuration and works out its new text. What is no command of a server's stays as it is, byte for byte; `undo` of a
 * wrapped text is the text that there was.
 *
 * @param file its name, for messages
 * @throws UnusableInput
 */
export function planOf(text: string, file: string, terms: PlanTerms): Plan {
  try {
    const servers = serversOf(treeOf(text, file), file)
    checkNames(servers, terms)
    const planned = servers.map((server) => ({ server, ...plan(text, server, terms) }))
    return {
      servers: planned.map(({ server: { name, section }, outcome }) => ({ name, section, outcome })),
      text: applyEdits(text, [...planned.flatMap(({ edits }) => edits)]),
    }
  } catch (error) {
    if (error instanceof UnusableInput && !error.message.startsWith(file))
      throw new UnusableInput(`${file}: ${error.message}`)
    throw error
  }
}

function checkNames(servers: readonly HostServer[], { only }: PlanTerms): void {
  const known = new Set(servers.map(({ name }) => name))
  for (const name of only ?? []) if (!known.has(name)) throw new UnusableInput(`there is no server "${name}"`)
  const byOwn = new Map<string, string>()
  for (const { name, project } of servers) {
    const own = ownServerName(name, project)
    const other = byOwn.get(own)
    if (other !== undefined)
      throw new UnusableInput(`"${other}" and "${name}" would both be called "${own}": rename one of them`)
    byOwn.set(own, name)
  }
}

interface Step {
  readonly outcome: Outcome
  readonly edits: readonly Edit[]
}

function plan(text: string, { name, project, form }: HostServer, { undo, launcher, only }: PlanTerms): Step {
  const stays = (outcome: Outcome): Step => ({ outcome, edits: [] })
  const own = ownServerName(name, project)
  const isAsked = only === undefined || only.has(name)
  switch (form.kind) {
    case 'remote':
      if (!isAsked) return stays({ kind: 'left', protected: false })
      return stays(undo ? { kind: 'bare' } : { ...form, own })
    case 'unusable':
      if (!isAsked) return stays({ kind: 'left', protected: false })
      return stays(undo ? { kind: 'bare' } : form)
    case 'command':
    case 'list': {
      const parts = partsOf(form)
      const wrapped = wrappedIn(parts, launcher)
      if (!isAsked) return stays({ kind: 'left', protected: wrapped !== undefined })
      if (undo) {
        if (wrapped === undefined) return stays({ kind: 'bare' })
        return { outcome: { kind: 'unwrapped' }, edits: unwrapEdits(text, form, wrapped) }
      }
      if (wrapped !== undefined) return stays({ kind: 'already' })
      const hadArgs = form.kind === 'list' || form.args !== undefined
      const launch: Launch = [...beginningFor(parts, launcher), ...commandWords(own, hadArgs)]
      const outcome = { kind: 'wrapped', own, launch, program: parts[0] ?? '' } as const
      return { outcome, edits: wrapEdits(text, form, launch) }
    }
  }
}
