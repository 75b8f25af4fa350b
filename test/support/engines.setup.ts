import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { ENGINES_FOLDER, enginesInstalled, isEnginePlatform } from './engines.ts'

/** Installs the policy engines that the tests start: once, on linux-x64. Elsewhere it says what is left out. */
export default function setup(): void {
  if (enginesInstalled()) return
  if (!isEnginePlatform()) {
    console.log(
      `OPA and Cerbos are not tested on ${process.platform}-${process.arch}: their packages are for linux-x64`,
    )
    return
  }
  const { status, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--prefer-offline'], {
    cwd: ENGINES_FOLDER,
    encoding: 'utf8',
    timeout: 180_000,
  })
  if (status === 0 && existsSync(`${ENGINES_FOLDER}/node_modules`)) return
  if (process.env['CI'] !== undefined) throw new Error(`the policy engines could not be installed\n${stderr}`)
  console.log(`OPA and Cerbos are not tested: \`npm ci\` in test/engines failed\n${stderr}`)
}
