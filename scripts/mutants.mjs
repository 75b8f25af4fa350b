// Are the tests able to fail? Each test/mutants/*.patch takes one guard away; the tests that its header names must then
// go red. Patches are applied to copies below the temporary folder; the working tree is never touched.
//
// A header stands above the diff:
//   Invariant: I1
//   Guard: what is taken away, in a sentence
//   Tests: test/gate/invariants.prop.test.ts test/store/sqlite.test.ts
//   Names: optional, a pattern of test names, as `vitest -t` takes it
//   Needs: optional, a program on the path without which those tests are skipped, and so is the mutant
//
// Where HOLDPOINT_MUTANT_SECONDS is set, mutants that are not begun by then are counted as skipped, and named; which come last then
// changes with the commit. Where HOLDPOINT_TESTS_PASSED is set, all tests have just been green, and are not run once more before.
// `npm run test:mutants -- I4 late` runs only the patches whose file or invariant matches one of the words.
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const patches = path.join(root, 'test', 'mutants')
const runLimitMs = 120_000
const lanes = 2
const mostSeconds = Number(process.env.HOLDPOINT_MUTANT_SECONDS ?? Number.POSITIVE_INFINITY)
const areGreen = process.env.HOLDPOINT_TESTS_PASSED !== undefined

function readMutant(file) {
  const text = readFileSync(path.join(patches, file), 'utf8')
  const header = text.slice(0, text.search(/^(diff|---) /m))
  const field = (name) => header.match(new RegExp(`^${name}: (.+)$`, 'm'))?.[1]?.trim()
  const mutant = {
    name: path.basename(file, '.patch'),
    file: path.join(patches, file),
    invariant: field('Invariant') ?? '',
    guard: field('Guard') ?? '',
    tests: (field('Tests') ?? '').split(/\s+/).filter((test) => test !== ''),
    names: field('Names'),
    needs: field('Needs'),
  }
  if (mutant.guard === '' || mutant.tests.length === 0) throw new Error(`${file}: the header needs Guard and Tests`)
  return mutant
}

/** The files of the working tree, as they are now, without what git ignores. */
function copyTree() {
  const copy = mkdtempSync(path.join(tmpdir(), 'holdpoint-mutant-'))
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root })
  for (const file of listed.toString().split('\0')) {
    if (!/^(src|adapters|policies|test|bench\/\w+\.mjs|bin|[\w.-]+\.(json|ts|yaml|md)$)/.test(file)) continue
    try {
      cpSync(path.join(root, file), path.join(copy, file))
    } catch (error) {
      // Deleted in the working tree and not yet committed.
      if (error.code !== 'ENOENT') throw error
    }
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  // Policy engines are installed once; where they are not, the tests that need them are left out.
  const engines = path.join('test', 'engines', 'node_modules')
  if (existsSync(path.join(root, engines))) symlinkSync(path.join(root, engines), path.join(copy, engines))
  mkdirSync(path.join(copy, 'reports'))
  return copy
}

function spawned(command, args, { cwd, env }) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    let timedOut = false
    child.stdout.on('data', (chunk) => (said += chunk))
    child.stderr.on('data', (chunk) => (said += chunk))
    const timer = setTimeout(() => {
      timedOut = true
      child.kill('SIGKILL')
    }, runLimitMs)
    child.on('close', (status) => {
      clearTimeout(timer)
      resolve({ status, said, timedOut })
    })
  })
}

/** Runs test files in a copy. `failed` counts tests that ran and failed; a file that does not load is no failed test. */
async function runTests(copy, tests, names, bail) {
  const report = path.join(copy, 'reports', 'result.json')
  rmSync(report, { force: true })
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const args = [vitest, 'run', ...tests, '--reporter=json', `--outputFile=${report}`, '--maxWorkers=1']
  if (bail) args.push('--bail=1')
  if (names !== undefined) args.push('-t', names)
  const shared = process.env.HOLDPOINT_SHARED ?? path.join(root, '..', 'shared')
  // A mutant is a question with a yes or no: the smallest counterexample is not worth the time.
  const env = { HOLDPOINT_SHARED: shared, HOLDPOINT_STATE: path.join(copy, 'state'), HOLDPOINT_SHRINK: 'no' }
  const { status, said, timedOut } = await spawned(process.execPath, args, { cwd: copy, env })
  let result
  try {
    result = JSON.parse(readFileSync(report, 'utf8'))
  } catch {
    return { green: false, failed: 0, passed: 0, loose: [], first: undefined, said, timedOut }
  }
  const loose = result.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0)
  const failing = result.testResults.flatMap((file) => file.assertionResults).filter((test) => test.status === 'failed')
  return {
    green: status === 0,
    failed: failing.length,
    passed: result.numPassedTests,
    loose: loose.map((file) => `${path.relative(copy, file.name)}: ${file.message}`),
    first: failing[0]?.fullName,
    said,
    timedOut,
  }
}

function patch(copy, file, ...flags) {
  execFileSync('git', ['apply', '--recount', ...flags, file], { cwd: copy, stdio: ['ignore', 'pipe', 'pipe'] })
}

/**
 * Which test files are red before anything was taken away? A mutant of theirs proves nothing. Of a file whose mutants all
 * name the tests that they want, only those are run.
 */
function baseline(mutants, red) {
  const wanted = new Map()
  for (const { tests, names } of mutants) {
    for (const test of tests) wanted.set(test, [...(wanted.get(test) ?? []), names])
  }
  return [...wanted].map(([test, names]) => async (lane) => {
    const pattern = names.includes(undefined) ? undefined : [...new Set(names)].join('|')
    const run = await runTests(lane, [test], pattern, false)
    if (run.green && run.passed > 0) return
    red.add(test)
    process.stdout.write(`red without a mutant: ${test}  ${run.first ?? run.loose[0] ?? run.said.slice(-400)}\n`)
  })
}

/** Works a list off, one job a copy at a time. */
async function share(copies, jobs) {
  const queue = [...jobs]
  await Promise.all(
    copies.map(async (copy) => {
      for (let job = queue.shift(); job !== undefined; job = queue.shift()) await job(copy)
    }),
  )
}

/** What became of one mutant. Only `caught` is good. */
async function tryMutant(copy, mutant, redBefore) {
  const already = mutant.tests.filter((test) => redBefore.has(test))
  if (already.length > 0) return { verdict: 'unclear', why: `red without the mutant: ${already.join(' ')}` }
  try {
    patch(copy, mutant.file)
  } catch (error) {
    return { verdict: 'does not apply', why: String(error.stderr).trim().split('\n')[0] }
  }
  try {
    const run = await runTests(copy, mutant.tests, mutant.names, true)
    if (run.timedOut) return { verdict: 'hung', why: `no verdict in ${runLimitMs} ms` }
    if (run.failed > 0) return { verdict: 'caught', why: run.first }
    if (run.green && run.passed > 0) return { verdict: 'SURVIVED', why: mutant.guard }
    return { verdict: 'no verdict', why: run.loose[0] ?? run.said.slice(-400) }
  } finally {
    patch(copy, mutant.file, '--reverse')
  }
}

function isOnPath(program) {
  return (process.env.PATH ?? '').split(path.delimiter).some((folder) => existsSync(path.join(folder, program)))
}

function chosen(mutants, words) {
  if (words.length === 0) return mutants
  return mutants.filter(({ name, invariant }) => words.some((word) => name.includes(word) || invariant === word))
}

/** With too little time for all, each commit begins at another one. */
function inTurn(mutants) {
  if (mostSeconds === Number.POSITIVE_INFINITY) return mutants
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: root }).toString()
  const first = Number.parseInt(commit.slice(0, 8), 16) % mutants.length
  return [...mutants.slice(first), ...mutants.slice(0, first)]
}

async function main() {
  const words = process.argv.slice(2)
  const files = readdirSync(patches).filter((name) => name.endsWith('.patch'))
  const all = inTurn(chosen(files.sort().map(readMutant), words))
  const mutants = all.filter(({ needs }) => needs === undefined || isOnPath(needs))
  const copies = Array.from({ length: Math.min(lanes, mutants.length) }, copyTree)
  let passed = 0
  let failed = 0
  let skipped = all.length - mutants.length
  for (const { name, needs } of all)
    if (needs !== undefined && !isOnPath(needs)) process.stdout.write(`skipped, no ${needs} here: ${name}\n`)
  try {
    const red = new Set()
    if (!areGreen) await share(copies, baseline(mutants, red))
    process.stdout.write(`${mutants.length} mutants\n`)
    const trials = mutants.map((mutant) => async (copy) => {
      const startedAt = performance.now()
      if (startedAt > mostSeconds * 1_000) {
        skipped += 1
        process.stdout.write(`skipped, no time left: ${mutant.name}\n`)
        return
      }
      const { verdict, why } = await tryMutant(copy, mutant, red)
      if (verdict === 'caught') passed += 1
      else failed += 1
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      const row = [verdict.padEnd(14), mutant.invariant.padEnd(4), mutant.name.padEnd(34), `${seconds} s`.padStart(7)]
      process.stdout.write(`${row.join('  ')}  ${why}\n`)
    })
    await share(copies, trials)
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true, force: true })
  }
  process.stdout.write(`${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`)
  return failed === 0 && passed > 0 ? 0 : 1
}

process.exitCode = await main()
