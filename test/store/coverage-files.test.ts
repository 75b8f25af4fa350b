/** Which tools a gate saw, for other processes: written beside the calls, never lost to another gate, never without bound. */
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Coverage } from '../../src/coverage.ts'
import { CoverageKeeper, readCoverage } from '../../src/store/coverage-files.ts'
import type { ToolSeen } from '../../src/types.ts'
import { temporaryFolders } from '../support/temporary-folder.ts'

const temporary = temporaryFolders()
const gated = (...tools: readonly string[]): readonly ToolSeen[] =>
  tools.map((tool) => ({ tool, standing: 'gated' as const }))

/** One gate of one process, with a clock and a timer in the test's hand. */
function gateAt(folder: string, gate = 'shop') {
  const due: (() => void)[] = []
  const warnings: string[] = []
  const time = { now: 1_000, monotonic: 0 }
  const coverage = new Coverage(
    () => undefined,
    () => keeper.heard(),
  )
  const keeper = new CoverageKeeper({
    folder,
    gate,
    coverage,
    clock: { now: () => time.now, monotonic: () => time.monotonic },
    schedule: (_, run) => {
      due.push(run)
      return () => void due.splice(due.indexOf(run), 1)
    },
    warn: (message) => warnings.push(message),
  })
  return {
    coverage,
    keeper,
    due,
    time,
    warnings,
    cover: (...tools: readonly string[]) => coverage.cover('openai', 'shop', gated(...tools)),
  }
}

const written = async (folder: string) => (await readCoverage(folder)).records

describe('the coverage of a gate', () => {
  it('is written after the call that showed it, not while, and once for all that came together', async () => {
    const folder = join(temporary(), 'coverage')
    const gate = gateAt(folder)
    gate.cover('read')
    gate.cover('write')
    expect(gate.due).toHaveLength(1)
    expect(existsSync(folder)).toBe(false)
    gate.due[0]?.()
    await gate.keeper.close()
    expect(await written(folder)).toEqual([
      {
        gate: 'shop',
        at: 1_000,
        tools: [
          { host: 'openai', server: 'shop', tool: 'read', standing: 'gated' },
          { host: 'openai', server: 'shop', tool: 'write', standing: 'gated' },
        ],
      },
    ])
    expect(readdirSync(folder)).toHaveLength(1)
  })

  it('is written when the gate is closed before its time, and by a gate that saw nothing not at all', async () => {
    const [seen, blind] = [temporary(), join(temporary(), 'none')]
    const gate = gateAt(seen)
    gate.cover('read')
    await gate.keeper.close()
    expect(await written(seen)).toHaveLength(1)
    const other = gateAt(blind)
    other.coverage.cover('openai', 'shop', [])
    await other.keeper.close()
    expect(existsSync(blind)).toBe(false)
    expect(await readCoverage(blind)).toEqual({ records: [], unusable: [] })
  })

  it('is not written again while it is the same, but for once an hour', async () => {
    const gate = gateAt(temporary())
    gate.cover('read')
    await gate.keeper.close()
    gate.cover('read')
    expect(gate.due).toEqual([])
    gate.time.monotonic = 60 * 60_000
    gate.cover('read')
    expect(gate.due).toHaveLength(1)
  })

  it('takes the place of what the same gate wrote before, and of nothing that another one wrote', async () => {
    const folder = temporary()
    const [one, other] = [gateAt(folder), gateAt(folder)]
    for (const gate of [one, other]) {
      gate.cover('read')
      await gate.keeper.close()
    }
    expect(readdirSync(folder)).toHaveLength(1)
    one.cover('erase')
    await one.keeper.close()
    other.cover('pay')
    await other.keeper.close()
    const tools = (await written(folder)).map(({ tools }) => tools.map(({ tool }) => tool))
    expect(tools.sort()).toEqual([
      ['erase', 'read'],
      ['pay', 'read'],
    ])
  })

  it('of gates that show other tools each time fills no folder: the oldest go', async () => {
    const folder = temporary()
    for (let nth = 0; nth < 66; nth += 1) {
      const gate = gateAt(folder)
      gate.cover(`t${nth}`)
      await gate.keeper.close()
      for (const name of readdirSync(folder)) {
        if (readFileSync(join(folder, name), 'utf8').includes(`"t${nth}"`)) utimesSync(join(folder, name), nth, nth)
      }
    }
    const tools = (await written(folder)).flatMap(({ tools }) => tools.map(({ tool }) => tool))
    expect(tools).toHaveLength(64)
    expect(tools).not.toContain('t0')
    expect(tools).toContain('t65')
  })

  it('whose folder is no folder stops nothing, and is said once', async () => {
    const file = join(temporary(), 'coverage')
    writeFileSync(file, '')
    const gate = gateAt(file)
    gate.cover('read')
    await gate.keeper.close()
    gate.cover('write')
    await gate.keeper.close()
    expect(gate.warnings).toEqual([expect.stringContaining(`cannot keep in ${file}`)])
  })

  it('is read whole or not at all', async () => {
    const folder = temporary()
    const gate = gateAt(folder)
    gate.cover('read')
    await gate.keeper.close()
    const [name = ''] = readdirSync(folder)
    const whole = readFileSync(join(folder, name), 'utf8')
    for (const bad of [
      '',
      whole.slice(0, 50),
      whole.replace('"gated"', '"fine"'),
      whole.replace('coverage/v1', 'coverage/v2'),
    ]) {
      writeFileSync(join(folder, name), bad)
      expect(await readCoverage(folder)).toEqual({ records: [], unusable: [join(folder, name)] })
    }
  })
})
