// A witness as a process of its own: prints its line of a policy, and takes from stdin the keys of logs that it is to know.
import { createInterface } from 'node:readline'
import { startWitness } from './witness-server.ts'

const witness = await startWitness(process.argv[2] ?? 'example.com/witness')
process.stdout.write(`${witness.line}\n`)
for await (const key of createInterface({ input: process.stdin })) {
  witness.know(key)
  process.stdout.write('known\n')
}
await witness.close()
