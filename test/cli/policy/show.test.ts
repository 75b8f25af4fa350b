import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadPolicies } from '../../../src/policy/load.ts'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { runHere } from '../in-process.ts'

const folder = temporaryFolders()

function configured(): string {
  const here = folder()
  writeFileSync(
    join(here, 'mine.cedar'),
    '// a remark\n@id("mine")\nforbid (principal, action == Action::"shop/pay", resource);\n',
  )
  const file = join(here, 'holdpoint.yaml')
  writeFileSync(
    file,
    'server: shop\npolicies: [ask/v1, mine.cedar]\ntools:\n  refund:\n    permit: { amount: { max: 500 } }\n    otherwise: { ask: finance }\n',
  )
  return file
}

it('shows every policy in force with the place it comes from', async () => {
  const { code, stdout } = await runHere('policy', 'show', '--config', configured())
  expect(code).toBe(0)
  expect(stdout).toMatch(/^\/\/ 7 policies in force \(.*holdpoint\.yaml\), digest [\w-]{43}\n/)
  for (const place of ['ask/v1:7', 'mine.cedar:2', 'holdpoint.yaml:4', 'holdpoint.yaml:6']) {
    expect(stdout).toContain(`\n// ${place}\n@id(`)
  }
  expect(stdout).toContain('context.derived["/amount"].amount.lessThanOrEqual(decimal("500.0"))')
})

it('prints Cedar that means the same when it is loaded again', async () => {
  const { stdout } = await runHere('policy', 'show', '--config', configured())
  const [, digest] = /digest ([\w-]+)/.exec(stdout) ?? []
  expect(loadPolicies([{ path: 'shown.cedar', text: stdout }]).digest).toBe(digest)
})

it('is data for programs', async () => {
  const { stdout } = await runHere('policy', 'show', '--json', '--config', configured())
  expect(JSON.parse(stdout)).toMatchObject({
    digest: expect.any(String),
    policies: expect.arrayContaining([
      expect.objectContaining({
        id: 'yaml/refund/asked',
        effect: 'permit',
        requires: 'approval:finance',
        at: 'holdpoint.yaml:6',
      }),
    ]),
  })
})

it('names the line of a policy that does not load, and exits 2', async () => {
  const file = configured()
  writeFileSync(
    join(file, '../mine.cedar'),
    '@id("mine")\nforbid (principal, action, resource)\nwhen { context.argument.x };\n',
  )
  const { code, stderr, stdout } = await runHere('policy', 'show', '--config', file)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/mine\.cedar:3:\d+: context has no "argument"; did you mean "arguments"/)
})

it('has a page of help of its own, and says so of a subcommand that does not exist', async () => {
  expect((await runHere('policy', '--help')).stdout).toMatch(/show[\s\S]*lint[\s\S]*test/)
  expect((await runHere('policy', 'show', '--help')).stdout).toContain('Usage: holdpoint policy show')
  expect(await runHere('policy')).toMatchObject({
    code: 2,
    stderr: 'holdpoint: which of its commands? (see holdpoint policy --help)\n',
  })
  expect(await runHere('policy', 'shwo')).toMatchObject({ code: 2, stderr: expect.stringContaining('shwo') })
})

it('shows nothing where services decide, and a table says whose policies it tests', async () => {
  const file = join(folder(), 'holdpoint.yaml')
  writeFileSync(file, 'points: [{ opa: http://127.0.0.1:8181/v1/data/shop/decision }]\n')
  const { code, stdout } = await runHere('policy', 'show', '--config', file)
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('no policies are in force here') })
})
