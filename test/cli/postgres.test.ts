/** The commands on a store in PostgreSQL, named in holdpoint.yaml. */
import { generateKeyPairSync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { sha256Bytes } from '../../src/bytes/digest.ts'
import { createGate } from '../../src/create-gate.ts'
import { findFault } from '../../src/log/fsck.ts'
import { logFiles } from '../../src/store/log-files.ts'
import { logReader } from '../../src/store/log-reader.ts'
import { hasPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { createMachine, type Machine } from './holdpoint.ts'

const LOG_KEY = 'HOLDPOINT_TEST_LOG_KEY'
const VARIABLE = 'HOLDPOINT_TEST_DATABASE'
const YAML = `
store: { postgres: { connection: { env: ${VARIABLE} } } }
tools: { refund: { materiality: high }, look: { materiality: low, surface: read } }
policies: rules.cedar
log: { everyMs: 100, key: { env: ${LOG_KEY} } }
`
const RULES = `
@id("low") permit (principal, action, resource) when { action in Action::"low" };
@id("no-refunds") @refusal("No refunds today.") forbid (principal, action == Action::"local/refund", resource);
`

describe.skipIf(!hasPostgres)('a store in PostgreSQL that holdpoint.yaml names', () => {
  let server: PostgresServer
  let machine: Machine
  beforeAll(async () => {
    server = await startPostgres()
  })
  beforeEach(async () => {
    await server.sql('DROP SCHEMA IF EXISTS holdpoint CASCADE')
    machine = createMachine()
    writeFileSync(join(machine.folder, 'holdpoint.yaml'), YAML)
    writeFileSync(join(machine.folder, 'rules.cedar'), RULES)
    process.env[VARIABLE] = server.connectionString
    process.env[LOG_KEY] = JSON.stringify(generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' }))
    process.env['HOLDPOINT_STATE'] = machine.state
  })
  afterEach(() => {
    delete process.env[VARIABLE]
    delete process.env[LOG_KEY]
    delete process.env['HOLDPOINT_STATE']
    machine.remove()
  })
  afterAll(async () => await server?.end())

  const config = () => ({ file: join(machine.folder, 'holdpoint.yaml') })
  const file = (name: string) => join(machine.folder, name)

  async function useGate(calls = 5) {
    const gate = createGate({ config: config() })
    gate.register(['refund', 'look'].map((name) => ({ name, inputSchema: { type: 'object' }, origin: 'own' as const })))
    const me = gate.as({ user: 'alice' }, { conversation: 'c1' })
    for (let call = 0; call < calls; call += 1)
      expect(await me.run({ tool: 'look', callId: `${call}`, input: {} }, () => 'seen')).toMatchObject({
        outcome: 'ran',
      })
    const refused = await me.run({ tool: 'refund', callId: 'r', input: { amount: 900 } }, () => 'done')
    if (refused.outcome !== 'refused') throw new Error('it ran')
    return { gate, receipt: refused.refusal.receipt ?? '' }
  }

  async function here(...args: readonly string[]) {
    const ended = await machine.here(args)
    expect(JSON.stringify(ended)).not.toContain('hunter2')
    return ended
  }

  it('is kept in a log by its gates, and is what every command reads', async () => {
    const { gate, receipt } = await useGate()
    for (let waits = 0; gate.health().log?.state !== 'current' && waits < 400; waits += 1) await delay(50)
    expect(gate.health().log).toMatchObject({ state: 'current' })
    const second = createGate({ config: config(), name: 'second' })
    await second.ready()
    await gate.close()
    await second.close()

    expect(await here('log', 'checkpoint')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^15 receipts are logged/),
    })
    expect(await here('log', 'fsck')).toMatchObject({
      code: 0,
      stdout: '15 leaves: every file, every checkpoint and every receipt is as it should be\n',
    })
    const head = await here('log', 'head')
    writeFileSync(file('checkpoint'), head.stdout)
    writeFileSync(file('shop.policy'), `log ${(await here('log', 'key')).stdout}quorum none\n`)
    expect(await here('verify', '--json')).toMatchObject({ code: 0 })
    expect(JSON.parse((await here('verify', '--json')).stdout)).toMatchObject({
      ok: true,
      verified: 15,
      path: `PostgreSQL (${VARIABLE}), schema holdpoint`,
    })
    expect(await here('why')).toMatchObject({ code: 0, stdout: expect.stringContaining('No refunds today.') })
    expect(await here('trace', receipt)).toMatchObject({ code: 0, stdout: expect.stringContaining('local/refund') })
    expect(await here('trace', '--conversation', 'c1')).toMatchObject({ code: 0 })
    expect(await here('keys', 'list')).toMatchObject({ code: 0 })

    writeFileSync(file('keys.json'), (await here('keys')).stdout)
    expect(await here('export', '--open', '--out', file('all.holdpoint.jsonl'))).toMatchObject({ code: 0 })
    expect(await here('export', '--trace', receipt, '--out', file('one.holdpoint.jsonl'))).toMatchObject({ code: 0 })
    const required = 'inclusion,consistency,continuity,lineage,pairing,openings'
    const terms = ['--keys', file('keys.json'), '--log', file('shop.policy')]
    const all = await here(
      'verify',
      file('all.holdpoint.jsonl'),
      ...terms,
      '--checkpoint',
      file('checkpoint'),
      '--require',
      required,
    )
    expect({ code: all.code, said: all.stdout }).toEqual({ code: 0, said: expect.stringContaining('15') })
    expect(await here('verify', file('one.holdpoint.jsonl'), ...terms, '--require', 'inclusion')).toMatchObject({
      code: 0,
    })
    const copied = await here('log', 'copy', file('www'))
    expect(copied).toMatchObject({ code: 0, stdout: expect.stringMatching(/^15 leaves of .*, 3 files written now/) })
    expect(readFileSync(file('www/checkpoint'), 'utf8')).toBe(head.stdout)
    const storage = logFiles(file('www'))
    const copy = logReader(storage)
    const says = await copy.head()
    if (says === undefined) throw new Error('nothing was copied')
    expect(await findFault({ storage, sha256: sha256Bytes }, says)).toBeUndefined()
    const doctor = await here('doctor')
    expect(doctor.stdout).toContain('PostgreSQL database postgres, schema holdpoint: fsync')
    expect(doctor.stdout).toContain('15 receipts under a signed checkpoint')
    expect(await here('erase', receipt)).toMatchObject({ code: 2, stderr: expect.stringContaining('docs/postgres.md') })
  }, 60_000)

  it('is where the MCP proxy keeps its receipts', async () => {
    const server = [process.execPath, resolve(import.meta.dirname, '../support/odd-server-child.ts'), file('ran')]
    const proxy = await machine.run(['mcp', '--config', config().file, '--name', 'odd', '--', ...server])
    expect(proxy.code).toBe(0)
    expect(proxy.stderr).toContain(`receipts: PostgreSQL (${VARIABLE}), schema holdpoint`)
    expect(JSON.parse((await here('verify', '--json')).stdout)).toMatchObject({ ok: true, verified: 2, sealed: true })
  }, 60_000)

  it('leaves the log to one of its gates; the next, on another machine, goes on where that one ends', async () => {
    const { gate } = await useGate()
    process.env['HOLDPOINT_STATE'] = join(machine.folder, 'another machine')
    const other = createGate({ config: config(), name: 'other' })
    await other.ready()
    const states = () => [gate, other].map((one) => one.health().log?.state).sort()
    for (let waits = 0; states().join() !== 'current,elsewhere' && waits < 400; waits += 1) await delay(50)
    expect(states()).toEqual(['current', 'elsewhere'])
    await gate.close()
    for (let waits = 0; other.health().log?.state !== 'current' && waits < 400; waits += 1) await delay(50)
    expect(other.health().log).toMatchObject({ state: 'current' })
    expect(existsSync(join(machine.state, 'keys', 'log-key'))).toBe(false)
    await other.close()
    expect(await here('log', 'fsck')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^15 leaves: every file/),
    })
  }, 60_000)

  it('says what to get where it cannot be read, and never a password', async () => {
    const at = (change: Partial<URL>) => {
      const url = new URL(server.connectionString)
      url.password = 'hunter2'
      Object.assign(url, change)
      process.env[VARIABLE] = url.href
    }
    await useGate(1).then(({ gate }) => gate.close())
    await server.sql('DROP ROLE IF EXISTS eve')
    await server.sql('CREATE ROLE eve LOGIN')
    const cases: readonly (readonly [Partial<URL>, RegExp])[] = [
      [{ port: '1' }, /ECONNREFUSED.*is the server running there\?/],
      [{ pathname: '/shop' }, /database "shop" does not exist; there is no such database/],
      [{ username: 'mallory' }, /role "mallory" does not exist/],
      [{ username: 'eve' }, /permission denied.*grant what docs\/postgres\.md lists under "Roles"/],
    ]
    for (const [change, says] of cases) {
      at(change)
      for (const command of [['verify'], ['log', 'fsck'], ['export']])
        expect(await here(...command)).toMatchObject({ code: 2, stderr: expect.stringMatching(says) })
    }
    process.env[VARIABLE] = 'postgres://eve:hunter2@[/'
    expect(await here('verify')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('connection string is none'),
    })
    delete process.env[VARIABLE]
    const unset = /holdpoint\.yaml:2:\d+: the environment variable HOLDPOINT_TEST_DATABASE is not set/
    expect(await here('verify')).toMatchObject({ code: 2, stderr: expect.stringMatching(unset) })
    expect(() => createGate({ config: config() })).toThrow(unset)
    process.env[VARIABLE] = server.connectionString
    await server.sql('DROP SCHEMA holdpoint CASCADE')
    expect(await here('verify')).toMatchObject({ code: 2, stderr: expect.stringContaining('nothing has been decided') })
  }, 60_000)
})
