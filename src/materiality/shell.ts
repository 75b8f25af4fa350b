import parse from 'shell-quote/parse.js'

/** How much of a command is parsed. What stands behind it runs as well; the tier does not depend on it. */
const MOST_READ = 2_048
const MOST_PROGRAMS = 8
/** UNTRUSTED: only a name that every shell takes for one is repeated. */
const PROGRAM = /^[A-Za-z0-9_.+-]{1,32}$/
const ASSIGNMENT = /^[A-Za-z_][A-Za-z0-9_]*=/
/** Operators behind which a file is named, or what a program reads; behind all others another command begins. */
const REDIRECTS = new Set(['>', '>>', '<', '<<', '<<<', '<<-', '>&', '>|', '&>', '&>>', '<&', '<>'])

/**
 * The programs that a shell command starts, by name and in order, as a reader of a receipt wants to know them. What a program then
 * starts (`sh -c`) is its own business. Never throws; nothing rests on it, since whatever is run is high.
 */
export function programsIn(command: string): readonly string[] {
  const found = new Set<string>()
  for (const line of command.slice(0, MOST_READ).split('\n')) for (const program of programsOf(line)) found.add(program)
  return [...found].slice(0, MOST_PROGRAMS)
}

function programsOf(line: string): readonly string[] {
  const found: string[] = []
  let begins = true
  let isFile = false
  for (const token of tokensOf(line)) {
    if (typeof token !== 'string') {
      isFile = 'op' in token && REDIRECTS.has(token.op)
      if ('op' in token && !isFile && token.op !== 'glob') begins = true
      continue
    }
    if (isFile) isFile = false
    else if (begins && token !== '' && token !== '$' && !ASSIGNMENT.test(token)) {
      const name = token.slice(token.lastIndexOf('/') + 1)
      if (PROGRAM.test(name)) found.push(name)
      begins = false
    }
  }
  return found
}

function tokensOf(line: string): ReturnType<typeof parse> {
  try {
    // A variable stays what it is called: its value is not ours to know.
    return parse(line, (name) => `$${name}`)
  } catch {
    return []
  }
}
