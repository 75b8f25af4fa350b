/** Policy services as `holdpoint.yaml` names them. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, vi } from 'vitest'
import { createGate } from '../../src/create-gate.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import type { PolicyDecisionPoint, PolicyMisfit, ToolDefinition } from '../../src/types.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const folderOf = temporaryFolders()
const OPA = 'opa: http://127.0.0.1:8181/v1/data/shop/decision'

function gateOf(yaml: string, options: Parameters<typeof createGate>[0] = {}) {
  const folder = folderOf()
  writeFileSync(join(folder, 'holdpoint.yaml'), yaml)
  const effects = { store: createMemoryStore(), signer: generateSigner() }
  return createGate({ config: folder, events: [], effects, ...options })
}

const idsOf = (yaml: string): readonly string[] =>
  gateOf(yaml)
    .health()
    .points.map(({ id }) => id)

describe('points in holdpoint.yaml', () => {
  it('decide alone where no policy was written, and beside the policies where one was', () => {
    expect(idsOf(`points: [{ ${OPA} }]\n`)).toEqual(['opa'])
    expect(idsOf(`policies: ask/v1\npoints: [{ ${OPA} }]\n`)).toEqual(['cedar', 'opa'])
    expect(idsOf(`points: [{ ${OPA} }]\ntools: { refund: { permit: always } }\n`)).toEqual(['cedar', 'opa'])
    expect(idsOf('server: shop\n')).toEqual(['cedar'])
  })

  it('answer for the tools that they declare', () => {
    const two = `points:\n  - { ${OPA}, tools: [shop/*] }\n  - { authzen: https://pdp.example.com, tools: [files/*] }\n`
    expect(gateOf(two).health().points).toMatchObject([
      { id: 'opa', tools: ['shop/*'] },
      { id: 'authzen', tools: ['files/*'] },
    ])
  })

  it('take their secrets from the environment, and say at start which one is missing', () => {
    vi.stubEnv('PDP_TOKEN', 'secret')
    expect(idsOf(`points: [{ ${OPA}, bearer: { env: PDP_TOKEN } }]\n`)).toEqual(['opa'])
    vi.unstubAllEnvs()
    expect(() => gateOf(`points: [{ ${OPA}, bearer: { env: PDP_TOKEN } }]\n`)).toThrow(
      /^holdpoint\.yaml:1:10: .*PDP_TOKEN.*is not set/,
    )
  })

  it.each([
    ['two services in one', `points: [{ ${OPA}, cerbos: http://127.0.0.1:3592 }]\n`, 'must name one service'],
    ['no service', 'points: [{ tools: [shop/*] }]\n', 'must name one service'],
    ['a secret in the file', `points: [{ ${OPA}, bearer: s3cret }]\n`, 'environment variable'],
    ['a misspelt key', `points: [{ ${OPA}, tool: [shop/*] }]\n`, 'tool'],
    ['two of one name', `points: [{ ${OPA} }, { ${OPA} }]\n`, 'named "opa"'],
    ['a tool that cannot be', `points: [{ ${OPA}, tools: [shop*] }]\n`, 'shop/*'],
    ['plain HTTP to another machine', 'points: [{ opa: http://opa.example.com/v1/data/a }]\n', 'https'],
    ['a breaker that never opens', 'breaker: { failures: 0 }\n', 'failures'],
  ])('refuse %s at start', (_, yaml, said) => {
    expect(() => gateOf(yaml)).toThrow(said)
  })

  it('are not left unasked by a policy in code', () => {
    expect(() => gateOf(`points: [{ ${OPA} }]\n`, { policy: () => 'permit' })).toThrow('put them into its list')
  })
})

it('a point in code whose tools could be no tools is refused at start: its rules would hold for nothing', () => {
  const answeringFor = (tools: unknown) => () =>
    gateOf('server: shop\n', { policy: { ...always('mine'), evaluate: () => 'permit', tools } as PolicyDecisionPoint })
  for (const tool of ['shop*', 'Shop/*', 'shop/', 'shop/ref*', 'refund', '', ['*']]) {
    expect(answeringFor([tool])).toThrow('is no tool that a point can answer for')
  }
  expect(answeringFor(['shop/refund', 'shop/a/b', 'shop/*', '*'])().health().points).toHaveLength(1)
})

it('several points in code are asked together, and an empty list permits nothing', async () => {
  const gate = createGate({
    config: false,
    policy: [() => 'permit', { ...always('second'), evaluate: () => ({ kind: 'deny', determining: [], errors: [] }) }],
    events: [],
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  gate.register([{ name: 'pay', origin: 'own', inputSchema: { type: 'object' } }])
  expect(await gate.as({ user: 'alice' }).admit({ tool: 'pay', callId: '1', input: {} })).toMatchObject({
    outcome: 'refused',
    refusal: { code: 'denied_by_policy' },
  })
  expect(() => createGate({ config: false, policy: [] })).toThrow('empty list')
})

it('policies that change are held against the tools again, and those that were mended refuse nothing any more', async () => {
  const misfit = { policy: 'cap', at: 'fetched.cedar:1', message: 'no argument amuont' }
  let misfits: readonly PolicyMisfit[] = [misfit]
  let version = 'one'
  const point: PolicyDecisionPoint = {
    ...always('fetched'),
    get policyDigest() {
      return version.padEnd(43, '0')
    },
    register: () => misfits,
    evaluate: () => ({ kind: 'permit', obligations: [], determining: [], errors: [] }),
  }
  const gate = createGate({
    config: false,
    policy: point,
    events: [],
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  const listing: readonly ToolDefinition[] = [{ name: 'pay', origin: 'own' }]
  const pay = async (callId: string): Promise<string> => {
    const result = await gate.as({ user: 'alice' }).run({ tool: 'pay', callId, input: {} }, () => 'paid')
    return result.outcome === 'ran' ? 'ran' : result.refusal.code
  }
  expect([gate.register(listing), await pay('1')]).toEqual([[misfit], 'policy_error'])
  misfits = []
  version = 'two'
  expect([gate.register(listing), await pay('2')]).toEqual([[], 'ran'])
  misfits = [misfit]
  version = 'three'
  expect([gate.register(listing), await pay('3')]).toEqual([[misfit], 'policy_error'])
})

function always(id: string) {
  return {
    id,
    policyDigest: id.padEnd(43, '0'),
    rederivable: false,
    readsSession: false,
    register: () => [],
    explain: () => ({ constraints: [], policies: [] }),
  } as const
}
