export interface RefundInput {
  readonly order: string
  readonly amount: number
  readonly currency: string
  readonly reason: string
  readonly payee: { readonly name: string; readonly iban: string; readonly accountAgeDays: number }
}

export function refundInput(n: number): RefundInput
