import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const CHILD = new URL('./budget-child.ts', import.meta.url).pathname
const POLICY = `@id("all") permit (principal, action, resource);
@id("day") forbid (principal, action, resource)
unless { context.session.here.day.surface.after.lessThanOrEqual(decimal("55.0")) };`

async function outcomesOf(folder: string, name: string): Promise<readonly string[]> {
  const child = spawn(process.execPath, [CHILD, folder, name, POLICY], { stdio: ['ignore', 'pipe', 'inherit'] })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  await new Promise((resolve) => child.on('close', resolve))
  return JSON.parse(out)
}

it('I2: two processes with ten refunds each, all at once, spend one budget together and not one each', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdpoint-budget-'))
  try {
    const outcomes = (await Promise.all(['one', 'two'].map((name) => outcomesOf(folder, name)))).flat()
    expect(outcomes.filter((outcome) => outcome === 'ran')).toHaveLength(5)
    expect(outcomes.filter((outcome) => outcome === 'denied_by_policy')).toHaveLength(15)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)
