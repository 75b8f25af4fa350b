// How often is the classifier right about real tools? Runs `holdpoint classify --ignore-annotations` over the labelled tools
// in ../shared/corpora and compares. Labels, vendor fields and annotations never reach the classifier.
//
// npm run -s eval:materiality                   tables: by source, by strength of the label, by half (split by server); and
//                                               the tools that we made up, which count for none of them
// npm run -s eval:materiality -- --json         the same as one JSON object
// npm run -s eval:materiality -- --mistakes 20  the mistakes that cost most, too
// The halves are there to be compared: what was learned from one must hold on the other.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'

const { values: flags } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    mistakes: { type: 'string', default: '0' },
    half: { type: 'string' },
  },
})
const root = path.resolve(import.meta.dirname, '..')
const shared = process.env.HOLDPOINT_SHARED ?? path.resolve(root, '..', 'shared')
const folder = path.join(shared, 'corpora', 'public', 'tools')
const tiers = ['low', 'medium', 'high']

if (!existsSync(folder)) {
  console.log(`skipped: no corpora in ${path.relative(root, folder)}`)
  process.exit(0)
}

const files = readdirSync(folder)
  .filter((name) => name.endsWith('.jsonl'))
  .map((name) => path.join(folder, name))
const tools = files.flatMap((file) =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line)),
)
const classes = classified(files)
if (classes.length !== tools.length)
  throw new Error(`${tools.length} tools went in, ${classes.length} classes came out`)

function classified(inputs, input = '') {
  const command = [path.join(root, 'dist/src/cli/main.js'), 'classify', '--json', '--ignore-annotations', ...inputs]
  const printed = execFileSync(process.execPath, command, { encoding: 'utf8', input, maxBuffer: 1 << 28 })
  return printed
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

/** The lists of `made-up-tools.txt`, each with what it was called. */
function madeUp() {
  const tier = { L: 'low', M: 'medium', H: 'high' }
  const tools = []
  let list = ''
  for (const line of readFileSync(path.join(import.meta.dirname, 'made-up-tools.txt'), 'utf8').split('\n')) {
    list = /^# (\w+ list)$/.exec(line)?.[1] ?? list
    const [, letters, name, names, description] = /^([LMH]+) (\w+)\(([^)]*)\) (.+)$/.exec(line) ?? []
    if (letters === undefined) continue
    const properties = Object.fromEntries(names.split(',').flatMap((each) => (each === '' ? [] : [[each, {}]])))
    const accept = [...letters].map((letter) => tier[letter])
    tools.push({
      list,
      label: accept[0],
      accept,
      tool: { name, description, inputSchema: { type: 'object', properties } },
    })
  }
  const said = classified(['-'], tools.map(({ tool }) => JSON.stringify({ tool })).join('\n'))
  return tools.map((tool, index) => ({ ...tool, said: said[index].materiality }))
}

/** Servers, not tools, are split: tools of one server resemble each other. */
function halfOf({ server }) {
  return createHash('sha256').update(server).digest()[0] % 2 === 0 ? 'A' : 'B'
}

const rows = tools.flatMap((tool, index) => {
  if (tool.label === undefined) return []
  return [{ ...tool, half: halfOf(tool), said: classes[index].materiality, evidence: classes[index].evidence }]
})

function measure(some) {
  const matrix = Object.fromEntries(tiers.map((label) => [label, Object.fromEntries(tiers.map((said) => [said, 0]))]))
  for (const { label, said } of some) matrix[label][said] += 1
  const high = some.filter(({ label }) => label === 'high')
  const onlyLow = some.filter(({ accept }) => accept.length === 1 && accept[0] === 'low')
  const count = (list, test) => list.filter(test).length
  return {
    tools: some.length,
    matrix,
    accepted: count(some, ({ accept, said }) => accept.includes(said)),
    high: high.length,
    highCalledLow: count(high, ({ said }) => said === 'low'),
    strongHighCalledLow: count(high, ({ said, strength }) => said === 'low' && strength === 'strong'),
    onlyLow: onlyLow.length,
    lowCalledHigh: count(onlyLow, ({ said }) => said === 'high'),
  }
}

function grouped(key, some = rows) {
  const keys = [...new Set(some.map((row) => row[key] ?? 'none'))].sort()
  return Object.fromEntries(keys.map((each) => [each, measure(some.filter((row) => (row[key] ?? 'none') === each))]))
}

const report = {
  all: measure(rows),
  halves: grouped('half'),
  strength: grouped('strength'),
  source: grouped('source'),
  madeUp: grouped('list', madeUp()),
}

const percent = (part, whole) => (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`)
const cells = (name, m) => [
  name,
  m.tools,
  percent(m.accepted, m.tools),
  `${m.highCalledLow} of ${m.high}`,
  `${m.lowCalledHigh} of ${m.onlyLow} (${percent(m.lowCalledHigh, m.onlyLow)})`,
  ...tiers.map((label) => tiers.map((said) => m.matrix[label][said]).join(' / ')),
]

function table(title, groups) {
  console.log(
    `\n| ${title} | tools | within accept | high called low | low called high | low → l / m / h | medium → | high → |`,
  )
  console.log('| --- | --: | --: | --: | --: | --: | --: | --: |')
  for (const [name, measured] of Object.entries(groups)) console.log(`| ${cells(name, measured).join(' | ')} |`)
}

/** The aims are of the whole; each half is told where it falls short of them. */
function aims(groups) {
  for (const [name, m] of Object.entries(groups)) {
    const missed = [
      m.accepted / m.tools < 0.95 && 'within accept below 95 %',
      m.highCalledLow / m.high > 0.002 && 'high called low above 0.2 %',
      m.strongHighCalledLow > 0 && 'a high with a strong label called low',
      m.lowCalledHigh / m.onlyLow > 0.06 && 'low called high above 6 %',
    ].filter(Boolean)
    console.log(`${name}: ${missed.length === 0 ? 'every aim is met' : missed.join(', ')}`)
  }
}

/** The dangerous ones first, then those that would annoy most. */
function mistakes(most) {
  const shown = flags.half === undefined ? rows : rows.filter(({ half }) => half === flags.half)
  const dangerous = shown.filter(({ label, said }) => label === 'high' && said === 'low')
  const under = shown.filter(({ label, said, accept }) => label !== 'high' && said === 'low' && !accept.includes('low'))
  const annoying = shown.filter(({ accept, said }) => accept.join() === 'low' && said === 'high')
  const others = shown.filter(
    ({ accept, said }) =>
      !accept.includes(said) && said !== 'low' && !annoying.some((a) => a.said === said && a.accept === accept),
  )
  for (const [title, list] of Object.entries({
    'high called low': dangerous,
    'medium called low': under,
    'low called high': annoying,
    other: others,
  })) {
    console.log(`\n${title}: ${list.length}`)
    for (const { id, label, accept, said, evidence } of list.slice(0, most)) {
      const why = evidence.filter(({ argues }) => argues === said).map(({ source, at }) => `${source} ${at}`)
      console.log(`  ${id}: ${label} (${accept.join('|')}), called ${said} by ${[...new Set(why)].join(', ')}`)
    }
  }
}

if (flags.json) console.log(JSON.stringify(report))
else {
  table('all', { all: report.all })
  table('half, split by server', report.halves)
  table('strength of the label', report.strength)
  table('source', report.source)
  table('made up by us', report.madeUp)
  console.log('')
  aims({ all: report.all, ...report.halves })
  if (Number(flags.mistakes) > 0) mistakes(Number(flags.mistakes))
}
