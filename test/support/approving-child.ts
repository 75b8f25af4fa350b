/** One of several processes: answers one request as a person of its own, then makes the call that waits for it. */
import { once } from 'node:events'
import { createSqliteStore } from '../../src/testing.ts'
import { said } from './approvals.ts'
import { fateOf, refundOf, shop } from './refunds.ts'

const [folder = '', ref = '', shown = '', user = '', quorum = '1'] = process.argv.slice(2)
const { gate, alice, finance } = shop({ store: createSqliteStore({ folder }), quorum: Number(quorum) })
await gate.ready()
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const answered = said(await finance(user).answer(ref, 'approved', { shown }))
const { fate } = await fateOf(alice, refundOf(900, { callId: `by ${process.pid}` }))
process.stdout.write(`${JSON.stringify({ answered, fate })}\n`)
await gate.close()
process.exit(0)
