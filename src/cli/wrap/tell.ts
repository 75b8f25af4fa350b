/** How `wrap` tells a person what it did. Arguments of servers are not shown: they may hold a password. */

import { visible } from '../../bytes/visible.ts'
import { homely } from '../context.ts'
import { type Terminal, wrap } from '../terminal.ts'
import { beginningFor, readLauncher } from './launch.ts'
import type { Outcome, Plan, Planned } from './plan.ts'
import { startsInProject } from './project-file.ts'

/** What else there is to say. */
export interface Told {
  readonly file: string
  readonly undo: boolean
  readonly dryRun: boolean
  /** `--command`, as it was written. */
  readonly command: string | undefined
}

const LISTEN = '127.0.0.1:8808'

/** Is this server reached past holdpoint still? */
function isUnprotected({ kind }: Outcome): boolean {
  return kind === 'remote' || kind === 'unusable'
}

/** A table of the servers, what to do about the others, how to undo it, and that the host must be started anew. */
export function tellPlan({ servers }: Plan, told: Told, terminal: Terminal): void {
  const { out, style, width } = terminal
  out(`${style('bold', visible(homely(told.file)))}  ${summary(servers, told)}`)
  out('')
  const names = servers.map(({ name }) => visible(name))
  const column = Math.min(Math.max(...names.map((name) => name.length)), 32) + 2
  for (const [index, { outcome }] of servers.entries()) {
    const { state, text } = stateOf(outcome, told)
    const padded = state.padEnd(STATE_WIDTH)
    const label = `  ${(names[index] ?? '').padEnd(column)}`
    const indent = label.length + STATE_WIDTH
    const about = wrap(visible(text), width - indent).replaceAll('\n', `\n${' '.repeat(indent)}`)
    out(`${label}${isUnprotected(outcome) ? style('yellow', padded) : padded}${about}`.trimEnd())
  }
  tellRemote(servers, told, terminal)
  tellProject(servers, told, terminal)
  if (!servers.some(({ outcome }) => outcome.kind === 'wrapped' || outcome.kind === 'unwrapped')) return
  out('')
  if (told.dryRun) {
    out('Nothing was written. Without --dry-run it would be.')
    return
  }
  out('Restart the host: it reads this file when it starts.')
  if (told.undo) return
  out('To see the calls, and to say yes where one needs you:')
  out(`  ${started(told)} watch`)
  out('To take it back:')
  out(
    `  ${started(told)} wrap ${quoted(visible(told.file))} --undo${told.command === undefined ? '' : ` --command ${quoted(told.command)}`}`,
  )
}

const STATE_WIDTH = 16

function stateOf(outcome: Outcome, { dryRun }: Told): { readonly state: string; readonly text: string } {
  switch (outcome.kind) {
    case 'wrapped':
      return { state: dryRun ? 'to be wrapped' : 'wrapped', text: `${outcome.launch.join(' ')} ${outcome.program} …` }
    case 'already':
      return { state: 'wrapped before', text: '' }
    case 'unwrapped':
      return { state: dryRun ? 'to be unwrapped' : 'unwrapped', text: 'as it was' }
    case 'bare':
      return { state: 'not wrapped', text: '' }
    case 'remote':
      return { state: 'NOT PROTECTED', text: `it is reached over HTTP (${placeOf(outcome.url)})` }
    case 'unusable':
      return { state: 'NOT PROTECTED', text: outcome.why }
    case 'left':
      return { state: outcome.protected ? 'wrapped before' : 'left alone', text: '' }
  }
}

function summary(servers: readonly Planned[], { undo, dryRun }: Told): string {
  const changed = servers.filter(({ outcome }) => outcome.kind === 'wrapped' || outcome.kind === 'unwrapped').length
  const unprotected = servers.filter(({ outcome }) => isUnprotected(outcome)).length
  const verb = undo ? 'unwrapped' : 'wrapped'
  const done = changed === 0 ? `nothing to ${undo ? 'unwrap' : 'wrap'}` : `${changed} ${dryRun ? 'to be ' : ''}${verb}`
  return unprotected === 0 ? done : `${done}, ${unprotected} not protected`
}

/** A server over HTTP is protected by a holdpoint that listens, and by a URL that leads there. */
function tellRemote(servers: readonly Planned[], told: Told, { out, width }: Terminal): void {
  const remote = servers.flatMap(({ outcome }) => (outcome.kind === 'remote' ? [outcome] : []))
  if (remote.length === 0) return
  out('')
  out(
    wrap(
      'What is reached over HTTP is protected by a holdpoint that listens. Keep this running, and write its URL into the configuration:',
      width,
    ),
  )
  const upstreams = remote.map(({ own, url }) => ` --upstream ${quoted(`${own}=${visible(placeOf(url))}`)}`)
  out(`  ${started(told)} mcp --listen ${LISTEN}${upstreams.join('')}`)
  for (const { own, member } of remote) out(`  "${member}": "http://${LISTEN}/mcp/${own}"`)
  const [withHeaders] = remote.filter(({ hasHeaders }) => hasHeaders)
  if (withHeaders === undefined) return
  const { own } = withHeaders
  out(
    wrap(
      `The "headers" there are for this holdpoint then, and go no further. What ${own} is to be told, tell holdpoint:`,
      width,
    ),
  )
  out(`  --upstream-header '${own}=Authorization: Bearer \${VARIABLE}'`)
}

/** npx looks for holdpoint in the host's working folder first: in a project, that is where the agent works. */
function tellProject(servers: readonly Planned[], { file, command, dryRun }: Told, { out, width }: Terminal): void {
  const isOurs = command === undefined && servers.some(({ outcome }) => outcome.kind === 'wrapped')
  if (!isOurs || !startsInProject(file)) return
  out('')
  out(
    wrap(
      "These servers start in a project's folder, and there npx runs whatever node_modules/holdpoint it finds before the one that is published. Where somebody else, or an agent, may write to that folder, install holdpoint and name it:",
      width,
    ),
  )
  const shown = quoted(visible(file))
  out('  npm install --global holdpoint')
  if (!dryRun) out(`  holdpoint wrap ${shown} --undo`)
  out(`  holdpoint wrap ${shown} --command holdpoint`)
}

function started({ command }: Told): string {
  return beginningFor([], readLauncher(command)).map(quoted).join(' ')
}

/** A URL without what may be a password in it: its user, its query. */
function placeOf(text: string): string {
  const url = URL.parse(text)
  if (url === null) return 'a URL that cannot be read'
  return `${url.origin}${url.pathname}${url.search === '' ? '' : '?…'}`
}

/** A word as a shell takes it; double quotes are understood on Windows too. */
function quoted(text: string): string {
  if (/^[\w@%+=:,./~\\-]+$/.test(text)) return text
  return /^[\w@+=:,./~\\ ()-]+$/.test(text) ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`
}

/** The same for programs. */
export function planAsJson({ servers }: Plan, file: string, wrote: boolean, undo: boolean): object {
  return {
    file,
    wrote,
    undo,
    servers: servers.map(({ name, section, outcome }) => ({ name, section, ...outcomeAsJson(outcome) })),
  }
}

function outcomeAsJson(outcome: Outcome): object {
  switch (outcome.kind) {
    case 'wrapped':
      return { state: 'wrapped', server: outcome.own, launch: outcome.launch }
    case 'remote':
      return { state: 'remote', server: outcome.own, url: placeOf(outcome.url) }
    case 'unusable':
      return { state: 'unusable', why: outcome.why }
    case 'left':
      return { state: 'left', protected: outcome.protected }
    case 'already':
    case 'unwrapped':
    case 'bare':
      return { state: outcome.kind }
  }
}
