import { expect, it } from 'vitest'
import { temporaryFolders } from '../../support/temporary-folder.ts'
import { run } from '../holdpoint.ts'

const folder = temporaryFolders()

it('stdout belongs to frames: what anybody else writes there is on stderr', async () => {
  const module = new URL('../../../src/cli/mcp/protocol-only.ts', import.meta.url).href
  const script = `
    const { takeStdout } = await import(${JSON.stringify(module)})
    console.log('before')
    const frames = takeStdout()
    console.log('noise 1')
    console.table([{ noise: 2 }])
    process.stdout.write('noise 3\\n')
    frames.write('{"frame":1}\\n')
  `
  const at = folder()
  const { stdout, stderr } = await run(['--input-type=module', '-e', script], { cwd: at, state: at })
  expect(stdout).toBe('before\n{"frame":1}\n')
  for (const noise of ['noise 1', '2', 'noise 3']) expect(stderr).toContain(noise)
})
