// How long does the classifier take for a tool it has not seen, and for a call of a tool that it knows?
// Real tools and real calls from ../shared/corpora, or one of each where they are absent; medians of eleven rounds.
//
// npm run -s build && node bench/materiality.mjs [--json]
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Contracts } from '../dist/src/call/contract.js'
import { classify } from '../dist/src/materiality/classify.js'
import { refundInput, refundTool } from './refund.mjs'

const ROUNDS = 11
const shared = process.env.HOLDPOINT_SHARED ?? path.resolve(import.meta.dirname, '..', '..', 'shared')
const corpus = path.join(shared, 'corpora', 'public')

function linesIn(folder) {
  if (!existsSync(folder)) return []
  const files = readdirSync(folder).filter((name) => name.endsWith('.jsonl'))
  return files.flatMap((name) =>
    readFileSync(path.join(folder, name), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line)),
  )
}

function contractOf({ name, description, inputSchema }) {
  try {
    const definition = {
      name,
      origin: 'third-party',
      ...(description && { description }),
      ...(inputSchema && { inputSchema }),
    }
    return new Contracts().register('s', [definition], new Map())
  } catch {
    return []
  }
}

const tools = linesIn(path.join(corpus, 'tools')).map(({ tool }) => tool)
const contracts = (tools.length > 0 ? tools : [refundTool]).flatMap(contractOf)
const byName = new Map(contracts.map((contract) => [contract.tool, contract]))
const steps = linesIn(path.join(corpus, 'traces')).flatMap(({ steps }) => steps ?? [])
const known = steps.flatMap(({ tool, args }) => (byName.has(tool) && args ? [[byName.get(tool), args]] : []))
const calls = known.length > 0 ? known : [[contracts[0], refundInput(1)]]
if (tools.length === 0) console.log('no corpora found: one tool and one call, from bench/refund.mjs')

/** A copy is a contract that the classifier has not seen. */
const fresh = () => contracts.map((contract) => ({ ...contract }))
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]

function each(items, run) {
  return items.map((item) => {
    const from = process.hrtime.bigint()
    run(item)
    return Number(process.hrtime.bigint() - from) / 1_000
  })
}

const perTool = []
const perCall = []
for (let round = 0; round < ROUNDS; round += 1) {
  perTool.push(median(each(fresh(), (contract) => classify(contract, {}))))
  perCall.push(median(each(calls, ([contract, input]) => classify(contract, input))))
}
const report = {
  tools: contracts.length,
  toolUs: median(perTool),
  calls: calls.length,
  callUs: median(perCall),
}
if (process.argv.includes('--json')) console.log(JSON.stringify(report))
else {
  console.log(`a tool not seen before: ${report.toolUs.toFixed(1)} µs (median of ${report.tools}; aim: below 20)`)
  console.log(`a call of a known tool: ${report.callUs.toFixed(1)} µs (median of ${report.calls}; aim: below 5)`)
}
