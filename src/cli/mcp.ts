/** `holdpoint mcp`: the gate between an MCP host and its servers. */
import { Command, Option } from 'commander'
import type { CommandContext } from './context.ts'
import { UnusableInput } from './exit.ts'
import { type Flags, readPlan } from './mcp/plan.ts'
import { repeatable } from './repeatable.ts'

export function mcpCommand(context: CommandContext): Command {
  const { terminal } = context
  return new Command('mcp')
    .argument('[COMMAND...]', 'what starts the server, after --')
    .option('--name <NAME>', 'what you call this server: its tools are NAME/tool in policies, pins and receipts')
    .option('--policy <POLICY>', 'a shipped policy, a file or a folder (repeatable; default: ask/v1)', repeatable)
    .option('--config <FILE>', 'a holdpoint.yaml; without it none is read, wherever this is started')
    .option('--principal <USER>', 'who asks (default: the user of this account)')
    .option('--observe', 'decide and keep receipts, and block nothing; needs --until')
    .option('--until <DATE>', 'when observing ends, 30 days from now at most')
    .option(
      '--timeout <SECONDS>',
      'how long a server may take to answer a request (default: no limit; over HTTP, 300 to begin)',
    )
    .option('--listen <HOST:PORT>', 'serve over HTTP, each upstream at /mcp/NAME')
    .option('--upstream <NAME=URL>', 'a server that is reached over HTTP (repeatable)', repeatable)
    .option(
      '--upstream-header <NAME=HEADER>',
      `told to an upstream: NAME="Authorization: Bearer \${VAR}", or NAME=@FILE`,
      repeatable,
    )
    .option('--tls-cert <FILE>', 'certificate in PEM')
    .option('--tls-key <FILE>', 'its key in PEM')
    .option('--behind-proxy', 'a reverse proxy of your own stands in front, and speaks TLS')
    .option('--public-url <URL>', 'how clients reach it, where that is not the address')
    .option('--origin <ORIGIN>', 'a site whose pages may call (repeatable)', repeatable)
    .option('--issuer <URL>', 'whose bearer tokens count; needs --jwks')
    .option('--jwks <URL|FILE>', 'the public keys of the issuer')
    .option('--audience <AUDIENCE>', 'what a token must be for (default: the URL of the upstream here)')
    .option('--scope <SCOPE>', 'a scope that a token must have (repeatable)', repeatable)
    .option('--roles-claim <CLAIM>', 'where a token has its roles (default: roles)')
    .option('--tenant-claim <CLAIM>', 'where a token has its tenant')
    .option('--agent-claim <CLAIM>', 'where a token has the program that asks')
    .addOption(new Option('--access-token-type', 'take tokens of type at+jwt alone'))
    .option('--max-sessions <COUNT>', 'sessions at once, of each upstream (default: 1000)')
    .option('--max-children <COUNT>', 'processes at once, of a command (default: 64)')
    .option('--idle <MINUTES>', 'when a session that nobody uses is ended (default: 30)')
    .addHelpText(
      'after',
      `
Over stdio, stdout is for MCP alone. Exits 0 when the host ends it, 1 when the server ends by itself, 2 when nothing was
served. Where a call needs a person's yes: the host's own form if it has one, else "holdpoint watch" in a terminal.

Examples:
  holdpoint mcp --name files -- npx -y @modelcontextprotocol/server-filesystem ~/notes
  holdpoint mcp --name shop --config holdpoint.yaml -- node shop.js
  holdpoint mcp --listen 127.0.0.1:8808 --upstream shop=https://mcp.example.com/mcp`,
    )
    .action(async (command: readonly string[], flags: Flags) => {
      const plan = readPlan(command, flags)
      const { runProxy } = await import('./mcp/run.ts')
      const end = await runProxy(plan, (line) => terminal.note(line))
      if (end.kind === 'nothing_served') throw new UnusableInput(end.because)
      context.end(end.code)
    })
}
