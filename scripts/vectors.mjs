// Writes the test vectors of receipts and bundles into test/vectors/receipts/, the same bytes each time.
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { receiptVectors } from '../test/support/receipt-vectors.ts'

const folder = path.resolve(import.meta.dirname, '../test/vectors/receipts')
const files = await receiptVectors()
mkdirSync(folder, { recursive: true })
for (const name of readdirSync(folder)) if (!files.has(name)) rmSync(path.join(folder, name))
for (const [name, text] of files) writeFileSync(path.join(folder, name), text)
console.log(`${files.size} files in test/vectors/receipts`)
