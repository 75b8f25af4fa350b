/**
 * The `holdpoint.yaml` that `init` writes.
 *
 * Every tool stands in it, so that `policy lint` sees when one is renamed or goes away, and says nothing (`{}`) until a
 * person deletes the `{} #` in front of a suggestion. Only a tool of which nothing is known says something: `high`.
 */

import { DEFAULT_SERVER } from '../../bytes/names.ts'
import { visible } from '../../bytes/visible.ts'
import { checkOptions } from '../../config/read.ts'
import { parseYaml } from '../../config/yaml.ts'
import { wrap } from '../terminal.ts'
import type { JudgedTool } from './judged.ts'

const LINE = 110
const LONGEST_DESCRIPTION = 160
const LONGEST_REASONS = 240
const LONGEST_NAME = 128

/** Where the tools come from, for the head of the file. */
export interface Origin {
  /** Such as `the server that calls itself "memory"`. UNTRUSTED. */
  readonly from: string
  /** The server that the tools are listed under; one for all, or none. */
  readonly server: string | undefined
  /** Tools of a tool set that run elsewhere. */
  readonly ungated: readonly string[]
}

/**
 * The file's text. It was read back as `createGate` reads it, and says of these tools what it should and nothing else.
 *
 * @throws Error when it does not: nothing that a server says of itself may become a setting
 */
export function configText(tools: readonly JudgedTool[], origin: Origin): string {
  const text = `${[...head(origin), ...sections(tools), ...elsewhere(origin.ungated)].join('\n')}\n`
  const read = checkOptions(parseYaml('holdpoint.yaml', text).value)
  const said = JSON.stringify(Object.entries(read.tools ?? {}))
  const meant = JSON.stringify(
    named(tools).map(({ tool, undecided }) => [tool, undecided ? { materiality: 'high' } : {}]),
  )
  const keys = Object.keys(read).filter((key) => key !== 'tools' && key !== 'server')
  if (said !== meant || keys.length > 0) throw new Error('the written configuration does not read back as it was meant')
  return text
}

type Judged = Extract<JudgedTool, { readonly kind: 'judged' }>

/** Names that a mapping of the configuration may not have. */
const UNNAMEABLE: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype'])

function named(tools: readonly JudgedTool[]): readonly Judged[] {
  return tools.flatMap((tool) => (tool.kind === 'judged' && !UNNAMEABLE.has(tool.tool) ? [tool] : []))
}

function head({ from, server }: Origin): readonly string[] {
  return [
    ...comment(
      `Begun by \`holdpoint init\` from ${from}. It is yours: read it, change it, keep it in version control.`,
    ),
    '#',
    ...comment(
      'Nothing here permits anything or calls anything harmless. While a tool says {}, the gate weighs each call by its ' +
        'name, description, schema and arguments, and the policy decides: without another one ask/v1, under which low ' +
        'runs and medium and high wait for your yes.',
    ),
    '#',
    ...comment(
      'To let a suggestion hold, delete the "{} #" in front of it. A tier that you write down is final: arguments that ' +
        'look dangerous no longer raise it. What else may be said, for instance',
    ),
    '#   { permit: { amount: { max: 500 } }, otherwise: { ask: confirmation } }    or    deny',
    '# and, of a tool that reads what is private or what strangers wrote (exfiltration/v1 goes by it),',
    '#   { reads: [private, untrusted] }',
    '# stands in docs/policies.md. Then: npx holdpoint policy lint --tools FILE, and npx holdpoint check --tools FILE.',
    '',
    ...(server === undefined || server === DEFAULT_SERVER ? [] : serverLines(server)),
    '# policies: [ask/v1]   # what holds without this line, unless there is a policies/*.cedar beside this file: then those',
    '',
  ]
}

function serverLines(server: string): readonly string[] {
  return [
    ...comment(
      `"${server}" is our own name of the server of these tools. Give the same where they are guarded: guardTools(tools, ` +
        `gate, { server: '${server}' }). If they are your program's own, write this line without the #:`,
    ),
    `# server: ${server}`,
    '',
  ]
}

function sections(tools: readonly JudgedTool[]): readonly string[] {
  const lines: string[] = []
  let last = ''
  for (const tool of tools) {
    const title = titleOf(tool)
    if (title !== last) lines.push(`  # ── ${title} ──`, '')
    last = title
    lines.push(...entry(tool), '')
  }
  return named(tools).length === 0 ? ['tools: {}', ...lines] : ['tools:', ...lines]
}

function titleOf(tool: JudgedTool): string {
  if (tool.kind === 'refused') return 'not taken by the gate'
  return tool.undecided ? 'the names of these say nothing: decide' : tool.materiality
}

function entry(tool: JudgedTool): readonly string[] {
  const said = plain(tool.description ?? '', LONGEST_DESCRIPTION)
  const about = said === '' ? [] : comment(`Its own words: ${said}`, '  # ')
  if (tool.kind === 'refused') {
    const refusal = `${plain(tool.tool, LONGEST_NAME)}: ${plain(tool.because, LONGEST_REASONS)}`
    return comment(`${refusal}. Every registration that lists it fails: rename it or leave it out`, '  # ')
  }
  const unheard = tool.undecided && said !== '' ? ['its own words lower nothing'] : []
  const because = plain([...tool.because, ...unheard].join('; '), LONGEST_REASONS)
  const reasons = comment(`${tool.materiality}, ${tool.surface}: ${because}`, '  # ')
  if (UNNAMEABLE.has(tool.tool))
    return [
      ...about,
      ...reasons,
      ...comment(`${tool.tool} is a name that this file cannot hold; the gate weighs it by itself`, '  # '),
    ]
  const word = tool.undecided
    ? '{ materiality: high } # DECIDE: what can it do? Then say its tier, and its surface'
    : `{} # { materiality: ${tool.materiality}${tool.surface === 'unknown' ? '' : `, surface: ${tool.surface}`} }`
  return [...about, ...reasons, `  ${keyOf(tool.tool)}: ${word}`]
}

function elsewhere(ungated: readonly string[]): readonly string[] {
  if (ungated.length === 0) return []
  const names = ungated.map((name) => plain(name, LONGEST_NAME)).join(', ')
  return comment(
    `No gate can stand in front of these, they have no execute: ${names}. guardTools refuses them unless \`ungated\` names them.`,
  )
}

/** A key that YAML can only read as text. */
function keyOf(tool: string): string {
  const isText = /^[A-Za-z_][\w/-]*$/.test(tool) && !/^(true|false|yes|no|on|off|y|n|null)$/i.test(tool)
  return isText ? tool : JSON.stringify(tool)
}

/**
 * UNTRUSTED: a stranger's text in a comment. No line break ends the comment, no escape sequence reaches the terminal of
 * whoever reads the file, nothing is hidden or drawn backwards.
 */
function plain(text: string, most: number): string {
  const shown = visible(
    text
      .slice(0, most * 4)
      .replace(/\s+/g, ' ')
      .trim(),
  )
  return shown.length <= most ? shown : `${shown.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…`
}

function comment(text: string, start = '# '): readonly string[] {
  return wrap(visible(text), LINE - start.length)
    .split('\n')
    .map((line) => `${start}${line}`)
}
