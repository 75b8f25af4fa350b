import { afterEach, describe, expect, it, vi } from 'vitest'
import { handedOn, ServerProcess } from '../../../adapters/mcp-proxy/child.ts'

afterEach(() => void vi.unstubAllEnvs())

/** The environment of a server that tells it. */
async function environmentOfServer(withheld?: ReadonlySet<string>): Promise<Readonly<Record<string, string>>> {
  const server = new ServerProcess([process.execPath, '-p', 'JSON.stringify(process.env)'], withheld)
  const { promise, resolve } = Promise.withResolvers<string>()
  server.listen({ line: resolve, tooLong: () => undefined, drained: () => undefined, deaf: () => undefined }, 1_048_576)
  const told = await promise
  await server.stop()
  return JSON.parse(told)
}

describe('the environment of a server', () => {
  it('is what the host gave: an npx that starts the server does not look for it in the package that holds us', () => {
    const given = { PATH: '/bin', npm_config_registry: 'https://npm.example', TOKEN: 'x' }
    const byNpx = { ...given, npm_command: 'exec', npm_config_package: 'holdpoint', NPM_CONFIG_CALL: 'holdpoint' }
    expect(handedOn(byNpx)).toEqual({ ...given, npm_command: 'exec' })
  })

  it('is left alone where npm did not start us', () => {
    const given = { PATH: '/bin', npm_config_package: 'mine' }
    expect(handedOn(given)).toEqual(given)
  })

  it('holds no credential that is for another server', async () => {
    vi.stubEnv('SHOP_TOKEN', 'hunter2')
    vi.stubEnv('NOTES_TOKEN', 'theirs')
    const environment = await environmentOfServer(new Set(['SHOP_TOKEN']))
    expect(JSON.stringify(environment)).not.toContain('hunter2')
    expect(environment).toMatchObject({ NOTES_TOKEN: 'theirs' })
  })

  it('does not say where our state is', async () => {
    vi.stubEnv('HOLDPOINT_STATE', '/srv/hp')
    vi.stubEnv('Holdpoint_Other', 'x')
    vi.stubEnv('NOTES_TOKEN', 'hunter2')
    const environment = await environmentOfServer()
    expect(Object.keys(environment).filter((name) => /^holdpoint/i.test(name))).toEqual([])
    expect(environment).toMatchObject({ NOTES_TOKEN: 'hunter2', PATH: process.env['PATH'] })
  })
})
