import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { createGate, type GateOptions } from '../../src/create-gate.ts'
import { createMemoryStore, generateSigner } from '../../src/testing.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporaryFolder = temporaryFolders()
const started = process.cwd()
afterEach(() => process.chdir(started))

/** A program that runs in a folder of these files, and lets its model write files there. */
function programIn(files: { readonly [name: string]: string }, options: Partial<GateOptions> = {}) {
  const folder = temporaryFolder()
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  process.chdir(folder)
  const gate = createGate({
    ...options,
    events: [],
    effects: { store: createMemoryStore(), signer: generateSigner() },
  })
  gate.register([{ name: 'write_file', origin: 'own' }])
  return async (path: string) => {
    const result = await gate
      .as({ user: 'alice' })
      .run({ tool: 'write_file', input: { path, content: '' } }, () => 'ran')
    return result.outcome === 'ran' ? 'ran' : result.refusal.code
  }
}

const WRITES = 'tools:\n  write_file: { permit: always }\n'
const POLICY = '@id("low") permit (principal, action in Action::"low", resource);\n'

describe('no call writes what the next start will read, whether it is there yet or not', () => {
  it('refuses a new policy beside the others', async () => {
    const write = programIn({ 'holdpoint.yaml': WRITES, 'policies/mine.cedar': POLICY })
    expect(await write('policies/zz.cedar')).toBe('denied_by_policy')
    expect(await write('notes/zz.cedar')).toBe('ran')
  })

  it('refuses the first policy, which would take the place of ask/v1', async () => {
    const write = programIn({ 'holdpoint.yaml': WRITES })
    expect(await write('policies/first.cedar')).toBe('denied_by_policy')
  })

  it('refuses the first holdpoint.yaml', async () => {
    const write = programIn({}, { tools: { write_file: { permit: 'always' } } })
    expect(await write('holdpoint.yaml')).toBe('denied_by_policy')
    expect(await write('readme.md')).toBe('ran')
  })

  it('refuses what a pattern would match, and leaves the rest of that folder alone', async () => {
    const write = programIn({ 'holdpoint.yaml': `policies: '*.cedar'\n${WRITES}`, 'mine.cedar': POLICY })
    expect(await write('zz.cedar')).toBe('denied_by_policy')
    expect(await write('zz.md')).toBe('ran')
  })

  it("refuses the package's own policies", async () => {
    const write = programIn({ 'holdpoint.yaml': WRITES })
    expect(await write(join(started, 'policies', 'ask.cedar'))).toBe('denied_by_policy')
  })
})
