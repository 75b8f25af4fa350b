import { spawnSync } from 'node:child_process'
import { isUiInstalled, UI_FOLDER } from './ui.ts'

/** Installs what the tests need to look at pages, once. Where that fails, they are skipped. */
export default function setup(): void {
  if (isUiInstalled()) return
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: UI_FOLDER,
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (status !== 0) console.log(`pages are not tested: \`npm ci\` in test/ui failed\n${stderr}`)
}
