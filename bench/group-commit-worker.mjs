/** The database side of `group-commit.mjs`: everything that has arrived goes into one transaction; the reply follows it. */
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'

const database = new DatabaseSync(path.join(workerData.folder, 'receipts.db'))
database.exec(`
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  ATTACH '${path.join(workerData.folder, 'claims.db')}' AS shared;
  PRAGMA shared.journal_mode = WAL;
  PRAGMA shared.synchronous = FULL;
  CREATE TABLE receipts (seq INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, jws TEXT NOT NULL);
  CREATE TABLE sidecars (hash TEXT PRIMARY KEY, salt TEXT NOT NULL, request TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE shared.claims (call_key TEXT PRIMARY KEY, digest TEXT NOT NULL, receipt TEXT NOT NULL, status TEXT NOT NULL) WITHOUT ROWID;
`)
if (database.prepare('PRAGMA synchronous').get().synchronous !== 2) throw new Error('SQLite does not sync')

const insertReceipt = database.prepare('INSERT INTO receipts (hash, jws) VALUES (?, ?)')
const insertSidecar = database.prepare('INSERT INTO sidecars (hash, salt, request) VALUES (?, ?, ?)')
const insertClaim = database.prepare('INSERT INTO shared.claims VALUES (?, ?, ?, ?)')
const endClaim = database.prepare('UPDATE shared.claims SET status = ? WHERE call_key = ?')

let queue = []

function commit() {
  const batch = queue
  queue = []
  database.exec('BEGIN IMMEDIATE')
  for (const { hash, jws, sidecar, claim, settles } of batch) {
    insertReceipt.run(hash, jws)
    if (sidecar !== undefined) insertSidecar.run(hash, sidecar.salt, sidecar.request)
    if (claim !== undefined) insertClaim.run(claim.callKey, claim.digest, hash, 'claimed')
    if (settles !== undefined) endClaim.run(settles.status, settles.callKey)
  }
  database.exec('COMMIT')
  parentPort.postMessage(batch.map(({ id }) => id))
}

parentPort.on('message', (message) => {
  if (message === 'close') {
    database.close()
    parentPort.close()
    return
  }
  if (queue.length === 0) setImmediate(commit)
  queue.push(message)
})
