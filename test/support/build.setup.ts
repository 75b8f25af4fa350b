import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'

/** Compiles, so that tests which start the command line start what is published. Does nothing where it is up to date. */
export default function setup(): void {
  const script = path.resolve(import.meta.dirname, '../../scripts/build.mjs')
  // A mutant's copy has no scripts: there the command line runs from its sources.
  if (!existsSync(script)) return
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`the build failed, so there is no command line to start\n${stderr}`)
}
