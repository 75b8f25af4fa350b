/** The database side of `group-commit.mjs`: everything that has arrived goes into one transaction; the reply follows it. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'

const database = new DatabaseSync(path.join(workerData.folder, 'receipts.db'))
database.prepare('ATTACH ? AS shared').run(path.join(workerData.folder, 'claims.db'))
database.exec(`
  PRAGMA main.journal_mode = WAL;
  PRAGMA main.synchronous = FULL;
  PRAGMA shared.journal_mode = WAL;
  PRAGMA shared.synchronous = FULL;
  CREATE TABLE receipts (
    id INTEGER PRIMARY KEY, ref TEXT NOT NULL UNIQUE, hash TEXT NOT NULL, stream TEXT NOT NULL, seq INTEGER NOT NULL,
    prev TEXT, kind TEXT NOT NULL, jws TEXT NOT NULL, UNIQUE (stream, seq)
  ) STRICT;
  CREATE TABLE sidecars (receipt INTEGER PRIMARY KEY, salt TEXT NOT NULL, request TEXT NOT NULL) STRICT;
  CREATE TABLE shared.claims (
    call_key TEXT PRIMARY KEY, input_digest TEXT NOT NULL, decision TEXT NOT NULL, receipt TEXT NOT NULL,
    status TEXT NOT NULL, session TEXT, tool TEXT, amount TEXT
  ) STRICT, WITHOUT ROWID;
`)
if (database.prepare('PRAGMA synchronous').get().synchronous !== 2) throw new Error('SQLite does not sync')

const insertReceipt = database.prepare(
  'INSERT INTO receipts (ref, hash, stream, seq, prev, kind, jws) VALUES (?, ?, ?, ?, ?, ?, ?)',
)
const insertSidecar = database.prepare('INSERT INTO sidecars VALUES (?, ?, ?)')
const insertClaim = database.prepare("INSERT INTO shared.claims VALUES (?, ?, ?, ?, 'claimed', ?, ?, ?)")
const endClaim = database.prepare('UPDATE shared.claims SET status = ? WHERE call_key = ?')

/** Claims that have ended since the shared file was last written: they travel with the next decision. */
const ended = []

parentPort.on('message', (first) => {
  if (first === 'close') {
    database.close()
    parentPort.close()
    return
  }
  const writes = [...first]
  for (let more = receiveMessageOnPort(parentPort); more !== undefined; more = receiveMessageOnPort(parentPort)) {
    writes.push(...more.message)
  }
  const hasClaims = writes.some(({ claim }) => claim !== undefined)
  database.exec(hasClaims ? 'BEGIN IMMEDIATE' : 'BEGIN')
  if (hasClaims) for (const { callKey, status } of ended.splice(0)) endClaim.run(status, callKey)
  for (const { receipt, sidecar, claim, settles } of writes) {
    const { ref, hash, stream, seq, prev, kind, jws } = receipt
    const { lastInsertRowid } = insertReceipt.run(ref, hash, stream, seq, prev, kind, jws)
    if (sidecar !== undefined) insertSidecar.run(lastInsertRowid, sidecar.salt, sidecar.request)
    if (claim !== undefined) {
      insertClaim.run(claim.callKey, claim.inputDigest, hash, ref, claim.session, claim.tool, claim.amount)
    }
    if (settles !== undefined) ended.push(settles)
  }
  database.exec('COMMIT')
  parentPort.postMessage(writes.map(({ id }) => id))
})
