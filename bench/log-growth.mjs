/**
 * A log that grows tenfold at a time, and what a proof out of it is. The tiles are made by the log's own writer and read by its own
 * reader, from files; what is left out is what a step of a real log does besides: entries are a few bytes, nothing is synced,
 * signed or indexed. The tree does not know the difference: it is made of hashes of 32 bytes.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { sha256Bytes } from '../dist/src/bytes/digest.js'
import { emptyRoot, leafHash, verifyConsistency, verifyInclusion } from '../dist/src/log/merkle.js'
import { proveInclusion } from '../dist/src/log/prove.js'
import { RightEdge } from '../dist/src/log/right-edge.js'
import { consistencyIn, nodesOf } from '../dist/src/log/tiles.js'
import { logFiles } from '../dist/src/store/log-files.js'
import { spread } from './measure.mjs'
import { markdown } from './report.mjs'

const PROOFS = 200
const SMALLEST = 1_000

/** @param {{leaves: number, report: (line: string) => void}} settings `leaves`: how far the log grows */
export async function measureProofs({ leaves, report }) {
  const folder = await mkdtemp(path.join(tmpdir(), 'bench-log-'))
  const files = logFiles(folder)
  const storage = { read: files.read, write: async (at, bytes) => writeLoosely(path.join(folder, at), bytes) }
  const edge = new RightEdge(storage, sha256Bytes)
  await edge.load({ size: 0, root: emptyRoot(sha256Bytes) })
  const rows = []
  let before
  let at = 0
  try {
    for (let size = SMALLEST; size <= leaves; size *= 10) {
      const startedAt = performance.now()
      for (; at < size; at += 1) await edge.push(entryAt(at))
      await edge.writePartial()
      const grewMs = performance.now() - startedAt
      const head = await edge.head()
      rows.push({ size, grewMs, ...(await proofsOf({ storage, sha256: sha256Bytes }, head, before)) })
      before = head
      report(`proofs: ${size} leaves`)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return rows
}

async function proofsOf(log, { size, root }, before) {
  const [made, checked, hashes] = [[], [], []]
  for (let n = 0; n < PROOFS; n += 1) {
    // Spread over the log, and the same ones each time.
    const index = (n * 2_654_435_761) % size
    const startedAt = performance.now()
    const proof = await proveInclusion(log.sha256, nodesOf(log, size), { index, size })
    const madeAt = performance.now()
    const leaf = leafHash(log.sha256, entryAt(index))
    if (!verifyInclusion(log.sha256, { index, leaf, size, root, proof })) throw new Error(`no proof of leaf ${index}`)
    checked.push((performance.now() - madeAt) * 1_000)
    made.push((madeAt - startedAt) * 1_000)
    hashes.push(proof.length)
  }
  const inclusion = { hashes: spread(hashes), madeUs: spread(made), checkedUs: spread(checked) }
  if (before === undefined) return { inclusion }
  const startedAt = performance.now()
  const proof = await consistencyIn(log, before, { size, root })
  const madeUs = (performance.now() - startedAt) * 1_000
  if (!verifyConsistency(log.sha256, { from: before, to: { size, root }, proof })) throw new Error('no consistency')
  return { inclusion, consistency: { hashes: proof.length, madeUs } }
}

function entryAt(index) {
  return Buffer.from(`entry ${index}`)
}

function writeLoosely(file, bytes) {
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, bytes)
}

/** Bytes of a proof as it stands in a bundle: base64 of each hash, quotes and a comma. */
const inBundle = (hashes) => hashes * 47

export function proofTable(rows) {
  const micros = ({ median, max }) => `${median.toFixed(0)} (${max.toFixed(0)})`
  return markdown([
    [
      'leaves',
      'hashes of a proof (most)',
      'bytes in a bundle',
      'made, µs (most)',
      'checked, µs',
      'from a tenth: hashes',
      'grown in, s',
    ],
    ['--:', '--:', '--:', '--:', '--:', '--:', '--:'],
    ...rows.map(({ size, grewMs, inclusion, consistency }) => [
      size.toLocaleString('en'),
      `${inclusion.hashes.median} (${inclusion.hashes.max})`,
      inBundle(inclusion.hashes.median),
      micros(inclusion.madeUs),
      inclusion.checkedUs.median.toFixed(0),
      consistency?.hashes ?? '',
      (grewMs / 1_000).toFixed(1),
    ]),
  ])
}
