/**
 * What every adapter owes its users, by number: a name that stays, for results that machines read, and the guarantee in the words of
 * the tables of hosts.
 */
export const BEHAVIOURS = {
  1: { name: 'permitted', guarantee: 'a permitted call runs once' },
  2: { name: 'denied', guarantee: 'a denied call does not run, the model is told, the run goes on' },
  3: { name: 'policy-throws', guarantee: 'a policy that throws refuses' },
  4: { name: 'policy-hangs', guarantee: 'a policy that hangs refuses in time' },
  5: { name: 'caller-leaves', guarantee: 'nothing runs for a caller that has left' },
  6: { name: 'side-by-side', guarantee: 'the calls of a step are decided side by side' },
  7: { name: 'repeated-id', guarantee: 'a call id that repeats runs once' },
  8: { name: 'approved-once', guarantee: 'an approval is good once, for those arguments' },
  9: { name: 'no-after-yes', guarantee: 'a policy that turned to no wins over a yes' },
  10: { name: 'previews', guarantee: 'previews stay; a refusal is one value' },
  11: { name: 'formatter', guarantee: 'a refusal meets no formatter and no schema of the tool' },
  12: { name: 'own-error', guarantee: "a tool's own error stays as it is" },
  13: { name: 'provider-run', guarantee: 'what the provider runs is marked, and not denied' },
  14: { name: 'nested', guarantee: 'a call that a tool makes is gated' },
  15: { name: 'identity', guarantee: 'a tool keeps all that it is' },
  16: { name: 'no-receipt-in-prompt', guarantee: 'no receipt and no signature reaches the model' },
  17: { name: 'stored-messages', guarantee: 'stored messages validate and can be sent again' },
} as const

export type Behaviour = keyof typeof BEHAVIOURS

/** All of them, in order. */
export const NUMBERS = Object.keys(BEHAVIOURS).map(Number) as readonly Behaviour[]
