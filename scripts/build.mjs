// Compiles src and adapters into dist with plain tsc. Says nothing when all is well: stdout belongs to the command that
// asked for the build. Does nothing when dist is newer than every source, so that `npm start` stays quick.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const dist = path.join(root, 'dist')
const stamp = path.join(dist, '.built')
const sources = ['src', 'adapters', 'package.json', 'tsconfig.base.json', 'tsconfig.build.json']

/** What the compiler does not take along. */
const STYLE = 'adapters/react/style.css'

/** The newest change below a path, ms since epoch. Folders count: their time moves when a file goes away. */
function newestChange(place) {
  const stats = statSync(place)
  if (!stats.isDirectory()) return stats.mtimeMs
  const inside = readdirSync(place).map((name) => newestChange(path.join(place, name)))
  return Math.max(stats.mtimeMs, ...inside)
}

function isFresh() {
  if (!existsSync(stamp)) return false
  const builtAt = statSync(stamp).mtimeMs
  return sources.every((source) => newestChange(path.join(root, source)) <= builtAt)
}

/** The compiler of this repository, run by the Node that runs this script. */
function compilerPath() {
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json')
  return path.join(path.dirname(manifest), 'bin', 'tsc')
}

function build() {
  // The time before compiling goes into the stamp: a file saved meanwhile makes the next run build again.
  const startedAt = new Date()
  const next = path.join(root, `dist.${process.pid}`)
  rmSync(next, { recursive: true, force: true })
  const compiled = spawnSync(process.execPath, [compilerPath(), '-p', 'tsconfig.build.json', '--outDir', next], {
    cwd: root,
    encoding: 'utf8',
  })
  if (compiled.status !== 0) {
    rmSync(next, { recursive: true, force: true })
    process.stderr.write(`${compiled.stdout}${compiled.stderr}build: tsc failed\n`)
    return 1
  }
  copyFileSync(path.join(root, STYLE), path.join(next, STYLE))
  // Compilers that look up every import find that this one has nothing to offer but its effect.
  writeFileSync(path.join(next, `${STYLE}.d.ts`), 'export {}\n')
  publish(next, startedAt)
  return 0
}

/** Swaps the new output in whole, so that a command that runs meanwhile never meets half of it. */
function publish(next, startedAt) {
  const mark = path.join(next, '.built')
  writeFileSync(mark, `${startedAt.toISOString()}\n`)
  utimesSync(mark, startedAt, startedAt)
  const previous = path.join(root, `dist.${process.pid}.old`)
  try {
    if (existsSync(dist)) renameSync(dist, previous)
    renameSync(next, dist)
  } catch (error) {
    // Another build of the same sources got there first: its output stands. Anything else is a fault.
    if (!isFresh()) throw error
    rmSync(next, { recursive: true, force: true })
  }
  rmSync(previous, { recursive: true, force: true })
}

process.exitCode = isFresh() ? 0 : build()
