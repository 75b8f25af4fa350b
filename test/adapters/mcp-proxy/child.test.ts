import { afterEach, expect, it, vi } from 'vitest'
import { ServerProcess } from '../../../adapters/mcp-proxy/child.ts'

afterEach(() => void vi.unstubAllEnvs())

/** The environment of a server that tells it. */
async function environmentOfServer(): Promise<Readonly<Record<string, string>>> {
  const server = new ServerProcess([process.execPath, '-p', 'JSON.stringify(process.env)'])
  const { promise, resolve } = Promise.withResolvers<string>()
  server.listen({ line: resolve, tooLong: () => undefined, drained: () => undefined }, 1_048_576)
  const told = await promise
  await server.stop()
  return JSON.parse(told)
}

it('a server is not told where our state is, and has the rest of the environment', async () => {
  vi.stubEnv('HOLDPOINT_STATE', '/srv/hp')
  vi.stubEnv('Holdpoint_Other', 'x')
  vi.stubEnv('NOTES_TOKEN', 'hunter2')
  const environment = await environmentOfServer()
  expect(Object.keys(environment).filter((name) => /^holdpoint/i.test(name))).toEqual([])
  expect(environment).toMatchObject({ NOTES_TOKEN: 'hunter2', PATH: process.env['PATH'] })
})
