/** `npm run bench -- --receipts`: signing and keeping receipts beside the bare store, and checking them beside the floor. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { generateSigner } from '../dist/src/receipt/sign.js'
import { createSqliteStore } from '../dist/src/store/sqlite.js'
import { verifyReceipts } from '../dist/src/verify.js'
import { openGroupCommit } from './group-commit.mjs'
import { measureProofs, proofTable } from './log-growth.mjs'
import { openCalls, tokensOf } from './made-receipts.mjs'
import { interleave, ratios, spread } from './measure.mjs'
import { bytesPerCall } from './parts.mjs'
import { machine, markdown } from './report.mjs'
import { createVerifyFloor } from './verify-floor.mjs'

/** Calls under way at once, and timed calls of one round. */
const WRITERS = [
  [1, 150],
  [8, 800],
  [64, 3_000],
  [256, 4_000],
]
/** Of each call: a decision and an outcome. */
const RECEIPTS_PER_CALL = 2
const VERIFIED_CALLS = 5_000

/** @param {{rounds: number, leaves: number, report: (line: string) => void}} settings */
export async function measureReceipts({ rounds, leaves, report }) {
  const writers = await measureWriting({ rounds, report })
  const verifying = await measureVerifying({ rounds, report })
  const proofs = await measureProofs({ leaves, report })
  return { machine: machine(), rounds, writing: writers, verifying, proofs }
}

/** As many durable receipts as can be had: signed, the same chain without signatures, and rows alone. */
async function measureWriting({ rounds, report }) {
  const sizes = await bytesPerCall()
  const kinds = [
    { kind: 'signed', open: () => openStored(generateSigner()) },
    { kind: 'unsigned', open: () => openStored(unsigned()) },
    { kind: 'bare', open: () => openGroupCommit(sizes) },
  ]
  const contestants = WRITERS.flatMap(([inFlight, calls]) =>
    kinds.map(({ kind, open }) => ({ id: `${kind}-${inFlight}`, name: kind, inFlight, calls, open })),
  )
  const figures = await interleave(contestants, { rounds, report: (line) => report(`writing: ${line}`) })
  return WRITERS.map(([inFlight]) => {
    const [signed, bare, plain] = ['signed', 'bare', 'unsigned'].map((kind) => figures.get(`${kind}-${inFlight}`))
    const perSecond = ({ us }) => spread(us.map((each) => (RECEIPTS_PER_CALL * 1e6) / each))
    return {
      inFlight,
      signed: perSecond(signed),
      unsigned: perSecond(plain),
      bare: perSecond(bare),
      cpuUs: spread(signed.cpuUs).median / RECEIPTS_PER_CALL,
      // Time per call the other way up is receipts per second.
      overBare: ratios(bare.us, signed.us),
      overUnsigned: ratios(plain.us, signed.us),
    }
  })
}

async function openStored(signer) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-receipts-'))
  const store = createSqliteStore({ folder })
  await store.open()
  const { call } = await openCalls(store, signer)
  const close = async () => {
    await store.close()
    await rm(folder, { recursive: true, force: true })
  }
  return { call, close }
}

/** A key that signs nothing: what is left is everything else. */
function unsigned() {
  const nothing = new Uint8Array(64)
  return { ...generateSigner(), sign: () => nothing }
}

/** Each receipt of a set checked whole, and each signature verified with its parts parsed and nothing more. */
async function measureVerifying({ rounds, report }) {
  const signer = generateSigner()
  const tokens = await tokensOf(VERIFIED_CALLS, signer)
  const floor = createVerifyFloor(signer.publicJwk)
  const plain = async () => {
    for (const jws of tokens) floor(jws)
  }
  const whole = async () => {
    const { complete, failures } = await verifyReceipts(tokens, { keys: [signer.publicJwk] })
    if (!complete) throw new Error(`the receipts do not verify: ${JSON.stringify(failures[0])}`)
  }
  const figures = { plain: { cpuUs: [], us: [] }, whole: { cpuUs: [], us: [] } }
  // Twice over before anything counts: code is compiled by then.
  for (let round = -2; round < rounds; round += 1) {
    const turns = [
      ['plain', plain],
      ['whole', whole],
    ]
    for (const [name, run] of round % 2 === 0 ? turns : turns.reverse()) {
      const taken = await timed(run, tokens.length)
      if (round < 0) continue
      figures[name].cpuUs.push(taken.cpuUs)
      figures[name].us.push(taken.us)
    }
    if (round >= 0) report(`verifying: round ${round + 1} of ${rounds}`)
  }
  const told = ({ cpuUs, us }) => ({ cpuUs: spread(cpuUs), us: spread(us), perCore: 1e6 / spread(cpuUs).median })
  return {
    receipts: tokens.length,
    floor: told(figures.plain),
    verifier: told(figures.whole),
    ratio: ratios(figures.whole.cpuUs, figures.plain.cpuUs),
  }
}

async function timed(run, count) {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await run()
  const ms = performance.now() - startedAt
  const { user, system } = process.cpuUsage(cpu)
  return { us: (ms * 1000) / count, cpuUs: (user + system) / count }
}

/** What was measured, as Markdown. */
export function receiptsTable({ machine: host, rounds, writing, verifying, proofs }) {
  const head = `${rounds} interleaved rounds; ${host.cpu}, ${host.cores} cores, ${host.gib} GiB; Node ${host.node}; load ${host.load.toFixed(1)} at the end\n\n`
  const whole = (figure) => Math.round(figure).toLocaleString('en')
  const range = ({ median, min, max }) => `${whole(median)} (${whole(min)} – ${whole(max)})`
  const ratio = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)} – ${max.toFixed(2)})`
  const wrote = [
    [
      'calls in flight',
      'durable receipts/s, signed',
      'without signatures',
      'bare group commit',
      'signed over bare',
      'signed over unsigned',
      'processor µs each',
    ],
    ['--:', '--:', '--:', '--:', '--:', '--:', '--:'],
    ...writing.map((row) => [
      row.inFlight,
      range(row.signed),
      range(row.unsigned),
      range(row.bare),
      ratio(row.overBare),
      ratio(row.overUnsigned),
      whole(row.cpuUs),
    ]),
  ]
  const { floor, verifier } = verifying
  const micros = ({ median, min, max }) => `${median.toFixed(0)} (${min.toFixed(0)} – ${max.toFixed(0)})`
  const checked = [
    ['', 'processor µs', 'wall µs', 'a second, of one core'],
    ['---', '--:', '--:', '--:'],
    ['floor: verify and parse', micros(floor.cpuUs), micros(floor.us), whole(floor.perCore)],
    ['the whole check', micros(verifier.cpuUs), micros(verifier.us), whole(verifier.perCore)],
  ]
  return `${head}${markdown(wrote)}\n${markdown(checked)}\nthe whole check over the floor, processor time: ${ratio(verifying.ratio)}; aim ≤ 1.3\n\n${proofTable(proofs)}`
}
