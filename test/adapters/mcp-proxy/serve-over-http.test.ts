import { resolve } from 'node:path'
import { afterEach, expect, it, vi } from 'vitest'
import { serveOverHttp } from '../../../adapters/mcp-proxy/index.ts'
import { testGate } from '../../../src/testing.ts'
import { META, modernHeaders, textOf } from './http-stage.ts'

const TELLING = resolve(import.meta.dirname, '../../support/telling-server-child.ts')

afterEach(() => void vi.unstubAllEnvs())

it('keeps the credential of one server from the command of another', async () => {
  vi.stubEnv('SHOP_TOKEN', 'hunter2')
  vi.stubEnv('NOTES_TOKEN', 'theirs')
  const gate = testGate()
  const served = await serveOverHttp({
    host: '127.0.0.1',
    port: 0,
    upstreams: [
      { kind: 'http', name: 'shop', url: new URL('http://127.0.0.1:1/mcp') },
      { kind: 'command', name: 'notes', command: [process.execPath, TELLING] },
    ],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the environment, as the operator writes it
    upstreamHeaders: ['shop=Authorization: Bearer ${SHOP_TOKEN}'],
    gate,
    viewFor: () => gate.as({ user: 'alice' }),
    note: () => undefined,
  })
  const params = { name: 'environment', arguments: {}, _meta: META }
  const answer = await fetch(`${served.address}/mcp/notes`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/json',
      ...(modernHeaders('tools/call', params) as Record<string, string>),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
  })
  const told = textOf((await answer.json()) as Parameters<typeof textOf>[0])
  await served.close()
  await gate.close()
  expect(told).toContain('theirs')
  expect(told).not.toContain('hunter2')
})
