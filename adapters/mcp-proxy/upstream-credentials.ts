/** The proxy's own headers for its upstreams: `--upstream-header NAME='Authorization: Bearer ${TOKEN}'` or `NAME=@file`. */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { HoldpointError } from '../../src/index.ts'
import type { HeaderField } from './upstream-headers.ts'

/** What the upstreams are told. */
export interface UpstreamCredentials {
  /** By upstream, by header in lower case. */
  readonly headers: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** The variables of the environment that any of it came from: they concern no other server. */
  readonly variables: ReadonlySet<string>
}

const MOST_FILE_BYTES = 65_536
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const FIELD_VALUE = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/
const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g
/** Headers whose values open doors. On a command line every user of the machine can read them. */
const SECRET = /^(?:authorization|cookie)$|api-?key|token|secret/
/** Headers that are the proxy's own to write. */
const RESERVED =
  /^(?:host|connection|keep-alive|te|trailer|transfer-encoding|upgrade|proxy-.*|content-.*|accept|accept-encoding|expect|mcp-.*|last-event-id)$/

/**
 * Reads what the operator says the upstreams are told.
 *
 * @param written each `NAME=Header: value`, where `${VARIABLE}` stands for a variable of the environment, or `NAME=@file`: a file
 *   of such lines (`#` begins a comment) that only this user can read
 * @param upstreams the names that there are
 * @throws HoldpointError ERR_CONFIG, saying what is missing and never what is there
 */
export function readUpstreamHeaders(
  written: readonly string[],
  upstreams: ReadonlySet<string>,
  environment: Readonly<Record<string, string | undefined>>,
): UpstreamCredentials {
  const found = new Map<string, Map<string, string>>()
  const variables = new Set<string>()
  const variableNamed = (variable: string) => {
    variables.add(variable)
    return environment[variable]
  }
  for (const one of written) {
    const { name, rest } = split(one, upstreams)
    const headers = found.get(name) ?? new Map<string, string>()
    found.set(name, headers)
    const lines = rest.startsWith('@') ? linesOf(rest.slice(1), name) : [{ line: rest, place: `for ${name}` }]
    for (const { line, place } of lines) {
      const [header, value] = read(line, place, variableNamed, rest.startsWith('@'))
      if (headers.has(header)) throw wrong(`${place}: the header ${header} is given twice`)
      headers.set(header, value)
    }
  }
  return { headers: found, variables }
}

function split(one: string, upstreams: ReadonlySet<string>): { readonly name: string; readonly rest: string } {
  const equals = one.indexOf('=')
  const name = one.slice(0, Math.max(equals, 0))
  if (upstreams.has(name)) return { name, rest: one.slice(equals + 1) }
  // What was written may hold a secret: of it, only what looks like a name is repeated.
  const named = /^[a-z0-9-]{1,32}$/.test(name) ? `there is no upstream "${name}"` : 'begins with no name of an upstream'
  throw wrong(`${named}: write NAME='Header: value' or NAME=@file, where NAME is ${[...upstreams].join(' or ')}`)
}

function read(
  line: string,
  place: string,
  variableNamed: (variable: string) => string | undefined,
  isFromFile: boolean,
): HeaderField {
  const colon = line.indexOf(':')
  const header = line.slice(0, Math.max(colon, 0)).trim().toLowerCase()
  if (!FIELD_NAME.test(header)) throw wrong(`${place}: must be written "Header: value"`)
  if (RESERVED.test(header)) throw wrong(`${place}: the header ${header} is the proxy's own`)
  const template = line.slice(colon + 1).trim()
  if (!isFromFile && SECRET.test(header) && template.search(VARIABLE) < 0) {
    throw wrong(
      `${place}: whoever lists the processes of this machine could read ${header}: write \${VARIABLE} for it, or @file`,
    )
  }
  const value = template.replaceAll(VARIABLE, (_, variable: string) => {
    const said = variableNamed(variable)
    if (said !== undefined && said !== '') return said
    throw wrong(`${place}: ${header} needs the variable ${variable}, which is ${said === '' ? 'empty' : 'not set'}`)
  })
  if (!FIELD_VALUE.test(value)) throw wrong(`${place}: the value of ${header} is empty, or cannot stand in a header`)
  return [header, value]
}

function linesOf(path: string, name: string): readonly { readonly line: string; readonly place: string }[] {
  const lines = privateText(path, name).split(/\r?\n/)
  const told = lines.map((line, index) => ({ line: line.trim(), place: `${path}:${index + 1}` }))
  const filled = told.filter(({ line }) => line !== '' && !line.startsWith('#'))
  if (filled.length === 0) throw wrong(`for ${name}: ${path} holds no header`)
  return filled
}

/** The text of a file that no other user could have read. */
function privateText(path: string, name: string): string {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw wrong(`for ${name}: ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    const about = fstatSync(file)
    if (!about.isFile()) throw wrong(`for ${name}: ${path} is not a regular file`)
    // On Windows modes say nothing: the folder's list of who may read it does.
    if (process.platform !== 'win32' && (about.mode & 0o077) !== 0)
      throw wrong(`for ${name}: other users can read ${path}: chmod 600 it, and replace what it held`)
    if (about.size > MOST_FILE_BYTES) throw wrong(`for ${name}: ${path} is larger than ${MOST_FILE_BYTES} bytes`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

function wrong(why: string): HoldpointError {
  return new HoldpointError('ERR_CONFIG', `--upstream-header: ${why}`, { at: '--upstream-header' })
}
