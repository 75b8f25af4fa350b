import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { isReact18Installed, isUiInstalled, UI_FOLDER } from './ui.ts'

/** Installs what the tests need to look at pages, once. Where that fails, they are skipped. */
export default function setup(): void {
  if (!isUiInstalled()) install(UI_FOLDER)
  if (!isReact18Installed()) install(join(UI_FOLDER, 'react-18'))
}

function install(folder: string): void {
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (status !== 0) console.log(`pages are not tested: \`npm ci\` in ${folder} failed\n${stderr}`)
}
