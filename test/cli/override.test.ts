import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sha256 } from '../../src/bytes/digest.ts'
import { readOverride, signOverride } from '../../src/override/signed.ts'
import { loadKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import { overrideClaims } from '../support/overrides.ts'
import { claim, decisionDraft, openedChain } from '../support/receipt-drafts.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'
import { runHere } from './in-process.ts'

const temporary = temporaryFolders()
let folder: string
let config: string
beforeEach(async () => {
  folder = temporary()
  config = join(folder, 'holdpoint.yaml')
  vi.stubEnv('HOLDPOINT_STATE', join(folder, 'state'))
  const jwks = await Promise.all(['alice', 'bob'].map(makeKey))
  configure(`environment: { name: production }\ntrust: { override: ${JSON.stringify(jwks)} }\n`)
})
afterEach(() => vi.unstubAllEnvs())

const keyFile = (name: string): string => join(folder, `${name}.pem`)
const configure = (text: string): void => writeFileSync(config, text)
const override = (...args: readonly string[]) => runHere('override', ...args)
const here = (...args: readonly string[]) => override(...args, '--config', config)
async function makeKey(name: string): Promise<object> {
  return JSON.parse((await override('key', keyFile(name), '--json')).stdout).publicJwk
}

/** Makes an override in a file, as a person would. */
async function created(changes: Readonly<Record<string, string>> = {}, key = 'alice') {
  const file = join(folder, `${sha256(JSON.stringify([changes, key, Math.random()]))}.override`)
  const said = {
    key: keyFile(key),
    tools: 'shop/restock',
    environment: 'production',
    principal: 'alice',
    reason: 'the policy service is down',
    ticket: 'OPS-1',
    out: file,
    ...changes,
  }
  const args = Object.entries(said).flatMap(([name, value]) => [`--${name}`, value])
  const { code, stdout, stderr } = await override('create', ...args, '--json')
  const { id, complete } = code === 0 ? JSON.parse(stdout) : { id: '', complete: false }
  return { code, stderr, file, id: String(id), complete }
}
const list = async () => JSON.parse((await here('list', '--json')).stdout)

describe('every command of override', () => {
  it.each(['key', 'create', 'sign', 'show', 'install', 'list', 'revoke'])('%s explains itself', async (command) => {
    const { code, stdout, stderr } = await override(command, '--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: holdpoint override ${command}`)
    expect(stdout).toContain('Example:')
    expect(stdout).toContain('--json')
  })
})

describe('override key', () => {
  it('makes a key for its owner alone, prints what may be told, and never makes another in its place', async () => {
    expect(statSync(keyFile('alice')).mode & 0o777).toBe(0o600)
    const before = readFileSync(keyFile('alice'), 'utf8')
    const again = await override('key', keyFile('alice'))
    expect(again).toMatchObject({ code: 2, stdout: '' })
    expect(again.stderr).toContain('is there already')
    expect(readFileSync(keyFile('alice'), 'utf8')).toBe(before)
    const { stdout } = await override('key', keyFile('carol'))
    expect(JSON.parse(stdout)).toMatchObject({ kty: 'OKP', crv: 'Ed25519' })
    expect(stdout).not.toContain('"d"')
  })

  it("never makes or takes one in the gate's own folder: a gate that could sign needs no person", async () => {
    const inside = join(folder, 'state', 'keys', 'override.pem')
    expect(await override('key', inside)).toMatchObject({ code: 2, stderr: expect.stringContaining("the gate's own") })
    expect(existsSync(inside)).toBe(false)
    expect(await created({ key: inside })).toMatchObject({ code: 2, stderr: expect.stringContaining("the gate's own") })
  })
})

describe('override create', () => {
  it('signs what was asked for, from now on', async () => {
    const before = Date.now()
    const { file, id, complete } = await created({
      minutes: '15',
      uses: '7',
      principal: 'agent:support',
      tenant: 'acme',
    })
    const signed = readOverride(readFileSync(file, 'utf8').trimEnd())
    expect([signed.id, complete]).toEqual([id, true])
    const { notBefore, expires, ...claims } = signed.claims
    expect(claims).toMatchObject({
      tools: ['shop/restock'],
      environment: 'production',
      principal: { type: 'agent', id: 'support', tenant: 'acme' },
      most: 7,
      reason: 'the policy service is down',
      ticket: 'OPS-1',
    })
    expect(notBefore).toBeGreaterThanOrEqual(before)
    expect(expires - notBefore).toBe(15 * 60_000)
  })

  it('prints the override and nothing else on stdout, so that it can go through a pipe', async () => {
    const { stdout, stderr } = await override(
      ...['create', '--key', keyFile('alice'), '--tools', 'shop/b,shop/a,shop/b', '--environment', 'production'],
      ...['--principal', 'user:any', '--reason', 'down', '--ticket', 'OPS-1'],
    )
    const { claims, id } = readOverride(stdout.replace(/\n$/, ''))
    expect(claims).toMatchObject({ tools: ['shop/a', 'shop/b'], principal: { type: 'user', id: 'any' }, most: 20 })
    expect(stderr).toContain(id)
    expect(stderr).toContain('somebody else must sign it too')
  })

  it.each<[Readonly<Record<string, string>>, string]>([
    [{ minutes: '61' }, '--minutes must be a whole number from 1 to 60'],
    [{ minutes: '0' }, '--minutes must be a whole number from 1 to 60'],
    [{ uses: '1001' }, '--uses must be a whole number from 1 to 1000'],
    [{ uses: 'many' }, '--uses must be a whole number from 1 to 1000'],
    [{ tools: 'restock' }, '--tools must be a tool with its server, such as shop/restock, or shop/* or *'],
    [{ tools: '' }, '--tools must be a tool'],
    [{ environment: 'the one' }, '--environment must be the name of an environment'],
    [{ principal: '' }, '--principal'],
    [{ principal: 'any', tenant: 'acme' }, '--tenant belongs to one principal'],
    [{ reason: '' }, '--reason must be one line of text'],
    [{ ticket: 'a\u202fb\nc' }, '--ticket must be one line of text'],
    [{ key: '/nowhere.pem' }, 'the key file /nowhere.pem does not exist'],
  ])('says which option of %o does not fit, and signs nothing', async (changes, why) => {
    const { code, stderr, file } = await created(changes)
    expect(code).toBe(2)
    expect(stderr).toContain(why)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(existsSync(file)).toBe(false)
  })

  it('never writes over a file', async () => {
    const { file } = await created()
    const before = readFileSync(file, 'utf8')
    expect(await created({ out: file })).toMatchObject({ code: 2 })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })
})

describe('override install', () => {
  it('puts an override where the gates look, once, and list tells how it stands', async () => {
    const { file, id } = await created()
    expect(await here('show', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('live, ends in') })
    expect(await here('install', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('Installed in') })
    expect(await here('install', file)).toMatchObject({ code: 0, stdout: expect.stringContaining('already') })
    expect(readdirSync(join(folder, 'state', 'overrides'))).toContain(`${id}.json`)
    expect(await list()).toMatchObject({ trusted: 2, overrides: [{ id, state: 'live', uses: 0, most: 20, needs: 1 }] })
    const { stdout } = await here('list')
    expect(stdout).toContain('1 override, 1 live,')
    expect(stdout).toContain('medium calls of shop/restock while no policy answers')
    expect(stdout).toContain('the policy service is down (OPS-1)')
  })

  it('wants a second trusted signature for anything wider than one tool and one principal', async () => {
    await makeKey('mallory')
    const { file } = await created({ tools: 'shop/*' })
    const wanting = { code: 1, stdout: expect.stringContaining('it has 1 of the 2 trusted signatures that it needs') }
    expect(await here('install', file)).toMatchObject(wanting)
    expect(await here('sign', file, '--key', keyFile('alice'))).toMatchObject({ code: 2, stdout: '' })
    expect(await here('sign', file, '--key', keyFile('mallory'))).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('(not in trust.override here)'),
    })
    expect(await here('install', file)).toMatchObject(wanting)
    expect(await here('sign', file, '--key', keyFile('bob'))).toMatchObject({ code: 0 })
    expect(await here('install', file)).toMatchObject({ code: 0 })
    expect((await list()).overrides).toMatchObject([{ state: 'live', signed: { length: 3 } }])
  })

  it('installs nothing that was changed, is over, or is signed by nobody that is trusted here', async () => {
    const { file } = await created()
    const changed = join(folder, 'changed')
    writeFileSync(
      changed,
      readFileSync(file, 'utf8').replace(
        /"signature":"./,
        (start) => `${start.slice(0, -1)}${start.endsWith('_') ? 'A' : '_'}`,
      ),
    )
    expect(await here('install', changed)).toMatchObject({ code: 1, stdout: expect.stringContaining('changed after') })
    const over = join(folder, 'over')
    writeFileSync(over, signOverride(overrideClaims(), loadKey(keyFile('alice'))))
    expect(await here('install', over)).toMatchObject({ code: 1, stdout: expect.stringContaining('expired') })
    await makeKey('mallory')
    const strange = await created({}, 'mallory')
    expect(await here('install', strange.file)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('0 of the 1'),
    })
    expect(await here('show', strange.file)).toMatchObject({ code: 1 })
    expect((await list()).overrides).toEqual([])
  })

  it('says in one line what a file is that holds no override', async () => {
    for (const [text, why] of [
      ['', 'holds no override'],
      ['{"payload":1}', 'holds no override'],
    ] as const) {
      const file = join(folder, 'wrong')
      writeFileSync(file, text)
      const { code, stdout, stderr } = await here('install', file)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toMatch(new RegExp(`^holdpoint: .*${why}.*\n$`))
    }
    expect(await here('install', join(folder, 'none'))).toMatchObject({ code: 2 })
  })

  it('says that overrides are off where no key is trusted', async () => {
    const { file } = await created()
    configure('environment: { name: production }\n')
    const off = { stdout: expect.stringContaining('overrides are off') }
    expect(await here('install', file)).toMatchObject({ code: 1, ...off })
    expect(await here('list')).toMatchObject({ code: 0, ...off })
    expect(existsSync(join(folder, 'state', 'overrides'))).toBe(false)
  })

  it('tells that gates here are in another environment, or in none by name', async () => {
    const { file } = await created({ environment: 'staging' })
    expect((await here('install', file)).stderr).toContain(
      'names the environment "production", and this is for staging',
    )
    configure(`trust: ${JSON.stringify({ override: [await makeKey('carol')] })}\n`)
    const other = await created({}, 'carol')
    expect((await here('show', other.file)).stderr).toContain('names no environment')
  })

  it('makes room: what is over goes to a folder of its own', async () => {
    const place = join(folder, 'state', 'overrides')
    await here('install', (await created()).file)
    const over = signOverride(overrideClaims(), loadKey(keyFile('alice')))
    const { id } = readOverride(over)
    writeFileSync(join(place, `${id}.json`), over)
    await here('install', (await created()).file)
    expect(readdirSync(join(place, 'ended'))).toEqual([`${id}.json`])
    expect((await list()).overrides).toHaveLength(2)
  })
})

describe('override list', () => {
  it('tells the uses that the store has counted', async () => {
    const { file, id } = await created({ uses: '2' })
    await here('install', file)
    const store = createSqliteStore({ folder: join(folder, 'state', 'receipts') })
    await store.open()
    const chain = await openedChain(store)
    for (const key of ['a', 'b', 'c']) await chain.commit(decisionDraft(), claim(key, { override: { id, most: 2 } }))
    expect((await list()).overrides).toMatchObject([{ uses: 2, state: 'spent' }])
    expect((await here('list')).stdout).toMatch(/used up[\s\S]*2 of at most 2/)
    await store.close()
  })

  it('names files that hold no override, with hostile text made visible', async () => {
    await here('install', (await created()).file)
    const id = 'ov_00000000000000000000000000'
    writeFileSync(join(folder, 'state', 'overrides', `${id}.json`), '{"\u202e":1}')
    const { code, stdout } = await here('list')
    expect(code).toBe(0)
    expect(stdout).toContain(`${id}  unusable: `)
    expect(stdout).not.toContain('\u202e')
  })
})

describe('doctor', () => {
  const findings = async () => {
    const { findings } = JSON.parse((await runHere('doctor', '--json', '--config', config)).stdout)
    return (findings as { about: string; state: string; says: string }[]).filter(({ about }) => about === 'overrides')
  }

  it('tells who may sign and what is live, and nothing where overrides are off', async () => {
    expect(await findings()).toEqual([
      { about: 'overrides', state: 'good', says: '2 keys in trust.override may sign; none is live' },
    ])
    const { file, id } = await created()
    await here('install', file)
    expect(await findings()).toEqual([
      { about: 'overrides', state: 'warning', says: expect.stringContaining(`${id} is live: the policy service`) },
    ])
    configure('environment: { name: production }\n')
    expect(await findings()).toEqual([])
  })

  it('tells of an environment without a name, of a single key, and of a gate that could sign for itself', async () => {
    const one = await makeKey('carol')
    configure(`trust: ${JSON.stringify({ override: [one] })}\n`)
    expect((await findings()).map(({ state, says }) => `${state}: ${says.slice(0, 25)}`)).toEqual([
      'good: 1 key in trust.override m',
      'warning: environment.name is not s',
      'warning: with one key in trust.ove',
    ])
    configure(`trust: ${JSON.stringify({ override: [one] })}\nkeyFile: ${keyFile('carol')}\n`)
    expect(await findings()).toMatchObject([{ state: 'problem', says: expect.stringContaining('own receipt key') }])
  })
})

describe('override revoke', () => {
  it('ends an override for good', async () => {
    const { file, id } = await created()
    await here('install', file)
    expect(await here('revoke', id, '--because', 'a mistake')).toMatchObject({ code: 0, stderr: '' })
    expect((await list()).overrides).toMatchObject([{ id, state: 'revoked' }])
    expect(await here('install', file)).toMatchObject({ code: 1, stdout: expect.stringContaining('revoked') })
    expect(await here('show', file)).toMatchObject({ code: 1 })
  })

  it('keeps one from ever being installed here', async () => {
    const { file, id } = await created()
    expect((await here('revoke', id)).stdout).toContain('it was not installed there')
    expect((await list()).revoked).toEqual([id])
    expect(await here('install', file)).toMatchObject({ code: 1 })
  })

  it('takes nothing for an id that is none', async () => {
    for (const id of ['ov_1', '../../key', 'r_00000000000000000000000000'])
      expect(await here('revoke', id)).toMatchObject({ code: 2, stdout: '' })
  })
})
