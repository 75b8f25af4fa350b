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
export function installHost({ root, folder, tarball, host, oldest = false }) {
  mkdirSync(folder)
  for (const part of ['test/adapters', 'test/support'])
    cpSync(path.join(root, part), path.join(folder, part), { recursive: true })
  const specs = {}
  for (const [name, wanted] of wantedOf(root, host, oldest)) {
    const isLed = host.packages.some(({ led, installed }) => led === true && installed.includes(name))
    const spec = oldest && isLed ? wanted : specOf(name, wanted, oldest)
    if (spec === undefined) return { because: `the registry has no ${name} ${wanted}` }
    specs[name] = spec
  }
  const dependencies = { holdpoint: `file:${tarball}`, ...specs }
  writeFileSync(
    path.join(folder, 'package.json'),
    JSON.stringify({ private: true, type: 'module', dependencies, overrides: host.overrides ?? {} }),
  )
  let done = { status: 1, stderr: '' }
  for (let nth = 0; nth < TRIES && done.status !== 0; nth += 1) {
    done = npm(['install', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'], folder)
  }
  if (done.status !== 0) return { because: reasonIn(done) }
  return { versions: Object.fromEntries(Object.keys(specs).map((name) => [name, versionOf(folder, name)])) }
}

/** Of the newest, each by its tag, with what belongs beside it; of the oldest, the part of our range that its tests are for. */
function wantedOf(root, { packages, newest = {} }, oldest) {
  const { peerDependencies, devDependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
  return Object.entries({
    ...Object.fromEntries(
      packages.flatMap(({ peer, installed }) =>
        installed.map((name) => [
          name,
          oldest ? rangeFor(peer, devDependencies[name], peerDependencies[peer]) : 'latest',
        ]),
      ),
    ),
    ...(oldest ? {} : newest),
  })
}

/** Of `^6.0.0 || ^7.0.0`, the one for the major that is installed here. */
function rangeFor(peer, here, range) {
  const [, version = here] = /^npm:.+@([^@]+)$/.exec(here) ?? []
  const fit = range.split(' || ').find((one) => one.startsWith(`^${version.split('.')[0]}.`))
  return here.startsWith('npm:') ? `npm:${peer}@${fit}` : fit
}

/** The very version: where something else beside it pins another one, npm takes a tag for that. */
function specOf(name, wanted, oldest) {
  const [, alias, range] = /^npm:(.+)@([^@]+)$/.exec(wanted) ?? [undefined, name, wanted]
  const { status, stdout } = npm(['view', `${alias}@${range}`, 'version', '--json'], undefined)
  if (status !== 0 || stdout.trim() === '') return undefined
  const found = JSON.parse(stdout)
  const versions = Array.isArray(found) ? found.toSorted(byVersion) : [found]
  const version = versions.at(oldest ? 0 : -1)
  return alias === name ? version : `npm:${alias}@${version}`
}

function byVersion(one, other) {
  const parts = (version) => version.split(/[.-]/).map(Number)
  const [a, b] = [parts(one), parts(other)]
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
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
