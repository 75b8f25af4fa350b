import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMachine, type Machine, run } from './holdpoint.ts'

const COMMANDS = ['demo', 'init', 'watch', 'why', 'check', 'verify', 'trace', 'export', 'erase', 'doctor', 'wrap']

let machine: Machine
beforeAll(() => {
  machine = createMachine()
})
afterAll(() => machine.remove())

describe('every command', () => {
  it.each(COMMANDS)('%s explains itself with an example', async (command) => {
    const { code, stdout, stderr } = await machine.here([command, '--help'])
    expect(code).toBe(0)
    expect(stdout).toContain(`Usage: holdpoint ${command}`)
    expect(stdout).toContain('Example:')
    expect(stdout).toContain('--json')
    expect(stderr).toBe('')
  })

  it.each(COMMANDS)('%s answers an unknown option with one line and exit 2', async (command) => {
    const { code, stdout, stderr } = await machine.here([command, '--frobnicate'])
    expect(code).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^holdpoint: unknown option '--frobnicate'.*\n$/)
  })

  it.each(['why', 'check', 'doctor', 'watch'])('%s shows the line of a mistake in holdpoint.yaml', async (command) => {
    const file = join(machine.folder, 'wrong.yaml')
    writeFileSync(file, 'timeoutMs: 5\nfailmode: { low: open }\n')
    const { code, stdout, stderr } = await machine.here([command, '--config', file], '{"tool":"x"}')
    expect(`${stdout}${stderr}`).toContain('wrong.yaml:2:1: unknown key "failmode"; did you mean "failMode"?')
    expect(`${stdout}${stderr}`).not.toMatch(/\n\s+at /)
    // The doctor's findings are its answer; the others cannot start.
    expect(code).toBe(command === 'doctor' ? 1 : 2)
  })
})

describe('the program', () => {
  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync(resolve(import.meta.dirname, '../../package.json'), 'utf8'))
    expect(await machine.run(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  it('names an unknown command in one line', async () => {
    const { code, stdout, stderr } = await machine.run(['frobnicate'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe("holdpoint: unknown command 'frobnicate' (see holdpoint --help)\n")
  })

  it('sends whoever misused a command to the help of that command', async () => {
    const { code, stderr } = await machine.run(['check', 'shop/refund', '{"amount":900}'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^holdpoint: too many arguments for 'check'.* \(see holdpoint check --help\)\n$/)
  })

  it('lists its commands when it is given none, and says that this was not enough', async () => {
    const { code, stdout, stderr } = await machine.run([])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    for (const command of COMMANDS) expect(stderr).toContain(`  ${command} `)
  })

  it('writes no colour where no terminal is', async () => {
    const { stdout } = await machine.run(['doctor'])
    expect(stdout).not.toContain('\u001b')
  })
})

describe('bin/holdpoint.js', () => {
  it('says in one line which Node it needs', async () => {
    const pretend =
      'data:text/javascript,' +
      encodeURIComponent(
        'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.19.2" } })',
      )
    const bin = resolve(import.meta.dirname, '../../bin/holdpoint.js')
    const { code, stdout, stderr } = await run(['--import', pretend, bin, 'doctor'], {
      cwd: machine.folder,
      state: machine.state,
    })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toBe('holdpoint needs Node 22.13 or newer; this is 20.19.2\n')
  })
})
