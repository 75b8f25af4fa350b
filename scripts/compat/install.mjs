// A host's newest release beside a packed holdpoint.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const LONGEST_INSTALL_MS = 600_000
const TRIES = 2

/** @returns the tarball, as `npm publish` would have it. @throws Error with what npm printed */
export function packHoldpoint(root, scratch) {
  const { status, stdout, stderr } = npm(['pack', '--silent', '--ignore-scripts', '--pack-destination', scratch], root)
  const tarball = readdirSync(scratch).find((name) => name.endsWith('.tgz'))
  if (status !== 0 || tarball === undefined) throw new Error(`npm pack failed\n${stdout}${stderr}`)
  return path.join(scratch, tarball)
}

/** @returns the versions that are there, by the names under which they are installed; or `because`, what npm said */
export function installHost({ root, folder, tarball, host }) {
  mkdirSync(folder)
  for (const part of ['test/adapters', 'test/support'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  const newest = {
    ...Object.fromEntries(host.packages.flatMap(({ installed }) => installed).map((name) => [name, 'latest'])),
    ...host.newest,
  }
  const manifest = { private: true, type: 'module', dependencies: { holdpoint: `file:${tarball}`, ...newest } }
  writeFileSync(path.join(folder, 'package.json'), JSON.stringify(manifest))
  let done = { status: 1, stderr: '' }
  for (let nth = 0; nth < TRIES && done.status !== 0; nth += 1) {
    done = npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], folder)
  }
  if (done.status !== 0) return { because: reasonIn(done) }
  return { versions: Object.fromEntries(Object.keys(newest).map((name) => [name, versionOf(folder, name)])) }
}

function npm(args, cwd) {
  return spawnSync('npm', args, { cwd, encoding: 'utf8', timeout: LONGEST_INSTALL_MS })
}

/** npm explains at length, and names what it could not resolve in its first lines. */
function reasonIn({ stderr = '', error }) {
  if (error !== undefined) return `npm did not end: ${error.message}`
  const lines = stderr.split('\n').flatMap((line) => /^npm error (.+)$/.exec(line)?.[1]?.trim() ?? [])
  return `not installed: ${lines.slice(0, 6).join(' ')}`.replaceAll('|', '\\|')
}

function versionOf(folder, name) {
  return JSON.parse(readFileSync(path.join(folder, 'node_modules', name, 'package.json'), 'utf8')).version
}
