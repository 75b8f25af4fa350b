// The fixture over HTTP behind `guardServer`, in one process, with a gate that permits everything and keeps its receipts.
import { guardServer } from '../../../adapters/mcp/index.ts'
import { createGate } from '../../../src/index.ts'
import { createFixture } from './fixture.ts'
import { serveFixture } from './http-server.ts'

const gate = createGate({ config: false, server: 'fixture', policy: () => 'permit' })
const asUser = { viewFor: () => gate.as({ user: 'conformance' }) }
const url = await serveFixture((announcer) => guardServer(createFixture(announcer), gate, asUser))
process.stdout.write(`${url}\n`)
process.once('SIGTERM', () => void gate.close().then(() => process.exit()))
