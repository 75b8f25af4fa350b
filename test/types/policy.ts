/** What the author of a typed policy may rely on in their editor. Compiled by `tsc -p test/types`; it never runs. */
import { dynamicTool, jsonSchema, tool } from 'ai'
import { tool as toolOf6 } from 'ai-v6'
import { z } from 'zod'
import { createGate, policy } from '../../src/index.ts'

const tools = {
  refund: tool({
    description: 'd',
    inputSchema: z.object({ amount: z.number(), currency: z.enum(['EUR', 'USD']).default('EUR') }),
    execute: async ({ amount }) => amount,
  }),
  described: tool({
    inputSchema: jsonSchema<{ readonly path: string }>({ type: 'object' }),
    execute: async ({ path }) => path,
  }),
  older: toolOf6({ inputSchema: z.object({ to: z.array(z.string()) }), execute: async ({ to }) => to }),
  dynamic: dynamicTool({
    description: 'x',
    inputSchema: jsonSchema({ type: 'object' }),
    execute: async () => 1 as unknown,
  }),
}

const refunds = policy<typeof tools>(
  {
    refund: ({ args, principal, materiality, session }) => {
      const amount: number = args.amount
      const currency: 'EUR' | 'USD' = args.currency
      // @ts-expect-error the tool takes no such argument
      void args.ammount
      // @ts-expect-error an argument is of the type that its schema says
      const text: string = args.amount
      void [currency, materiality, session.calls, text]
      return amount <= 500 || principal.roles.includes('finance') ? 'permit' : { ask: 'finance', say: 'Ask finance.' }
    },
    described: async ({ args }) => (args.path.startsWith('/srv') ? 'permit' : { deny: 'Only /srv.' }),
    older: ({ args }) => (args.to.length < 2 ? 'permit' : 'deny'),
    dynamic: ({ args }) => {
      // @ts-expect-error nobody knows what a dynamic tool takes
      void args.anything
      return 'deny'
    },
    'files/write_file': ({ args }) => (args['path'] === 'x' ? 'permit' : 'deny'),
  },
  ({ tool: name, materiality }) => (materiality === 'low' && name !== 'x' ? 'permit' : { ask: 'confirmation' }),
)
createGate({ policy: refunds })

policy<typeof tools>({
  // @ts-expect-error there is no such tool
  refnd: () => 'permit',
})
policy<typeof tools>({
  // @ts-expect-error a rule answers permit, deny or an object of these
  refund: () => true,
})
policy<typeof tools>({
  // @ts-expect-error a misspelt answer is none
  refund: () => 'allow',
})
policy<typeof tools>({
  // @ts-expect-error nothing is not an answer
  refund: ({ args }) => {
    if (args.amount < 5) return 'permit'
  },
})
