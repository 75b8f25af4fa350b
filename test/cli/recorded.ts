/** A store with a permitted read, a refused payment and a call that waits for a person, as an application leaves it. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createGate } from '../../src/create-gate.ts'
import { loadOrCreateKey } from '../../src/receipt/key-file.ts'
import { createSqliteStore } from '../../src/store/sqlite.ts'
import type { Gate, Receipt } from '../../src/types.ts'
import type { Machine } from './holdpoint.ts'

export const POLICIES = `@id("reads")
permit (principal, action in Action::"low", resource);

@id("refund-cap")
@refusal("Refunds above 500 EUR are not made here.")
forbid (principal, action == Action::"shop/refund", resource)
when { context.arguments has amount && context.arguments.amount > 500 };

@id("mail-needs-a-yes")
@requires("confirmation")
permit (principal, action == Action::"shop/send_mail", resource);
`

export const CONFIG = 'server: shop\npolicies: shop.cedar\n'

/** Writes `holdpoint.yaml` and its policy into the machine's working directory. */
export function configure(machine: Machine): void {
  writeFileSync(join(machine.folder, 'shop.cedar'), POLICIES)
  writeFileSync(join(machine.folder, 'holdpoint.yaml'), CONFIG)
}

/** A gate with the machine's own key and store, as `createGate()` there would have. */
export function openGate(machine: Machine): Gate {
  const gate = createGate({
    config: machine.folder,
    effects: {
      signer: loadOrCreateKey(join(machine.state, 'keys', 'receipt.pem')),
      store: createSqliteStore({ folder: join(machine.state, 'receipts') }),
    },
  })
  const amount = { type: 'object', properties: { amount: { type: 'integer' } } }
  gate.register([
    { name: 'list_orders', origin: 'own' },
    { name: 'refund', origin: 'own', inputSchema: amount },
    { name: 'send_mail', origin: 'own' },
  ])
  return gate
}

/** What happened there. */
export interface Recorded {
  readonly permitted: readonly Receipt[]
  readonly refused: string
  readonly waiting: { readonly ref: string; readonly receipt: string }
}

/** Configures the machine and makes three calls. */
export async function record(machine: Machine): Promise<Recorded> {
  configure(machine)
  const gate = openGate(machine)
  const me = gate.as({ user: 'ada', agent: 'support' }, { conversation: 'c1' })
  const read = await me.run({ tool: 'list_orders', input: {} }, () => ['1184'])
  const refund = await me.run({ tool: 'refund', input: { amount: 900 } }, () => 'paid')
  const mail = await me.admit({ tool: 'send_mail', input: { to: 'bob@example.org' } })
  await gate.close()
  if (read.outcome !== 'ran' || refund.outcome !== 'refused' || mail.outcome !== 'refused') {
    throw new Error('the recorded calls went another way')
  }
  return {
    permitted: read.receipts,
    refused: refund.refusal.receipt ?? '',
    waiting: { ref: mail.request?.ref ?? '', receipt: mail.receipt?.id ?? '' },
  }
}
