/** `holdpoint override create`: a new override, signed. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Command } from 'commander'
import { counted } from '../../bytes/counted.ts'
import { checkClaims, LONGEST_LIFE_MS, MOST_USES, type OverrideClaims } from '../../override/claims.ts'
import { readOverride, signOverride } from '../../override/signed.ts'
import { type CommandContext, homely } from '../context.ts'
import { reasonOf, UnusableInput } from '../exit.ts'
import { stillNeeded } from './file.ts'
import { personsKey } from './key.ts'

const MINUTE_MS = 60_000
const MOST_MINUTES = LONGEST_LIFE_MS / MINUTE_MS

interface Flags {
  readonly key: string
  readonly tools: string
  readonly environment: string
  readonly principal: string
  readonly tenant?: string
  readonly minutes: string
  readonly uses: string
  readonly reason: string
  readonly ticket: string
  readonly out?: string
  readonly json?: true
}

/** Where a claim comes from, for whoever has to mend it. */
const FLAG_OF: ReadonlyMap<string, string> = new Map([
  ['tools', '--tools'],
  ['environment', '--environment'],
  ['principal', '--principal'],
  ['expires', '--minutes'],
  ['most', '--uses'],
  ['reason', '--reason'],
  ['ticket', '--ticket'],
])

export function createCommand({ terminal }: CommandContext): Command {
  return new Command('create')
    .requiredOption('--key <FILE>', 'your private key (holdpoint override key)')
    .requiredOption('--tools <NAMES>', 'tools with their server, such as shop/restock,shop/label; shop/* or *')
    .requiredOption('--environment <NAME>', 'the environment.name of the gates that it is for')
    .requiredOption('--principal <WHO>', 'a user (alice), an agent (agent:support) or any')
    .option('--tenant <NAME>', 'the tenant of that principal')
    .option('--minutes <N>', `how long it lives, at most ${MOST_MINUTES}`, '30')
    .option('--uses <N>', `how many calls it may let run, at most ${MOST_USES}`, '20')
    .requiredOption('--reason <TEXT>', 'why, for whoever reads the receipts')
    .requiredOption('--ticket <ID>', 'where the outage is written down')
    .option('--out <FILE>', 'where to write it instead of stdout; never over a file')
    .option('--json', 'print one JSON object')
    .addHelpText(
      'after',
      `\nIt lets medium calls run while no policy answers, and nothing else: not high ones, and never against an answer. Its time
begins now. Anything wider than one tool and one principal needs a second signature (holdpoint override sign).

Example:
  holdpoint override create --key ~/keys/override.pem --tools shop/restock --environment production \\
    --principal alice --reason 'policy service down' --ticket OPS-1 > restock.override`,
    )
    .action((flags: Flags) => {
      const claims = claimsOf(flags, Date.now())
      const text = signOverride(claims, personsKey(flags.key))
      const signed = readOverride(text)
      const missing = stillNeeded(signed)
      if (flags.out !== undefined) writeNew(flags.out, text)
      if (flags.json === true) {
        const file = flags.out === undefined ? {} : { file: flags.out }
        terminal.out(
          JSON.stringify({ id: signed.id, complete: missing === undefined, ...file, override: JSON.parse(text) }),
        )
        return
      }
      if (flags.out === undefined) terminal.out(text)
      const where = flags.out === undefined ? '' : ` in ${homely(flags.out)}`
      terminal.note(
        `${signed.id}${where}, until ${new Date(claims.expires).toISOString()}, at most ${counted(claims.most, 'call')}`,
      )
      terminal.note(missing ?? 'next, where the gates run: holdpoint override install FILE')
    })
}

/** @throws UnusableInput naming the option that does not fit */
function claimsOf(flags: Flags, now: number): OverrideClaims {
  const minutes = wholeNumber(flags.minutes)
  if (minutes === undefined || minutes < 1 || minutes > MOST_MINUTES)
    throw new UnusableInput(`--minutes must be a whole number from 1 to ${MOST_MINUTES}`)
  const checked = checkClaims({
    v: 1,
    nonce: randomBytes(16).toString('base64url'),
    tools: [...new Set(flags.tools.split(',').map((tool) => tool.trim()))].sort(),
    environment: flags.environment,
    principal: principalOf(flags),
    notBefore: now,
    expires: now + minutes * MINUTE_MS,
    most: wholeNumber(flags.uses),
    reason: flags.reason,
    ticket: flags.ticket,
  })
  if ('claims' in checked) return checked.claims
  const { at, because } = checked.fault
  throw new UnusableInput(`${FLAG_OF.get(at.split('/')[1] ?? '') ?? 'the override'} ${because}`)
}

function principalOf({ principal, tenant }: Flags): unknown {
  if (principal === 'any') {
    if (tenant !== undefined) throw new UnusableInput('--tenant belongs to one principal, and --principal is any')
    return 'any'
  }
  const [, type = 'user', id = ''] = /^(?:(user|agent):)?(.*)$/su.exec(principal) ?? []
  return { type, id, ...(tenant === undefined ? {} : { tenant }) }
}

function wholeNumber(text: string): number | undefined {
  return /^\d{1,9}$/.test(text) ? Number(text) : undefined
}

function writeNew(file: string, text: string): void {
  try {
    writeFileSync(file, `${text}\n`, { flag: 'wx' })
  } catch (error) {
    throw new UnusableInput(`cannot write ${file}: ${reasonOf(error)}`)
  }
}
