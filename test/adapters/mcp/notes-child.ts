// The notes server over stdio, in both eras, guarded where it is told to be. Says on stderr what it runs.
import { Server } from '@modelcontextprotocol/server'
import { serveStdio } from '@modelcontextprotocol/server/stdio'

const DENY_DELETES = `
@id("rest") permit (principal, action, resource);
@id("no-deletes") forbid (principal, action == Action::"notes/delete_note", resource);
`

function make(): Server {
  const server = new Server({ name: 'notes', version: '1.0.0' }, { capabilities: { tools: {} } })
  const tools = ['read_note', 'delete_note'].map((name) => ({ name, inputSchema: { type: 'object' as const } }))
  server.setRequestHandler('tools/list', () => ({ tools }))
  server.setRequestHandler('tools/call', ({ params }) => {
    process.stderr.write(`ran ${params.name}\n`)
    return { content: [{ type: 'text' as const, text: `${params.name} done` }] }
  })
  return server
}

/** Loaded only where it is used: it is the larger part. */
async function guarded(): Promise<() => Server> {
  const [{ guardServer }, { testGate }] = await Promise.all([
    import('../../../adapters/mcp/index.ts'),
    import('../../../src/testing.ts'),
  ])
  const alice = testGate({ server: 'notes', policy: DENY_DELETES }).as({ user: 'alice' })
  return () => guardServer(make(), alice)
}

serveStdio(process.argv[2] === 'guarded' ? await guarded() : make)
